//! The decisions: from what is wanted and what was observed to what is done next. Pure: no client, clock, randomness or async.
//!
//! Each concern is planned for itself, so that a storage cooldown or a taken alias never stops a new user or a password's repair.
//! [`Plan::merge`] lets at most one change of the cloud through a pass.

mod deletion;
mod ground;
mod guard;
mod inside;
mod instance;
mod lead;
mod platform;
mod reason;
mod secrets;
mod services;
mod settings;
mod step;
mod world;

#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

use shared::api::InstanceRef;

pub use crate::clock::Moment;
pub(crate) use deletion::describe_delete;
pub use ground::{ACCEPT_ANNOTATION, RECREATE_ANNOTATION};
pub(crate) use ground::{foreign, usable};
pub use inside::{Doorway, Errand, LoginKnown, Stage, Tally, doorways, due, fingerprint};
pub(crate) use inside::{Found, report, reset_request, retry_at};
pub(crate) use lead::{bound, databases_of};
pub(crate) use platform::describe_tags;
pub use reason::{Acts, Place, Reason, page as reasons_page};
pub(crate) use secrets::needs_renewal;
pub(crate) use settings::{describe, not_scheduled};
pub use step::{CloudStep, ClusterStep, ServicePlace, Step};
pub use world::{
    AccountFacts, Answer, Asked, Effect, ObjectFacts, RESYNC, SecretFact, Seen, ServiceFact, Setback, SqlFailure,
    SqlReport, SqlVisit, World,
};

use crate::subject::{Refusal, Subject, Target};

/// What is decided for itself; each is a condition of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Concern {
    /// The spec and the class are such that something can be done.
    Accepted,
    /// The Secrets.
    Secrets,
    /// The instance is there and serves.
    Instance,
    /// Its storage.
    Storage,
    /// Its backups.
    Backups,
    /// Compute size, version, deletion protection, as far as the spec declares them.
    Settings,
    /// The Service beside the object.
    Service,
    /// The alias in the shared namespace.
    Alias,
    /// Users and databases.
    Databases,
    /// Logins with the Secrets' own credentials.
    Access,
    /// The way out.
    Deletion,
}

impl Concern {
    /// The condition's type.
    pub fn condition(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Secrets => "SecretsReady",
            Self::Instance => "InstanceReady",
            Self::Storage => "StorageReady",
            Self::Backups => "BackupsReady",
            Self::Settings => "SettingsApplied",
            Self::Service => "ServiceReady",
            Self::Alias => "AliasReady",
            Self::Databases => "DatabasesReady",
            Self::Access => "AccessVerified",
            Self::Deletion => "Deleted",
        }
    }

    /// What it is about, in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Accepted => "the object",
            Self::Secrets => "the Secrets",
            Self::Instance => "the instance",
            Self::Storage => "the storage",
            Self::Backups => "the backups",
            Self::Settings => "the settings",
            Self::Service => "the Service",
            Self::Alias => "the alias",
            Self::Databases => "users and databases",
            Self::Access => "the logins",
            Self::Deletion => "the deletion",
        }
    }
}

/// Where a concern stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// As it should be.
    Done {
        /// What there is, for a person.
        message: String,
    },
    /// Something must happen first that happens by itself.
    Wait {
        /// The condition's reason.
        reason: Reason,
        /// What is waited for, and what would unblock it.
        message: String,
        /// When to look again; `None` where an event tells.
        until: Option<Duration>,
    },
    /// Something is to be done.
    Act {
        /// The condition's reason.
        reason: Reason,
        /// What is done.
        message: String,
        /// How.
        steps: Vec<Step>,
    },
    /// Only a person can go on.
    Blocked {
        /// The condition's reason.
        reason: Reason,
        /// What is wrong, and what to do.
        message: String,
        /// When to look whether the world has mended itself.
        until: Option<Duration>,
    },
}

impl Outcome {
    pub(crate) fn done(message: impl Into<String>) -> Self {
        Self::Done { message: message.into() }
    }

    pub(crate) fn wait(reason: Reason, message: impl Into<String>) -> Self {
        Self::Wait { reason, message: message.into(), until: None }
    }

    pub(crate) fn act(reason: Reason, message: impl Into<String>, step: Step) -> Self {
        Self::Act { reason, message: message.into(), steps: vec![step] }
    }

    pub(crate) fn blocked(reason: Reason, message: impl Into<String>) -> Self {
        Self::Blocked { reason, message: message.into(), until: None }
    }

    /// Leaves out the steps that Kubernetes has just refused, until their time has come again; the others go on.
    fn without_setbacks(self, world: &World, now: Moment) -> Self {
        let Self::Act { reason, message, mut steps } = self else { return self };
        let mut held = None;
        steps.retain(|step| match world.setback(step, now) {
            Some(setback) => {
                held.get_or_insert((setback.message.clone(), setback.retry_at));
                false
            }
            None => true,
        });
        match held {
            Some((message, retry_at)) if steps.is_empty() => {
                Self::Wait { reason: Reason::ClusterRefused, message, until: now.until(retry_at) }
            }
            Some((held, _)) => Self::Act { reason, message: format!("{message}; {held}"), steps },
            None => Self::Act { reason, message, steps },
        }
    }
}

