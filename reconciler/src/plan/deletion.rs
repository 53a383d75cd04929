//! The way out: no data goes before its final snapshot is there, unless the policy says so in words.

use std::time::Duration;

use shared::api::DeletionPolicy::{self, Retain};
use shared::names;

use super::ground::{elsewhere, estranged, foreign};
use super::ledger::LAG;
use super::outcome::Outcome;
use super::reason::Reason;
use super::step::{ClusterStep, ServicePlace, Step};
use super::world::{Seen, ServiceFact, World};
use crate::clock::Moment;
use crate::providers::{Delete, FinalSnapshot, Instance, MarkInstance, Modify, Request, Settings, Snapshot};
use crate::subject::Departure;

pub(super) fn plan(departure: &Departure, world: &World, now: Moment) -> Outcome {
    if !world.object.finalizer {
        return Outcome::done("nothing is held");
    }
    let outcome = leave(departure, world, now);
    match departure.paused {
        true => paused(&world.ledger.without_held(outcome, now)),
        false => outcome,
    }
}

/// A deletion has one condition: it says that nothing is done, and what would be.
fn paused(outcome: &Outcome) -> Outcome {
    let message =
        format!("spec.paused: the deletion goes on when it is false again; without it: {}", outcome.message());
    Outcome::Wait { reason: Reason::Paused, message, until: outcome.until() }
}

fn leave(departure: &Departure, world: &World, now: Moment) -> Outcome {
    let policy = match &departure.policy {
        Ok(policy) => *policy,
        Err(refusal) => return refusal.clone().into(),
    };
    if departure.protection == Some(true) && policy != Retain && !world.instance.absent() {
        return Outcome::blocked(
            Reason::DeletionProtected,
            "spec.deletionProtection is true: set it to false to let the deletion go on",
        );
    }
    for (what, seen) in [("own Service", Some(&world.service)), ("alias Service", world.alias.as_ref())] {
        if let Some(Seen::Unknown(why)) = seen {
            let message = format!("the {what} could not be read, and goes first: {why}");
            return Outcome::Wait { reason: Reason::ClusterUnavailable, message, until: Some(Duration::from_secs(30)) };
        }
    }
    let services = services(world);
    if !services.is_empty() {
        return Outcome::Act {
            reason: Reason::DeletingServices,
            message: "the Services go first".into(),
            steps: services,
        };
    }
    instance(departure, policy, world, now)
}

fn services(world: &World) -> Vec<Step> {
    let places = [(ServicePlace::Own, Some(&world.service)), (ServicePlace::Alias, world.alias.as_ref())];
    places
        .into_iter()
        .filter_map(|(place, seen)| match seen?.known()? {
            ServiceFact::Ours { version, .. } => {
                Some(Step::Cluster(ClusterStep::DeleteService { place, version: version.clone() }))
            }
            ServiceFact::Foreign { .. } => None,
        })
        .collect()
}

fn let_go(message: impl Into<String>) -> Outcome {
    Outcome::act(Reason::Releasing, message, Step::Cluster(ClusterStep::RemoveFinalizer))
}

fn instance(departure: &Departure, policy: DeletionPolicy, world: &World, now: Moment) -> Outcome {
    if policy == Retain {
        return retain(world);
    }
    // Nothing is created before this is pinned.
    let Some(pinned) = &world.pinned else {
        return let_go("nothing was ever created");
    };
    if let Err(why) = &world.account {
        let message = format!("{why}; the instance is not deleted before that; {}", departure.without(&[Retain]));
        return Outcome::Wait { reason: Reason::CloudUnavailable, message, until: Some(Duration::from_secs(10)) };
    }
    if let Some(Outcome::Blocked { reason, message, until }) = elsewhere(world) {
        let message = format!("{message}; {}", departure.without(&[Retain]));
        return Outcome::Blocked { reason, message, until };
    }
    let found = match &world.instance {
        Seen::Unknown(why) => return unavailable(why),
        Seen::Absent => return gone(departure, policy, world, pinned.resource_id.as_deref(), now),
        Seen::Known(found) => found,
    };
    if let Some((reason, why)) = estranged(world, found) {
        let message = format!("{why}; {}", departure.without(&[Retain]));
        return Outcome::Blocked { reason, message, until: Some(Duration::from_secs(60)) };
    }
    match (foreign(world, found), pinned.resource_id.as_deref()) {
        (false, _) => returned(world, now).unwrap_or_else(|| delete(departure, policy, world, found)),
        // Somebody else's took the name of the one that is gone.
        (true, Some(resource_id)) => gone(departure, policy, world, Some(resource_id), now),
        (true, None) => let_go(format!("the instance {} is not this object's and stays as it is", found.identifier)),
    }
}

/// One that was another's a moment ago is not deleted yet: what says that it is this object's again may be older than what said that it is not.
fn returned(world: &World, now: Moment) -> Option<Outcome> {
    let left = now.until(world.estranged_at? + LAG)?;
    let message = "the instance was not this object's a moment ago, by its name or its tags; it is deleted when it has been for a minute";
    let until = Some(left.min(Duration::from_secs(15)));
    Some(Outcome::Wait { reason: Reason::DeletingInstance, message: message.into(), until })
}

