//! What the local RDS says through its API: the truth about instances and snapshots, whatever the objects claim.

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_rds::{
    operation::describe_db_instances::DescribeDBInstancesError,
    types::{DbInstance, DbSnapshot},
};
use testbed::{eventually::eventually, stack::LocalRds};

/// The instance of this identifier, if there is one.
pub(crate) async fn instance(rds: &LocalRds, identifier: &str) -> Result<Option<DbInstance>> {
    match rds.client().describe_db_instances().db_instance_identifier(identifier).send().await {
        Ok(answer) => Ok(answer.db_instances().first().cloned()),
        Err(error)
            if error.as_service_error().is_some_and(DescribeDBInstancesError::is_db_instance_not_found_fault) =>
        {
            Ok(None)
        }
        Err(error) => Err(error).with_context(|| format!("asking for the instance {identifier}")),
    }
}

/// The instance of this identifier, which must be there.
pub(crate) async fn existing(rds: &LocalRds, identifier: &str) -> Result<DbInstance> {
    instance(rds, identifier).await?.with_context(|| format!("no instance {identifier}"))
}

/// All instances that an object of this namespace owns, by their tags.
pub(crate) async fn instances_of(rds: &LocalRds, namespace: &str, name: &str) -> Result<Vec<DbInstance>> {
    let answer = rds.client().describe_db_instances().send().await.context("asking for all instances")?;
    let tagged = |instance: &DbInstance, key: &str, value: &str| {
        instance.tag_list().iter().any(|tag| tag.key() == Some(key) && tag.value() == Some(value))
    };
    let owned = answer.db_instances().iter().filter(|instance| {
        tagged(instance, "matrixmind.cloud/namespace", namespace) && tagged(instance, "matrixmind.cloud/name", name)
    });
    Ok(owned.cloned().collect())
}

/// Waits until the instance is in this state.
pub(crate) async fn until(rds: &LocalRds, identifier: &str, status: &str) -> Result<DbInstance> {
    eventually(&format!("the instance {identifier} to be {status}"), async || {
        let found = existing(rds, identifier).await?;
        ensure!(found.db_instance_status() == Some(status), "it is {:?}", found.db_instance_status());
        Ok(found)
    })
    .await
}

/// The snapshots that were made of an instance on request, the final one included.
pub(crate) async fn snapshots(rds: &LocalRds, identifier: &str) -> Result<Vec<DbSnapshot>> {
    let answer = rds.client().describe_db_snapshots().db_instance_identifier(identifier).snapshot_type("manual");
    let answer = answer.send().await.with_context(|| format!("asking for the snapshots of {identifier}"))?;
    Ok(answer.db_snapshots().to_vec())
}

/// The only snapshot of an instance, which must be available.
pub(crate) async fn final_snapshot(rds: &LocalRds, identifier: &str) -> Result<String> {
    let snapshots = snapshots(rds, identifier).await?;
    let [last] = snapshots.as_slice() else { bail!("wanted one snapshot of {identifier}, found {snapshots:?}") };
    ensure!(last.status() == Some("available"), "the final snapshot is {:?}", last.status());
    Ok(last.db_snapshot_identifier().context("a snapshot without a name")?.to_owned())
}

/// Deletes an instance that no object owns any more, with all its data, and waits until it is gone.
pub(crate) async fn discard(rds: &LocalRds, identifier: &str) -> Result<()> {
    let delete = rds.client().delete_db_instance().db_instance_identifier(identifier).skip_final_snapshot(true);
    if let Err(error) = delete.send().await {
        // Where the first answer was lost, the second one says that it goes already, or is gone.
        let left = instance(rds, identifier).await?;
        let goes = left.is_none_or(|left| left.db_instance_status() == Some("deleting"));
        ensure!(goes, "deleting {identifier}: {error:?}");
    }
    eventually(&format!("the instance {identifier} to go"), async || {
        ensure!(instance(rds, identifier).await?.is_none(), "still there");
        Ok(())
    })
    .await
}
