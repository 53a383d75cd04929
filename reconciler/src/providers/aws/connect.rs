//! From a class's words (region, role, endpoint) to a client that has proved who it is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_rds::config::ProvideCredentials;

use super::client::Aws;
use super::rate_limit::RateLimit;
use crate::lease::Fence;
use crate::metrics::CloudCalls;
use crate::providers::cloud::Cloud;
use crate::providers::connector::{ConnectError, Connected, Connector, ProviderConfig};
use crate::providers::error::CloudError;

/// The whole of a call, connection included. RDS answers in well under a second; a sweep of a full page in a few.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes clients from aws-config's default chain.
pub struct AwsConnector {
    calls: CloudCalls,
    /// By account and region, where RDS limits the calls, and to which several ways can lead.
    limits: Mutex<HashMap<(String, String), Arc<RateLimit>>>,
    fence: Fence,
}

impl AwsConnector {
    /// A connector that counts the calls of its clients, which change nothing beyond `fence`.
    pub fn new(calls: CloudCalls, fence: Fence) -> Self {
        Self { calls, limits: Mutex::default(), fence }
    }

    fn limit(&self, account: &str, region: &str) -> Arc<RateLimit> {
        // An entry is made in one go: a panic elsewhere leaves nothing half done.
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.entry((account.to_owned(), region.to_owned())).or_insert_with(|| Arc::new(RateLimit::rds())).clone()
    }
}

#[async_trait]
impl Connector for AwsConnector {
    async fn connect(&self, given: &ProviderConfig) -> Result<Connected, ConnectError> {
        let config = load(given).await;
        let region = config.region().map(ToString::to_string).ok_or_else(no_region)?;
        let config = match &given.acts_as {
            Some(role) => assume(&config, role).await,
            None => config,
        };
        // Asked here, because a call without credentials fails as a dispatch error that names no cause.
        let provider = config.credentials_provider().ok_or_else(|| no_credentials("none configured"))?;
        provider.provide_credentials().await.map_err(|error| no_credentials(&root_cause(&error)))?;

        let mut aws = Aws::new(&config, self.calls.clone(), self.fence.clone());
        let identity = aws.identity().await.map_err(|error| not_confirmed(&error))?;
        aws.limit = self.limit(&identity.account, &region);
        Ok(Connected { cloud: Arc::new(aws), identity, region })
    }
}

fn no_region() -> ConnectError {
    let why = "no AWS region: set it in the RDSDatabaseClass (spec.region) or for the operator (AWS_REGION)";
    ConnectError::Failed(why.to_owned())
}

/// The default chain found none.
fn no_credentials(why: &str) -> ConnectError {
    ConnectError::Failed(format!(
        "no AWS credentials: give the operator's ServiceAccount a role (IRSA or EKS Pod Identity) or set AWS_* variables ({why})"
    ))
}

/// The credentials were found, and STS did not vouch for them.
fn not_confirmed(error: &CloudError) -> ConnectError {
    ConnectError::Failed(format!("AWS did not confirm the operator's identity ({error}); {}", error.remedy))
}

async fn load(given: &ProviderConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).connect_timeout(CONNECT_TIMEOUT).build();
    // The reconciler repeats what failed; the SDK's own retries were seen to send a throttled create three times.
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
    if let Some(region) = &given.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &given.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

async fn assume(config: &SdkConfig, role: &str) -> SdkConfig {
    let provider = AssumeRoleProvider::builder(role).session_name("rds-reconciler").configure(config).build().await;
    config.to_builder().credentials_provider(aws_sdk_rds::config::SharedCredentialsProvider::new(provider)).build()
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
