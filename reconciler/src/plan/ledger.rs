//! What was asked of the cloud and of Kubernetes, and what came of it: what is not asked again, and until when. Pure; it can be lost.
//!
//! A step is held back while its effect may not show yet, before a refusal's time is up, and for good where it has no effect. The concerns
//! only say what they want: [`super::Plan::merge`] asks here.

use std::collections::BTreeMap;
use std::time::Duration;

use super::outcome::{Concern, Outcome};
use super::reason::Reason;
use super::step::Step;
use crate::clock::Moment;
use crate::providers::{ErrorClass, Request};

/// The cloud's view lags a change that it has accepted: other tools give it a minute before they believe what they see.
pub(super) const LAG: Duration = Duration::from_secs(60);
/// A change that was accepted this often and never seen is not made again until the wish changes.
const MOST_REPEATS: u32 = 3;
/// A step that Kubernetes has refused is tried again after this long, doubling up to the last; in seconds.
const KUBERNETES: (u64, u64) = (5, 300);

/// What was asked, by what it is about: another wish about the same takes the place of the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger(BTreeMap<String, Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    step: Step,
    at: Moment,
    answer: Answer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// Whether it takes effect, only a later look tells.
    Accepted { times: u32 },
    /// It was refused, or nothing was heard.
    Refused { cause: Cause, message: String, retry_at: Moment, attempts: u32 },
}

/// Who refused a step, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The cloud.
    Cloud(ErrorClass),
    /// Kubernetes.
    Kubernetes,
}

impl Ledger {
    /// Leaves out the steps that are held back; the others go on.
    pub(super) fn without_held(&self, outcome: Outcome, now: Moment) -> Outcome {
        let Outcome::Act { reason, message, mut steps } = outcome else { return outcome };
        let mut held: Option<Outcome> = None;
        steps.retain(|step| match self.hold(step, now) {
            Some(outcome) => {
                held.get_or_insert(outcome);
                false
            }
            None => true,
        });
        match held {
            Some(outcome) if steps.is_empty() => outcome,
            Some(outcome) => Outcome::Act { reason, message: format!("{message}; {}", outcome.message()), steps },
            None => Outcome::Act { reason, message, steps },
        }
    }

    /// What holds a step back; `None` lets it go out.
    pub(super) fn hold(&self, step: &Step, now: Moment) -> Option<Outcome> {
        let Entry { step, at, answer } = self.entry(step)?;
        match answer {
            Answer::Accepted { times } => {
                if let Some(left) = now.until(*at + LAG) {
                    let message = format!("accepted and not seen yet: {step}");
                    return Some(Outcome::Wait { reason: Reason::ChangeAccepted, message, until: Some(left) });
                }
                // A restart that changed nothing would only be one more outage.
                let most = if matches!(step, Step::Cloud(Request::Reboot(_))) { 1 } else { MOST_REPEATS };
                (*times >= most).then(|| {
                    let message = format!(
                        "accepted {times} times without effect: {step}; it is not sent again; look at the instance's events, or change the spec"
                    );
                    Outcome::blocked(Reason::ChangeHasNoEffect, message)
                })
            }
            Answer::Refused { cause, message, retry_at, .. } => {
                let left = now.until(*retry_at)?;
                Some(refused(step, *cause, message.clone(), Some(left)))
            }
        }
    }

    /// What came of a step's last try, if it was refused.
    pub(super) fn refusal(&self, step: &Step) -> Option<Outcome> {
        match &self.entry(step)?.answer {
            Answer::Refused { cause, message, .. } => Some(refused(step, *cause, message.clone(), None)),
            Answer::Accepted { .. } => None,
        }
    }

    /// How long a creation that was asked for may still appear although it is not seen: its answer may have been lost, or this process,
    /// which acts since `acting_since`, may not know that another one has asked.
    pub(super) fn creation_may_appear(&self, acting_since: Moment, now: Moment) -> Option<Duration> {
        let creations =
            self.0.values().filter(|entry| matches!(&entry.step, Step::Cloud(request) if request.gives_birth()));
        let pending = creations.filter(|entry| match &entry.answer {
            Answer::Accepted { .. } => true,
            Answer::Refused { cause, .. } => {
                matches!(cause, Cause::Cloud(ErrorClass::Unreachable | ErrorClass::Transient))
            }
        });
        let since = pending.map(|entry| entry.at).max().unwrap_or(acting_since);
        now.until(since + LAG)
    }

