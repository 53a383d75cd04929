//! People at the console: they do something to an instance behind the operator's back, and undo what they must.

use std::{cell::RefCell, time::Duration};

use anyhow::{Context, Result, bail};
use aws_sdk_rds::types::{DbInstance, Tag};
use testbed::{eventually::eventually, stack::LocalRds};
use tokio::time::sleep;

use super::schedule::Deed;
use crate::cloud;

/// The tag that names the owner of an instance.
const OWNER: &str = "matrixmind.cloud/uid";

pub(crate) struct Console<'a> {
    rds: &'a LocalRds,
    snapshots: RefCell<u32>,
}

/// What was done and does not stay.
pub(crate) struct Undo {
    instance: DbInstance,
    lasting: Duration,
    /// The tag that was taken; without one, the instance was stopped.
    tag: Option<Tag>,
}

impl<'a> Console<'a> {
    pub(crate) fn new(rds: &'a LocalRds) -> Self {
        Self { rds, snapshots: RefCell::new(0) }
    }

    /// Does it to an instance; gives what has to be undone.
    pub(crate) async fn act(&self, instance: DbInstance, deed: Deed) -> Result<Option<Undo>> {
        let client = self.rds.client();
        let identifier = instance.db_instance_identifier().context("an instance without a name")?.to_owned();
        match deed {
            Deed::Stop(lasting) => {
                client.stop_db_instance().db_instance_identifier(identifier).send().await?;
                return Ok(Some(Undo { instance, lasting, tag: None }));
            }
            Deed::TakeTag(lasting) => {
                let ours = |tag: &&Tag| tag.key() == Some(OWNER);
                let tag = instance.tag_list().iter().find(ours).context("an instance without an owner")?.clone();
                let arn = instance.db_instance_arn().unwrap_or_default();
                client.remove_tags_from_resource().resource_name(arn).tag_keys(OWNER).send().await?;
                return Ok(Some(Undo { instance, lasting, tag: Some(tag) }));
            }
            Deed::Reboot => drop(client.reboot_db_instance().db_instance_identifier(identifier).send().await?),
            Deed::Modify => {
                let modify = client.modify_db_instance().db_instance_identifier(identifier).apply_immediately(true);
                modify.backup_retention_period(3).send().await?;
            }
            Deed::Snapshot => {
                let number = self.snapshots.replace_with(|number| *number + 1);
                let snapshot = client.create_db_snapshot().db_instance_identifier(identifier);
                snapshot.db_snapshot_identifier(format!("by-hand-{number}")).send().await?;
            }
        }
        Ok(None)
    }

    /// Starts it again, or gives the tag back: later, and unless another instance has its name by then.
    pub(crate) async fn undo(&self, done: Option<Undo>) -> Result<()> {
        let Some(Undo { instance: before, lasting, tag }) = done else { return Ok(()) };
        sleep(lasting).await;
        let (client, identifier) = (self.rds.client(), before.db_instance_identifier().unwrap_or_default());
        eventually(&format!("{identifier} to be as before"), async || {
            let Some(now) = self.same(&before, identifier).await? else { return Ok(()) };
            match (&tag, now.db_instance_status()) {
                (Some(tag), _) => {
                    let arn = now.db_instance_arn().unwrap_or_default();
                    client.add_tags_to_resource().resource_name(arn).tags(tag.clone()).send().await?;
                }
                (None, Some("stopped")) => {
                    client.start_db_instance().db_instance_identifier(identifier).send().await?;
                }
                (None, Some("stopping")) => bail!("it is stopping"),
                (None, _) => {}
            }
            Ok(())
        })
        .await
    }

    /// The instance as it is now; none where it is gone, or another one has its name.
    async fn same(&self, instance: &DbInstance, identifier: &str) -> Result<Option<DbInstance>> {
        let found = cloud::instance(self.rds, identifier).await?;
        Ok(found.filter(|found| found.dbi_resource_id() == instance.dbi_resource_id()))
    }
}
