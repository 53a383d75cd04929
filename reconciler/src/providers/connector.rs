//! Ways into the cloud, and what makes clients of them.

use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

use super::cloud::Cloud;
use super::model::Identity;

/// A way into the cloud, as a class names it. What is `None` comes from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderConfig {
    /// Region.
    pub region: Option<String>,
    /// Whom to act as, by the provider's name for it.
    pub acts_as: Option<String>,
    /// Address of the API, for endpoints other than the provider's own.
    pub endpoint: Option<String>,
}

/// Why no account is reached.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// Somebody tries for the first time just now.
    #[error("the way into the cloud is being tried")]
    UnderWay,
    /// What is missing or was refused, and what to do, in the provider's words.
    #[error("{0}")]
    Failed(String),
}

/// A client that has proved who it is.
pub struct Connected {
    /// The port.
    pub cloud: Arc<dyn Cloud>,
    /// Who the operator is there.
    pub identity: Identity,
    /// The region.
    pub region: String,
}

/// Makes clients of one provider.
#[async_trait]
pub trait Connector: Send + Sync {
    /// Resolves region and credentials, takes on the role where there is one, and asks the provider who that is.
    async fn connect(&self, provider: &ProviderConfig) -> Result<Connected, ConnectError>;
}
