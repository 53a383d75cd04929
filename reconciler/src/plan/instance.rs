//! The instance: made once, never twice, and never made anew in place of a lost one.

use std::time::Duration;

use jiff::Timestamp;
use shared::api::labels::{CLUSTER_TAG, NAME_TAG, NAMESPACE_TAG, UID_TAG};
use shared::names;

use super::guard::hold;
use super::{CloudStep, ClusterStep, Effect, Outcome, Seen, Step, World};
use crate::providers::Instance;
use crate::target::Target;

/// Annotation that allows a new, empty instance in place of the lost one whose resource id it names.
pub const RECREATE_ANNOTATION: &str = "matrixmind.cloud/recreate-lost-instance";
/// Annotation that accepts the instance whose resource id it names, after a restore under the same name.
pub const ACCEPT_ANNOTATION: &str = "matrixmind.cloud/accept-instance";

pub(super) fn plan(target: &Target, world: &World, now: Timestamp) -> Outcome {
    let account = match &world.account {
        Ok(account) => account,
        Err(why) => {
            return Outcome::Wait {
                reason: "CloudUnavailable",
                message: why.clone(),
                until: Some(Duration::from_secs(10)),
            };
        }
    };
    let Some(pinned) = &world.pinned else {
        return Outcome::act("Pinning", "account, region and class are being pinned", Step::Cluster(ClusterStep::Pin));
    };
    if pinned.account.as_ref().is_some_and(|pinned| *pinned != account.account)
        || pinned.region.as_ref().is_some_and(|pinned| *pinned != account.region)
    {
        let message = format!(
            "the database lives in account {}, region {}, but the operator's access leads to account {}, region {}: give it back its access",
            pinned.account.as_deref().unwrap_or("?"),
            pinned.region.as_deref().unwrap_or("?"),
            account.account,
            account.region
        );
        return Outcome::Blocked { reason: "OtherAccount", message, until: Some(Duration::from_secs(60)) };
    }
    match &world.instance {
        Seen::Unknown(why) => {
            Outcome::Wait { reason: "CloudUnavailable", message: why.clone(), until: Some(Duration::from_secs(5)) }
        }
        Seen::Absent => absent(target, world, pinned.resource_id.as_deref(), now),
        Seen::Known(instance) => present(world, instance, pinned.resource_id.as_deref()),
    }
}

fn absent(target: &Target, world: &World, pinned: Option<&str>, now: Timestamp) -> Outcome {
    let identifier = &world.identifier;
    if let Some(lost) = pinned.filter(|lost| world.object.recreate_lost.as_deref() != Some(*lost)) {
        let message = format!(
            "the instance {identifier} ({lost}) is gone, and nothing of this operator deleted it; restore it under the same name from a \
             snapshot with its tags and annotate the object with {ACCEPT_ANNOTATION}=<its DbiResourceId>, or annotate it with \
             {RECREATE_ANNOTATION}={lost} to get a new, empty one"
        );
        return Outcome::blocked("InstanceLost", message);
    }
    let master = names::master_secret_name(&world.object.name);
    if world.password(&master).is_none() {
        return Outcome::wait("WaitingForSecret", format!("the Secret {master} must hold the master password first"));
    }
    if let Seen::Unknown(why) = &world.snapshots {
        return Outcome::Wait { reason: "CloudUnavailable", message: why.clone(), until: Some(Duration::from_secs(5)) };
    }
    hold(world, Effect::Create, &create_request(target, world), now).unwrap_or_else(|| {
        Outcome::act(
            "Creating",
            format!("the instance {identifier} is being asked for"),
            Step::Cloud(CloudStep::Create),
        )
    })
}

/// What a creation asks for, as far as another spec or class would change it.
pub(crate) fn create_request(target: &Target, world: &World) -> String {
    let (desired, class) = (&target.desired, &target.class);
    format!(
        "CreateDBInstance {} {} {} {} {} {:?} {:?} {:?}",
        world.identifier,
        desired.version,
        desired.size.allocated(),
        desired.instance_class.as_deref().unwrap_or(&class.instance_class),
        class.storage_type,
        class.subnet_group,
        class.security_groups,
        class.kms_key,
    )
}

