//! The instance itself: how it is born, what it is like, and when it changes.

mod backups;
mod birth;
mod parameters;
mod platform;
mod queue;
mod restore;
mod settings;
mod storage;
mod upgrade;

pub(crate) use backups::not_scheduled;
pub(super) use backups::plan as backups;
#[cfg(test)]
pub(super) use birth::creation;
pub(super) use birth::plan;
#[cfg(test)]
pub(super) use parameters::group;
pub(crate) use parameters::looked_for;
pub(super) use parameters::plan as parameters;
#[cfg(test)]
pub(super) use parameters::wanted;
pub(super) use settings::plan as settings;
pub(super) use storage::plan as storage;
pub(super) use upgrade::told as upgrade;
