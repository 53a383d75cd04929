//! The SQL servers inside the simulated instances, behind the port of the reconciler: the planner and the scripts are the shipped ones,
//! and a server is the value of [`postgres`].

mod actions;
mod port;
pub(crate) mod postgres;
mod state;
mod wanted;

#[cfg(test)]
mod tests;

pub(crate) use port::{Addresses, Distant, Record, SqlServers, Witness};
pub(crate) use state::State;
