//! What an instance refuses in which state, how it is stopped, renamed and backed up, and what an account may keep.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use aws_sdk_rds::types::{DbInstanceAutomatedBackup, SourceType, Tag};
use serde_json::json;
use support::{Cloud, code, create, eventually, instance, sql};

const STATE: &str = "InvalidDBInstanceState";
const TAKEN: &str = "taken";

fn outcome<T, E: aws_sdk_rds::error::ProvideErrorMetadata + std::fmt::Debug>(answer: Result<T, E>) -> String {
    answer.map_or_else(|error| code(&error), |_| TAKEN.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_in_a_state_is_refused_whoever_put_it_there() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").send().await.unwrap();
    cloud.status_is("orders", "available").await;
    let snapshot = || rds.create_db_snapshot().db_instance_identifier("orders").db_snapshot_identifier("s");
    let reboot = || rds.reboot_db_instance().db_instance_identifier("orders");
    let stop = || rds.stop_db_instance().db_instance_identifier("orders");
    let start = || rds.start_db_instance().db_instance_identifier("orders");
    let delete = || rds.delete_db_instance().db_instance_identifier("orders").final_db_snapshot_identifier("last");
    let modify = || rds.modify_db_instance().db_instance_identifier("orders");
    for status in [
        "backing-up",
        "modifying",
        "storage-full",
        "failed",
        "incompatible-network",
        "incompatible-restore",
        "restore-error",
        "insufficient-capacity",
        "inaccessible-encryption-credentials",
        "maintenance",
        "creating",
        "something-new",
    ] {
        cloud.order_fault(json!({"instance": "orders", "status": status})).await;
        let seen = [
            outcome(snapshot().send().await),
            outcome(reboot().send().await),
            outcome(stop().send().await),
            outcome(start().send().await),
            outcome(delete().send().await),
            outcome(modify().copy_tags_to_snapshot(true).send().await),
        ];
        assert_eq!(seen, [STATE; 6], "{status}");
    }
    cloud.order_fault(json!({"instance": "orders", "status": "storage-optimization"})).await;
    assert_eq!(outcome(modify().allocated_storage(40).send().await), "InvalidParameterCombination");
    assert_eq!(outcome(stop().send().await), STATE);
    assert_eq!(outcome(stop().detach_from_db_capacity_reservation(true).send().await), "InvalidParameterCombination");
    assert_eq!(outcome(modify().copy_tags_to_snapshot(true).send().await), TAKEN);
    cloud.order_fault(json!({"instance": "orders", "status": "storage-full"})).await;
    assert_eq!(outcome(modify().allocated_storage(40).multi_az(true).send().await), STATE);
    assert_eq!(outcome(modify().allocated_storage(40).apply_immediately(true).send().await), TAKEN);

    // Truly busy, whatever is shown: the status lags, and one that was ordered hides.
    cloud.order_fault(json!({"instance": "orders", "status": "available"})).await;
    assert_eq!(outcome(delete().send().await), STATE, "a final snapshot of an instance that is being modified");
    let snapshots = rds.describe_db_snapshots().snapshot_type("manual").send().await.unwrap();
    assert!(snapshots.db_snapshots().is_empty(), "{snapshots:?}");
    cloud.order_fault(json!({"instance": "orders", "status": "failed"})).await;
    let skipped = rds.delete_db_instance().db_instance_identifier("orders").skip_final_snapshot(true);
    assert_eq!(outcome(skipped.send().await), TAKEN, "the only way out");
    cloud.gone("orders").await;
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_takes_a_snapshot_forgets_what_waits_and_ends_by_itself() {
    let cloud = Cloud::start_with(|options| options.time_scale = 0.00002).await;
    let rds = &cloud.rds;
    let days = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).weekday();
    let window = if days == jiff::civil::Weekday::Monday { "thu:05:00-thu:05:30" } else { "mon:05:00-mon:05:30" };
    create(rds, "orders", "17").preferred_maintenance_window(window).send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    assert!(orders.automatic_restart_time().is_none());
    let mut session = cloud.login(&orders, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE kept ()").await.unwrap();
    let class = rds.modify_db_instance().db_instance_identifier("orders").db_instance_class("db.t4g.small");
    let waits = class.send().await.unwrap().db_instance.unwrap();
    assert_eq!(waits.pending_modified_values().unwrap().db_instance_class(), Some("db.t4g.small"));

    let stop = rds.stop_db_instance().db_instance_identifier("orders").db_snapshot_identifier("Before-Stop");
    stop.send().await.unwrap();
    // A week at this scale is 12 s.
    let stopped = cloud.status_is("orders", "stopped").await;
    assert!(stopped.automatic_restart_time().is_some());
    assert_eq!(stopped.pending_modified_values().unwrap().db_instance_class(), None);
    cloud.snapshot_is_available("before-stop").await;
    assert_eq!(outcome(class_of(rds, "orders").send().await), STATE);
    let running = cloud.status_is("orders", "available").await;
    assert_eq!(running.db_instance_class(), Some("db.t4g.micro"));
    let events = rds.describe_events().source_identifier("orders").source_type(SourceType::DbInstance).send().await;
    let started = |text: &str| text.contains("exceeding the maximum allowed time being stopped");
    assert!(events.unwrap().events().iter().any(|event| event.message().is_some_and(started)));

    let restore = rds.restore_db_instance_from_db_snapshot().db_instance_identifier("restored");
    restore.db_snapshot_identifier("before-stop").send().await.unwrap();
    let restored = cloud.status_is("restored", "available").await;
    let mut session = cloud.login(&restored, "sysadmin", "postgres").await;
    sql(&mut session, "SELECT FROM kept").await.unwrap();
    cloud.server.stop().await;
}

fn class_of(
    rds: &aws_sdk_rds::Client,
    id: &str,
) -> aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder {
    rds.modify_db_instance().db_instance_identifier(id).db_instance_class("db.t4g.small")
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_begin_when_they_are_turned_on_and_end_when_they_are_turned_off() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").backup_retention_period(0).send().await.unwrap();
    let without = cloud.status_is("orders", "available").await;
    assert!(without.latest_restorable_time().is_none());
    let automated = async || {
        let found = rds.describe_db_snapshots().snapshot_type("automated").send().await.unwrap();
        found.db_snapshots().len()
    };
    assert_eq!(automated().await, 0);
    let retain = |days| {
        let modify = rds.modify_db_instance().db_instance_identifier("orders");
        modify.backup_retention_period(days).apply_immediately(true).send()
    };
    retain(3).await.unwrap();
    let restorable = eventually("restorable", async || {
        let seen = instance(rds, "orders").await?;
        let latest = seen.latest_restorable_time().copied();
        latest.ok_or_else(|| format!("{:?}", seen.db_instance_status()))
    })
    .await;
    assert!(restorable > *without.instance_create_time().unwrap(), "before its first backup");
    assert_eq!(automated().await, 1);
    cloud.status_is("orders", "available").await;
    retain(0).await.unwrap();
    eventually("without backups", async || {
        let seen = instance(rds, "orders").await?;
        let left = (automated().await, seen.latest_restorable_time().is_some());
        if left == (0, false) { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_identifier_moves_the_endpoint_and_nothing_else() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").send().await.unwrap();
    create(rds, "other", "17").send().await.unwrap();
    let before = cloud.status_is("orders", "available").await;
    let mut session = cloud.login(&before, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE kept ()").await.unwrap();
    let rename = |new: &str| {
        let modify = rds.modify_db_instance().db_instance_identifier("orders");
        modify.new_db_instance_identifier(new).apply_immediately(true).send()
    };
    assert_eq!(outcome(rename("other").await), "DBInstanceAlreadyExists");
    rename("Invoices").await.unwrap();
    assert_eq!(outcome(create(rds, "invoices", "17").send().await), "DBInstanceAlreadyExists");
    cloud.status_is("orders", "renaming").await;
    let after = eventually("renamed", async || instance(rds, "invoices").await).await;
    assert_eq!(after.dbi_resource_id(), before.dbi_resource_id());
    assert_eq!(after.db_instance_arn(), Some("arn:aws:rds:eu-central-1:000000000000:db:invoices"));
    assert_eq!(instance(rds, "orders").await.unwrap_err(), "DBInstanceNotFound");
    let after = cloud.status_is("invoices", "available").await;
    let mut session = cloud.login(&after, "sysadmin", "postgres").await;
    sql(&mut session, "SELECT FROM kept").await.unwrap();
    // The name is free for another one.
    create(rds, "orders", "17").send().await.unwrap();
    let new = instance(rds, "orders").await.unwrap();
    assert_ne!(new.dbi_resource_id(), before.dbi_resource_id());
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_have_tags_of_one_kind_count_and_are_deleted() {
    let cloud = Cloud::start_with(|options| options.snapshot_quota = 2).await;
    let rds = &cloud.rds;
    let tag = |key: &str| Tag::builder().key(key).value("x").build();
    create(rds, "orders", "17").tags(tag("of-the-instance")).copy_tags_to_snapshot(true).send().await.unwrap();
    cloud.status_is("orders", "available").await;
    let snapshot = |id: &str| rds.create_db_snapshot().db_instance_identifier("orders").db_snapshot_identifier(id);
    for (id, own, expected) in [("bare", None, "of-the-instance"), ("tagged", Some("own"), "own")] {
        let made = snapshot(id).set_tags(own.map(|key| vec![tag(key)])).send().await.unwrap();
        assert_eq!(made.db_snapshot().unwrap().tag_list(), [tag(expected)]);
        cloud.snapshot_is_available(id).await;
        cloud.status_is("orders", "available").await;
    }
    let exceeded = "SnapshotQuotaExceeded";
    let last = || rds.delete_db_instance().db_instance_identifier("orders").final_db_snapshot_identifier("last");
    assert_eq!(outcome(snapshot("third").send().await), exceeded);
    let stop = rds.stop_db_instance().db_instance_identifier("orders").db_snapshot_identifier("third");
    assert_eq!(outcome(stop.send().await), exceeded);
    assert_eq!(outcome(last().send().await), exceeded);
    assert_eq!(instance(rds, "orders").await.unwrap().db_instance_status(), Some("available"), "nothing began");

    let deleted = rds.delete_db_snapshot().db_snapshot_identifier("bare").send().await.unwrap();
    assert_eq!(deleted.db_snapshot().unwrap().status(), Some("deleted"));
    last().send().await.unwrap();
    cloud.gone("orders").await;
    let unknown = rds.describe_db_snapshots().snapshot_type("weekly").send().await;
    assert_eq!(outcome(unknown), "InvalidParameterValue");
    let unknown = rds.describe_events().source_type(SourceType::from("db-thing")).send().await;
    assert_eq!(outcome(unknown), "InvalidParameterValue");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_backup_counts_until_it_is_deleted() {
    let cloud = Cloud::start_with(|options| options.retained_backup_quota = 1).await;
    let rds = &cloud.rds;
    create(rds, "first", "17").send().await.unwrap();
    create(rds, "second", "17").send().await.unwrap();
    cloud.status_is("first", "available").await;
    cloud.status_is("second", "available").await;
    let delete = |id: &str| {
        let delete = rds.delete_db_instance().db_instance_identifier(id).skip_final_snapshot(true);
        delete.delete_automated_backups(false).send()
    };
    let first = instance(rds, "first").await.unwrap();
    let resource_id = first.dbi_resource_id().unwrap();
    delete("first").await.unwrap();
    let exceeded = "DBInstanceAutomatedBackupQuotaExceeded";
    assert_eq!(outcome(delete("second").await), exceeded, "while the first is still going");
    cloud.gone("first").await;
    assert_eq!(outcome(delete("second").await), exceeded);
    let backups = async || -> Vec<DbInstanceAutomatedBackup> {
        let found = rds.describe_db_instance_automated_backups().send().await.unwrap();
        found.db_instance_automated_backups().to_vec()
    };
    let mut statuses: Vec<_> = backups().await.into_iter().map(|backup| backup.status.unwrap()).collect();
    statuses.sort();
    assert_eq!(statuses, ["active", "retained"]);
    let retained = rds.describe_db_instance_automated_backups().dbi_resource_id(resource_id).send().await.unwrap();
    let retained = &retained.db_instance_automated_backups()[0];
    assert_eq!((retained.db_instance_identifier(), retained.status()), (Some("first"), Some("retained")));
    assert!(retained.restore_window().unwrap().earliest_time().is_some());

    let second = instance(rds, "second").await.unwrap();
    let active = rds.delete_db_instance_automated_backup().dbi_resource_id(second.dbi_resource_id().unwrap());
    assert_eq!(outcome(active.send().await), "InvalidDBInstanceAutomatedBackupState");
    let forget = rds.delete_db_instance_automated_backup().dbi_resource_id(resource_id);
    forget.clone().send().await.unwrap();
    assert_eq!(outcome(forget.send().await), "DBInstanceAutomatedBackupNotFound");
    delete("second").await.unwrap();
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_ends_a_stop_and_the_snapshot_that_came_with_it() {
    // Slow enough to be in the middle of it.
    let cloud = Cloud::start_with(|options| options.time_scale = 0.02).await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").send().await.unwrap();
    cloud.status_is("orders", "available").await;
    let stop = rds.stop_db_instance().db_instance_identifier("orders").db_snapshot_identifier("half");
    stop.send().await.unwrap();
    let delete = rds.delete_db_instance().db_instance_identifier("orders").skip_final_snapshot(true);
    delete.send().await.unwrap();
    cloud.gone("orders").await;
    let left = rds.describe_db_snapshots().snapshot_type("manual").send().await.unwrap();
    assert!(left.db_snapshots().is_empty(), "for ever being created: {left:?}");
    cloud.server.stop().await;
}
