//! Restores to a point in time, on real servers: what was committed before it is there, and nothing later.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use aws_sdk_rds::operation::restore_db_instance_to_point_in_time::builders::RestoreDBInstanceToPointInTimeFluentBuilder;
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::{DbInstance, SourceType, Tag};
use sqlx::PgConnection;
use support::{Cloud, PASSWORD, code, create, eventually, instance, login, sql};

fn restore(rds: &aws_sdk_rds::Client, to: &str) -> RestoreDBInstanceToPointInTimeFluentBuilder {
    rds.restore_db_instance_to_point_in_time().target_db_instance_identifier(to)
}

/// PostgreSQL's clock, in the milliseconds that the API has.
async fn now(session: &mut PgConnection) -> DateTime {
    let millis = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8";
    DateTime::from_millis(sqlx::query_scalar(millis).fetch_one(session).await.unwrap())
}

async fn rows(session: &mut PgConnection) -> Vec<i32> {
    sqlx::query_scalar("SELECT n FROM written ORDER BY n").fetch_all(session).await.unwrap()
}

/// The clock has moved by more than what the API rounds away.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(5)).await;
}

async fn restorable(cloud: &Cloud, id: &str, at: DateTime) -> DbInstance {
    eventually("restorable to then", async || {
        let seen = instance(&cloud.rds, id).await?;
        match seen.latest_restorable_time() {
            Some(latest) if *latest >= at => Ok(seen),
            other => Err(format!("{other:?}")),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_moment_is_met_on_12() {
    the_chosen_moment_is_met("12").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chosen_moment_is_met_on_18() {
    the_chosen_moment_is_met("18").await;
}

async fn the_chosen_moment_is_met(version: &str) {
    let cloud = Cloud::start_with(|options| options.security_groups = vec!["sg-0123456789abcdef0".into()]).await;
    let (rds, ca) = (&cloud.rds, cloud.server.ca_pem_path());
    let tag = Tag::builder().key("team").value("shop").build();
    let source = create(rds, "orders", version)
        .db_name("shop")
        .storage_encrypted(true)
        .allocated_storage(30)
        .max_allocated_storage(100)
        .copy_tags_to_snapshot(true)
        .deletion_protection(true)
        .auto_minor_version_upgrade(false)
        .preferred_maintenance_window("mon:05:00-mon:05:30")
        .preferred_backup_window("01:00-01:30")
        .vpc_security_group_ids("sg-0123456789abcdef0")
        .multi_az(true)
        .tags(tag.clone());
    source.send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    let earliest = *orders.latest_restorable_time().unwrap();
    let mut shop = cloud.login(&orders, "sysadmin", "shop").await;
    sql(&mut shop, "CREATE TABLE written (n int); INSERT INTO written VALUES (1)").await.unwrap();
    a_moment().await;
    let chosen = now(&mut shop).await;
    a_moment().await;
    sql(&mut shop, "INSERT INTO written VALUES (2)").await.unwrap();

    let by_name = |to: &str| restore(rds, to).source_db_instance_identifier("orders");
    let early = by_name("early").restore_time(DateTime::from_millis(earliest.to_millis().unwrap() - 1)).send().await;
    assert_eq!(code(&early.unwrap_err()), "InvalidParameterValue");
    let late = by_name("late").restore_time(DateTime::from_secs(chosen.secs() + 3600)).send().await.unwrap_err();
    let late = late.into_service_error();
    let told = late.meta().message().unwrap_or_default();
    assert!(told.starts_with("The specified instance cannot be restored to a time later than"), "{told}");

    restorable(&cloud, "orders", chosen).await;
    let begun = by_name("then").restore_time(chosen).db_instance_class("db.t4g.small").send().await.unwrap();
    assert_eq!(begun.db_instance().unwrap().db_instance_status(), Some("creating"));
    let then = cloud.status_is("then", "available").await;
    // Passwords are those of then; so is all that the data have inside.
    let mut session = login(&then, &ca, "sysadmin", PASSWORD, "shop").await.unwrap();
    assert_eq!(rows(&mut session).await, [1], "what was committed later is there, or what was before is not");
    sql(&mut session, "INSERT INTO written VALUES (3)").await.unwrap();
    inherits_the_data_and_nothing_else(&then, &orders, &tag);
    let events = rds.describe_events().source_identifier("then").source_type(SourceType::DbInstance).send().await;
    let restored = |told: &str| told == "Restored from DB instance orders to then";
    assert!(events.unwrap().events().iter().any(|event| event.message().is_some_and(restored)));

    // What was restored has backups of its own, with a history of its own.
    let again = now(&mut session).await;
    a_moment().await;
    sql(&mut session, "INSERT INTO written VALUES (4)").await.unwrap();
    restorable(&cloud, "then", again).await;
    restore(rds, "again").source_db_instance_identifier("then").restore_time(again).send().await.unwrap();
    let again = cloud.status_is("again", "available").await;
    let mut session = cloud.login(&again, "sysadmin", "shop").await;
    assert_eq!(rows(&mut session).await, [1, 3]);
    assert_eq!(rows(&mut shop).await, [1, 2], "the source has changed");
    cloud.server.stop().await;
}

fn inherits_the_data_and_nothing_else(then: &DbInstance, orders: &DbInstance, tag: &Tag) {
    assert_eq!(then.engine_version(), orders.engine_version());
    assert_eq!((then.master_username(), then.db_name()), (Some("sysadmin"), Some("shop")));
    assert_eq!((then.storage_encrypted(), then.kms_key_id()), (Some(true), orders.kms_key_id()));
    assert_eq!((then.allocated_storage(), then.backup_retention_period()), (Some(30), Some(7)));
    assert_eq!((then.tag_list(), then.db_instance_class()), (&[tag.clone()][..], Some("db.t4g.small")));
    assert_ne!(then.dbi_resource_id(), orders.dbi_resource_id());
    assert_eq!(then.vpc_security_groups()[0].vpc_security_group_id(), Some("sg-0defa017defa017d0"));
    assert_eq!((then.multi_az(), then.deletion_protection()), (Some(false), Some(false)));
    assert_eq!((then.copy_tags_to_snapshot(), then.max_allocated_storage()), (Some(false), None));
    assert_eq!(then.auto_minor_version_upgrade(), Some(true));
    assert_ne!(then.preferred_maintenance_window(), orders.preferred_maintenance_window());
    assert_ne!(then.preferred_backup_window(), orders.preferred_backup_window());
    assert_eq!(then.storage_operation_status(), Some("Initializing"));
    assert!(then.storage_operation_percent_progress().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_instance_is_restored_from_what_it_left_and_after_that_is_deleted_it_is_not() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    let mut session = cloud.login(&orders, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE written (n int); INSERT INTO written VALUES (1)").await.unwrap();
    a_moment().await;
    let chosen = now(&mut session).await;
    a_moment().await;
    sql(&mut session, "INSERT INTO written VALUES (2)").await.unwrap();
    drop(session);
    let delete = rds.delete_db_instance().db_instance_identifier("orders").skip_final_snapshot(true);
    delete.delete_automated_backups(false).send().await.unwrap();
    cloud.gone("orders").await;

    let resource_id = orders.dbi_resource_id().unwrap();
    let backups = rds.describe_db_instance_automated_backups().dbi_resource_id(resource_id).send().await.unwrap();
    let backup = backups.db_instance_automated_backups()[0].clone();
    assert_eq!((backup.status(), backup.vpc_id().is_some()), (Some("retained"), true));
    let window = backup.restore_window().unwrap();
    assert!(*window.earliest_time().unwrap() < chosen && *window.latest_time().unwrap() > chosen, "{window:?}");
    let gone = restore(rds, "then").source_db_instance_identifier("orders").use_latest_restorable_time(true);
    assert_eq!(code(&gone.send().await.unwrap_err()), "DBInstanceNotFound");

    let folder = cloud.folder.path().join("instances").join(resource_id);
    eventually("nothing but the log", async || {
        let left: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        if left == ["archive"] { Ok(()) } else { Err(left) }
    })
    .await;
    let arn = backup.db_instance_automated_backups_arn().unwrap();
    restore(rds, "then").source_dbi_resource_id(resource_id).restore_time(chosen).send().await.unwrap();
    let last = restore(rds, "last").source_db_instance_automated_backups_arn(arn).use_latest_restorable_time(true);
    last.multi_az(true).max_allocated_storage(50).send().await.unwrap();
    for (id, expected) in [("then", &[1][..]), ("last", &[1, 2][..])] {
        let restored = cloud.status_is(id, "available").await;
        let mut session = cloud.login(&restored, "sysadmin", "postgres").await;
        assert_eq!(rows(&mut session).await, expected, "{id}");
    }
    let last = instance(rds, "last").await.unwrap();
    assert_eq!((last.multi_az(), last.max_allocated_storage()), (Some(true), Some(50)));

    rds.delete_db_instance_automated_backup().dbi_resource_id(resource_id).send().await.unwrap();
    let refused = restore(rds, "never").source_dbi_resource_id(resource_id).use_latest_restorable_time(true);
    assert_eq!(code(&refused.send().await.unwrap_err()), "DBInstanceAutomatedBackupNotFound");
    assert!(!folder.exists(), "the log is left over");
    let automated = |id: &str| rds.describe_db_snapshots().snapshot_type("automated").dbi_resource_id(id).send();
    assert!(automated(resource_id).await.unwrap().db_snapshots().is_empty());
    assert_eq!(automated(last.dbi_resource_id().unwrap()).await.unwrap().db_snapshots().len(), 1);
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_automated_snapshot_is_restored_and_copied_and_goes_with_its_backups() {
    let cloud = Cloud::start_with(|options| options.snapshot_quota = 1).await;
    let rds = &cloud.rds;
    let tag = Tag::builder().key("team").value("shop").build();
    let without = create(rds, "orders", "17").backup_retention_period(0).tags(tag.clone());
    without.copy_tags_to_snapshot(true).storage_encrypted(true).send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    let off = restore(rds, "then").source_db_instance_identifier("orders").use_latest_restorable_time(true);
    assert_eq!(code(&off.send().await.unwrap_err()), "PointInTimeRestoreNotEnabled");
    let mut session = cloud.login(&orders, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE kept ()").await.unwrap();
    let retain = |days| {
        let modify = rds.modify_db_instance().db_instance_identifier("orders");
        modify.backup_retention_period(days).apply_immediately(true).send()
    };
    retain(3).await.unwrap();
    let automated = eventually("an automated snapshot", async || {
        let found = rds.describe_db_snapshots().snapshot_type("automated").send().await.unwrap();
        let found = found.db_snapshots().first().cloned();
        found.filter(|snapshot| snapshot.status() == Some("available")).ok_or("none")
    })
    .await;
    let id = automated.db_snapshot_identifier().unwrap();
    assert!(id.starts_with("rds:orders-"), "{id}");
    assert_eq!((automated.percent_progress(), automated.encrypted()), (Some(100), Some(true)));
    assert_eq!(automated.dbi_resource_id(), orders.dbi_resource_id());
    assert_eq!(automated.tag_list(), std::slice::from_ref(&tag));
    assert_eq!(automated.snapshot_create_time(), automated.original_snapshot_create_time());

    let copy = |to: &str| rds.copy_db_snapshot().source_db_snapshot_identifier(id).target_db_snapshot_identifier(to);
    let begun = copy("kept").copy_tags(true).send().await.unwrap().db_snapshot.unwrap();
    assert_eq!((begun.status(), begun.snapshot_type()), (Some("creating"), Some("manual")));
    assert_eq!((begun.percent_progress(), begun.tag_list()), (Some(0), &[tag][..]));
    assert_eq!(code(&copy("more").send().await.unwrap_err()), "SnapshotQuotaExceeded");
    cloud.snapshot_is_available("kept").await;
    let kept = rds.describe_db_snapshots().dbi_resource_id(orders.dbi_resource_id().unwrap()).snapshot_type("manual");
    let kept = kept.send().await.unwrap().db_snapshots()[0].clone();
    assert_eq!(kept.original_snapshot_create_time(), automated.original_snapshot_create_time());
    assert!(kept.snapshot_create_time() > automated.snapshot_create_time());

    cloud.status_is("orders", "available").await;
    restored_with(&cloud, id, "from-automated", "kept").await;
    retain(0).await.unwrap();
    let data = cloud.folder.path().join("snapshots");
    eventually("nothing but the copy", async || {
        let mut left: Vec<_> = data.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        let left: Vec<_> = left.iter().filter_map(|name| name.to_str()).collect();
        match left[..] {
            ["kept", other] if other.starts_with("rds:from-automated-") => Ok(()),
            _ => Err(format!("{left:?}")),
        }
    })
    .await;
    assert!(!data.with_file_name("instances").join(orders.dbi_resource_id().unwrap()).join("archive").exists());
    restored_with(&cloud, "kept", "from-copy", "kept").await;
    cloud.server.stop().await;
}

async fn restored_with(cloud: &Cloud, snapshot: &str, id: &str, table: &str) {
    let restore = cloud.rds.restore_db_instance_from_db_snapshot().db_instance_identifier(id);
    restore.db_snapshot_identifier(snapshot).send().await.unwrap();
    let restored = cloud.status_is(id, "available").await;
    let mut session = cloud.login(&restored, "sysadmin", "postgres").await;
    let found: bool =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(table).fetch_one(&mut session).await.unwrap();
    assert!(found, "{id} lacks {table}");
}
