//! What both services speak: the `RDSDatabase` resource, the rules a specification has to keep, and the names
//! that follow from an object.
//!
//! [`api`], [`rules`], [`names`] and [`catalogue`] are pure: no client, clock or randomness, so a command-line tool can use them
//! offline. [`telemetry`] and [`shutdown`] are for long-lived services and stand behind features of their names.

pub mod api;
pub mod catalogue;
pub mod names;
pub mod rules;
#[cfg(feature = "shutdown")]
pub mod shutdown;
#[cfg(feature = "telemetry")]
pub mod telemetry;
