//! The class that an object lives in, and what it decides.

use std::collections::BTreeMap;
use std::sync::Arc;

use kube::Resource as _;
use kube::core::DeserializeGuard;
use shared::api::labels::DEFAULT_CLASS_ANNOTATION;
use shared::api::{InstanceRef, RDSDatabaseClass, RDSDatabaseClassSpec};
use shared::rules::{class_parameters, extended_support};

use super::refusal::Refusal;
use crate::providers::ProviderConfig;

/// Compute size where neither the object nor its class names one: the smallest that is offered for all supported versions.
const DEFAULT_INSTANCE_CLASS: &str = "db.t4g.micro";
const DEFAULT_STORAGE_TYPE: &str = "gp3";

/// The class of an object, with the built-in values where it says nothing.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name; `None` is the built-in class.
    pub name: Option<String>,
    /// Way into the cloud.
    pub provider: ProviderConfig,
    /// Compute size for new instances.
    pub instance_class: String,
    /// Storage type for new instances.
    pub storage_type: String,
    /// Whether new instances have a standby in another zone.
    pub multi_az: bool,
    /// Whether new instances go on into paid support when the standard support of their version ends; none leaves it to the provider.
    pub extended_support: Option<bool>,
    /// Maintenance window of new instances.
    pub maintenance_window: Option<String>,
    /// Backup window of new instances.
    pub backup_window: Option<String>,
    /// Subnet group.
    pub subnet_group: Option<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// The key that encrypts the storage.
    pub kms_key: Option<String>,
    /// The platform's tags.
    pub tags: BTreeMap<String, String>,
    /// Parameters of the server, where the object says nothing of them.
    pub parameters: BTreeMap<String, String>,
}

/// A class as it is watched: one that cannot be read is known by its metadata.
pub type GuardedClass = DeserializeGuard<RDSDatabaseClass>;

/// The class an object lives in: the one it was made with, else the one it names, else the default one, else the built-in one (`None`).
pub(super) fn select<'a>(
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
pub(crate) fn resolved(class: Option<&RDSDatabaseClass>) -> Class {
    let built_in = RDSDatabaseClassSpec::default();
    let spec = class.map_or(&built_in, |class| &class.spec);
    Class {
        name: class.and_then(|class| class.metadata.name.clone()),
        provider: ProviderConfig {
            region: spec.region.clone(),
            acts_as: spec.role_arn.clone(),
            endpoint: spec.endpoint.clone(),
        },
        instance_class: spec.instance_class.clone().unwrap_or_else(|| DEFAULT_INSTANCE_CLASS.into()),
        storage_type: spec.storage_type.clone().unwrap_or_else(|| DEFAULT_STORAGE_TYPE.into()),
        multi_az: spec.multi_az.unwrap_or_default(),
        extended_support: match spec.engine_lifecycle_support.as_deref().and_then(extended_support) {
            // What nobody may ask for comes by no silence.
            None if spec.allow_extended_support == Some(false) => Some(false),
            said => said,
        },
        maintenance_window: spec.maintenance_window.clone(),
        backup_window: spec.backup_window.clone(),
        subnet_group: spec.subnet_group.clone(),
        security_groups: spec.security_groups.clone(),
        kms_key: spec.kms_key.clone(),
        tags: spec.tags.clone(),
        parameters: class_parameters(&spec.parameters).unwrap_or_default(),
    }
}
