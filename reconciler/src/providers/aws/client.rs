//! The clients of one account, through which every call goes: in its turn, counted, and fenced.

use std::future::Future;
use std::sync::Arc;

use tokio::time::Instant;

use super::errors::fenced;
use super::rate_limit::RateLimit;
use crate::lease::Fence;
use crate::metrics::CloudCalls;
use crate::providers::error::{CloudError, ErrorClass};

/// RDS in one account and region.
pub struct Aws {
    pub(super) rds: aws_sdk_rds::Client,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) limit: Arc<RateLimit>,
    pub(super) calls: CloudCalls,
    pub(super) fence: Fence,
}

impl Aws {
    /// A client that is configured so, with a rate limit of its own. Its calls are counted, and change nothing beyond `fence`.
    pub fn new(config: &aws_config::SdkConfig, calls: CloudCalls, fence: Fence) -> Self {
        Self {
            rds: aws_sdk_rds::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            limit: Arc::new(RateLimit::rds()),
            calls,
            fence,
        }
    }

    /// Waits for the account's token, makes the call and counts it.
    pub(super) async fn call<T>(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        if !self.limit.take().await {
            let message = "too many calls to this account wait already";
            return Err(CloudError::new(action, "TooManyCalls", message, ErrorClass::Transient));
        }
        let began = Instant::now();
        let answer = call.await;
        self.calls.ended(action, answer.as_ref().err(), began);
        answer
    }

    /// The same for a call that changes something: the wait for the token may have been long, so the Lease's age is asked after it.
    pub(super) async fn change(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<(), CloudError>> + Send,
    ) -> Result<(), CloudError> {
        self.call(action, async {
            self.fence.check().map_err(|old| fenced(action, old))?;
            call.await
        })
        .await
    }
}

/// A client of an endpoint that somebody plays.
#[cfg(test)]
impl Aws {
    pub(crate) fn at(endpoint: String) -> Self {
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(aws_config::Region::new("eu-central-1"))
            .credentials_provider(aws_sdk_rds::config::SharedCredentialsProvider::new(
                aws_sdk_rds::config::Credentials::new("test", "test", None, None, "test"),
            ))
            .endpoint_url(endpoint)
            .build();
        Self::new(&config, CloudCalls::default(), Fence::open())
    }
}
