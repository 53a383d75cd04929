//! The way out: no data goes before its final snapshot is there, unless the policy says so in words.

use std::time::Duration;

use jiff::Timestamp;
use shared::api::DeletionPolicy;
use shared::names;

use super::guard::{creation_may_appear, hold};
use super::instance::{Ownership, foreign, ownership};
use super::{CloudStep, ClusterStep, Concern, Effect, Outcome, Plan, Seen, ServiceFact, ServicePlace, Step, World};
use crate::providers::{DeleteInstance, Instance};

/// What of the spec matters for the way out; it is read even where the rest of the spec is invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// What happens to the data, or why the class does not permit that.
    pub policy: Result<DeletionPolicy, String>,
    /// What the spec says of deletion protection; `None` says nothing.
    pub protection: Option<bool>,
    /// Nothing is to be done now.
    pub paused: bool,
}

/// Plans the end of an object.
pub fn plan_deletion(departure: &Departure, world: &World, now: Timestamp) -> Plan {
    if !world.object.finalizer {
        return Plan::only(Concern::Deletion, Outcome::done("nothing is held"), world, now);
    }
    if departure.paused {
        let outcome = Outcome::wait("Paused", "spec.paused: the deletion goes on when it is false again");
        return Plan::only(Concern::Deletion, outcome, world, now);
    }
    let policy = match &departure.policy {
        Ok(policy) => *policy,
        Err(why) => {
            return Plan::only(Concern::Deletion, Outcome::blocked("ClassNotPermitted", why.clone()), world, now);
        }
    };
    if departure.protection == Some(true) && policy != DeletionPolicy::Retain && !world.instance.absent() {
        let outcome = Outcome::blocked(
            "DeletionProtected",
            "spec.deletionProtection is true: set it to false to let the deletion go on",
        );
        return Plan::only(Concern::Deletion, outcome, world, now);
    }
    let services = services(world);
    if !services.is_empty() {
        let outcome =
            Outcome::Act { reason: "DeletingServices", message: "the Services go first".into(), steps: services };
        return Plan::only(Concern::Deletion, outcome, world, now);
    }
    Plan::only(Concern::Deletion, instance(policy, departure.protection, world, now), world, now)
}

fn services(world: &World) -> Vec<Step> {
    let places = [(ServicePlace::Own, Some(&world.service)), (ServicePlace::Alias, world.alias.as_ref())];
    places
        .into_iter()
        .filter_map(|(place, seen)| match seen?.known()? {
            ServiceFact::Ours { uid, .. } => {
                Some(Step::Cluster(ClusterStep::DeleteService { place, uid: uid.clone() }))
            }
            ServiceFact::Foreign { .. } => None,
        })
        .collect()
}

fn let_go(message: impl Into<String>) -> Outcome {
    Outcome::act("Releasing", message, Step::Cluster(ClusterStep::RemoveFinalizer))
}

fn instance(policy: DeletionPolicy, protection: Option<bool>, world: &World, now: Timestamp) -> Outcome {
    if policy == DeletionPolicy::Retain {
        return let_go("deletionPolicy Retain: the instance stays as it is");
    }
    // Nothing is created before this is pinned.
    let Some(pinned) = &world.pinned else {
        return let_go("nothing was ever created");
    };
    let soon = Some(Duration::from_secs(5));
    if let Err(why) = &world.account {
        let message = format!(
            "{why}; the instance is not deleted before that, and with deletionPolicy: Retain the object goes without it"
        );
        return Outcome::Wait { reason: "CloudUnavailable", message, until: Some(Duration::from_secs(10)) };
    }
    if let Ok(account) = &world.account
        && (pinned.account.as_ref().is_some_and(|pinned| *pinned != account.account)
            || pinned.region.as_ref().is_some_and(|pinned| *pinned != account.region))
    {
        let message = format!(
            "the database lives in account {}, and the operator's access leads to {}: give it back its access, or set deletionPolicy: Retain",
            pinned.account.as_deref().unwrap_or("?"),
            account.account
        );
        return Outcome::Blocked { reason: "OtherAccount", message, until: Some(Duration::from_secs(60)) };
    }
    match &world.instance {
        Seen::Unknown(why) => Outcome::Wait { reason: "CloudUnavailable", message: why.clone(), until: soon },
        Seen::Absent => gone(policy, world, pinned.resource_id.as_deref(), now),
        Seen::Known(found) if foreign(world, found) => {
            let same = pinned.resource_id.is_some() && pinned.resource_id == found.resource_id;
            match (same, ownership(world, found)) {
                // Tags can be lost to a clean-up; the resource id says that it is the very instance.
                (true, Ownership::Foreign(why)) => Outcome::Blocked {
                    reason: "TagsMissing",
                    message: format!(
                        "the instance {} is this object's by its DbiResourceId, but {why}: give it back its tags, or set deletionPolicy: \
                         Retain to let the object go without it",
                        found.identifier
                    ),
                    until: Some(Duration::from_secs(60)),
                },
                _ => let_go(format!("the instance {} is not this object's and stays as it is", found.identifier)),
            }
        }
        Seen::Known(found) => delete(policy, protection, world, found, now),
    }
}

