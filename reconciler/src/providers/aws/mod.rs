//! AWS RDS behind the port [`Cloud`].

mod connect;
mod convert;
mod errors;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_rds::types::{Filter, Tag};

pub use connect::AwsConnector;

use super::{
    Cloud, CloudError, CreateInstance, DeleteInstance, ErrorClass, Identity, Instance, ModifyInstance, Snapshot,
};
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
}

impl Aws {
    /// Waits for the account's token, makes the call and counts it.
    async fn call<T>(
        &self,
        action: &'static str,
        call: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        self.limit.take().await;
        let answer = call.await;
        self.calls.count(action, answer.as_ref().err());
        answer
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

    async fn create(&self, request: &CreateInstance) -> Result<(), CloudError> {
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
            .master_user_password(request.master_password.expose())
            .backup_retention_period(whole(request.backup_retention_days))
            .deletion_protection(request.deletion_protection)
            .set_db_subnet_group_name(request.subnet_group.clone())
            .set_vpc_security_group_ids((!request.security_groups.is_empty()).then(|| request.security_groups.clone()))
            .set_kms_key_id(request.kms_key.clone())
            .storage_encrypted(true)
            .publicly_accessible(false)
            .copy_tags_to_snapshot(true)
            .set_tags(Some(sdk_tags(&request.tags)));
        self.call(action, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await.map(drop)
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
            .set_master_user_password(request.master_password.as_ref().map(|password| password.expose().to_owned()))
            .apply_immediately(true);
        self.call(action, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await.map(drop)
    }

    async fn tag(&self, arn: &str, tags: &BTreeMap<String, String>) -> Result<(), CloudError> {
        let action = "AddTagsToResource";
        let call = self.rds.add_tags_to_resource().resource_name(arn).set_tags(Some(sdk_tags(tags)));
        self.call(action, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await.map(drop)
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
        self.call(action, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await.map(drop)
    }
}

fn sdk_tags(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// RDS speaks 32-bit integers; every number of ours is bounded far below.
fn whole(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