/// The instance stays. It is marked as left on purpose, so that nobody takes it for an orphan; if that cannot be, the object goes all the same.
fn retain(world: &World) -> Outcome {
    let ours = |instance: &&Instance| !foreign(world, instance) && !instance.marks.is_retained();
    let resource = world.instance.known().filter(ours).and_then(|instance| instance.resource_name.clone());
    let mark = |resource| MarkInstance { resource, retained: Some(true), ..MarkInstance::default() };
    let step = resource.map(|resource| Step::Cloud(Request::Mark(mark(resource))));
    match step.filter(|step| world.account.is_ok() && !world.ledger.asked(step)) {
        Some(step) => Outcome::act(Reason::MarkingRetained, "the instance is being marked as left on purpose", step),
        None => let_go("deletionPolicy Retain: the instance stays as it is"),
    }
}

fn unavailable(why: &str) -> Outcome {
    Outcome::Wait { reason: Reason::CloudUnavailable, message: why.to_owned(), until: Some(Duration::from_secs(5)) }
}

/// The instance is not there (any more), asked for by name: may the object go?
fn gone(departure: &Departure, policy: DeletionPolicy, world: &World, created: Option<&str>, now: Moment) -> Outcome {
    let Some(resource_id) = created else {
        return match world.ledger.creation_may_appear(world.acting_since, now) {
            Some(left) => Outcome::Wait {
                reason: Reason::CreationPending,
                message: "a creation that was asked for may still appear; the object goes when it is sure that nothing was made"
                    .into(),
                until: Some(left.min(Duration::from_secs(5))),
            },
            None => let_go("no instance was ever seen"),
        };
    };
    if policy == DeletionPolicy::Delete {
        return match unexplained(world, now) {
            Some(left) => Outcome::Wait {
                reason: Reason::DeletingInstance,
                message: "the instance is not seen, and this process did not delete it: the object goes when it has not been seen for a minute"
                    .into(),
                until: Some(left.min(Duration::from_secs(15))),
            },
            None => let_go("the instance is gone"),
        };
    }
    let snapshots = match &world.snapshots {
        Seen::Unknown(why) => return unavailable(why),
        Seen::Absent => &[][..],
        Seen::Known(snapshots) => snapshots,
    };
    let finals: Vec<_> = snapshots.iter().filter(|snapshot| is_final(snapshot, world)).collect();
    let restore = format!(
        "restore what you need from its automated backups ({}) or from an older snapshot",
        world.offer.restore_backup(resource_id)
    );
    if let Some(under_way) = finals.iter().find(|snapshot| !snapshot.failed() && !snapshot.available()) {
        return Outcome::Wait {
            reason: Reason::WaitingForSnapshot,
            message: format!(
                "the final snapshot {} is {}: the object goes when it is available, which takes hours where it is large; where that does not \
                 end, ask the support of {}, {}: the snapshot stays as it is",
                under_way.identifier,
                under_way.status,
                world.offer.service(),
                departure.without(&[Retain])
            ),
            until: Some(Duration::from_secs(5)),
        };
    }
    if let Some(available) = finals.iter().find(|snapshot| snapshot.available()) {
        return let_go(format!("the final snapshot {} is available", available.identifier));
    }
    let (reason, what) = match finals.first() {
        Some(failed) => (Reason::FinalSnapshotFailed, format!("its final snapshot {} has failed", failed.identifier)),
        None => (Reason::NoFinalSnapshot, "there is no final snapshot of it".to_owned()),
    };
    let way = departure.without(&[DeletionPolicy::Delete, Retain]);
    let message = format!("the instance {} ({resource_id}) is gone, and {what}; {restore}; {way}", world.identifier);
    Outcome::Blocked { reason, message, until: Some(Duration::from_secs(60)) }
}

/// How long an instance whose deletion nobody is known to have asked for may still show up: a look can be older than it.
fn unexplained(world: &World, now: Moment) -> Option<Duration> {
    // Where another one has the name, this one is there no more.
    if world.ledger.deletion_accepted() || !world.instance.absent() {
        return None;
    }
    now.until(world.absent_since.unwrap_or(now) + LAG)
}

/// Whether this deletion made the snapshot, of this very instance: by a name that was asked for, or after the object was deleted. An older
/// one, or one of another instance under the same name, does not hold the last row.
fn is_final(snapshot: &Snapshot, world: &World) -> bool {
    let Some(resource_id) = world.pinned.as_ref().and_then(|pinned| pinned.resource_id.as_deref()) else {
        return false;
    };
    let (identifier, uid) = (&world.identifier, &world.object.uid);
    let asked_for = || {
        let first = names::final_snapshots(identifier, uid, resource_id).next().unwrap_or_default();
        let of_it = snapshot.identifier.strip_prefix(&first);
        of_it.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            || snapshot.identifier == names::final_snapshot_of_v0_1_0(identifier, uid)
    };
    let since = || snapshot.created.zip(world.object.deleted_at).is_some_and(|(made, deleted)| made > deleted);
    snapshot.resource_id.as_deref() == Some(resource_id) && (asked_for() || since())
}

