//! The status of an object: pure, from what was observed and decided. It says nothing that changes by itself, so that an object at
//! rest is never written.

mod bounds;
mod since;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde_json::{Value, json};
use shared::api::{
    BackupStatus, Binding, DatabaseStatus, Endpoint, LoginsStatus, RDSDatabaseStatus, SnapshotKind, SnapshotRef,
    UserStatus,
};
use shared::names;
use shared::rules::RoleName;

use crate::plan::{Acts, Concern, Outcome, Plan, Reason, Seen, World, bound, not_scheduled, usable};
use crate::providers::Snapshot;
use crate::target::{Refusal, Target};

use bounds::{LONGEST_MESSAGE, bounded, clipped};
pub use bounds::{SHORTENED, fits, shortened, why_shortened};
pub(crate) use since::{Phase, first_ready, under_way};

const FINAL_SNAPSHOT_EXISTS: &str = "FinalSnapshotExists";

/// The status after a pass over an object that is wanted.
pub fn working(
    before: &RDSDatabaseStatus,
    generation: Option<i64>,
    target: &Target,
    world: &World,
    plan: &Plan,
    now: Timestamp,
) -> RDSDatabaseStatus {
    let mut status = observed(before, world, plan);
    status.observed_generation = generation;
    let name = &world.object.name;
    let bound_before = before.binding.as_ref().map(|binding| binding.name.as_str());
    status.binding = bound(&target.desired, name, bound_before).map(|name| Binding { name });
    status.users = users(target, world);
    // Oids are those of one instance: a new, empty one has none of them.
    let same = status.instance.as_ref().is_some_and(|instance| instance.resource_id.is_some());
    status.databases = databases(before, target, world, same);
    status.logins = logins(before, world);
    status.access = BTreeMap::new();
    if let Some(instance) = usable(world) {
        status.backups = Some(BackupStatus {
            window: instance.backup_window.clone(),
            retention_days: instance.backup_retention_days.map(i64::from),
            not_scheduled: not_scheduled(target),
        });
    }
    let mut conditions = Conditions::new(&before.conditions, generation, now);
    if plan.partial {
        before.conditions.iter().filter(|kept| kept.type_ != SHORTENED).for_each(|kept| conditions.keep(kept));
    }
    for (concern, outcome) in &plan.outcomes {
        conditions.concern(*concern, outcome);
    }
    final_snapshot_condition(&mut conditions, before, &status.snapshots, world);
    conditions.summary(plan, status.database_status.as_deref());
    status.conditions = conditions.finish();
    bounded(status)
}

/// The status of an object that is not worked on.
pub fn refused(
    before: &RDSDatabaseStatus,
    generation: Option<i64>,
    refusal: &Refusal,
    now: Timestamp,
) -> RDSDatabaseStatus {
    stalled(before, generation, refusal.reason(), &refusal.to_string(), now)
}

