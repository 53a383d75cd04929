//! RDS behind the port [`Cloud`].

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_rds::types::Filter;
use shared::rules::Engine;

use super::bucket::Purpose;
use super::client::Aws;
use super::errors::{cloud_error, empty_answer};
use super::{convert, requests, upgrades};
use crate::providers::cloud::Cloud;
use crate::providers::error::{CloudError, ErrorClass};
use crate::providers::model::{Backup, Identity, Instance, Maintenance, Quota, Snapshot, Source, Upgrades};
use crate::providers::parameters::{Group, Offered};
use crate::providers::request::Request;

/// DescribeDBInstances gives at most this many a page.
const PAGE: i32 = 100;
/// However many pages there are: an account can have as many of these as it pays for.
const ANY: usize = usize::MAX;

#[async_trait]
impl Cloud for Aws {
    async fn identity(&self) -> Result<Identity, CloudError> {
        let action = "GetCallerIdentity";
        // The limit is RDS's; STS has one of its own, far above it.
        let answer = self
            .counted(action, async { self.sts.get_caller_identity().send().await.map_err(|e| cloud_error(action, &e)) })
            .await?;
        Ok(Identity {
            account: answer.account().unwrap_or_default().to_owned(),
            principal: answer.arn().unwrap_or_default().to_owned(),
        })
    }

    async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
        let action = "DescribeDBInstances";
        let mut all = Vec::new();
        let mut marker = None;
        loop {
            let request = self.rds.describe_db_instances().max_records(PAGE).set_marker(marker.take());
            let page = self
                .page(action, || {
                    let request = request.clone();
                    async move { request.send().await.map_err(|e| cloud_error(action, &e)) }
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
        let all = self.pages(action, ANY, |marker| {
            let instance = Filter::builder().name("db-instance-id").values(identifier).build();
            let call = self.rds.describe_db_snapshots().filters(instance).snapshot_type("manual");
            let call = call.max_records(PAGE).set_marker(marker);
            async move {
                let page = call.send().await.map_err(|e| cloud_error(action, &e))?;
                Ok((page.db_snapshots().iter().filter_map(convert::snapshot).collect(), page.marker))
            }
        });
        match all.await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    async fn snapshot_quota(&self) -> Result<Quota, CloudError> {
        let action = "DescribeAccountAttributes";
        let call = self.rds.describe_account_attributes();
        let page =
            self.call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await?;
        convert::snapshot_quota(page.account_quotas()).ok_or_else(|| empty_answer(action, "ManualSnapshots"))
    }

    async fn backups(&self, source: &Source) -> Result<Vec<Backup>, CloudError> {
        let found = match source {
            Source::Snapshot(name) => self.snapshot(name).await,
            Source::Instance(identifier) => self.automated(identifier).await,
        };
        match found {
            Err(error) if error.class == ErrorClass::NotFound => Ok(Vec::new()),
            other => other,
        }
    }

    async fn look(&self, identifier: &str) -> Result<Option<Instance>, CloudError> {
        let action = "DescribeDBInstances";
        let call = self.rds.describe_db_instances().db_instance_identifier(identifier);
        match self.call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await {
            Ok(page) => match page.db_instances().iter().find_map(convert::instance) {
                Some(found) => Ok(Some(found)),
                None => Err(empty_answer(action, identifier)),
            },
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn group(&self, name: &str) -> Result<Option<Group>, CloudError> {
        self.named_group(name).await
    }

    async fn groups(&self) -> Result<Vec<String>, CloudError> {
        self.group_names().await
    }

    async fn parameters(&self, family: &str) -> Result<Offered, CloudError> {
        self.offered(family).await
    }

    async fn upgrades(&self, engine: Engine, version: &str, identifier: &str) -> Result<Upgrades, CloudError> {
        let targets = upgrades::targets(self, engine, version).await?;
        Ok(Upgrades { targets, report: upgrades::report(self, engine, identifier).await? })
    }

    async fn maintenance(&self) -> Result<BTreeMap<String, Vec<Maintenance>>, CloudError> {
        let action = "DescribePendingMaintenanceActions";
        let all = self.pages(action, ANY, |marker| {
            let call = self.rds.describe_pending_maintenance_actions().max_records(PAGE).set_marker(marker);
            async move {
                let page = call.send().await.map_err(|e| cloud_error(action, &e))?;
                let pending = page.pending_maintenance_actions().iter().filter_map(convert::maintenance);
                Ok((pending.collect(), page.marker))
            }
        });
        Ok(all.await?.into_iter().collect())
    }

    async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
        requests::carry_out(self, request).await
    }
}

impl Aws {
    async fn snapshot(&self, name: &str) -> Result<Vec<Backup>, CloudError> {
        let action = "DescribeDBSnapshots";
        let call = self.rds.describe_db_snapshots().db_snapshot_identifier(name);
        let page =
            self.call(action, Purpose::Read, async { call.send().await.map_err(|e| cloud_error(action, &e)) }).await?;
        Ok(page.db_snapshots().iter().map(convert::whole).collect())
    }

    async fn automated(&self, identifier: &str) -> Result<Vec<Backup>, CloudError> {
        let action = "DescribeDBInstanceAutomatedBackups";
        self.pages(action, ANY, |marker| {
            let call = self.rds.describe_db_instance_automated_backups().db_instance_identifier(identifier);
            let call = call.max_records(PAGE).set_marker(marker);
            async move {
                let page = call.send().await.map_err(|e| cloud_error(action, &e))?;
                Ok((page.db_instance_automated_backups().iter().map(convert::automated).collect(), page.marker))
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::lease::Fence;
    use crate::providers::{Delete, MarkInstance, Modify, Settings};

    #[tokio::test]
    async fn i11_what_waited_for_its_token_is_not_sent_with_an_old_lease() {
        // Nobody listens there.
        let fenced =
            Aws { fence: Fence::closed(Arc::new(crate::clock::SystemClock)), ..Aws::at("http://127.0.0.1:1".into()) };
        let instance = || "orders".to_owned();
        let modify = Modify { identifier: instance(), change: Settings::default(), at_once: false, major: false };
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
