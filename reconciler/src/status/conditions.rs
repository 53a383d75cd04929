//! The conditions: one for each concern, and the three that kstatus reads.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::bounds::{LONGEST_MESSAGE, clipped};
use crate::plan::{Acts, Concern, Outcome, Plan, Reason};

/// Conditions that keep the time of their last change.
pub(super) struct Conditions<'a> {
    before: &'a [Condition],
    generation: Option<i64>,
    now: Timestamp,
    set: BTreeMap<String, Condition>,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(before: &'a [Condition], generation: Option<i64>, now: Timestamp) -> Self {
        Self { before, generation, now, set: BTreeMap::new() }
    }

    pub(super) fn set(&mut self, kind: &str, value: bool, reason: Reason, message: &str) {
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

    pub(super) fn keep(&mut self, condition: &Condition) {
        self.set.insert(condition.type_.clone(), condition.clone());
    }

    pub(super) fn concern(&mut self, concern: Concern, outcome: &Outcome) {
        let (value, reason, message) = match outcome {
            Outcome::Done { message } => (true, Reason::Done, message),
            Outcome::Wait { reason, message, .. }
            | Outcome::Act { reason, message, .. }
            | Outcome::Blocked { reason, message, .. } => (false, *reason, message),
        };
        self.set(concern.condition(), value, reason, message);
    }

    /// Ready, Reconciling and Stalled, as kstatus reads them.
    pub(super) fn summary(&mut self, plan: &Plan, word: Option<&str>) {
        // While nothing is done, Ready waits for that alone.
        let needed = || {
            plan.outcomes.iter().filter(|(concern, outcome)| match plan.paused() {
                true => *concern == Concern::Accepted,
                false => !optional(*concern, outcome),
            })
        };
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

    pub(super) fn finish(self) -> Vec<Condition> {
        self.set.into_values().collect()
    }
}

/// What takes nothing from an application and so nothing from readiness: an alias that somebody else has, copies of backups, backups that are
/// behind, Secrets that work as they are, and changes that wait for their window.
fn optional(concern: Concern, outcome: &Outcome) -> bool {
    match concern {
        _ if matches!(outcome, Outcome::Wait { reason: Reason::WaitingForWindow, .. }) => true,
        Concern::Alias | Concern::Copies => true,
        Concern::Backups => matches!(outcome, Outcome::Blocked { reason: Reason::BackupsBehind, .. }),
        Concern::Secrets => matches!(
            outcome,
            Outcome::Wait { reason: Reason::RenewingSecrets, .. }
                | Outcome::Act { reason: Reason::RenewingSecrets, .. }
                | Outcome::Blocked { reason: Reason::AuthoritiesMissing, .. }
        ),
        _ => false,
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