/// The status of an object that stands still until a person changes something.
pub fn stalled(
    before: &RDSDatabaseStatus,
    generation: Option<i64>,
    reason: Reason,
    message: &str,
    now: Timestamp,
) -> RDSDatabaseStatus {
    let mut status = before.clone();
    status.observed_generation = generation;
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

/// The status of an object that cannot be read as what it should be, as JSON like the status before it; `None` where it says so already.
pub fn undecodable(before: &Value, generation: Option<i64>, message: &str, now: Timestamp) -> Option<Value> {
    let message = clipped(message, LONGEST_MESSAGE);
    let told = before["conditions"].as_array().is_some_and(|conditions| {
        conditions.iter().any(|one| {
            one["type"] == "Stalled" && one["message"] == message && one["observedGeneration"] == json!(generation)
        })
    });
    if told {
        return None;
    }
    let condition = |kind: &str, status: &str| {
        json!({
            "type": kind, "status": status, "reason": Reason::Undecodable.as_str(), "message": message,
            "observedGeneration": generation, "lastTransitionTime": Time(now),
        })
    };
    // What the status says of the database stays; the manager is the one of every other status, or two would own the conditions.
    let mut status = Some(before).filter(|status| status.is_object()).cloned().unwrap_or_else(|| json!({}));
    let ours = ["Accepted", "Ready", "Reconciling", "Stalled"];
    let mut conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    conditions.retain(|one| !ours.iter().any(|kind| one["type"] == *kind));
    conditions.extend(ours.map(|kind| condition(kind, if kind == "Stalled" { "True" } else { "False" })));
    status["conditions"] = json!(conditions);
    status["observedGeneration"] = json!(generation);
    Some(status)
}

/// The status of an object on its way out.
pub fn leaving(
    before: &RDSDatabaseStatus,
    generation: Option<i64>,
    world: &World,
    plan: &Plan,
    now: Timestamp,
) -> RDSDatabaseStatus {
    let mut status = observed(before, world, plan);
    status.observed_generation = generation;
    let mut conditions = Conditions::new(&before.conditions, generation, now);
    for (concern, outcome) in &plan.outcomes {
        conditions.concern(*concern, outcome);
    }
    conditions.summary(plan, status.database_status.as_deref());
    status.conditions = conditions.finish();
    bounded(status)
}

/// What the cloud says, whatever is wanted.
fn observed(before: &RDSDatabaseStatus, world: &World, plan: &Plan) -> RDSDatabaseStatus {
    let mut status = before.clone();
    status.instance.clone_from(&plan.pin);
    status.snapshots = snapshots(before, world);
    match &world.instance {
        Seen::Known(instance) if !crate::plan::foreign(world, instance) => {
            status.database_status = Some(instance.status.to_string());
            status.engine_version.clone_from(&instance.engine_version);
            status.allocated_storage_gib = instance.allocated_gib.map(i64::from);
            status.volume = instance.allocated_gib.map(|gib| format!("{gib}Gi"));
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

fn users(target: &Target, world: &World) -> BTreeMap<String, UserStatus> {
    let report = current_report(world);
    let user = |user: &RoleName| {
        let obstacle = report.and_then(|report| report.users.get(user.as_str()));
        let status = UserStatus {
            secret: names::secret_name(&world.object.name, user),
            ready: obstacle.is_some_and(Option::is_none),
            message: obstacle.cloned().flatten(),
        };
        (user.to_string(), status)
    };
    target.desired.users.keys().map(user).collect()
}

fn databases(
    before: &RDSDatabaseStatus,
    target: &Target,
    world: &World,
    same_instance: bool,
) -> BTreeMap<String, DatabaseStatus> {
    let report = current_report(world);
    let oid = |name: &str| {
        let found = report.and_then(|report| report.oids.get(name)).map(|oid| i64::from(*oid));
        found.or_else(|| before.databases.get(name).filter(|_| same_instance)?.oid)
    };
    let wanted = target.desired.databases.iter().map(|(name, users)| {
        let obstacle = report.and_then(|report| report.databases.get(name.as_str()));
        let status = DatabaseStatus {
            ready: obstacle.is_some_and(Option::is_none),
            users: users.iter().map(ToString::to_string).collect(),
            removed: false,
            oid: oid(name.as_str()),
            message: obstacle.cloned().flatten(),
        };
        (name.to_string(), status)
    });
    let mut all: BTreeMap<_, _> = wanted.collect();
    let removed: Vec<String> = match report {
        Some(report) => report.removed_databases.iter().cloned().collect(),
        // Until the next visit has looked, what was there is still there.
        None => before.databases.keys().filter(|name| !all.contains_key(*name)).cloned().collect(),
    };
    for name in removed {
        let message = "left the spec; its data is kept, and only the master user works in it".to_owned();
        let (oid, message) = (oid(&name), Some(message));
        all.insert(name, DatabaseStatus { ready: false, users: Vec::new(), removed: true, oid, message });
    }
    all
}

fn logins(before: &RDSDatabaseStatus, world: &World) -> Option<LoginsStatus> {
    if let Some(report) = current_report(world) {
        return Some(bounds::logins(report.access.iter().map(|(login, fault)| (login, fault.as_deref()))));
    }
    let of_v0_1_0 = || bounds::logins(before.access.iter().map(|(login, seen)| (login, seen.message.as_deref())));
    before.logins.clone().or_else(|| (!before.access.is_empty()).then(of_v0_1_0))
}

fn current_report(world: &World) -> Option<&crate::plan::SqlReport> {
    let visit = world.visit.as_ref().filter(|visit| Some(&visit.inputs) == world.visit_inputs.as_ref())?;
    visit.result.as_ref().ok()
}

/// What takes nothing from an application and so nothing from readiness: an alias that somebody else has, backups that are made less often
/// than asked, and Secrets that work as they are.
fn optional(concern: Concern, outcome: &Outcome) -> bool {
    match concern {
        Concern::Alias => true,
        Concern::Backups => matches!(outcome, Outcome::Blocked { reason: Reason::NotScheduled, .. }),
        Concern::Secrets => matches!(
            outcome,
            Outcome::Wait { reason: Reason::RenewingSecrets, .. }
                | Outcome::Act { reason: Reason::RenewingSecrets, .. }
                | Outcome::Blocked { reason: Reason::AuthoritiesMissing, .. }
        ),
        _ => false,
    }
}

/// A name that is used again makes a new, empty database: this says what is left of the old one.
fn final_snapshot_condition(
    conditions: &mut Conditions<'_>,
    before: &RDSDatabaseStatus,
    snapshots: &[SnapshotRef],
    world: &World,
) {
    let newest = snapshots.iter().rfind(|snapshot| snapshot.kind == SnapshotKind::Final);
    match newest {
        Some(snapshot) => {
            let message = format!(
                "a database of this name was deleted before; its newest final snapshot {} holds the old data: restore it with aws rds \
                 restore-db-instance-from-db-snapshot --db-snapshot-identifier {} --db-instance-identifier <new name>",
                snapshot.identifier, snapshot.identifier
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

/// What is waited for, in a line: the concern's own condition has the whole of it.
fn waits(concern: Concern, reason: Reason, message: &str, word: Option<&str>) -> String {
    let passing = matches!(
        reason,
        Reason::InstanceNotReady | Reason::InstanceBusy | Reason::InstanceCreating | Reason::DeletingInstance
    );
    match (concern, word.filter(|_| passing)) {
        (_, Some(word)) => format!("waits for the instance: {word}"),
        // Who has to act, where it lasts, is told all of it.
        _ if reason.acts() != Acts::Nobody => message.to_owned(),
        (Concern::Deletion, None) => reason.meaning().to_owned(),
        (_, None) => format!("waits for {}: {}", concern.noun(), reason.meaning()),
    }
}

/// Conditions that keep the time of their last change.
struct Conditions<'a> {
    before: &'a [Condition],
    generation: Option<i64>,
    now: Timestamp,
    set: BTreeMap<String, Condition>,
}

impl<'a> Conditions<'a> {
    fn new(before: &'a [Condition], generation: Option<i64>, now: Timestamp) -> Self {
        Self { before, generation, now, set: BTreeMap::new() }
    }

    fn set(&mut self, kind: &str, value: bool, reason: Reason, message: &str) {
        let status = if value { "True" } else { "False" };
        let same = self.before.iter().find(|found| found.type_ == kind && found.status == status);
        let condition = Condition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: reason.to_string(),
            message: clipped(message, LONGEST_MESSAGE),
            observed_generation: self.generation,
            last_transition_time: same.map_or(Time(self.now), |found| found.last_transition_time.clone()),
        };
        self.set.insert(kind.to_owned(), condition);
    }

    fn keep(&mut self, condition: &Condition) {
        self.set.insert(condition.type_.clone(), condition.clone());
    }

    fn concern(&mut self, concern: Concern, outcome: &Outcome) {
        let (value, reason, message) = match outcome {
            Outcome::Done { message } => (true, Reason::Done, message),
            Outcome::Wait { reason, message, .. }
            | Outcome::Act { reason, message, .. }
            | Outcome::Blocked { reason, message, .. } => (false, *reason, message),
        };
        self.set(concern.condition(), value, reason, message);
    }

    /// Ready, Reconciling and Stalled, as kstatus reads them.
    fn summary(&mut self, plan: &Plan, word: Option<&str>) {
        let needed = || plan.outcomes.iter().filter(|(concern, outcome)| !optional(*concern, outcome));
        let blocked = needed().find_map(|(_, outcome)| match outcome {
            Outcome::Blocked { reason, message, .. } => Some((*reason, message.clone())),
            _ => None,
        });
        let moving = needed().find_map(|(concern, outcome)| match outcome {
            Outcome::Wait { reason, message, .. } => Some((*reason, waits(*concern, *reason, message, word))),
            Outcome::Act { reason, message, .. } => Some((*reason, message.clone())),
            _ => None,
        });
        // What only a person can mend is told before what passes by itself.
        let (ready, reconciling, stalled) =
            (blocked.is_none() && moving.is_none(), blocked.is_none() && moving.is_some(), blocked.is_some());
        let (reason, message) =
            blocked.or(moving).unwrap_or_else(|| (Reason::Ready, Reason::Ready.meaning().to_owned()));
        self.set("Ready", ready, reason, &message);
        self.set("Reconciling", reconciling, reason, &message);
        self.set("Stalled", stalled, reason, &message);
    }

    fn finish(self) -> Vec<Condition> {
        self.set.into_values().collect()
    }
}