/// What is refused stands still until a person changes it.
impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::blocked(refusal.reason(), refusal.to_string())
    }
}

/// The decisions of one pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Each concern's outcome.
    pub outcomes: Vec<(Concern, Outcome)>,
    /// What is done in this pass, in this order.
    pub steps: Vec<Step>,
    /// When to look again, at the latest.
    pub again: Duration,
    /// Not all concerns were looked at.
    pub partial: bool,
    /// What the status pins of the instance.
    pub pin: Option<InstanceRef>,
}

impl Plan {
    /// A plan that speaks of one concern only; what was said of the others stays.
    fn only(concern: Concern, outcome: Outcome, world: &World, now: Moment) -> Self {
        Self { partial: true, pin: world.pinned.clone(), ..Self::merge(vec![(concern, outcome)], world, now) }
    }

    /// Puts the concerns together: of all changes to the cloud only the first is made, and a visit to the database waits for it.
    pub fn merge(outcomes: Vec<(Concern, Outcome)>, world: &World, now: Moment) -> Self {
        let outcomes: Vec<_> =
            outcomes.into_iter().map(|(concern, outcome)| (concern, outcome.without_setbacks(world, now))).collect();
        let mut steps: Vec<Step> = Vec::new();
        let mut again = RESYNC;
        let mut cloud = false;
        for (_, outcome) in &outcomes {
            match outcome {
                Outcome::Act { steps: wanted, .. } => {
                    for step in wanted {
                        let held = match step {
                            Step::Cloud(_) => std::mem::replace(&mut cloud, true),
                            Step::Look | Step::Work | Step::LogIn => cloud,
                            Step::Cluster(_) => false,
                        };
                        if !held {
                            steps.push(step.clone());
                        }
                    }
                    // What was done or held back is looked at at once.
                    again = Duration::ZERO;
                }
                Outcome::Wait { until: Some(until), .. } | Outcome::Blocked { until: Some(until), .. } => {
                    again = again.min(*until);
                }
                _ => {}
            }
        }
        Self { outcomes, steps, again, partial: false, pin: None }
    }

    /// Looks at the database once more after `left`, or goes on with that. A change of the cloud comes first.
    fn look_again(&mut self, left: Duration, step: Step) {
        let busy = self.steps.iter().any(|step| matches!(step, Step::Cloud(_)) || step.is_inside());
        if left.is_zero() && !busy {
            self.steps.push(step);
        }
        self.again = self.again.min(left);
    }

    /// The outcome of one concern.
    pub fn outcome(&self, concern: Concern) -> Option<&Outcome> {
        self.outcomes.iter().find(|(found, _)| *found == concern).map(|(_, outcome)| outcome)
    }
}

/// What comes next for an object.
pub fn plan(subject: &Subject, world: &World, now: Moment) -> Plan {
    match subject {
        Subject::Living(target) => living(target, world, now),
        Subject::Leaving(departure) => {
            let outcome = deletion::plan(departure, world, now);
            let outcomes = vec![(Concern::Deletion, outcome)];
            Plan { pin: ground::pin_of_leaving(world), ..Plan::merge(outcomes, world, now) }
        }
    }
}

fn living(target: &Target, world: &World, now: Moment) -> Plan {
    if target.desired.paused {
        let message = "spec.paused: nothing is done until it is false again";
        return Plan::only(Concern::Accepted, Outcome::wait(Reason::Paused, message), world, now);
    }
    if !world.object.finalizer {
        let step = Step::Cluster(ClusterStep::AddFinalizer);
        let outcome = Outcome::act(Reason::AddingFinalizer, "the finalizer is being set", step);
        return Plan::only(Concern::Accepted, outcome, world, now);
    }
    let mut outcomes = vec![
        (Concern::Accepted, Outcome::done("the spec and its class are valid")),
        (Concern::Secrets, secrets::plan(target, world, now)),
        (Concern::Instance, instance::plan(target, world, now)),
        (Concern::Storage, settings::storage(target, world, now)),
        (Concern::Backups, settings::backups(target, world, now)),
        (Concern::Settings, settings::others(target, world, now)),
        (Concern::Service, services::service(world)),
    ];
    outcomes.extend(services::alias(world).map(|outcome| (Concern::Alias, outcome)));
    let users = target.fence.users(&target.desired);
    let databases = users.clone().map_or_else(Outcome::from, |()| inside::databases(target, world, now));
    outcomes.push((Concern::Databases, databases));
    outcomes.push((Concern::Access, inside::access(world)));
    let mut plan = Plan { pin: ground::pin(&target.class, world), ..Plan::merge(outcomes, world, now) };
    if let Some((left, step)) = inside::next_look(target, world, now).filter(|_| users.is_ok()) {
        plan.look_again(left, step);
    }
    plan
}
