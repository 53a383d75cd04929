//! An RDS-compatible server for one machine: the AWS Query API of RDS and STS, with real PostgreSQL servers as its instances.
//!
//! The binary `local-rds` is a thin shell over [`Server`]; tests can start one in their own process.

mod actions;
mod args;
mod copies;
mod counters;
mod endpoints;
mod exec;
mod faults;
mod fresh;
mod leftovers;
mod postgres;
mod router;
mod server;
mod service;
mod store;
mod switchover;
mod throttle;
mod wire;
mod worker;

pub use args::{Args, Command, Options};
pub use exec::{ExecError, ExecPostgres};
pub use postgres::fetch;
pub use server::{Server, StartError};
pub use store::StoreError;