    /// How long a change that was asked to be applied at once may not show as under way yet.
    pub(super) fn applying(&self, now: Moment) -> Option<Duration> {
        let at_once = self.0.values().filter_map(|entry| match (&entry.step, &entry.answer) {
            (Step::Cloud(Request::Modify(request)), Answer::Accepted { .. }) if request.at_once => Some(entry.at),
            _ => None,
        });
        now.until(at_once.max()? + LAG)
    }

    /// How long a restart that another process asked for may not show yet: this one, which acts since `acting_since`, cannot know.
    pub(super) fn restart_may_appear(acting_since: Moment, now: Moment) -> Option<Duration> {
        now.until(acting_since + LAG)
    }

    /// An upgrade to this version was accepted so long ago that it would show if it were under way.
    pub(super) fn upgrade_without_effect(&self, version: &str, now: Moment) -> bool {
        self.0.values().any(|entry| match (&entry.step, &entry.answer) {
            (Step::Cloud(Request::Modify(request)), Answer::Accepted { .. }) => {
                request.major
                    && request.change.engine_version.as_deref() == Some(version)
                    && now.until(entry.at + LAG).is_none()
            }
            _ => false,
        })
    }

    /// This very step was asked for, whatever came of it.
    pub(super) fn asked(&self, step: &Step) -> bool {
        self.entry(step).is_some()
    }

    /// When a step that is held back after a refusal may go out.
    pub(super) fn retry_at(&self, step: &Step, now: Moment) -> Option<(Moment, &str)> {
        match &self.entry(step)?.answer {
            Answer::Refused { message, retry_at, .. } if *retry_at > now => Some((*retry_at, message)),
            _ => None,
        }
    }

    /// The provider has accepted to delete the instance.
    pub(super) fn deletion_accepted(&self) -> bool {
        let accepted = |entry: &Entry| {
            matches!((&entry.step, &entry.answer), (Step::Cloud(Request::Delete(_)), Answer::Accepted { .. }))
        };
        self.0.values().any(accepted)
    }

    /// The final snapshot of this name was refused because there is one.
    pub(super) fn name_is_taken(&self, snapshot: &str) -> bool {
        self.0.values().any(|entry| match (&entry.step, &entry.answer) {
            (
                Step::Cloud(Request::Delete(request)),
                Answer::Refused { cause: Cause::Cloud(ErrorClass::AlreadyExists), .. },
            ) => request.final_snapshot.as_deref() == Some(snapshot),
            _ => false,
        })
    }

    /// A step has gone well: Kubernetes shows it at once, the cloud in a while.
    pub fn done(&mut self, step: &Step, now: Moment) {
        match step {
            Step::Cloud(_) => {
                let times = match self.entry(step).map(|entry| &entry.answer) {
                    Some(Answer::Accepted { times }) => *times,
                    _ => 0,
                };
                self.enter(step, now, Answer::Accepted { times: times + 1 });
            }
            _ => drop(self.0.remove(&about(step))),
        }
    }

    /// A step was refused; gives how often in a row. `jitter`, below 1, stretches the pause by up to a quarter of it.
    pub fn refused(&mut self, step: &Step, cause: Cause, message: String, now: Moment, jitter: f64) -> u32 {
        let before = match self.0.get(&about(step)).map(|entry| (&entry.answer, entry.step == *step)) {
            // What Kubernetes refuses is refused under its name, whatever its contents.
            Some((Answer::Refused { attempts, .. }, same)) if same || cause == Cause::Kubernetes => *attempts,
            _ => 0,
        };
        let attempts = before.saturating_add(1);
        let retry_at = now + pause(step, cause, attempts).mul_f64(1.0 + jitter / 4.0);
        self.enter(step, now, Answer::Refused { cause, message, retry_at, attempts });
        attempts
    }

    /// A wish that the world fulfils has been answered: the same wish later starts counting anew. The next look may be older than this one, so what
    /// was asked for a moment ago is remembered all the same. On its way out an object makes each wish once.
    pub fn settle(&mut self, outcomes: &[(Concern, Outcome)], now: Moment) {
        let fulfilled = |concern| {
            outcomes.iter().any(|(found, outcome)| *found == concern && matches!(outcome, Outcome::Done { .. }))
        };
        self.0.retain(|_, entry| match &entry.step {
            Step::Cloud(request) => {
                let recent = now.until(entry.at + LAG).is_some();
                recent || concern(request) == Concern::Deletion || !fulfilled(concern(request))
            }
            _ => true,
        });
    }

