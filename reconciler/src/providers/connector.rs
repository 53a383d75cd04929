//! Ways into the cloud, and what makes clients of them.

use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;

use super::cloud::Cloud;
use super::error::CloudError;
use super::model::Identity;

/// A way into the cloud, as a class names it. What is `None` comes from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderConfig {
    /// Region.
    pub region: Option<String>,
    /// Role to assume.
    pub role_arn: Option<String>,
    /// Address of the API, for endpoints other than AWS's own.
    pub endpoint: Option<String>,
}

/// Why there is no access to AWS, in words that say what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConnectError {
    /// Somebody tries for the first time just now.
    #[error("the access is being tried")]
    UnderWay,
    /// Neither the class nor the environment names a region.
    #[error("no AWS region: set it in the RDSDatabaseClass (spec.region) or for the operator (AWS_REGION)")]
    NoRegion,
    /// The default chain found no credentials.
    #[error(
        "no AWS credentials: give the operator's ServiceAccount a role (IRSA or EKS Pod Identity) or set AWS_* variables ({0})"
    )]
    NoCredentials(String),
    /// The credentials were found and STS did not vouch for them.
    #[error("AWS did not confirm the operator's identity ({0}); {remedy}", remedy = .0.remedy())]
    Identity(CloudError),
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
