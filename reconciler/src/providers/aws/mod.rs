//! AWS RDS behind the port [`Cloud`].

mod connect;
mod convert;
mod errors;
mod states;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::types::{Filter, Tag};
use tokio::time::Instant;

pub use connect::AwsConnector;
#[cfg(test)]
pub(crate) use states::state;

use super::{
    Cloud, CloudError, CreateInstance, DeleteInstance, ErrorClass, Identity, Instance, ModifyInstance, Snapshot,
};
use crate::engine::Password;
use crate::lease::{Fence, Fenced};
use crate::metrics::CloudCalls;
use crate::providers::rate_limit::RateLimit;
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

    async fn instances(&self) -> Result<Vec<Instance>, CloudError> {
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

    async fn create(&self, request: &CreateInstance, master_password: &Password) -> Result<(), CloudError> {
        let action = "CreateDBInstance";
        let call = self
            .rds
            .create_db_instance()
            .db_instance_identifier(&request.identifier)
            .engine(request.engine)
            .engine_version(&request.engine_version)
            .auto_minor_version_upgrade(request.auto_minor_version_upgrade)
            .db_instance_class(&request.instance_class)
            .allocated_storage(whole(request.allocated_gib))
            .storage_type(&request.storage_type)
            .master_username(&request.master_user)
            .master_user_password(master_password.expose())
            .backup_retention_period(whole(request.backup_retention_days))
            .deletion_protection(request.deletion_protection)
            .set_db_subnet_group_name(request.subnet_group.clone())
            .set_vpc_security_group_ids((!request.security_groups.is_empty()).then(|| request.security_groups.clone()))
            .set_kms_key_id(request.kms_key.clone())
            .storage_encrypted(true)
            .publicly_accessible(false)
            .copy_tags_to_snapshot(true)
            .set_tags(Some(sdk_tags(&request.tags)));
        self.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
    }

    async fn modify(&self, request: &ModifyInstance) -> Result<(), CloudError> {
        let action = "ModifyDBInstance";
        let call = self
            .rds
            .modify_db_instance()
            .db_instance_identifier(&request.identifier)
            .set_allocated_storage(request.allocated_gib.map(whole))
            .set_db_instance_class(request.instance_class.clone())
            .set_engine_version(request.engine_version.clone())
            .set_auto_minor_version_upgrade(request.auto_minor_version_upgrade)
            .set_backup_retention_period(request.backup_retention_days.map(whole))
            .set_deletion_protection(request.deletion_protection)
            .set_vpc_security_group_ids(request.security_groups.clone())
            .set_master_user_password(request.master_password.as_ref().map(|password| password.expose().to_owned()))
            .apply_immediately(true);
        self.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), CloudError> {
        let action = "AddTagsToResource";
        let call = self.rds.add_tags_to_resource().resource_name(arn).set_tags(Some(sdk_tags(tags)));
        self.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
    }

    async fn delete(&self, request: &DeleteInstance) -> Result<(), CloudError> {
        let action = "DeleteDBInstance";
        let call = self
            .rds
            .delete_db_instance()
            .db_instance_identifier(&request.identifier)
            .skip_final_snapshot(request.final_snapshot.is_none())
            .set_final_db_snapshot_identifier(request.final_snapshot.clone())
            .delete_automated_backups(request.delete_automated_backups);
        self.change(action, async { call.send().await.map(drop).map_err(|e| cloud_error(action, &e)) }).await
    }
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// RDS speaks 32-bit integers; every number of ours is bounded far below.
fn whole(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
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

    #[tokio::test]
    async fn i11_what_waited_for_its_token_is_not_sent_with_an_old_lease() {
        // Nobody listens there.
        let fenced =
            Aws { fence: Fence::closed(Arc::new(crate::clock::SystemClock)), ..Aws::at("http://127.0.0.1:1".into()) };
        let modify = ModifyInstance { identifier: "orders".into(), ..ModifyInstance::default() };
        let delete =
            DeleteInstance { identifier: "orders".into(), final_snapshot: None, delete_automated_backups: true };
        let codes = [
            fenced.modify(&modify).await,
            fenced.tag("arn", &BTreeMap::new()).await,
            fenced.delete(&delete).await,
            fenced.look("orders").await.map(drop),
        ];
        let codes = codes.map(|answer| answer.expect_err("nobody answers").code);
        assert_eq!(codes, ["Fenced", "Fenced", "Fenced", "Unreachable"], "who only looks is not held back");
    }
}
