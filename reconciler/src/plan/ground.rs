//! What every concern stands on: where the instance lives, whose it is, whether it can be worked with, and what the status pins of it.

use std::time::Duration;

use shared::api::InstanceRef;
use shared::names::InstanceIdentifier;

use super::outcome::Outcome;
use super::reason::Reason;
use super::world::{ObjectFacts, World};
use crate::providers::{Instance, Mark};
use crate::subject::Class;

/// Annotation that allows a new, empty instance in place of the lost one whose resource id it names.
pub const RECREATE_ANNOTATION: &str = "matrixmind.cloud/recreate-lost-instance";
/// Annotation that accepts the instance whose resource id it names, after a restore under the same name.
pub const ACCEPT_ANNOTATION: &str = "matrixmind.cloud/accept-instance";

/// Why nothing can be said of the instance: it lives elsewhere than the class leads to now.
pub(super) fn elsewhere(world: &World) -> Option<Outcome> {
    let (pinned, now) = (world.pinned.as_ref()?, world.account.as_ref().ok()?);
    let differs = |pinned: &Option<String>, now: &str| pinned.as_deref().is_some_and(|pinned| pinned != now);
    let (reason, what) = if differs(&pinned.account, &now.account) {
        (Reason::OtherAccount, "account")
    } else if differs(&pinned.region, &now.region) {
        (Reason::OtherRegion, "region")
    } else {
        return None;
    };
    let message = format!(
        "the database lives in account {}, region {}, and the operator's access leads to another {what}: account {}, region {}; give it \
         back its access",
        pinned.account.as_deref().unwrap_or("?"),
        pinned.region.as_deref().unwrap_or("?"),
        now.account,
        now.region
    );
    Some(Outcome::Blocked { reason, message, until: Some(Duration::from_secs(60)) })
}

/// Whose an instance is: by its tags, never by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// All tags name this object.
    Ours,
    /// All tags but the UID do: it was made by an earlier object of this name, in this cluster or in one that was rebuilt.
    Predecessor,
    /// It was nobody's, the object asks for it, and whoever has rights over it lets the object have it.
    Offered,
    /// It is this object's very instance, and has lost these tags.
    Stripped(Vec<Mark>),
    /// A tag names another object, or nobody is named.
    Foreign(String),
}

/// The instance is the very one that the status has pinned.
fn same(world: &World, instance: &Instance) -> bool {
    let pinned = world.pinned.as_ref().and_then(|pinned| pinned.resource_id.as_ref());
    pinned.is_some() && pinned == instance.resource_id.as_ref()
}

pub(crate) fn ownership(world: &World, instance: &Instance) -> Ownership {
    let (owner, marks) = (world.owner(), &instance.marks);
    let another = Mark::ALL.into_iter().filter(|mark| *mark != Mark::Uid).find_map(|mark| {
        let (wanted, found) = (owner.mark(mark), marks.mark(mark)?);
        (found != wanted)
            .then(|| format!("its tag {} is \"{found}\", this object's would be \"{wanted}\"", world.offer.mark(mark)))
    });
    let missing: Vec<_> = Mark::ALL.into_iter().filter(|mark| marks.mark(*mark).is_none()).collect();
    match (another, missing.first()) {
        (Some(why), _) => Ownership::Foreign(why),
        (None, Some(_)) if same(world, instance) => Ownership::Stripped(missing),
        (None, Some(_)) if offered(world, instance) => Ownership::Offered,
        (None, Some(first)) => Ownership::Foreign(format!("it has no tag {}", world.offer.mark(*first))),
        (None, None) if marks.uid.as_deref() == Some(&owner.uid) => Ownership::Ours,
        (None, None) => Ownership::Predecessor,
    }
}

/// What gives the instance back the tags that it has lost.
fn tags_missing(world: &World, instance: &Instance, missing: &[Mark]) -> String {
    let offer = world.offer;
    format!(
        "the instance {} is this object's by its {} and has lost the tags {}: give them back with {}",
        instance.identifier,
        offer.resource_id(),
        missing.iter().map(|mark| offer.mark(*mark)).collect::<Vec<_>>().join(", "),
        offer.mark_again(instance, &world.owner())
    )
}

/// The object asks for this instance, its class permits that, and the instance's own tag names the object.
fn offered(world: &World, instance: &Instance) -> bool {
    let asked = world
        .adopts
        .as_ref()
        .is_some_and(|adoption| adoption.permitted.is_ok() && adoption.identifier == instance.identifier);
    let ObjectFacts { namespace, name, .. } = &world.object;
    asked && instance.marks.adopt.as_deref() == Some(&format!("{namespace}/{name}"))
}