/// The instance is not there (any more): may the object go?
fn gone(policy: DeletionPolicy, world: &World, created: Option<&str>, now: Timestamp) -> Outcome {
    if created.is_none()
        && let Some(left) = creation_may_appear(world, now)
    {
        let message =
            "a creation that was asked for may still appear; the object goes when it is sure that nothing was made";
        return Outcome::Wait {
            reason: "CreationPending",
            message: message.into(),
            until: Some(left.min(Duration::from_secs(5))),
        };
    }
    if policy == DeletionPolicy::Delete {
        return let_go("the instance is gone");
    }
    if created.is_none() {
        return let_go("no instance was ever seen");
    }
    let wanted = names::final_snapshot(&world.identifier, &world.object.uid);
    match &world.snapshots {
        Seen::Unknown(why) => {
            Outcome::Wait { reason: "CloudUnavailable", message: why.clone(), until: Some(Duration::from_secs(5)) }
        }
        Seen::Absent => no_snapshot(&wanted),
        Seen::Known(snapshots) => match snapshots.iter().find(|snapshot| snapshot.identifier == wanted) {
            Some(snapshot) if snapshot.available() => let_go(format!("the final snapshot {wanted} is available")),
            Some(snapshot) => Outcome::Wait {
                reason: "WaitingForSnapshot",
                message: format!("the final snapshot {wanted} is {}", snapshot.status),
                until: Some(Duration::from_secs(5)),
            },
            None => no_snapshot(&wanted),
        },
    }
}

fn no_snapshot(wanted: &str) -> Outcome {
    let message = format!(
        "the instance is gone and there is no final snapshot {wanted}; restore what you need from other backups, then set \
         deletionPolicy: Delete to let the object go"
    );
    Outcome::Blocked { reason: "NoFinalSnapshot", message, until: Some(Duration::from_secs(60)) }
}

fn delete(
    policy: DeletionPolicy,
    protection: Option<bool>,
    world: &World,
    found: &Instance,
    now: Timestamp,
) -> Outcome {
    let status = &found.status;
    if status.deleting() {
        let message =
            "RDS is deleting the instance; the object goes when it is gone and its final snapshot is available";
        return Outcome::wait("DeletingInstance", message);
    }
    let keep = policy != DeletionPolicy::Delete;
    if keep && status.creating() {
        return Outcome::wait(
            "InstanceCreating",
            "RDS is still creating the instance; it can be snapshotted and deleted after that",
        );
    }
    if keep && !status.snapshot_possible() {
        let message = format!(
            "RDS cannot snapshot an instance that is {status}; set deletionPolicy: Delete to delete it without one"
        );
        return Outcome::blocked("SnapshotImpossible", message);
    }
    if found.deletion_protection {
        // Somebody may have protected it in the console: only the spec's own word takes that away.
        return match protection {
            Some(false) => unprotect(world, found, now),
            _ => Outcome::blocked(
                "DeletionProtected",
                "RDS protects the instance: set spec.deletionProtection: false to let it go",
            ),
        };
    }
    let request = DeleteInstance {
        identifier: found.identifier.clone(),
        final_snapshot: keep.then(|| names::final_snapshot(&world.identifier, &world.object.uid)),
        delete_automated_backups: !keep,
    };
    hold(world, Effect::Delete, &describe_delete(&request), now).unwrap_or_else(|| {
        let message = match &request.final_snapshot {
            Some(snapshot) => {
                format!("the instance is being deleted; its final snapshot is {snapshot}")
            }
            None => "the instance is being deleted without a snapshot, as deletionPolicy: Delete says".to_owned(),
        };
        Outcome::act("DeletingInstance", message, Step::Cloud(CloudStep::Delete(request)))
    })
}

/// The spec allows the deletion, RDS does not yet.
fn unprotect(world: &World, found: &Instance, now: Timestamp) -> Outcome {
    let request = crate::providers::ModifyInstance {
        identifier: found.identifier.clone(),
        deletion_protection: Some(false),
        ..Default::default()
    };
    hold(world, Effect::Protection, &super::settings::describe(&request), now).unwrap_or_else(|| {
        let step = CloudStep::Modify { effect: Effect::Protection, request };
        Outcome::act("Unprotecting", "deletion protection is being switched off, as the spec says", Step::Cloud(step))
    })
}

/// A deletion as the retries know it.
pub(crate) fn describe_delete(request: &DeleteInstance) -> String {
    format!("DeleteDBInstance {}", request.final_snapshot.as_deref().unwrap_or("without a snapshot"))
}
