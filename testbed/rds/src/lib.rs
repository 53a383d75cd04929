//! An RDS-compatible server for one machine: the AWS Query API of RDS and STS, with real PostgreSQL servers as its instances.
//!
//! The binary `local-rds` is a thin shell over [`Server`]; tests can start one in their own process.

mod abilities;
mod actions;
mod args;
mod backups;
mod counters;
mod endpoints;
mod exec;
mod faults;
mod lifecycle;
mod model;
mod network;
mod postgres;
mod router;
mod server;
mod service;
mod store;
#[cfg(test)]
mod testing;
mod throttle;
mod timetable;
mod versions;
mod windows;
mod wire;
mod worker;

pub use args::{Args, Command, Options};
pub use exec::{ExecError, ExecPostgres};
pub use postgres::fetch;
pub use server::{Server, StartError};
pub use store::StoreError;
