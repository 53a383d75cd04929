//! The port to the cloud: what the reconciler needs of a provider of managed databases, and nothing more.
//!
//! A new provider is a new implementation of [`Cloud`]; nothing above this module changes.

pub mod accounts;
#[allow(clippy::disallowed_methods, reason = "an adapter, which a run under a seed replaces")]
pub mod aws;
pub(crate) mod catalogues;
mod cloud;
mod connector;
pub(crate) mod error;
mod impact;
pub(crate) mod kept;
mod listed;
mod model;
mod offer;
mod offers;
mod owner;
mod parameters;
mod request;
mod settings;
mod state;
pub mod sweep;
mod tempo;

pub use cloud::Cloud;
pub use connector::{ConnectError, Connected, Connector, ProviderConfig};
pub use error::{CloudError, ErrorClass};
pub(crate) use listed::some;
pub use model::{
    Backup, Endpoint, Identity, Instance, Maintenance, Quota, Snapshot, SnapshotKind, Source, UpgradeReport, Upgrades,
};
pub use offer::{Offer, Parts};
pub(crate) use offers::offer;
pub use owner::{Mark, Marks, Owner};
pub use parameters::{Allowed, Applied, Group, Offered, Parameter, Values, WantedGroup};
pub(crate) use parameters::{forces_tls, is_ours};
pub use request::{
    Create, CreateGroup, Delete, DeleteGroup, DeleteSnapshot, FillGroup, MarkInstance, MasterPassword, Modify, Origin,
    Reboot, Request, ResetMaster, Restore, TakeSnapshot,
};
pub use settings::Settings;
pub(crate) use settings::days;
pub use state::{Changes, Course, FinalSnapshot, Phase, State};
