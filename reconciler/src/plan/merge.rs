//! Puts the concerns together: what of all that they want is done in this pass, and when to look again.

use std::time::Duration;

use shared::api::{InstanceRef, PlannedStep, UpgradeRef};

use super::outcome::{Concern, Outcome};
use super::reason::Reason;
use super::step::Step;
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
    /// The upgrade to another major version that is wanted, once its snapshot is there.
    pub upgrade: Option<UpgradeRef>,
    /// The steps to come, those of this pass among them, as the status tells of them.
    pub ahead: Vec<PlannedStep>,
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
        let mut plan = Self { again: RESYNC, ..Self::default() };
        let mut cloud = false;
        for (concern, outcome) in outcomes {
            let outcome = world.ledger.without_held(outcome, now);
            let Outcome::Act { steps: wanted, .. } = &outcome else {
                plan.again = plan.again.min(outcome.until().unwrap_or(RESYNC));
                plan.outcomes.push((concern, outcome));
                continue;
            };
            let mut held = |step: &&Step| match step {
                Step::Cloud(_) => std::mem::replace(&mut cloud, true),
                Step::Inside(..) => cloud,
                Step::Cluster(_) => false,
            };
            let taken: Vec<_> = wanted.iter().filter(|step| !held(step)).cloned().collect();
            // What was refused is told until something else has come of it: the next try is no news.
            let refusal =
                taken.iter().filter(|step| !step.moves_finalizer()).find_map(|step| world.ledger.refusal(step));
            plan.outcomes.push((concern, refusal.unwrap_or(outcome)));
            plan.steps.extend(taken);
            // What was done or held back is looked at at once.
            plan.again = Duration::ZERO;
        }
        plan
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
        self.steps.iter().any(Step::moves_finalizer)
    }

    /// Whether the object has all that it wants of its instance, whatever goes on inside.
    pub(crate) fn content(&self) -> bool {
        let wants = [Concern::Instance, Concern::Storage, Concern::Backups, Concern::Settings];
        !self.partial && wants.iter().all(|concern| matches!(self.outcome(*concern), Some(Outcome::Done { .. })))
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
