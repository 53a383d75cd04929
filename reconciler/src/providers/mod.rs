//! The port to the cloud: what the reconciler needs of a provider of managed databases, and nothing more.
//!
//! A new provider is a new implementation of [`Cloud`]; nothing above this module changes.

mod access;
pub mod accounts;
pub mod aws;
mod error;
mod model;
mod rate_limit;
mod state;
pub mod sweep;

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::engine::Password;

pub use access::{Access, ConnectError, Connected, Connector};
pub use error::{CloudError, ErrorClass};
pub use model::{CreateInstance, DeleteInstance, Endpoint, Identity, Instance, ModifyInstance, Snapshot, SnapshotKind};
pub use state::{Changes, Course, FinalSnapshot, Phase, State};

/// One account in one region of a provider.
///
/// Calls that change something are sent once: a retry is the next reconcile's decision, never the transport's.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// Who the credentials are, asked of the provider.
    async fn identity(&self) -> Result<Identity, CloudError>;
    /// All instances of the account and region, each with its tags.
    async fn instances(&self) -> Result<Vec<Instance>, CloudError>;
    /// The manual snapshots that were made of the instance `identifier`, whether or not that still exists.
    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError>;
    /// The instance of this name, asked for by name; `None` where there is none.
    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError>;
    /// Asks for a new instance. Returns when the provider has accepted it, not when it is there.
    async fn create(&self, request: &CreateInstance, master_password: &Password) -> Result<(), CloudError>;
    /// Asks for a change to an instance, to be applied at once.
    async fn modify(&self, request: &ModifyInstance) -> Result<(), CloudError>;
    /// Adds tags to an instance, over those of the same keys.
    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), CloudError>;
    /// Asks for the end of an instance.
    async fn delete(&self, request: &DeleteInstance) -> Result<(), CloudError>;
}
