//! Why an object is not worked on.

use thiserror::Error;

use crate::plan::reason::Reason;

/// Why an object is not worked on. Each names what to change.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The specification breaks rules.
    #[error("{}", list(.0))]
    InvalidSpec(Vec<String>),
    /// No class is named, none is the default, and the built-in one is not to be had.
    #[error(
        "spec.className: no class is named and none is marked as the default one, and this operator asks for one; name an \
         RDSDatabaseClass, or ask the platform team for a default one"
    )]
    ClassRequired,
    /// There is no such class.
    #[error("spec.className: there is no RDSDatabaseClass \"{0}\"; create it, or name another")]
    ClassNotFound(String),
    /// The class of the instance is gone.
    #[error("the RDSDatabaseClass \"{0}\", which the database was made with, is gone; create it again")]
    ClassGone(String),
    /// The class does not allow it.
    #[error("the class {class} does not permit this object: {why}")]
    ClassNotPermitted {
        /// The class.
        class: String,
        /// What is not permitted, and what is.
        why: String,
    },
    /// The class is there and cannot be read.
    #[error("the RDSDatabaseClass \"{class}\" cannot be read ({why}); correct it")]
    ClassUnreadable {
        /// The class.
        class: String,
        /// What is wrong with it.
        why: String,
    },
    /// The object is to go, and without its class nothing leads to its instance.
    #[error("{0}; the instance is not deleted before that, and with deletionPolicy: Retain the object goes without it")]
    Unreachable(Box<Self>),
    /// An engine that is not built yet.
    #[error("spec.type: {0} is admitted but not supported yet, so nothing is created; use Postgresql")]
    EngineNotSupported(String),
}

impl Refusal {
    /// The condition's reason.
    pub(crate) fn reason(&self) -> Reason {
        match self {
            Self::InvalidSpec(_) => Reason::InvalidSpec,
            Self::ClassRequired => Reason::ClassRequired,
            Self::ClassNotFound(_) => Reason::ClassNotFound,
            Self::ClassGone(_) => Reason::ClassGone,
            Self::Unreachable(why) => why.reason(),
            Self::ClassNotPermitted { .. } => Reason::ClassNotPermitted,
            Self::ClassUnreadable { .. } => Reason::ClassUnreadable,
            Self::EngineNotSupported(_) => Reason::EngineNotSupported,
        }
    }
}

fn list(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => format!("{} errors: {}", many.len(), many.join("; ")),
    }
}
