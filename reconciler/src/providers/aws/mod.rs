//! AWS RDS behind the port [`Cloud`].

mod connect;
mod convert;
mod errors;
mod marks;
mod offer;
mod requests;
mod states;

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::types::Filter;
use tokio::time::Instant;

pub use connect::AwsConnector;
pub(crate) use offer::Rds;
#[cfg(test)]
pub(crate) use states::state;

use super::cloud::Cloud;
use super::error::{CloudError, ErrorClass};
use super::model::{Identity, Instance, Snapshot};
use super::rate_limit::RateLimit;
use super::request::Request;
use crate::lease::{Fence, Fenced};
use crate::metrics::CloudCalls;
use errors::cloud_error;

/// DescribeDBInstances gives at most this many a page.
const PAGE: i32 = 100;

/// RDS in one account and region.
pub struct Aws {
    rds: aws_sdk_rds::Client,
    sts: aws_sdk_sts::Client,
    limit: Arc<RateLimit>,
    calls: CloudCalls,
    fence: Fence,
}

impl Aws {
    /// Waits for the account's token, makes the call and counts it.
    async fn call<T>(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        if !self.limit.take().await {
            let message = "too many calls to this account wait already".to_owned();
            return Err(CloudError { action, code: "TooManyCalls".into(), message, class: ErrorClass::Transient });
        }
        let began = Instant::now();
        let answer = call.await;
        self.calls.ended(action, answer.as_ref().err(), began);
        answer
    }

    /// The same for a call that changes something: the wait for the token may have been long, so the Lease's age is asked after it.
    async fn change(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<(), CloudError>> + Send,
    ) -> Result<(), CloudError> {
        let fenced = |fenced: Fenced| CloudError {
            action,
            code: "Fenced".into(),
            message: fenced.to_string(),
            class: ErrorClass::Transient,
        };
        self.call(action, async {
            self.fence.check().map_err(fenced)?;
            call.await
        })
        .await
    }
}

#[async_trait]
impl Cloud for Aws {
    async fn identity(&self) -> Result<Identity, CloudError> {
        let action = "GetCallerIdentity";
        let answer = self
            .call(action, async { self.sts.get_caller_identity().send().await.map_err(|e| cloud_error(action, &e)) })
            .await?;
        Ok(Identity {
            account: answer.account().unwrap_or_default().to_owned(),
            arn: answer.arn().unwrap_or_default().to_owned(),
        })
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        let action = "DescribeDBInstances";
        let mut all = Vec::new();
        let mut marker = None;
        loop {
            let page = self
                .call(action, async {
                    let request = self.rds.describe_db_instances().max_records(PAGE).set_marker(marker.take());
                    request.send().await.map_err(|e| cloud_error(action, &e))
                })
                .await?;
            all.extend(page.db_instances().iter().filter_map(convert::instance));
            match page.marker() {
                Some(next) if !next.is_empty() => marker = Some(next.to_owned()),
                _ => return Ok(all),
            }
        }
    }

    async fn snapshots_of(&self, identifier: &str) -> Result<Vec<Snapshot>, CloudError> {
        let action = "DescribeDBSnapshots";
        let mut all = Vec::new();
        let mut marker = None;
        loop {
            let page = self
                .call(action, async {
                    let instance = Filter::builder().name("db-instance-id").values(identifier).build();
                    let request = self
                        .rds
                        .describe_db_snapshots()
                        .filters(instance)
                        .snapshot_type("manual")
                        .max_records(PAGE)
                        .set_marker(marker.take());
                    request.send().await.map_err(|e| cloud_error(action, &e))
                })
                .await;
            let page = match page {
                Err(error) if error.class == ErrorClass::NotFound => return Ok(all),
                other => other?,
            };
            all.extend(page.db_snapshots().iter().filter_map(convert::snapshot));
            match page.marker() {
                Some(next) if !next.is_empty() => marker = Some(next.to_owned()),
                _ => return Ok(all),
            }
        }
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        let action = "DescribeDBInstances";
        let call = self.rds.describe_db_instances().db_instance_identifier(identifier);
        match self.call(action, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await {
            // One name gives one instance, or the error that there is none: an empty answer says neither.
            Ok(page) => match page.db_instances().iter().find_map(convert::instance) {
                Some(found) => Ok(Some(found)),
                None => Err(CloudError {
                    action,
                    code: "EmptyAnswer".into(),
                    message: format!("RDS answered without the instance {identifier} and without an error"),
                    class: ErrorClass::Transient,
                }),
            },
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        requests::carry_out(self, request).await
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
        Self {
            rds: aws_sdk_rds::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
            limit: Arc::new(RateLimit::rds()),
            calls: CloudCalls::default(),
            fence: Fence::open(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::{Delete, MarkInstance, Modify, Settings};

    #[tokio::test]
    async fn i11_what_waited_for_its_token_is_not_sent_with_an_old_lease() {
        // Nobody listens there.
        let fenced =
            Aws { fence: Fence::closed(Arc::new(crate::clock::SystemClock)), ..Aws::at("http://127.0.0.1:1".into()) };
        let instance = || "orders".to_owned();
        let modify = Modify { identifier: instance(), change: Settings::default() };
        let mark = MarkInstance { resource: "arn".into(), ..MarkInstance::default() };
        let delete = Delete { identifier: instance(), final_snapshot: None, delete_automated_backups: true };
        let codes = [
            fenced.carry_out(&Request::Modify(modify)).await,
            fenced.carry_out(&Request::Mark(mark)).await,
            fenced.carry_out(&Request::Delete(delete)).await,
            fenced.look("orders").await.map(drop),
        ];
        let codes = codes.map(|answer| answer.expect_err("nobody answers").code);
        assert_eq!(codes, ["Fenced", "Fenced", "Fenced", "Unreachable"], "who only looks is not held back");
    }
}
