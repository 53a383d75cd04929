//! The instance itself: how it is born, what it is like, and when it changes.

mod backups;
mod birth;
mod copies;
mod parameters;
mod platform;
mod queue;
mod restore;
mod settings;
mod storage;
mod upgrade;

pub(super) use backups::plan as backups;
#[cfg(test)]
pub(super) use birth::creation;
pub(super) use birth::plan;
pub(super) use copies::plan as copies;
pub(crate) use copies::{
    at_rest as copies_at_rest, due as copy_due, looked_for as copies_looked_for, told as copies_told,
};
#[cfg(test)]
pub(super) use parameters::group;
pub(crate) use parameters::looked_for;
pub(super) use parameters::plan as parameters;
#[cfg(test)]
pub(super) use parameters::wanted;
pub(super) use settings::plan as settings;
pub(super) use storage::plan as storage;
pub(super) use upgrade::told as upgrade;
