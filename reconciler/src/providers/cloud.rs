//! The port to one account of a provider.

use std::collections::BTreeMap;

use async_trait::async_trait;
use shared::rules::Engine;

use super::error::CloudError;
use super::model::{Backup, Identity, Instance, Maintenance, Quota, Snapshot, Source, Upgrades};
use super::parameters::{Group, Offered};
use super::request::Request;

/// One account in one region of a provider.
///
/// Calls that change something are sent once: a retry is the next reconcile's decision, never the transport's.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// Who the credentials are, asked of the provider.
    async fn identity(&self) -> Result<Identity, CloudError>;
    /// All instances of the account and region, each with its tags; a list that is not whole is an error.
    async fn inventory(&self) -> Result<Vec<Instance>, CloudError>;
    /// The manual snapshots that were made of the instance `identifier`, whether or not that still exists.
    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError>;
    /// How many manual snapshots the account has in the region, and may have.
    async fn snapshot_quota(&self) -> Result<Quota, CloudError>;
    /// What a source has to be restored; nothing where there is no such source.
    async fn backups(&self, source: &Source) -> Result<Vec<Backup>, CloudError>;
    /// The instance of this name, asked for by name; `None` where there is none.
    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError>;
    /// The group of parameters of this name, with what it sets; `None` where there is none.
    async fn group(&self, name: &str) -> Result<Option<Group>, CloudError>;
    /// The names of the groups of parameters that somebody made.
    async fn groups(&self) -> Result<Vec<String>, CloudError>;
    /// The parameters of a family of servers.
    async fn parameters(&self, family: &str) -> Result<Offered, CloudError>;
    /// What an instance that runs this very version can be upgraded to, and what came of the last try.
    async fn upgrades(&self, engine: Engine, version: &str, identifier: &str) -> Result<Upgrades, CloudError>;
    /// What the provider is going to do by itself to the instances of the account and region, by their names.
    async fn maintenance(&self) -> Result<BTreeMap<String, Vec<Maintenance>>, CloudError>;
    /// Asks for a change. Returns when the provider has accepted it, not when it is made.
    async fn carry_out(&self, request: &Request) -> Result<(), CloudError>;
}
