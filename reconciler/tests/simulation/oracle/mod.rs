//! What must hold, whatever happens: each invariant of the design as a function of the states and the history, that names what breaks it.

mod bounds;
mod calls;
mod copies;
mod data;
mod databases;
mod end;
mod foretold;
mod fresh;
mod instances;
mod leaving;
mod losses;
mod marked;
mod origins;
mod others;
mod ownership;
mod passwords;
mod pins;
mod removals;
mod rest;
mod restarts;
mod rises;
mod specs;
mod takings;
mod tenants;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use crate::history::Happened;
use crate::world::World;

pub(crate) use fresh::Picture;
pub(crate) use rest::{all_ready, is_ready, restless, unseen, waits};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The invariant, as the design numbers it.
    pub(crate) invariant: &'static str,
    pub(crate) what: String,
    /// Since the beginning.
    pub(crate) when: Duration,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:.3}: {}", self.invariant, self.when.as_secs_f64(), self.what)
    }
}

/// What must hold of all objects when all is at rest.
///
/// # Errors
/// The first thing that does not.
pub(crate) async fn living(world: &World) -> Result<(), Violation> {
    others::go_on(world)?;
    rest::told(world)?;
    rest::planless(world)?;
    end::as_declared(world).await
}

/// What must hold of a whole life.
///
/// # Errors
/// The first thing that does not.
pub(crate) fn whole(world: &World) -> Result<(), Violation> {
    let events = world.history.events();
    events_hold(&events)?;
    passwords::secret(&events, &world.history.lines())
}

/// What must hold besides where one process acts at a time.
///
/// # Errors
/// The first thing that does not.
pub(crate) fn one_process_holds(events: &[Happened]) -> Result<(), Violation> {
    calls::asked_once(events)
}

/// What must hold of all that has happened up to some moment.
///
/// # Errors
/// The first thing that does not.
pub(crate) fn events_hold(events: &[Happened]) -> Result<(), Violation> {
    instances::single(events)?;
    takings::own(events)?;
    data::kept(events)?;
    copies::followed(events)?;
    leaving::seen_off(events)?;
    pins::kept(events)?;
    foretold::told(events)?;
    losses::real(events)?;
    origins::permitted(events)?;
    restarts::permitted(events)?;
    rises::saved(events)?;
    databases::irreplaceable(events)?;
    specs::untouched(events)?;
    calls::backed_off(events)?;
    ownership::respected(events)?;
    ownership::held(events)?;
    ownership::leading_home(events)?;
    bounds::told(events)?;
    passwords::kept(events)?;
    passwords::first_in_secrets(events)?;
    removals::after_their_users(events)?;
    tenants::kept_apart(events)
}
