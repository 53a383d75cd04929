//! The status of an object: pure, from what was observed and decided. It says nothing that changes by itself, so that an object at
//! rest is never written.

mod backups;
mod bounds;
mod conditions;
mod inside;
mod since;
mod undecodable;

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::api::{Binding, Endpoint, InstanceRef, RDSDatabaseStatus, SnapshotKind, SnapshotRef};

use crate::plan::{Concern, Plan, Reason, Seen, World, bound};
use crate::providers::Snapshot;
use crate::subject::{Refusal, Subject, Target};

use bounds::bounded;
pub(crate) use bounds::{SHORTENED, fits, shortened, why_shortened};
use conditions::Conditions;
pub(crate) use since::{Phase, first_ready, under_way};
pub(crate) use undecodable::undecodable;

const FINAL_SNAPSHOT_EXISTS: &str = "FinalSnapshotExists";

/// The status after a pass over an object.
pub(crate) fn of(
    before: &RDSDatabaseStatus,
    generation: Option<i64>,
    subject: &Subject,
    world: &World,
    plan: &Plan,
    now: Timestamp,
) -> RDSDatabaseStatus {
    let mut status = observed(before, world, plan);
    status.observed_generation = generation;
    let mut conditions = Conditions::new(&before.conditions, generation, now);
    if plan.partial {
        before.conditions.iter().filter(|kept| kept.type_ != SHORTENED).for_each(|kept| conditions.keep(kept));
    }
    for (concern, outcome) in &plan.outcomes {
        conditions.concern(*concern, outcome);
    }
    if let Subject::Living(target) = subject {
        declared(&mut status, before, target, world);
        predecessor(&mut conditions, before, &status.snapshots, world);
    }
    conditions.summary(plan, status.database_status.as_deref());
    status.conditions = conditions.finish();
    backups::quiet(bounded(status), before)
}

/// What there is of all that is declared.
fn declared(status: &mut RDSDatabaseStatus, before: &RDSDatabaseStatus, target: &Target, world: &World) {
    let name = &world.object.name;
    let bound_before = before.binding.as_ref().map(|binding| binding.name.as_str());
    status.binding = bound(target.dialect(), &target.desired, name, bound_before).map(|name| Binding { name });
    status.users = inside::users(target, world);
    // Oids are those of one instance: a new, empty one has none of them.
    let same = status.instance.as_ref().is_some_and(|instance| instance.resource_id.is_some());
    status.databases = inside::databases(before, target, world, same);
    status.logins = inside::logins(before, world);
    status.access = BTreeMap::new();
    status.backups = backups::told(before, status.instance.as_ref(), target, world);
}

/// The status of an object that is not worked on until a person changes something.
pub(crate) fn refused(
    before: &RDSDatabaseStatus,
    generation: Option<i64>,
    refusal: &Refusal,
    now: Timestamp,
) -> RDSDatabaseStatus {
    let (reason, message) = (refusal.reason(), &refusal.to_string());
    let mut status = before.clone();
    status.observed_generation = generation;
    // Nothing of this operator's comes by itself.
    status.plan.clear();
    let mut conditions = Conditions::new(&before.conditions, generation, now);
    // What was found before stays true: an invalid edit does not take the database away.
    for kept in &before.conditions {
        if kept.type_ != "Accepted" {
            conditions.keep(kept);
        }
    }
    conditions.set(Concern::Accepted.condition(), false, reason, message);
    conditions.set("Ready", false, reason, message);
    conditions.set("Reconciling", false, reason, message);
    conditions.set("Stalled", true, reason, message);
    status.conditions = conditions.finish();
    bounded(status)
}

/// What the cloud says, whatever is wanted.
fn observed(before: &RDSDatabaseStatus, world: &World, plan: &Plan) -> RDSDatabaseStatus {
    let mut status = before.clone();
    status.instance.clone_from(&plan.pin);
    let id = |pin: &Option<InstanceRef>| pin.as_ref().and_then(|pin| pin.resource_id.clone());
    // Another instance has another past.
    let before_it = before.upgrade.clone().filter(|_| id(&before.instance) == id(&plan.pin));
    status.upgrade = plan.upgrade.clone().or(before_it);
    status.snapshots = snapshots(before, world);
    // What cannot be seen now is planned as it was.
    if world.account.is_ok() && !matches!(world.instance, Seen::Unknown(_)) {
        status.plan.clone_from(&plan.ahead);
    }
    match &world.instance {
        Seen::Known(instance) if !crate::plan::foreign(world, instance) => {
            status.database_status = Some(instance.status.to_string());
            status.engine_version.clone_from(&instance.running.engine_version);
            status.allocated_storage_gib = instance.running.allocated_gib.map(i64::from);
            status.volume = instance.running.allocated_gib.map(|gib| format!("{gib}Gi"));
            if let Some(endpoint) = &instance.endpoint {
                status.endpoint = Some(Endpoint { host: endpoint.host.clone(), port: i32::from(endpoint.port) });
            }
        }
        Seen::Absent => {
            status.database_status = None;
            status.endpoint = None;
        }
        // Not known, or somebody else's: what was last seen of ours stays.
        _ => {}
    }
    status
}

/// Snapshots of this name; looked for only while there is no instance, and kept from then on.
fn snapshots(before: &RDSDatabaseStatus, world: &World) -> Vec<SnapshotRef> {
    let Seen::Known(found) = &world.snapshots else {
        return before.snapshots.clone();
    };
    let prefix = format!("{}-final-", world.identifier);
    let mut found: Vec<_> = found.iter().collect();
    // The newest is the last one.
    found.sort_by(|one, other| (&one.created, &one.identifier).cmp(&(&other.created, &other.identifier)));
    let reference = |snapshot: &&Snapshot| SnapshotRef {
        identifier: snapshot.identifier.clone(),
        kind: if snapshot.identifier.starts_with(&prefix) { SnapshotKind::Final } else { SnapshotKind::Manual },
        status: Some(snapshot.status.clone()),
    };
    found.iter().map(reference).collect()
}

/// A name that is used again makes a new, empty database: this says what is left of the old one.
fn predecessor(conditions: &mut Conditions<'_>, before: &RDSDatabaseStatus, snapshots: &[SnapshotRef], world: &World) {
    let newest = snapshots.iter().rfind(|snapshot| snapshot.kind == SnapshotKind::Final);
    match newest {
        Some(snapshot) => {
            let message = format!(
                "a database of this name was deleted before; its newest final snapshot {0} holds the old data: an object that is created with \
                 spec.restoreFrom.snapshot: {0} has it again",
                snapshot.identifier
            );
            conditions.set(FINAL_SNAPSHOT_EXISTS, true, Reason::SnapshotOfPredecessor, &message);
        }
        None if matches!(world.snapshots, Seen::Known(_)) => {}
        None => {
            if let Some(kept) = before.conditions.iter().find(|condition| condition.type_ == FINAL_SNAPSHOT_EXISTS) {
                conditions.keep(kept);
            }
        }
    }
}
