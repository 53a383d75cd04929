//! From an object and the classes to what is wanted of the cloud: pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Resource;
use kube::core::DeserializeGuard;
use serde_json::Value;
use shared::api::labels::DEFAULT_CLASS_ANNOTATION;
use shared::api::{DeletionPolicy, InstanceRef, RDSDatabase, RDSDatabaseClass, RDSDatabaseClassSpec};
use shared::rules::{self, DefaultVersions, Desired, Engine, Observed, Violation};
use thiserror::Error;

use crate::permit::Fence;
use crate::plan::Reason;
use crate::providers::Access;

/// Compute size where neither the object nor its class names one: the smallest that RDS offers for all supported versions.
const DEFAULT_INSTANCE_CLASS: &str = "db.t4g.micro";
const DEFAULT_STORAGE_TYPE: &str = "gp3";
const PROVIDER: &str = "aws";

/// What an object asks for, with what its class adds and allows.
#[derive(Clone, Debug)]
pub struct Target {
    /// The parsed specification, defaults included.
    pub desired: Desired,
    /// What the class decides.
    pub class: Class,
    /// What the class allows.
    pub fence: Fence,
    /// What happens to the data when the object goes.
    pub deletion_policy: DeletionPolicy,
}

impl Target {
    /// The compute size of a new instance: the object's own, else its class's.
    pub fn instance_class(&self) -> &str {
        self.desired.instance_class.as_deref().unwrap_or(&self.class.instance_class)
    }

    /// Whether the class allows this database to be born.
    ///
    /// # Errors
    /// What it does not allow.
    pub fn birth(&self) -> Result<(), Refusal> {
        self.fence.birth(&self.desired, self.instance_class(), self.deletion_policy)
    }
}

/// The class of an object, with the built-in values where it says nothing.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name; `None` is the built-in class.
    pub name: Option<String>,
    /// Way into the cloud.
    pub access: Access,
    /// Compute size for new instances.
    pub instance_class: String,
    /// Storage type for new instances.
    pub storage_type: String,
    /// Subnet group.
    pub subnet_group: Option<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// KMS key.
    pub kms_key: Option<String>,
    /// The platform's tags.
    pub tags: BTreeMap<String, String>,
}

/// Why an object is not worked on. Each names what to change.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
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
    pub fn reason(&self) -> Reason {
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

/// Resolves an object: defaults, rules, class. With `require_class` none is born in the built-in one. The same rules as at admission, for
/// what was admitted while the webhook was away.
pub fn resolve(
    object: &RDSDatabase,
    classes: &[Arc<GuardedClass>],
    require_class: bool,
    namespace_labels: &BTreeMap<String, String>,
    versions: DefaultVersions,
) -> Result<Target, Refusal> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    // A default that changed is no upgrade of what runs.
    let running = object.status.as_ref().and_then(|status| status.engine_version.clone());
    let versions = versions.behind(&Observed { engine_version: running, ..Observed::default() });
    let spec = rules::defaults(&written_spec(object), None, versions);
    let desired = rules::parse(name, &spec)
        .map_err(|violations| Refusal::InvalidSpec(violations.iter().map(sentence).collect()))?;
    if desired.engine != Engine::Postgresql {
        return Err(Refusal::EngineNotSupported(desired.engine.to_string()));
    }
    let pinned = object.status.as_ref().and_then(|status| status.instance.as_ref());
    let class = select(desired.class_name.as_deref(), pinned, classes)?;
    if require_class && class.is_none() && pinned.is_none() {
        return Err(Refusal::ClassRequired);
    }
    if let Some(class) = class
        && let Some(provider) = class.spec.provider.as_deref().filter(|provider| *provider != PROVIDER)
    {
        return Err(Refusal::ClassNotPermitted {
            class: class.metadata.name.clone().unwrap_or_default(),
            why: format!("its provider {provider} is not supported; {PROVIDER} is"),
        });
    }
    let default_policy = class.and_then(|class| class.spec.default_deletion_policy);
    let target = Target {
        class: resolved(class),
        fence: class.map(|class| Fence::of(class, namespace_labels)).unwrap_or_default(),
        deletion_policy: desired.deletion_policy.or(default_policy).unwrap_or_default(),
        desired,
    };
    // What runs already is asked about each change, by the plan.
    if !pinned.is_some_and(|pinned| pinned.created) {
        target.birth()?;
    }
    Ok(target)
}

