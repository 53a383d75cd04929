//! What both services speak: the `RDSDatabase` resource, the rules a specification has to keep, and the names
//! that follow from an object.
//!
//! [`api`], [`rules`], [`names`], [`number`], [`flags`] and [`catalogue`] are pure: no client, clock or randomness, so a command-line tool can use them
//! offline. [`telemetry`], [`shutdown`] and [`serve`] are for long-lived services and stand behind features of their names.

pub mod api;
pub mod catalogue;
pub mod flags;
pub mod names;
pub mod number;
pub mod rules;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "shutdown")]
pub mod shutdown;
#[cfg(feature = "telemetry")]
pub mod telemetry;
