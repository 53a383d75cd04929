//! The port to one account of a provider.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::error::CloudError;
use super::model::{Backup, Identity, Instance, Snapshot, Source};
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
    /// The same for several instances. A provider that can be asked for them together is asked once.
    async fn snapshots_of_all(&self, identifiers: &[String]) -> Result<BTreeMap<String, Vec<Snapshot>>, CloudError> {
        let mut all = BTreeMap::new();
        for identifier in identifiers {
            all.insert(identifier.clone(), self.snapshots_of(identifier).await?);
        }
        Ok(all)
    }
    /// What a source has to be restored; nothing where there is no such source.
    async fn backups(&self, source: &Source) -> Result<Vec<Backup>, CloudError>;
    /// The instance of this name, asked for by name; `None` where there is none.
    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError>;
    /// Asks for a change. Returns when the provider has accepted it, not when it is made.
    async fn carry_out(&self, request: &Request) -> Result<(), CloudError>;
}
