//! The port to the cloud: what the reconciler needs of a provider of managed databases, and nothing more.
//!
//! A new provider is a new implementation of [`Cloud`]; nothing above this module changes.

pub mod accounts;
#[allow(clippy::disallowed_methods, reason = "an adapter, which a run under a seed replaces")]
pub mod aws;
mod cloud;
mod connector;
pub(crate) mod error;
mod model;
mod offer;
mod offers;
mod owner;
pub(crate) mod questions;
mod request;
mod settings;
mod state;
pub mod sweep;
mod tempo;

pub use cloud::Cloud;
pub use connector::{ConnectError, Connected, Connector, ProviderConfig};
pub use error::{CloudError, ErrorClass};
pub use model::{Backup, Endpoint, Identity, Instance, Snapshot, SnapshotKind, Source};
pub use offer::{Impact, Offer};
pub(crate) use offers::offer;
pub use owner::{Mark, Marks, Owner};
pub(crate) use request::some;
pub use request::{Create, Delete, MarkInstance, MasterPassword, Modify, Origin, Request, ResetMaster, Restore};
pub use settings::Settings;
pub(crate) use settings::days;
pub use state::{Changes, Course, FinalSnapshot, Phase, State};
