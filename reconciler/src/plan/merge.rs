//! Puts the concerns together: what of all that they want is done in this pass, and when to look again.

use std::time::Duration;

use shared::api::InstanceRef;

use super::outcome::{Concern, Outcome};
use super::reason::Reason;
use super::step::{ClusterStep, Step};
use super::world::{RESYNC, World};
use crate::clock::Moment;

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
    pub(super) fn only(concern: Concern, outcome: Outcome, world: &World, now: Moment) -> Self {
        Self { partial: true, pin: world.pinned.clone(), ..Self::merge(vec![(concern, outcome)], world, now) }
    }

    /// What the concerns would do, of which nothing is done while the spec says so.
    pub(super) fn held(outcomes: Vec<(Concern, Outcome)>, world: &World, now: Moment) -> Self {
        let why = "spec.paused: nothing is done until it is false again";
        let held = (Concern::Accepted, Outcome::wait(Reason::Paused, why));
        let others = outcomes.into_iter().filter(|(concern, _)| *concern != Concern::Accepted);
        let others = others.map(|(concern, outcome)| (concern, world.ledger.without_held(outcome, now).held()));
        let outcomes: Vec<_> = std::iter::once(held).chain(others).collect();
        let again = outcomes.iter().filter_map(|(_, outcome)| outcome.until()).fold(RESYNC, Duration::min);
        Self { outcomes, again, ..Self::default() }
    }

    /// Puts the concerns together: of all changes to the cloud only the first is made, and a visit to the database waits for it.
    pub(super) fn merge(outcomes: Vec<(Concern, Outcome)>, world: &World, now: Moment) -> Self {
        let held = |(concern, outcome): (Concern, Outcome)| (concern, world.ledger.without_held(outcome, now));
        let outcomes: Vec<_> = outcomes.into_iter().map(held).collect();
        let mut steps: Vec<Step> = Vec::new();
        let mut again = RESYNC;
        let mut cloud = false;
        for (_, outcome) in &outcomes {
            let Outcome::Act { steps: wanted, .. } = outcome else {
                again = again.min(outcome.until().unwrap_or(RESYNC));
                continue;
            };
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
        Self { outcomes, steps, again, partial: false, pin: None }
    }

    /// Looks at the database once more after `left`, or goes on with that. A change of the cloud comes first.
    pub(super) fn look_again(&mut self, left: Duration, step: Step) {
        let busy = self.steps.iter().any(|step| matches!(step, Step::Cloud(_)) || step.is_inside());
        if left.is_zero() && !busy {
            self.steps.push(step);
        }
        self.again = self.again.min(left);
    }

    /// Whether the finalizer is added or taken away. It is written on the version that was read, as the status is: a pass writes one of them.
    pub(crate) fn moves_finalizer(&self) -> bool {
        let finalizer =
            |step: &_| matches!(step, Step::Cluster(ClusterStep::AddFinalizer | ClusterStep::RemoveFinalizer));
        self.steps.iter().any(finalizer)
    }

    /// Whether it is told only.
    pub(crate) fn paused(&self) -> bool {
        matches!(self.outcome(Concern::Accepted), Some(Outcome::Wait { reason: Reason::Paused, .. }))
    }

    /// The outcome of one concern.
    pub fn outcome(&self, concern: Concern) -> Option<&Outcome> {
        self.outcomes.iter().find(|(found, _)| *found == concern).map(|(_, outcome)| outcome)
    }
}