fn present(world: &World, instance: &Instance, pinned: Option<&str>) -> Outcome {
    match ownership(world, instance) {
        Ownership::Ours => {}
        Ownership::Predecessor if accepted(world, instance) => {}
        Ownership::Predecessor => {
            let message = format!(
                "the instance {0} ({1}) is the database of an earlier object of this name, with its data: do not delete it; to take it \
                 up, annotate the object with {ACCEPT_ANNOTATION}={1}",
                instance.identifier,
                instance.resource_id.as_deref().unwrap_or("?")
            );
            return Outcome::blocked("InstanceOfPredecessor", message);
        }
        Ownership::Foreign(why) => {
            let message = format!(
                "an instance named {} exists and is not this object's ({why}): it is left alone; rename the object",
                instance.identifier
            );
            return Outcome::blocked("InstanceNotOurs", message);
        }
    }
    if let (Some(pinned), Some(found)) = (pinned, instance.resource_id.as_deref())
        && pinned != found
        && !accepted(world, instance)
    {
        let message = format!(
            "the instance {} is {found}, but this object's was {pinned}; if it is the restored one, annotate the object with \
             {ACCEPT_ANNOTATION}={found}",
            instance.identifier
        );
        return Outcome::blocked("InstanceReplaced", message);
    }
    let status = &instance.status;
    if status.deleting() {
        return Outcome::wait(
            "InstanceDeleting",
            "the instance is being deleted, and nothing of this operator asked for it",
        );
    }
    if let Some(remedy) = status.stuck() {
        return Outcome::blocked("InstanceStuck", format!("RDS reports the instance as {status}: {remedy}"));
    }
    if instance.endpoint.is_none() || !status.serves() {
        return Outcome::wait(
            "InstanceNotReady",
            format!("RDS reports the instance as {status}; waiting until it is available"),
        );
    }
    if let Some(reason) = untrusted_endpoint(world, instance) {
        return Outcome::blocked("EndpointNotTrusted", reason);
    }
    Outcome::done(format!("RDS reports the instance as {status}"))
}

/// Whose an instance is: by its tags, never by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// All tags name this object.
    Ours,
    /// All tags but the UID do: it was made by an earlier object of this name, in this cluster or in one that was rebuilt.
    Predecessor,
    /// The tags name another object, or nobody.
    Foreign(String),
}

/// The marks of ownership that this object's instance carries.
pub(crate) fn marks(world: &World) -> [(&'static str, &String); 4] {
    let object = &world.object;
    [
        (CLUSTER_TAG, &world.cluster),
        (NAMESPACE_TAG, &object.namespace),
        (NAME_TAG, &object.name),
        (UID_TAG, &object.uid),
    ]
}

pub(crate) fn ownership(world: &World, instance: &Instance) -> Ownership {
    let strange = marks(world).into_iter().filter_map(|(key, value)| match instance.tags.get(key) {
        Some(found) if found == value => None,
        Some(_) if key == UID_TAG => Some((key, None)),
        Some(found) => Some((key, Some(format!("its tag {key} is \"{found}\", this object's would be \"{value}\"")))),
        None => Some((key, Some(format!("it has no tag {key}")))),
    });
    strange.fold(Ownership::Ours, |owner, (_, why)| match (owner, why) {
        (Ownership::Foreign(first), _) => Ownership::Foreign(first),
        (_, Some(why)) => Ownership::Foreign(why),
        (_, None) => Ownership::Predecessor,
    })
}

/// A person has named this very instance as this object's.
fn accepted(world: &World, instance: &Instance) -> bool {
    instance.resource_id.is_some() && world.object.accept_instance == instance.resource_id
}

/// Neither this object's, nor accepted as such.
pub(crate) fn foreign(world: &World, instance: &Instance) -> bool {
    match ownership(world, instance) {
        Ownership::Ours => false,
        Ownership::Predecessor => !accepted(world, instance),
        Ownership::Foreign(_) => true,
    }
}

/// Only an endpoint in a domain of the provider's is written into Services and given passwords.
fn untrusted_endpoint(world: &World, instance: &Instance) -> Option<String> {
    let host = &instance.endpoint.as_ref()?.host;
    let trusted = world.endpoint_suffixes.iter().any(|suffix| {
        let bare = suffix.trim_start_matches('.');
        host == bare || host.strip_suffix(bare).is_some_and(|rest| rest.ends_with('.'))
    });
    (!trusted).then(|| format!("the endpoint {host} is in none of the domains {}", world.endpoint_suffixes.join(", ")))
}

/// The instance, where it is this object's and can be worked with.
pub(crate) fn usable(world: &World) -> Option<&Instance> {
    let instance = world.instance.known()?;
    let pinned = world.pinned.as_ref()?.resource_id.as_deref();
    let same = pinned.is_none() || pinned == instance.resource_id.as_deref() || accepted(world, instance);
    (same && !foreign(world, instance) && untrusted_endpoint(world, instance).is_none() && !instance.status.deleting())
        .then_some(instance)
}
