//! What a class allows: pure.
//!
//! A birth stands within all limits. For a running instance only a change is asked about, and only against the limit it would pass: one
//! that stands outside a fence that was narrowed later goes on as it is.

use std::collections::BTreeMap;

use kube::core::{Selector, SelectorExt};
use shared::api::{DeletionPolicy, RDSDatabaseClass, RDSDatabaseClassSpec};
use shared::rules::{Desired, Engine, EngineVersion, Gibibytes, Interval, Size, class_parameters};

use super::class::Class;
use super::refusal::Refusal;
use crate::providers::Settings;

/// A limit that is there or not; one that cannot be read allows nothing, and says why.
type Limit<T> = Option<Result<T, String>>;

/// The limits of a class, parsed. The default allows everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    class: String,
    namespace: Limit<()>,
    instance_classes: Limit<Vec<String>>,
    /// As they are written: which they are, the engine of an object tells.
    versions: Option<Vec<String>>,
    size: Limit<(Size, String)>,
    storage_types: Limit<Vec<String>>,
    no_standby: bool,
    no_extended_support: bool,
    iops: Limit<u32>,
    retention: Limit<u64>,
    no_createrole: bool,
    deletion_policies: Limit<Vec<DeletionPolicy>>,
    adoption: bool,
    restorable: Vec<String>,
    parameters: Limit<Vec<String>>,
    own_parameters: Limit<()>,
}

impl Fence {
    /// The fence of a class around the objects of a namespace with these labels.
    pub(crate) fn of(class: &RDSDatabaseClass, namespace_labels: &BTreeMap<String, String>) -> Self {
        let spec = &class.spec;
        Self {
            class: class.metadata.name.clone().unwrap_or_default(),
            namespace: namespace(spec, namespace_labels),
            instance_classes: spec.allowed_instance_classes.clone().map(Ok),
            versions: spec.allowed_versions.clone(),
            size: spec.max_size.as_deref().map(|text| match Size::parse(text) {
                Ok(largest) => Ok((largest, text.to_owned())),
                Err(error) => Err(format!("its maxSize \"{text}\" is not a size ({error})")),
            }),
            storage_types: spec.allowed_storage_types.clone().map(Ok),
            no_standby: spec.allow_multi_az == Some(false),
            no_extended_support: spec.allow_extended_support == Some(false),
            iops: spec.max_iops.map(|most| {
                u32::try_from(most).map_err(|_| format!("its maxIops {most} is not a number of I/O operations"))
            }),
            retention: spec.max_retention.as_deref().map(|text| match Interval::parse(text) {
                Ok(longest) => Ok(longest.as_secs() / Interval::DAY.as_secs()),
                Err(error) => Err(format!("its maxRetention \"{text}\" is not a duration ({error})")),
            }),
            no_createrole: spec.allow_createrole == Some(false),
            deletion_policies: spec.allowed_deletion_policies.clone().map(Ok),
            adoption: spec.allow_adoption == Some(true),
            restorable: spec.restorable_snapshots.clone().unwrap_or_default(),
            parameters: spec.allowed_parameters.clone().map(Ok),
            own_parameters: class_parameters(&spec.parameters).err().map(Err),
        }
    }

    /// Whether such a database may be born in this class.
    ///
    /// # Errors
    /// The first limit that it would pass.
    pub(crate) fn birth(&self, desired: &Desired, class: &Class, policy: DeletionPolicy) -> Result<(), Refusal> {
        self.change(desired, &Settings::default())?;
        let instance_class = desired.instance_class.as_ref().unwrap_or(&class.instance_class);
        self.instance_class(instance_class, desired.instance_class.is_some())?;
        self.version(desired)?;
        self.storage(desired.size, desired.size.allocated())?;
        let storage_type = desired.storage.kind.as_ref().unwrap_or(&class.storage_type);
        self.storage_type(storage_type, desired.storage.kind.is_some())?;
        self.autoscaling(desired)?;
        self.iops(desired.storage.iops)?;
        self.standby(desired.multi_az)?;
        self.extended_support(desired.extended_support)?;
        self.retention(desired.backup.retention_days)?;
        self.users(desired)?;
        self.parameters(desired)?;
        self.deletion_policy(policy)
    }