    /// The server takes the master user's password: the next refusal is another matter.
    pub(crate) fn master_was_let_in(&mut self) {
        self.0.retain(|_, entry| !matches!(entry.step, Step::Cloud(Request::ResetMaster(_))));
    }

    fn entry(&self, step: &Step) -> Option<&Entry> {
        let entry = self.0.get(&about(step))?;
        // What the cloud was asked for counts as a whole, what Kubernetes was by its name.
        (entry.step == *step || !matches!(step, Step::Cloud(_))).then_some(entry)
    }

    fn enter(&mut self, step: &Step, at: Moment, answer: Answer) {
        self.0.insert(about(step), Entry { step: step.clone(), at, answer });
    }
}

/// What a step is about.
fn about(step: &Step) -> String {
    match step {
        Step::Cloud(Request::Create(_) | Request::Restore(_)) => "create".to_owned(),
        Step::Cloud(Request::Modify(request)) => {
            format!("modify {}", request.change.names().collect::<Vec<_>>().join(", "))
        }
        Step::Cloud(Request::ResetMaster(_)) => "reset".to_owned(),
        Step::Cloud(Request::Mark(request)) if request.owner.is_some() => "own".to_owned(),
        Step::Cloud(Request::Mark(_)) => "tag".to_owned(),
        Step::Cloud(Request::Snapshot(request)) if request.kept => "keep a copy".to_owned(),
        Step::Cloud(Request::Snapshot(_)) => "snapshot".to_owned(),
        Step::Cloud(Request::DeleteSnapshot(request)) => format!("delete the snapshot {}", request.snapshot),
        // Each name of a final snapshot is a matter of its own.
        Step::Cloud(Request::Delete(request)) => {
            format!("delete {}", request.final_snapshot.as_deref().unwrap_or_default())
        }
        Step::Cloud(Request::Reboot(_)) => "reboot".to_owned(),
        Step::Cloud(Request::CreateGroup(_)) => "create a group".to_owned(),
        Step::Cloud(Request::FillGroup(_)) => "fill a group".to_owned(),
        Step::Cloud(Request::DeleteGroup(_)) => "delete a group".to_owned(),
        Step::Cluster(_) | Step::Inside(..) => step.to_string(),
    }
}

/// The concern whose condition tells of a request.
pub(crate) fn concern(request: &Request) -> Concern {
    match request {
        Request::Create(_) | Request::Restore(_) => Concern::Instance,
        Request::Modify(request) if request.change.touches_storage() => Concern::Storage,
        Request::Modify(request) if request.change.touches_backups() => Concern::Backups,
        Request::Modify(request) if request.change.parameter_group.is_some() => Concern::Parameters,
        Request::Modify(request) if request.change.deletion_protection == Some(false) => Concern::Deletion,
        Request::Mark(request) if request.retained == Some(true) => Concern::Deletion,
        Request::Snapshot(request) if request.kept => Concern::Copies,
        Request::DeleteSnapshot(_) => Concern::Copies,
        Request::Modify(_) | Request::Mark(_) | Request::Snapshot(_) => Concern::Settings,
        Request::ResetMaster(_) => Concern::Databases,
        Request::Delete(_) => Concern::Deletion,
        Request::Reboot(_) | Request::CreateGroup(_) | Request::FillGroup(_) | Request::DeleteGroup(_) => {
            Concern::Parameters
        }
    }
}

fn refused(step: &Step, cause: Cause, message: String, until: Option<Duration>) -> Outcome {
    let class = match cause {
        Cause::Kubernetes => return Outcome::Wait { reason: Reason::ClusterRefused, message, until },
        Cause::Cloud(class) => class,
    };
    match class {
        // Most often our own creation that was not seen answered: the next sweep tells whose it is.
        ErrorClass::AlreadyExists if matches!(step, Step::Cloud(request) if request.gives_birth()) => {
            Outcome::Wait { reason: Reason::NotSeenYet, message, until }
        }
        ErrorClass::Refused | ErrorClass::AlreadyExists => {
            Outcome::Blocked { reason: Reason::RefusedByCloud, message, until }
        }
        ErrorClass::Unauthorized => Outcome::Blocked { reason: Reason::NotAuthorized, message, until },
        ErrorClass::Exhausted => Outcome::Wait { reason: Reason::QuotaOrCapacityExhausted, message, until },
        ErrorClass::StorageCooldown => Outcome::Wait { reason: Reason::StorageCooldown, message, until },
        ErrorClass::WrongState | ErrorClass::NotFound => Outcome::Wait { reason: Reason::InstanceBusy, message, until },
        ErrorClass::Transient | ErrorClass::Unreachable => {
            Outcome::Wait { reason: Reason::CloudUnavailable, message, until }
        }
    }
}

