//! Errors of a provider, sorted by what to do about them.

use std::time::Duration;

use thiserror::Error;

/// What to do about an error of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// Too many calls, or a fault of the provider's: back off.
    Transient,
    /// The instance is busy: wait for another state.
    WrongState,
    /// The storage was changed within the last hours.
    StorageCooldown,
    /// A quota or the provider's capacity is exhausted: try slowly.
    Exhausted,
    /// Refused until the spec, the class or the account changes: try slowly, and say so.
    Refused,
    /// The credentials do not allow it, or are missing or expired.
    Unauthorized,
    /// There is no such instance or snapshot.
    NotFound,
    /// There is one of that name already.
    AlreadyExists,
    /// The provider was not reached.
    Unreachable,
}

/// An error of the provider, with its own code and words.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{action}: {code}: {message}")]
pub struct CloudError {
    /// What was asked, by the provider's name for the call.
    pub action: &'static str,
    /// The provider's code, or `Unreachable` and the like where it never answered.
    pub code: String,
    /// The provider's message.
    pub message: String,
    /// What to do about it.
    pub class: ErrorClass,
    /// The same for a person, in a sentence.
    pub remedy: &'static str,
    /// Nothing was sent, because others' calls to the account wait already: when to ask again.
    pub crowded: Option<Duration>,
}

impl CloudError {
    /// An error for which a person does what its class says.
    pub fn new(action: &'static str, code: impl Into<String>, message: impl Into<String>, class: ErrorClass) -> Self {
        Self { action, code: code.into(), message: message.into(), class, remedy: class.remedy(), crowded: None }
    }

    /// No way leads to the account.
    pub(crate) fn no_way(message: String) -> Self {
        Self::new("Connect", "NoWay", message, ErrorClass::Unreachable)
    }

    /// What it is, and what a person can do about it.
    pub(crate) fn with_remedy(&self) -> String {
        format!("{self}; {}", self.remedy)
    }
}

impl ErrorClass {
    /// What a person can do, whatever the provider.
    fn remedy(self) -> &'static str {
        match self {
            Self::Transient => "nothing to do: it is tried again",
            Self::WrongState => "nothing to do: it is tried again when the instance is available",
            Self::StorageCooldown => "nothing to do: some time has to pass between two changes of the storage",
            Self::Exhausted => "ask the provider for a higher quota, or choose another instance class or zone",
            Self::Refused => "correct the spec or the class",
            Self::Unauthorized => "give the operator's role the permission, or valid credentials",
            Self::NotFound => "see whether it was deleted outside the cluster",
            Self::AlreadyExists => "nothing to do: the next look tells whose it is, and a snapshot gets another name",
            Self::Unreachable => "see that the endpoint can be reached from the cluster",
        }
    }
}
