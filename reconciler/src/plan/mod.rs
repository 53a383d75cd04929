//! The decisions: from what is wanted and what was observed to what is done next. Pure: no client, clock, randomness or async.
//!
//! Each concern is planned for itself, so that a storage cooldown or a taken alias never stops a new user or a password's repair.
//! [`Plan::merge`] lets at most one change of the cloud through a pass.

mod ahead;
mod deletion;
mod ground;
mod imagine;
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
pub(crate) use ground::{estranged, foreign, serving, usable};
pub use inside::{Doorway, LoginKnown, Progress, VisitInputs, doorways, due, fingerprint};
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

use shared::api::PlannedStep;

use crate::subject::{Departure, Subject, Target};
use ahead::Outlook;

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
        Subject::Leaving(departure) => farewell(departure, world, now),
    }
}

fn life(target: &Target, world: &World, now: Moment) -> Plan {
    let outcomes = concerns(target, world, now);
    let ahead = outlook(target, world, &outcomes, now);
    let plan = Plan::merge(outcomes, world, now);
    let (pin, upgrade) = (ground::pin(&target.class, world), instance::upgrade(target, world));
    let mut plan = Plan { pin, upgrade, ahead, ..plan };
    let next_look = inside::next_look(target, world, now);
    if let Some((left, step)) = next_look.filter(|_| target.fence.users(&target.desired).is_ok()) {
        plan.look_again(left, step);
    }
    plan
}

fn rehearsal(target: &Target, world: &World, now: Moment) -> Plan {
    // A pin is an effect: what would follow it is told, and it is not written.
    let pinned = World { pinned: ground::pin(&target.class, world), ..world.clone() };
    let outcomes = concerns(target, &pinned, now);
    let ahead = outlook(target, &pinned, &outcomes, now);
    Plan { pin: world.pinned.clone(), ahead, ..Plan::held(outcomes, world, now) }
}

fn farewell(departure: &Departure, world: &World, now: Moment) -> Plan {
    let outcomes = deletion_of(departure, world, now);
    // A pause of a deletion shows in its outcome: ahead of it is what it holds.
    let going = Departure { paused: false, ..departure.clone() };
    let first = if departure.paused { deletion_of(&going, world, now) } else { outcomes.clone() };
    let outlook = Outlook { world, first: &first, paused: departure.paused, engine: None, now };
    let ahead = outlook.steps(|imagined| {
        imagined.pinned = ground::pin_of_leaving(imagined);
        deletion_of(&going, imagined, now)
    });
    Plan { pin: ground::pin_of_leaving(world), ahead, ..Plan::merge(outcomes, world, now) }
}

fn deletion_of(departure: &Departure, world: &World, now: Moment) -> Vec<(Concern, Outcome)> {
    vec![(Concern::Deletion, deletion::plan(departure, world, now))]
}

/// What the steps to come are, by what the concerns say first.
fn outlook(target: &Target, world: &World, first: &[(Concern, Outcome)], now: Moment) -> Vec<PlannedStep> {
    let (paused, engine) = (target.desired.paused, Some(target.desired.engine));
    Outlook { world, first, paused, engine, now }.steps(|imagined| {
        imagined.pinned = ground::pin(&target.class, imagined);
        imagine::reaches(imagined, world, target.desired.version);
        // What is small and comes by itself, such as a Secret for each user, is looked at once, as it is.
        let mut outcomes = of_instance(target, imagined, now);
        outcomes.push((Concern::Databases, of_databases(target, imagined, now)));
        outcomes
    })
}

fn concerns(target: &Target, world: &World, now: Moment) -> Vec<(Concern, Outcome)> {
    let mut outcomes = vec![
        (Concern::Accepted, Outcome::done("the spec and its class are valid")),
        (Concern::Secrets, secrets::plan(target, world, now)),
    ];
    outcomes.extend(of_instance(target, world, now));
    // What is made next of them follows from the hour, so that nothing of it is played ahead.
    outcomes.extend(instance::copies(target, world).map(|outcome| (Concern::Copies, outcome)));
    outcomes.push((Concern::Service, services::service(target, world)));
    outcomes.extend(services::alias(target, world).map(|outcome| (Concern::Alias, outcome)));
    let databases = of_databases(target, world, now);
    outcomes.extend([(Concern::Databases, databases), (Concern::Logins, inside::verified(world))]);
    outcomes
}

fn of_instance(target: &Target, world: &World, now: Moment) -> Vec<(Concern, Outcome)> {
    vec![
        (Concern::Instance, instance::plan(target, world)),
        (Concern::Storage, instance::storage(target, world, now)),
        (Concern::Backups, instance::backups(target, world, now)),
        (Concern::Settings, instance::settings(target, world, now)),
        (Concern::Parameters, instance::parameters(target, world, now)),
    ]
}

fn of_databases(target: &Target, world: &World, now: Moment) -> Outcome {
    let users = target.fence.users(&target.desired);
    users.map_or_else(Outcome::from, |()| inside::databases(target, world, now))
}
