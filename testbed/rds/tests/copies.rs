//! Instances with the data of another one: the new one of a switchover, and read replicas.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use aws_sdk_rds::types::Tag;
use serde_json::json;
use support::{Cloud, code, create, eventually, instance, sql};

#[tokio::test(flavor = "multi_thread")]
async fn after_a_switchover_the_name_is_another_instances() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    let tag = Tag::builder().key("team").value("shop").build();
    create(rds, "orders", "17").tags(tag.clone()).deletion_protection(true).send().await.unwrap();
    let before = cloud.status_is("orders", "available").await;
    let mut session = cloud.login(&before, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)").await.unwrap();
    cloud.order_fault(json!({"switch_over": "orders"})).await;
    assert!(
        sql(&mut session, "INSERT INTO kept VALUES (2)").await.is_err(),
        "a session goes on writing to the old one"
    );

    let after = eventually("another instance", async || {
        let seen = cloud.status_is("orders", "available").await;
        if seen.latest_restorable_time().is_some() { Ok(seen) } else { Err("without its first backup") }
    })
    .await;
    let old = cloud.status_is("orders-old1", "available").await;
    assert_eq!(old.dbi_resource_id(), before.dbi_resource_id());
    assert_ne!(after.dbi_resource_id(), before.dbi_resource_id());
    assert_eq!((after.tag_list(), old.tag_list()), (&[tag.clone()][..], &[tag][..]));
    assert_eq!((after.deletion_protection(), after.db_instance_arn()), (Some(true), before.db_instance_arn()));
    for (instance, expected) in [(&after, Ok(())), (&old, Err("25006"))] {
        let mut session = cloud.login(instance, "sysadmin", "postgres").await;
        let kept: Vec<i32> = sqlx::query_scalar("SELECT n FROM kept").fetch_all(&mut session).await.unwrap();
        assert_eq!(kept, [1]);
        let written = sql(&mut session, "INSERT INTO kept VALUES (3)").await;
        assert_eq!(written.as_ref().copied().map_err(|error| &error[..5]), expected);
    }
    let restore = rds.restore_db_instance_to_point_in_time().target_db_instance_identifier("then");
    let restore = restore.source_dbi_resource_id(old.dbi_resource_id().unwrap()).use_latest_restorable_time(true);
    restore.send().await.unwrap();
    cloud.status_is("then", "available").await;
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_read_only_until_its_source_is_deleted() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    let mut session = cloud.login(&orders, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE kept (n int)").await.unwrap();
    let replicate = rds.create_db_instance_read_replica().db_instance_identifier("reports");
    replicate.source_db_instance_identifier("orders").send().await.unwrap();
    let reports = cloud.status_is("reports", "available").await;
    assert_eq!(reports.read_replica_source_db_instance_identifier(), Some("orders"));
    let orders = instance(rds, "orders").await.unwrap();
    assert_eq!(orders.read_replica_db_instance_identifiers(), ["reports"]);
    let mut session = cloud.login(&reports, "sysadmin", "postgres").await;
    let refused = sql(&mut session, "INSERT INTO kept VALUES (1)").await.unwrap_err();
    assert!(refused.starts_with("25006"), "{refused}");
    let last = rds.delete_db_instance().db_instance_identifier("reports").final_db_snapshot_identifier("last");
    assert_eq!(code(&last.send().await.unwrap_err()), "InvalidParameterCombination");
    let stop = rds.stop_db_instance().db_instance_identifier("orders");
    assert_eq!(code(&stop.send().await.unwrap_err()), "InvalidDBInstanceState");

    let delete = rds.delete_db_instance().db_instance_identifier("orders").skip_final_snapshot(true);
    delete.send().await.unwrap();
    cloud.gone("orders").await;
    let promoted = eventually("promoted", async || {
        let seen = cloud.status_is("reports", "available").await;
        let mut session = cloud.login(&seen, "sysadmin", "postgres").await;
        sql(&mut session, "INSERT INTO kept VALUES (1)").await.map(|()| seen)
    })
    .await;
    assert_eq!(promoted.read_replica_source_db_instance_identifier(), None);
    cloud.server.stop().await;
}