    /// Whether an instance may be changed so: by an object of this namespace, in storage, standby, support and retention.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    pub(crate) fn change(&self, desired: &Desired, change: &Settings) -> Result<(), Refusal> {
        self.judged(self.namespace.as_ref(), |()| None)?;
        change.allocated_gib.map_or(Ok(()), |gib| self.storage(desired.size, Gibibytes::new(gib)))?;
        change.storage_type.as_ref().map_or(Ok(()), |kind| self.storage_type(kind, true))?;
        change.max_allocated_gib.map_or(Ok(()), |_| self.autoscaling(desired))?;
        self.iops(change.iops)?;
        self.standby(change.multi_az)?;
        self.extended_support(change.extended_support)?;
        change.backup_retention_days.map_or(Ok(()), |_| self.retention(desired.backup.retention_days))
    }

    /// Whether an instance may have this compute size; `named` by the object, or its class's own.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    pub(crate) fn instance_class(&self, wanted: &str, named: bool) -> Result<(), Refusal> {
        self.judged(self.instance_classes.as_ref(), |allowed| {
            let outside = !allowed.iter().any(|pattern| fits(pattern, wanted));
            let list = || allowed.join(", ");
            match named {
                true => outside.then(|| format!("spec.instanceClass: {wanted} is not among {}", list())),
                false => outside.then(|| {
                    format!(
                        "its own instanceClass {wanted} is not among its allowedInstanceClasses {}: correct the class, or set \
                         spec.instanceClass",
                        list()
                    )
                }),
            }
        })
    }

    /// Whether an instance may be of the version that is declared.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    pub(crate) fn version(&self, desired: &Desired) -> Result<(), Refusal> {
        let Desired { engine, version: wanted, .. } = *desired;
        let read = |allowed: &Vec<String>| allowed.iter().map(|text| version(engine, text)).collect();
        let allowed: Limit<Vec<EngineVersion>> = self.versions.as_ref().map(read);
        self.judged(allowed.as_ref(), |allowed| {
            let list = || allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let outside = !allowed.iter().any(|version| version.covers(wanted));
            outside.then(|| format!("spec.version: {wanted} is not among {}", list()))
        })
    }

    /// Whether a volume may have this size: what is `asked` for, and what the provider would allocate for it.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    fn storage(&self, asked: Size, allocated: Gibibytes) -> Result<(), Refusal> {
        self.judged(self.size.as_ref(), |(largest, text)| {
            let grown = if allocated > asked.allocated() {
                format!(", {allocated} after a growth of a tenth, the least that the provider takes,")
            } else {
                String::new()
            };
            (allocated > largest.allocated())
                .then(|| format!("spec.size: {asked}{grown} is more than its maxSize of {text}"))
        })
    }

    /// Whether the storage may be of this type; `named` by the object, or its class's own.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    fn storage_type(&self, wanted: &str, named: bool) -> Result<(), Refusal> {
        self.judged(self.storage_types.as_ref(), |allowed| {
            let list = || allowed.join(", ");
            let outside = !allowed.iter().any(|kind| kind == wanted);
            outside.then(|| match named {
                true => format!("spec.storage.type: {wanted} is not among {}", list()),
                false => format!(
                    "its own storageType {wanted} is not among its allowedStorageTypes {}: correct the class, or set spec.storage.type",
                    list()
                ),
            })
        })
    }

    /// Whether the storage may grow so far by itself.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    fn autoscaling(&self, desired: &Desired) -> Result<(), Refusal> {
        self.judged(self.size.as_ref(), |(largest, text)| {
            let most = desired.storage.max_size().filter(|most| most.gibibytes() > largest.allocated());
            most.map(|most| format!("spec.storage.autoscaling.maxSize: {most} is more than its maxSize of {text}"))
        })
    }

    /// Whether a standby may be asked for.
    ///
    /// # Errors
    /// That it may not.
    fn standby(&self, wanted: Option<bool>) -> Result<(), Refusal> {
        match self.no_standby && wanted == Some(true) {
            true => Err(self.refusal("spec.multiAZ: a standby is not allowed (allowMultiAZ)".to_owned())),
            false => Ok(()),
        }
    }

    /// Whether paid support past the standard support may be asked for.
    ///
    /// # Errors
    /// That it may not.
    fn extended_support(&self, wanted: Option<bool>) -> Result<(), Refusal> {
        match self.no_extended_support && wanted == Some(true) {
            true => Err(self.refusal(
                "spec.engineLifecycleSupport: Extended Support is not allowed (allowExtendedSupport)".to_owned(),
            )),
            false => Ok(()),
        }
    }

    /// Whether so many I/O operations a second may be asked for.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    fn iops(&self, asked: Option<u32>) -> Result<(), Refusal> {
        self.judged(self.iops.as_ref(), |most| {
            let outside = asked.filter(|asked| asked > most);
            outside.map(|asked| format!("spec.storage.iops: {asked} is more than its maxIops of {most}"))
        })
    }

    /// Whether backups may be kept for so many days.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    fn retention(&self, days: u16) -> Result<(), Refusal> {
        self.judged(self.retention.as_ref(), |longest| {
            (u64::from(days) > *longest)
                .then(|| format!("spec.backup.retention: {days}d is more than its maxRetention of {longest}d"))
        })
    }

    /// Whether copies may be kept for as long as the object asks for.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    pub(crate) fn copies(&self, desired: &Desired) -> Result<(), Refusal> {
        self.judged(self.namespace.as_ref(), |()| None)?;
        self.retention(desired.backup.retention_days)
    }

    /// Whether users may have these flags. Of a user that is there it is asked as well: what the server has is not known here.
    ///
    /// # Errors
    /// The user, and the flag.
    pub(crate) fn users(&self, desired: &Desired) -> Result<(), Refusal> {
        let forbidden = || desired.users.iter().find(|(_, flags)| flags.createrole == Some(true));
        match self.no_createrole.then(forbidden).flatten() {
            Some((user, _)) => Err(self.refusal(format!("spec.users[{user}]: the flag createrole is not allowed"))),
            None => Ok(()),
        }
    }

    /// Whether an object may go by this policy; asked again when it goes, because an edit may have come after the last check.
    ///
    /// # Errors
    /// What is not allowed, and what is.
    pub(crate) fn deletion_policy(&self, policy: DeletionPolicy) -> Result<(), Refusal> {
        self.judged(self.deletion_policies.as_ref(), |allowed| {
            let list = || allowed.iter().map(|policy| policy.as_str()).collect::<Vec<_>>().join(", ");
            (!allowed.contains(&policy)).then(|| format!("spec.deletionPolicy: {policy} is not among {}", list()))
        })
    }

    /// Whether a server may have these parameters: those that the object asks for. What the class says itself is the platform's.
    ///
    /// # Errors
    /// The first that it may not, and what it may.
    pub(crate) fn parameters(&self, desired: &Desired) -> Result<(), Refusal> {
        self.judged(self.own_parameters.as_ref(), |()| None)?;
        self.judged(self.parameters.as_ref(), |allowed| {
            let outside = desired.parameters.keys().find(|name| !allowed.iter().any(|pattern| fits(pattern, name)))?;
            let list = match allowed.is_empty() {
                true => "nothing".to_owned(),
                false => allowed.join(", "),
            };
            Some(format!("spec.parameters[{outside}]: it may not be set: its allowedParameters are {list}"))
        })
    }

    /// Whether an object may take over an instance that is there already.
    ///
    /// # Errors
    /// That it may not.
    pub(crate) fn adoption(&self) -> Result<(), Refusal> {
        match self.adoption {
            true => Ok(()),
            false if self.class.is_empty() => Err(Refusal::ClassNotPermitted {
                class: "that is built in".to_owned(),
                why: "spec.adopt: only a class of the platform's with allowAdoption: true permits it".to_owned(),
            }),
            false => Err(self.refusal("spec.adopt: no instance may be taken over (allowAdoption)".to_owned())),
        }
    }

    /// Whether every database of the class may be made of this snapshot, whatever its tags say.
    pub(crate) fn restorable(&self, snapshot: &str) -> bool {
        self.restorable.iter().any(|pattern| fits(pattern, snapshot))
    }

    fn judged<T>(
        &self,
        limit: Option<&Result<T, String>>,
        outside: impl Fn(&T) -> Option<String>,
    ) -> Result<(), Refusal> {
        let why = match limit {
            None => None,
            Some(Ok(limit)) => outside(limit),
            Some(Err(unreadable)) => Some(unreadable.clone()),
        };
        why.map_or(Ok(()), |why| Err(self.refusal(why)))
    }

    fn refusal(&self, why: String) -> Refusal {
        Refusal::ClassNotPermitted { class: self.class.clone(), why }
    }
}

fn namespace(spec: &RDSDatabaseClassSpec, labels: &BTreeMap<String, String>) -> Limit<()> {
    Some(match Selector::try_from(spec.allowed_namespaces.clone()?) {
        Ok(selector) if selector.matches(labels) => Ok(()),
        Ok(selector) => Err(format!("the namespace's labels do not match its allowedNamespaces ({selector})")),
        Err(error) => Err(format!("its allowedNamespaces is not a valid selector ({error})")),
    })
}

/// A version that no server of the engine can have is a mistake of the class.
fn version(engine: Engine, text: &str) -> Result<EngineVersion, String> {
    EngineVersion::read(engine, text)
        .ok_or_else(|| format!("\"{text}\" in its allowedVersions is not a version of {engine}"))
}

/// A name, or a family: everything before the star.
fn fits(pattern: &str, instance_class: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(family) => instance_class.starts_with(family),
        None => pattern == instance_class,
    }
}

#[cfg(test)]
mod tests;