fn delete(departure: &Departure, policy: DeletionPolicy, world: &World, found: &Instance) -> Outcome {
    let (status, service) = (&found.status, world.offer.service());
    if status.deleting() {
        let message = format!(
            "{service} is deleting the instance; the object goes when it is gone and its final snapshot is available{}",
            left_behind(world, found)
        );
        return Outcome::wait(Reason::DeletingInstance, message);
    }
    let keep = policy != DeletionPolicy::Delete;
    if keep && status.creating() {
        return Outcome::wait(
            Reason::InstanceCreating,
            format!("{service} is still creating the instance; it can be snapshotted and deleted after that"),
        );
    }
    match status.final_snapshot() {
        FinalSnapshot::Later if keep => {
            return Outcome::Wait {
                reason: Reason::InstanceBusy,
                message: format!(
                    "{service} reports the instance as {status}; it can be snapshotted and deleted after that"
                ),
                until: Some(Duration::from_secs(30)),
            };
        }
        FinalSnapshot::Impossible if keep => {
            let remedy = status.stuck().map(|remedy| format!(": {remedy}")).unwrap_or_default();
            let way = departure.without(&[DeletionPolicy::Delete, Retain]);
            let message = format!("{service} cannot snapshot an instance that is {status}{remedy}; {way}");
            return Outcome::blocked(Reason::SnapshotImpossible, message);
        }
        _ => {}
    }
    if found.running.deletion_protection == Some(true) {
        // Somebody may have protected it in the console: only the spec's own word takes that away.
        return match departure.protection {
            Some(false) => unprotect(found),
            _ => Outcome::blocked(
                Reason::DeletionProtected,
                format!("{service} protects the instance: set spec.deletionProtection: false to let it go"),
            ),
        };
    }
    let final_snapshot = match keep.then(|| free_name(departure, world, found)).transpose() {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let message = match &final_snapshot {
        Some(snapshot) => format!("the instance is being deleted; its final snapshot is {snapshot}"),
        None => "the instance is being deleted without a snapshot, as deletionPolicy: Delete says".to_owned(),
    };
    let message = format!("{message}{}", left_behind(world, found));
    let (identifier, delete_automated_backups) = (found.identifier.clone(), !keep);
    let request = Request::Delete(Delete { identifier, final_snapshot, delete_automated_backups });
    Outcome::act(Reason::DeletingInstance, message, Step::Cloud(request))
}

/// What people made of the instance, and what stays when it goes.
fn left_behind(world: &World, found: &Instance) -> String {
    let (service, replicas) = (world.offer.service(), found.replicas.join(", "));
    let replicas = (!replicas.is_empty()).then(|| {
        format!("; {service} makes instances of their own of its read replicas, which stay, and cost: {replicas}")
    });
    let former = world.moved_to.as_ref();
    let former = former.map(|former| format!("; the instance that this object had before stays, and costs: {former}"));
    [replicas, former].into_iter().flatten().collect()
}

/// Final snapshots that fail one after the other: the next one would, too.
const MOST_FAILED: usize = 3;

/// A name for the final snapshot that no other has: neither one that was seen, nor one that was just refused for that.
fn free_name(departure: &Departure, world: &World, found: &Instance) -> Result<String, Outcome> {
    let taken = match &world.snapshots {
        Seen::Unknown(why) => return Err(unavailable(why)),
        Seen::Absent => &[][..],
        Seen::Known(snapshots) => snapshots,
    };
    if taken.iter().filter(|snapshot| snapshot.failed() && is_final(snapshot, world)).count() >= MOST_FAILED {
        let message = format!(
            "{} began to delete the instance and its final snapshot has failed, {MOST_FAILED} times: see the instance's events; {}",
            world.offer.service(),
            departure.without(&[DeletionPolicy::Delete, Retain])
        );
        return Err(Outcome::blocked(Reason::FinalSnapshotFailed, message));
    }
    let resource_id = found.resource_id.as_deref().unwrap_or_default();
    let is_free =
        |name: &String| !world.ledger.name_is_taken(name) && !taken.iter().any(|snapshot| snapshot.identifier == *name);
    let mut names = names::final_snapshots(&world.identifier, &world.object.uid, resource_id);
    // There is no end of names.
    Ok(names.find(is_free).unwrap_or_default())
}

/// The spec allows the deletion, the provider does not yet.
fn unprotect(found: &Instance) -> Outcome {
    let change = Settings { deletion_protection: Some(false), ..Settings::default() };
    let request =
        Request::Modify(Modify { identifier: found.identifier.clone(), change, at_once: false, major: false });
    let message = "deletion protection is being switched off, as the spec says";
    Outcome::act(Reason::Unprotecting, message, Step::Cloud(request))
}
