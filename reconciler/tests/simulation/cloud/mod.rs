//! The simulated cloud: one account in one region of RDS, as the model has it, behind the ports of the reconciler.

mod calls;
pub(crate) mod connector;
mod console;
pub(crate) mod history;
mod orders;
pub(crate) mod port;
pub(crate) mod shown;
pub(crate) mod state;
pub(crate) mod timetables;
pub(crate) mod view;
