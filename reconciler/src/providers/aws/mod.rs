//! AWS RDS: its calls, its words, its offer.

mod bucket;
mod client;
mod cloud;
mod connect;
pub mod convert;
pub mod errors;
mod impact;
pub mod marks;
pub(super) mod offer;
pub mod parameters;
mod rate_limit;
mod requests;
mod settings;
mod states;
mod upgrades;

pub use client::Aws;
pub use connect::AwsConnector;
#[cfg(test)]
pub(crate) use states::state;
