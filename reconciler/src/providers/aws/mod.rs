//! AWS RDS: its calls, its words, its offer.

mod client;
mod cloud;
mod connect;
mod convert;
mod errors;
mod marks;
pub(super) mod offer;
mod requests;
mod states;

#[cfg(test)]
pub(crate) use client::Aws;
pub use connect::AwsConnector;
#[cfg(test)]
pub(crate) use states::state;