/// The pause before the next try: doubling from a start to an end that fit the cause.
fn pause(step: &Step, cause: Cause, attempts: u32) -> Duration {
    let (first, last) = match cause {
        Cause::Kubernetes => KUBERNETES,
        // A creation whose answer was lost may still appear: it is not asked for again before it would.
        Cause::Cloud(ErrorClass::Unreachable | ErrorClass::Transient)
            if matches!(step, Step::Cloud(Request::Reboot(_))) =>
        {
            (60, 600)
        }
        Cause::Cloud(ErrorClass::Unreachable) if matches!(step, Step::Cloud(request) if request.gives_birth()) => {
            (60, 120)
        }
        // An AlreadyExists is most often our own creation that a killed process did not see answered: the next sweep shows it.
        Cause::Cloud(ErrorClass::Transient | ErrorClass::Unreachable | ErrorClass::AlreadyExists) => (2, 120),
        Cause::Cloud(ErrorClass::WrongState | ErrorClass::NotFound) => (5, 60),
        Cause::Cloud(ErrorClass::StorageCooldown) => (600, 3600),
        Cause::Cloud(ErrorClass::Exhausted) => (60, 1800),
        Cause::Cloud(ErrorClass::Refused | ErrorClass::Unauthorized) => (30, 600),
    };
    let doubled = 2_u64.saturating_pow(attempts.saturating_sub(1)).saturating_mul(first);
    Duration::from_secs(doubled.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::postgres::DIALECT;
    use crate::plan::ClusterStep;
    use crate::providers::{Modify, Settings};

    fn now() -> Moment {
        Moment::START
    }

    fn kept_for(days: u32) -> Step {
        let change = Settings { backup_retention_days: Some(days), ..Settings::default() };
        Step::Cloud(Request::Modify(Modify { identifier: "orders".into(), change, at_once: false, major: false }))
    }

    fn secret(user: &str) -> Step {
        let (secret, user) = (format!("orders.rds.{user}"), user.to_owned());
        Step::Cluster(ClusterStep::CreateSecret { secret, user, dialect: DIALECT })
    }

    #[test]
    fn i9_what_fails_again_and_again_comes_back_less_and_less_often() {
        let mut ledger = Ledger::default();
        let pauses = [1, 2, 3, 7, 100].map(|until| {
            while ledger.refused(&secret("app"), Cause::Kubernetes, String::new(), now(), 0.0) < until {}
            ledger.retry_at(&secret("app"), now()).map(|(at, _)| at.since(now()).as_secs())
        });
        assert_eq!(pauses, [5, 10, 20, 300, 300].map(Some));
        assert!(ledger.hold(&secret("report"), now()).is_none(), "another Secret is another matter");
        ledger.done(&secret("app"), now());
        assert_eq!(ledger, Ledger::default());
    }

    #[test]
    fn another_wish_takes_the_place_of_the_one_before() {
        let mut ledger = Ledger::default();
        ledger.done(&kept_for(7), now());
        assert!(ledger.hold(&kept_for(7), now()).is_some() && ledger.hold(&kept_for(3), now()).is_none());
        ledger.done(&kept_for(3), now());
        assert!(ledger.hold(&kept_for(7), now()).is_none(), "it is wanted again, and was not asked for since");
    }

    #[test]
    fn i9_a_change_without_effect_is_sent_three_times() {
        let (mut ledger, mut at) = (Ledger::default(), now());
        let mut sent = 0;
        for _ in 0..10 {
            if ledger.hold(&kept_for(7), at).is_none() {
                ledger.done(&kept_for(7), at);
                sent += 1;
            }
            at = at + LAG + Duration::from_secs(1);
        }
        assert_eq!(sent, MOST_REPEATS);
    }
}
