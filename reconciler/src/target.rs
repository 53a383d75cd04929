//! From an object and the classes to what is wanted of the cloud: pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Resource;
use kube::core::{DeserializeGuard, Selector, SelectorExt};
use serde_json::Value;
use shared::api::labels::DEFAULT_CLASS_ANNOTATION;
use shared::api::{DeletionPolicy, InstanceRef, RDSDatabase, RDSDatabaseClass, RDSDatabaseClassSpec};
use shared::rules::{self, Desired, Engine, Violation};
use thiserror::Error;

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
    /// What happens to the data when the object goes.
    pub deletion_policy: DeletionPolicy,
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
    /// There is no such class.
    #[error("spec.className: there is no RDSDatabaseClass \"{0}\"; create it, or name another")]
    ClassNotFound(String),
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
    /// An engine that is not built yet.
    #[error("spec.type: {0} is admitted but not supported yet, so nothing is created; use Postgresql")]
    EngineNotSupported(String),
}

impl Refusal {
    /// The condition's reason.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::InvalidSpec(_) => "InvalidSpec",
            Self::ClassNotFound(_) => "ClassNotFound",
            Self::ClassNotPermitted { .. } => "ClassNotPermitted",
            Self::ClassUnreadable { .. } => "ClassUnreadable",
            Self::EngineNotSupported(_) => "EngineNotSupported",
        }
    }
}

fn list(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        many => format!("{} errors: {}", many.len(), many.join("; ")),
    }
}

/// Resolves an object: defaults, rules, class. The same rules as at admission, for what was admitted while the webhook was away.
pub fn resolve(
    object: &RDSDatabase,
    classes: &[Arc<GuardedClass>],
    namespace_labels: &BTreeMap<String, String>,
) -> Result<Target, Refusal> {
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let spec = rules::defaults(&written_spec(object), None);
    let desired = rules::parse(name, &spec)
        .map_err(|violations| Refusal::InvalidSpec(violations.iter().map(sentence).collect()))?;
    if desired.engine != Engine::Postgresql {
        return Err(Refusal::EngineNotSupported(desired.engine.to_string()));
    }
    let pinned = object.status.as_ref().and_then(|status| status.instance.as_ref());
    let class = select(desired.class_name.as_deref(), pinned, classes)?;
    let deletion_policy = match class {
        Some(class) => permit(class, &desired, namespace_labels)?,
        None => desired.deletion_policy.unwrap_or_default(),
    };
    Ok(Target { class: resolved(class), deletion_policy, desired })
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
        found.ok_or_else(|| Refusal::ClassNotFound(name.to_owned())).and_then(|class| readable(class)).map(Some)
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

fn is_default(class: &GuardedClass) -> bool {
    let annotations = class.meta().annotations.as_ref();
    annotations.and_then(|annotations| annotations.get(DEFAULT_CLASS_ANNOTATION)).is_some_and(|value| value == "true")
}

/// Checks the object against its class; gives the deletion policy that holds.
fn permit(
    class: &RDSDatabaseClass,
    desired: &Desired,
    namespace_labels: &BTreeMap<String, String>,
) -> Result<DeletionPolicy, Refusal> {
    let spec = &class.spec;
    let name = class.metadata.name.clone().unwrap_or_default();
    let refuse = |why: String| Refusal::ClassNotPermitted { class: name.clone(), why };

    if let Some(provider) = spec.provider.as_deref().filter(|provider| *provider != PROVIDER) {
        return Err(refuse(format!("its provider {provider} is not supported; {PROVIDER} is")));
    }
    if let Some(allowed) = &spec.allowed_namespaces {
        let selector = Selector::try_from(allowed.clone())
            .map_err(|error| refuse(format!("its allowedNamespaces is not a valid selector ({error})")))?;
        if !selector.matches(namespace_labels) {
            return Err(refuse(format!("the namespace's labels do not match its allowedNamespaces ({selector})")));
        }
    }
    if let Some(largest) = &spec.max_size {
        let limit = rules::Size::parse(largest)
            .map_err(|error| refuse(format!("its maxSize \"{largest}\" is not a size ({error})")))?;
        if desired.size.allocated() > limit.allocated() {
            return Err(refuse(format!("spec.size: {} is more than its maxSize of {largest}", desired.size)));
        }
    }
    if spec.allow_createrole == Some(false)
        && let Some((user, _)) = desired.users.iter().find(|(_, flags)| flags.createrole == Some(true))
    {
        return Err(refuse(format!("spec.users[{user}]: the flag createrole is not allowed")));
    }
    permit_policy(class, desired.deletion_policy.or(spec.default_deletion_policy).unwrap_or_default())
}

/// Checks a deletion policy against the class; asked again when the object goes, because an edit may have come after the last check.
pub fn permit_policy(class: &RDSDatabaseClass, policy: DeletionPolicy) -> Result<DeletionPolicy, Refusal> {
    match &class.spec.allowed_deletion_policies {
        Some(allowed) if !allowed.contains(&policy) => {
            let allowed: Vec<_> = allowed.iter().map(|policy| policy.as_str()).collect();
            Err(Refusal::ClassNotPermitted {
                class: class.metadata.name.clone().unwrap_or_default(),
                why: format!("spec.deletionPolicy: {policy} is not among {}", allowed.join(", ")),
            })
        }
        _ => Ok(policy),
    }
}

/// What a class decides, with the built-in values where it says nothing. The object's own compute size goes before the class's.
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