/// A person has named this very instance as this object's.
pub(super) fn accepted(world: &World, instance: &Instance) -> bool {
    instance.resource_id.is_some() && world.object.accept_instance == instance.resource_id
}

/// Neither this object's, nor accepted as such.
pub(crate) fn foreign(world: &World, instance: &Instance) -> bool {
    match ownership(world, instance) {
        Ownership::Ours | Ownership::Offered => false,
        Ownership::Predecessor => !accepted(world, instance),
        Ownership::Stripped(_) | Ownership::Foreign(_) => true,
    }
}

/// Only an endpoint in a domain of the provider's is written into Services and given passwords.
pub(super) fn untrusted_endpoint(world: &World, instance: &Instance) -> Option<String> {
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
    let same = same && !renamed(world, instance);
    (same && !foreign(world, instance) && untrusted_endpoint(world, instance).is_none() && !instance.status.deleting())
        .then_some(instance)
}

/// The instance, where it can also be logged in to.
pub(crate) fn serving(world: &World) -> Option<&Instance> {
    usable(world).filter(|instance| instance.status.serves() && instance.endpoint.is_some())
}

/// What the status pins for an object that is wanted: account, region and class before anything is created there, the resource id once it
/// was seen, and no resource id any more where a person has said in so many words that the lost instance may be replaced.
pub(super) fn pin(class: &Class, world: &World) -> Option<InstanceRef> {
    let fresh = || {
        let account = world.account.as_ref().ok()?;
        Some(InstanceRef {
            // The one to take over is pinned when it is this object's.
            identifier: InstanceIdentifier::derive(&world.cluster, &world.object.namespace, &world.object.name)
                .to_string(),
            class_name: class.name.clone(),
            account: Some(account.account.clone()),
            region: Some(account.region.clone()),
            provider: Some(world.offer.provider().into()),
            ..InstanceRef::default()
        })
    };
    let mut pin = world.pinned.clone().or_else(fresh)?;
    if replaceable(world) {
        pin = InstanceRef { resource_id: None, arn: None, master_user: None, created: false, ..pin };
    }
    if let Some(instance) = usable(world) {
        seen(&mut pin, instance);
    }
    Some(pin)
}

/// What is pinned of an object on its way out: the instance that goes with it, by which its final snapshot is known.
pub(super) fn pin_of_leaving(world: &World) -> Option<InstanceRef> {
    let mut pin = world.pinned.clone()?;
    if let Some(instance) = world.instance.known().filter(|found| !foreign(world, found) && !renamed(world, found)) {
        seen(&mut pin, instance);
    }
    Some(pin)
}

/// It is this object's by its resource id, and has another name by now.
fn renamed(world: &World, instance: &Instance) -> bool {
    instance.identifier != world.identifier.as_str()
}

/// Why nothing is done with the very instance of this object, as a reason and a message: it has another name, has lost its tags, or is marked
/// as another's.
pub(crate) fn estranged(world: &World, instance: &Instance) -> Option<(Reason, String)> {
    if renamed(world, instance) {
        let message = format!(
            "the instance of this object ({}) was renamed to {}: give it back its name {}",
            instance.resource_id.as_deref().unwrap_or("?"),
            instance.identifier,
            world.identifier
        );
        return Some((Reason::InstanceRenamed, message));
    }
    match ownership(world, instance) {
        // Tags can be lost to a clean-up; the resource id says that it is the very instance.
        Ownership::Stripped(missing) => Some((Reason::TagsMissing, tags_missing(world, instance, &missing))),
        Ownership::Foreign(why) if same(world, instance) => {
            let message = format!(
                "the instance {} was this object's and is marked as another's by now ({why}): it is left alone; if that is wrong, give it \
                 back its tags",
                instance.identifier
            );
            Some((Reason::InstanceNotOurs, message))
        }
        _ => None,
    }
}

fn seen(pin: &mut InstanceRef, instance: &Instance) {
    pin.identifier.clone_from(&instance.identifier);
    pin.resource_id.clone_from(&instance.resource_id);
    pin.arn.clone_from(&instance.resource_name);
    pin.instance_class.clone_from(&instance.running.instance_class);
    pin.master_user.clone_from(&instance.master_user);
    pin.created = true;
}

/// The lost instance is one that may be replaced by a new, empty one.
pub(super) fn replaceable(world: &World) -> bool {
    let lost = world.pinned.as_ref().and_then(|pinned| pinned.resource_id.as_ref());
    world.instance.absent() && lost.is_some() && world.object.recreate_lost.as_ref() == lost
}

/// The master user that the instance has, where the spec asks for another: the cloud renames none, so nothing inside can be done.
pub(super) fn other_master<'a>(wanted: &str, world: &'a World) -> Option<&'a str> {
    usable(world)?.master_user.as_deref().filter(|found| *found != wanted)
}
