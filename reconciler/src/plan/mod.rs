//! The decisions: from what is wanted and what was observed to what is done next. Pure: no client, clock, randomness or async.
//!
//! Each concern is planned for itself, so that a storage cooldown or a taken alias never stops a new user or a password's repair.
//! [`Plan::merge`] lets at most one change of the cloud through a pass.

mod deletion;
mod ground;
mod inside;
mod instance;
mod lead;
mod ledger;
mod merge;
mod outcome;
pub(crate) mod reason;
mod secrets;
mod services;
mod step;
mod world;

#[cfg(test)]
pub(crate) mod tests;

pub use crate::clock::Moment;
pub use ground::{ACCEPT_ANNOTATION, RECREATE_ANNOTATION};
pub(crate) use ground::{foreign, serving, usable};
pub use inside::{Doorway, Errand, LoginKnown, Progress, Stage, VisitInputs, doorways, due, fingerprint};
pub(crate) use inside::{Found, kept, report, retry_at};
pub(crate) use instance::{copies_at_rest, copies_looked_for, copies_told, copy_due, looked_for};
pub(crate) use lead::bound;
pub(crate) use ledger::concern;
pub use ledger::{Cause, Ledger};
pub use merge::Plan;
pub use outcome::{Concern, Outcome};
pub use reason::page::page as reasons_page;
pub use reason::{Acts, Place, Reason};
pub(crate) use secrets::needs_renewal;
pub use step::{ClusterStep, Part, ServicePlace, Step};
pub(crate) use world::RESYNC;
pub use world::{
    AccountFacts, KeptCopies, ObjectFacts, Passage, SecretFact, Seen, ServiceFact, SqlFailure, SqlReport, SqlVisit,
    World,
};

use crate::subject::{Subject, Target};

/// What comes next for an object. Of one that is paused the same is planned and told, and nothing done.
pub fn plan(subject: &Subject, world: &World, now: Moment) -> Plan {
    match subject {
        Subject::Living(target) if target.desired.paused => rehearsal(target, world, now),
        Subject::Living(_) if !world.object.finalizer => {
            let step = Step::Cluster(ClusterStep::AddFinalizer);
            let outcome = Outcome::act(Reason::AddingFinalizer, "the finalizer is being set", step);
            Plan::only(Concern::Accepted, outcome, world, now)
        }
        Subject::Living(target) => life(target, world, now),
        Subject::Leaving(departure) => {
            let outcomes = vec![(Concern::Deletion, deletion::plan(departure, world, now))];
            Plan { pin: ground::pin_of_leaving(world), ..Plan::merge(outcomes, world, now) }
        }
    }
}

fn life(target: &Target, world: &World, now: Moment) -> Plan {
    let plan = Plan::merge(concerns(target, world, now), world, now);
    let mut plan = Plan { pin: ground::pin(&target.class, world), upgrade: instance::upgrade(target, world), ..plan };
    let next_look = inside::next_look(target, world, now);
    if let Some((left, step)) = next_look.filter(|_| target.fence.users(&target.desired).is_ok()) {
        plan.look_again(left, step);
    }
    plan
}

fn rehearsal(target: &Target, world: &World, now: Moment) -> Plan {
    // A pin is an effect: what would follow it is told, and it is not written.
    let pinned = World { pinned: ground::pin(&target.class, world), ..world.clone() };
    Plan { pin: world.pinned.clone(), ..Plan::held(concerns(target, &pinned, now), world, now) }
}

fn concerns(target: &Target, world: &World, now: Moment) -> Vec<(Concern, Outcome)> {
    let mut outcomes = vec![
        (Concern::Accepted, Outcome::done("the spec and its class are valid")),
        (Concern::Secrets, secrets::plan(target, world, now)),
        (Concern::Instance, instance::plan(target, world)),
        (Concern::Storage, instance::storage(target, world, now)),
        (Concern::Backups, instance::backups(target, world, now)),
        (Concern::Settings, instance::settings(target, world, now)),
        (Concern::Parameters, instance::parameters(target, world, now)),
        (Concern::Service, services::service(target, world)),
    ];
    outcomes.extend(instance::copies(target, world).map(|outcome| (Concern::Copies, outcome)));
    outcomes.extend(services::alias(target, world).map(|outcome| (Concern::Alias, outcome)));
    let users = target.fence.users(&target.desired);
    let databases = users.map_or_else(Outcome::from, |()| inside::databases(target, world, now));
    outcomes.extend([(Concern::Databases, databases), (Concern::Logins, inside::verified(world))]);
    outcomes
}