/// The spec as JSON; what cannot be written as JSON was never read from it.
pub fn written_spec(object: &RDSDatabase) -> Value {
    serde_json::to_value(&object.spec).unwrap_or(Value::Null)
}

fn sentence(violation: &Violation) -> String {
    format!("{}: {}", violation.field, violation.message)
}

/// A class as it is watched: one that cannot be read is known by its metadata.
pub type GuardedClass = DeserializeGuard<RDSDatabaseClass>;

/// The class an object lives in: the one it was made with, else the one it names, else the default one, else the built-in one (`None`).
pub fn select<'a>(
    named: Option<&str>,
    pinned: Option<&InstanceRef>,
    classes: &'a [Arc<GuardedClass>],
) -> Result<Option<&'a RDSDatabaseClass>, Refusal> {
    let by_name = |name: &str| {
        let found = classes.iter().find(|class| class.meta().name.as_deref() == Some(name));
        let missing = if pinned.is_some() { Refusal::ClassGone } else { Refusal::ClassNotFound };
        found.ok_or_else(|| missing(name.to_owned())).and_then(|class| readable(class)).map(Some)
    };
    if let Some(pinned) = pinned {
        return match (&pinned.class_name, named) {
            (Some(made_with), Some(now)) if made_with != now => Err(Refusal::ClassNotPermitted {
                class: now.to_owned(),
                why: format!(
                    "the database was made with the class {made_with} and cannot move; set spec.className: {made_with}"
                ),
            }),
            (Some(name), _) => by_name(name),
            (None, Some(now)) => Err(Refusal::ClassNotPermitted {
                class: now.to_owned(),
                why: "the database was made with the built-in class and cannot move; remove spec.className".to_owned(),
            }),
            (None, None) => Ok(None),
        };
    }
    if let Some(name) = named {
        return by_name(name);
    }
    let default = classes.iter().filter(|class| is_default(class)).min_by_key(|class| class.meta().name.clone());
    default.map(|class| readable(class)).transpose()
}

fn readable(class: &GuardedClass) -> Result<&RDSDatabaseClass, Refusal> {
    class.0.as_ref().map_err(|invalid| Refusal::ClassUnreadable {
        class: class.meta().name.clone().unwrap_or_default(),
        why: invalid.error.clone(),
    })
}

/// Whether a class is marked as the one of objects that name none.
pub(crate) fn is_default(class: &GuardedClass) -> bool {
    let annotations = class.meta().annotations.as_ref();
    annotations.and_then(|annotations| annotations.get(DEFAULT_CLASS_ANNOTATION)).is_some_and(|value| value == "true")
}

/// What a class decides, with the built-in values where it says nothing.
pub fn resolved(class: Option<&RDSDatabaseClass>) -> Class {
    let built_in = RDSDatabaseClassSpec::default();
    let spec = class.map_or(&built_in, |class| &class.spec);
    Class {
        name: class.and_then(|class| class.metadata.name.clone()),
        access: Access {
            region: spec.region.clone(),
            role_arn: spec.role_arn.clone(),
            endpoint: spec.endpoint.clone(),
        },
        instance_class: spec.instance_class.clone().unwrap_or_else(|| DEFAULT_INSTANCE_CLASS.into()),
        storage_type: spec.storage_type.clone().unwrap_or_else(|| DEFAULT_STORAGE_TYPE.into()),
        subnet_group: spec.subnet_group.clone(),
        security_groups: spec.security_groups.clone(),
        kms_key: spec.kms_key.clone(),
        tags: spec.tags.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_default_version_that_changed_is_no_upgrade_of_what_runs() {
        let versions = DefaultVersions::given(&["postgresql=17".parse().unwrap()]).unwrap();
        let version = |spec: Value, running: Option<&str>| {
            let object = json!({
                "apiVersion": "matrixmind.cloud/v1", "kind": RDSDatabase::kind(&()), "metadata": {"name": "orders"},
                "spec": spec, "status": {"engineVersion": running},
            });
            let object = serde_json::from_value(object).unwrap();
            resolve(&object, &[], false, &BTreeMap::new(), versions).unwrap().desired.version.to_string()
        };
        assert_eq!(version(json!({}), None), "17");
        assert_eq!(version(json!({}), Some("12.22")), "12");
        assert_eq!(version(json!({"version": "15"}), Some("12.22")), "15", "what is written is asked for");
    }
}
