//! The instance: made once, never twice, and never made anew in place of a lost one.

use std::time::Duration;

use shared::names;

use super::{parameters, restore, settings};
use crate::plan::ground::{
    ACCEPT_ANNOTATION, Ownership, RECREATE_ANNOTATION, accepted, elsewhere, estranged, ownership, replaceable,
    untrusted_endpoint,
};
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::step::Step;
use crate::plan::world::{ObjectFacts, Seen, World};
use crate::providers::{Create, Instance, MasterPassword, Request};
use crate::subject::{Adoption, Target};

pub(crate) fn plan(target: &Target, world: &World) -> Outcome {
    if let Err(why) = &world.account {
        let (message, until) = (why.clone(), Some(Duration::from_secs(10)));
        return Outcome::Wait { reason: Reason::CloudUnavailable, message, until };
    }
    let Some(pinned) = &world.pinned else {
        // The plan's pin goes into the status first.
        let message = "account, region and class are being pinned".into();
        return Outcome::Wait { reason: Reason::Pinning, message, until: Some(Duration::ZERO) };
    };
    if let Some(elsewhere) = elsewhere(world) {
        return elsewhere;
    }
    match &world.instance {
        Seen::Unknown(why) => Outcome::Wait {
            reason: Reason::CloudUnavailable,
            message: why.clone(),
            until: Some(Duration::from_secs(5)),
        },
        Seen::Absent => absent(target, world, pinned.resource_id.as_deref()),
        Seen::Known(instance) => present(world, instance, pinned.resource_id.as_deref()),
    }
}

fn absent(target: &Target, world: &World, pinned: Option<&str>) -> Outcome {
    let identifier = &world.identifier;
    if let Some(lost) = pinned.filter(|_| !replaceable(world)) {
        let id = world.offer.resource_id();
        let message = format!(
            "the instance {identifier} ({lost}) is gone, and nothing of this operator deleted it; restore it under the same name from a \
             snapshot with its tags and annotate the object with {ACCEPT_ANNOTATION}=<its {id}>, or annotate it with \
             {RECREATE_ANNOTATION}={lost} to get a new one: empty, or of what spec.restoreFrom names"
        );
        return Outcome::blocked(Reason::InstanceLost, message);
    }
    if let Err(refusal) = target.birth() {
        return refusal.into();
    }
    if let Some(adoption) = &world.adopts {
        return nothing_to_adopt(world, adoption);
    }
    if let Some(from) = &target.desired.restore_from {
        let message = format!("the instance {identifier} is being asked for, with the data of a backup");
        return match restore::plan(target, world, from) {
            Ok(request) => Outcome::act(Reason::Restoring, message, Step::Cloud(Request::Restore(request))),
            Err(outcome) => outcome,
        };
    }
    if let Some(blocked) = settings::not_offered(target, world, &settings::wanted(target, world)) {
        return blocked;
    }
    let master = names::master_secret_name(&world.object.name);
    let Some(password) = world.password(&master) else {
        let message = format!("the Secret {master} must hold the master password first");
        return Outcome::wait(Reason::WaitingForSecret, message);
    };
    if let Seen::Unknown(why) = &world.snapshots {
        return Outcome::Wait {
            reason: Reason::CloudUnavailable,
            message: why.clone(),
            until: Some(Duration::from_secs(5)),
        };
    }
    if let Err(first) = parameters::group(target, world, target.desired.version) {
        return first;
    }
    let request = creation(target, world, MasterPassword { secret: master, password });
    let message = format!("the instance {identifier} is being asked for");
    Outcome::act(Reason::Creating, message, Step::Cloud(Request::Create(request)))
}

/// An instance that is not there is not told from one that nobody has consented to.
fn nothing_to_adopt(world: &World, adoption: &Adoption) -> Outcome {
    if let Err(refusal) = &adoption.permitted {
        return refusal.clone().into();
    }
    let ObjectFacts { namespace, name, .. } = &world.object;
    let message = format!(
        "spec.adopt: there is no instance {} that this object may take over: whoever has rights over it lets this object have it with {}",
        adoption.identifier,
        world.offer.permit_adoption(namespace, name)
    );
    Outcome::Blocked { reason: Reason::NotPermitted, message, until: Some(Duration::from_secs(60)) }
}

pub(crate) fn creation(target: &Target, world: &World, master_password: MasterPassword) -> Create {
    let desired = &target.desired;
    Create {
        identifier: world.identifier.to_string(),
        engine: desired.engine,
        settings: settings::wanted(target, world),
        master_user: desired.master_user.to_string(),
        master_password,
        owner: world.owner(),
        tags: target.tags(),
    }
}

fn present(world: &World, instance: &Instance, pinned: Option<&str>) -> Outcome {
    if let Some((reason, message)) = estranged(world, instance) {
        return Outcome::Blocked { reason, message, until: Some(Duration::from_secs(60)) };
    }
    match ownership(world, instance) {
        // One that has lost its tags was told above.
        Ownership::Ours | Ownership::Offered | Ownership::Stripped(_) => {}
        Ownership::Predecessor if accepted(world, instance) => {}
        Ownership::Predecessor => {
            let message = format!(
                "the instance {0} ({1}) is the database of an earlier object of this name, with its data: do not delete it; to take it \
                 up, annotate the object with {ACCEPT_ANNOTATION}={1}",
                instance.identifier,
                instance.resource_id.as_deref().unwrap_or("?")
            );
            return Outcome::blocked(Reason::InstanceOfPredecessor, message);
        }
        Ownership::Foreign(why) => {
            if let Some(adoption) = &world.adopts {
                return nothing_to_adopt(world, adoption);
            }
            let message = format!(
                "an instance named {} exists and is not this object's ({why}): it is left alone; rename the object",
                instance.identifier
            );
            return Outcome::blocked(Reason::InstanceNotOurs, message);
        }
    }
    if let (Some(pinned), Some(found)) = (pinned, instance.resource_id.as_deref())
        && pinned != found
        && !accepted(world, instance)
    {
        let message = match &world.moved_to {
            // A blue/green deployment that somebody has switched over leaves it so.
            Some(former) => format!(
                "the instance {0} is {found}, and this object's own, {pinned}, is called {former} by now, with its data, as after a switchover: \
                 nothing is lost, and neither is changed; to go on with the new one, annotate the object with {ACCEPT_ANNOTATION}={found} (the \
                 old one stays, and costs); to go back, give the name {0} back to the old one",
                instance.identifier
            ),
            None => format!(
                "the instance {} is {found}, but this object's was {pinned}; if it is the restored one, annotate the object with \
                 {ACCEPT_ANNOTATION}={found}",
                instance.identifier
            ),
        };
        return Outcome::blocked(Reason::InstanceReplaced, message);
    }
    let (status, service) = (&instance.status, world.offer.service());
    if status.deleting() {
        return Outcome::wait(
            Reason::InstanceDeleting,
            "the instance is being deleted, and nothing of this operator asked for it",
        );
    }
    if let Some(remedy) = status.stuck() {
        return Outcome::blocked(
            Reason::InstanceStuck,
            format!("{service} reports the instance as {status}: {remedy}"),
        );
    }
    if instance.endpoint.is_none() || !status.serves() {
        return Outcome::wait(
            Reason::InstanceNotReady,
            format!("{service} reports the instance as {status}; waiting until it is available"),
        );
    }
    if let Some(reason) = untrusted_endpoint(world, instance) {
        return Outcome::blocked(Reason::EndpointNotTrusted, reason);
    }
    Outcome::done(format!("{service} reports the instance as {status}"))
}
