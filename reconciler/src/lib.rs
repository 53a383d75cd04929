//! The reconciler: the life of the RDS instance behind an `RDSDatabase`, the users and databases inside it, and the Secrets and
//! Services that applications bind to.
//!
//! Data flows one way: [`subject`] resolves the object into what is wanted, [`observe`] reads the world, [`plan`] decides purely,
//! [`apply`] acts, and [`status`] tells of it. I/O stands behind three ports: [`cluster`], [`providers`] and [`engine`].

// I11: what a run under a seed cannot play is asked of `Context`.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod admin;
pub mod again;
pub mod app;
pub mod apply;
pub mod args;
pub mod authorities;
pub mod binding;
mod census;
mod class_status;
pub mod clock;
pub mod cluster;
pub mod context;
pub mod controller;
pub mod engine;
pub mod entropy;
pub mod errand;
pub mod lease;
pub mod memory;
pub mod metrics;
mod observe;
pub mod plan;
pub mod providers;
mod readiness;
pub mod renewals;
mod scope;
mod status;
mod stop;
pub mod subject;
mod tell;
mod told;
pub mod triggers;
pub mod turns;
mod unused;
mod upkeep;
#[cfg(test)]
mod v0_1_0;
pub mod views;
mod watches;
