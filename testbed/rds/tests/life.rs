//! The life of an instance, through the real SDK and real connections.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use aws_sdk_rds::types::{DbInstance, Tag};
use sqlx::{Connection, Row};
use support::{Cloud, PASSWORD, code, create, eventually, login, sql};

#[tokio::test(flavor = "multi_thread")]
async fn from_create_to_the_final_snapshot_and_back() {
    let cloud = Cloud::start_with(|options| {
        options.storage_cooldown_scale = Some(1.0);
        // Slow enough for a busy machine to see each state before it passes.
        options.time_scale = 0.02;
    })
    .await;
    let rds = &cloud.rds;
    let tag = Tag::builder().key("team").value("shop + co").build();
    let created = create(rds, "Orders", "15")
        .db_name("shop")
        .storage_encrypted(true)
        .copy_tags_to_snapshot(true)
        .tags(tag.clone())
        .send()
        .await
        .unwrap();
    let created = created.db_instance.unwrap();
    assert_eq!(created.db_instance_identifier(), Some("orders"));
    assert_eq!(created.db_instance_status(), Some("creating"));
    assert!(created.endpoint().is_none() && created.instance_create_time().is_none());
    let refused = create(rds, "orders", "15").send().await.unwrap_err();
    assert_eq!(code(&refused), "DBInstanceAlreadyExists");

    let orders = cloud.status_is("orders", "available").await;
    assert_eq!(orders.engine_version(), Some("15.19"));
    assert_eq!(orders.tag_list(), [tag]);
    assert_eq!(orders.db_instance_arn(), Some("arn:aws:rds:eu-central-1:000000000000:db:orders"));
    assert_eq!(orders.dbi_resource_id().map(str::len), Some(29));
    assert!(orders.kms_key_id().is_some() && orders.instance_create_time().is_some());
    let mut shop = cloud.login(&orders, "sysadmin", "shop").await;
    sql(&mut shop, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await.unwrap();

    grows_then_cools_down(&cloud).await;

    // A snapshot of the running server has what was committed before it, and is restored with the password of its time.
    rds.create_db_snapshot().db_instance_identifier("orders").db_snapshot_identifier("before").send().await.unwrap();
    cloud.snapshot_is_available("before").await;
    resets_the_password(&cloud).await;
    let orders = cloud.status_is("orders", "storage-optimization").await;
    let ca = cloud.server.ca_pem_path();
    let refused = login(&orders, &ca, "sysadmin", PASSWORD, "shop").await;
    assert!(refused.is_err(), "the old password is still good");
    sql(&mut shop, "INSERT INTO t VALUES (2)").await.unwrap();

    rds.delete_db_instance()
        .db_instance_identifier("orders")
        .final_db_snapshot_identifier("last")
        .send()
        .await
        .unwrap();
    cloud.gone("orders").await;
    assert!(shop.ping().await.is_err(), "its server is still there");
    // Available when the instance is gone, not later.
    let last = rds.describe_db_snapshots().db_snapshot_identifier("last");
    let last = last.send().await.unwrap().db_snapshots()[0].clone();
    assert_eq!(last.status(), Some("available"));
    assert_eq!(last.tag_list()[0].value(), Some("shop + co"));

    for (snapshot, password, rows) in [("before", PASSWORD, 1), ("last", "another-password", 2)] {
        let id = format!("from-{snapshot}");
        rds.restore_db_instance_from_db_snapshot()
            .db_instance_identifier(&id)
            .db_snapshot_identifier(snapshot)
            .send()
            .await
            .unwrap();
        let restored = cloud.status_is(&id, "available").await;
        let mut shop = login(&restored, &ca, "sysadmin", password, "shop").await.unwrap();
        let count = sqlx::query("SELECT count(*) FROM t").fetch_one(&mut shop);
        assert_eq!(count.await.unwrap().get::<i64, _>(0), rows, "{snapshot}");
    }
    cloud.server.stop().await;
}

async fn grows_then_cools_down(cloud: &Cloud) {
    let grow = |size| {
        let call = cloud.rds.modify_db_instance();
        let call = call.db_instance_identifier("orders").allocated_storage(size);
        call.apply_immediately(true).send()
    };
    assert_eq!(code(&grow(21).await.unwrap_err()), "InvalidParameterCombination");
    assert_eq!(code(&grow(19).await.unwrap_err()), "InvalidParameterCombination");
    let answer = grow(30).await.unwrap().db_instance.unwrap();
    assert_eq!(answer.db_instance_status(), Some("available"), "no lag");
    let pending = answer.pending_modified_values().unwrap();
    assert_eq!(pending.allocated_storage(), Some(30));
    let busy = grow(40).await.unwrap_err();
    assert_eq!(code(&busy), "InvalidDBInstanceState");

    cloud.status_is("orders", "modifying").await;
    let grown = cloud.status_is("orders", "storage-optimization").await;
    assert_eq!(grown.allocated_storage(), Some(30));
    let refused = grow(40).await.unwrap_err().into_service_error();
    assert!(refused.to_string().contains("InvalidParameterCombination"));
    let message = refused.meta().message().unwrap_or_default();
    assert!(message.contains("is being optimized"), "{message}");
}

async fn resets_the_password(cloud: &Cloud) {
    cloud
        .rds
        .modify_db_instance()
        .db_instance_identifier("orders")
        .master_user_password("another-password")
        .send()
        .await
        .unwrap();
    cloud.status_is("orders", "resetting-master-credentials").await;
    let ca = cloud.server.ca_pem_path();
    eventually("the new password is good", async || {
        let orders: DbInstance = support::instance(&cloud.rds, "orders").await.unwrap();
        let logged_in = login(&orders, &ca, "sysadmin", "another-password", "shop").await;
        logged_in.map(drop).map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_taken_under_load_is_consistent_on_12() {
    snapshot_under_load("12").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_taken_under_load_is_consistent_on_18() {
    snapshot_under_load("18").await;
}

/// Transfers go on between two accounts while the files are copied: what is restored has no half of one.
async fn snapshot_under_load(version: &str) {
    let cloud = Cloud::start().await;
    create(&cloud.rds, "bank", version).send().await.unwrap();
    let bank = cloud.status_is("bank", "available").await;
    let mut session = cloud.login(&bank, "sysadmin", "postgres").await;
    let accounts = "CREATE TABLE account (id int PRIMARY KEY, amount int, note text); \
                    INSERT INTO account SELECT n, 10, '' FROM generate_series(1, 1000) n";
    sql(&mut session, accounts).await.unwrap();
    let transfers = tokio::spawn(async move {
        let transfer = "UPDATE account SET amount = amount + CASE id % 2 WHEN 0 THEN 1 ELSE -1 END, \
                        note = repeat(md5(random()::text), 20)";
        while sql(&mut session, transfer).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let snapshot = cloud.rds.create_db_snapshot().db_instance_identifier("bank");
    snapshot.db_snapshot_identifier("during").send().await.unwrap();
    cloud.snapshot_is_available("during").await;
    // Its end ends the transfers.
    let delete = cloud.rds.delete_db_instance().db_instance_identifier("bank");
    delete.skip_final_snapshot(true).send().await.unwrap();
    transfers.await.unwrap();

    let restore = cloud.rds.restore_db_instance_from_db_snapshot();
    let restore = restore.db_instance_identifier("restored").db_snapshot_identifier("during");
    restore.send().await.unwrap();
    let restored = cloud.status_is("restored", "available").await;
    let mut session = cloud.login(&restored, "sysadmin", "postgres").await;
    let sums = "SELECT count(*), sum(amount), max(amount) > 10 FROM account";
    let seen: (i64, i64, bool) = sqlx::query_as(sums).fetch_one(&mut session).await.unwrap();
    assert_eq!(seen, (1000, 10_000, true), "rows, their sum, and whether transfers ran");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minor_upgrade_keeps_the_data_and_waits_for_its_window_unless_told_not_to() {
    let cloud = Cloud::start().await;
    create(&cloud.rds, "old", "18.4").send().await.unwrap();
    let old = cloud.status_is("old", "available").await;
    let mut session = cloud.login(&old, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE kept ()").await.unwrap();
    let upgrade = |version: &str, now| {
        let call = cloud.rds.modify_db_instance().db_instance_identifier("old");
        call.engine_version(version).apply_immediately(now).send()
    };
    // The daily backup may begin at any moment, and nothing is changed while it runs.
    let taken =
        async |version: &str, now| eventually("taken", async || upgrade(version, now).await).await.db_instance.unwrap();
    let waits = taken("18.6", false).await;
    let pending = waits.pending_modified_values().unwrap();
    assert_eq!(pending.engine_version(), Some("18.6"));
    assert_eq!(waits.engine_version(), Some("18.4"));

    // Naming the present version takes it back.
    let back = taken("18.4", false).await;
    assert_eq!(back.pending_modified_values().unwrap().engine_version(), None);

    taken("18.6", true).await;
    let new = eventually("upgraded", async || {
        let seen = cloud.status_is("old", "available").await;
        match seen.engine_version() {
            Some("18.6") => Ok(seen),
            other => Err(other.map(str::to_owned)),
        }
    })
    .await;
    let mut session = cloud.login(&new, "sysadmin", "postgres").await;
    sql(&mut session, "SELECT FROM kept").await.unwrap();
    let version = sqlx::query_scalar("SHOW server_version").fetch_one(&mut session);
    let version: String = version.await.unwrap();
    assert!(version.starts_with("18.6"), "{version}");
    let refused = eventually("refused for what it is", async || {
        let refused = upgrade("18.4", true).await.unwrap_err();
        if code(&refused) == "InvalidDBInstanceState" { Err(refused) } else { Ok(refused) }
    })
    .await;
    assert_eq!(code(&refused), "InvalidParameterCombination");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_has_its_rules() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "guarded", "18").deletion_protection(true).send().await.unwrap();
    let delete = || rds.delete_db_instance().db_instance_identifier("guarded");
    let creating = delete().final_db_snapshot_identifier("last").send().await;
    assert_eq!(code(&creating.unwrap_err()), "InvalidDBInstanceState");
    let neither = delete().send().await.unwrap_err();
    assert_eq!(code(&neither), "InvalidParameterCombination");
    let both = delete().skip_final_snapshot(true).final_db_snapshot_identifier("last");
    let both = both.send().await.unwrap_err();
    assert_eq!(code(&both), "InvalidParameterCombination");
    let guarded = delete().skip_final_snapshot(true).send().await.unwrap_err();
    let guarded = guarded.into_service_error();
    let message = guarded.meta().message().unwrap_or_default();
    assert!(message.starts_with("Cannot delete protected DB Instance"));

    unprotect(rds).await;
    delete().skip_final_snapshot(true).send().await.unwrap();
    let again = delete().skip_final_snapshot(true).send().await.unwrap_err();
    assert_eq!(code(&again), "InvalidDBInstanceState");
    cloud.gone("guarded").await;
    let folder = cloud.folder.path().join("instances");
    eventually("files removed", async || {
        let left = folder.read_dir().unwrap().count();
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
    cloud.server.stop().await;
}

/// Protection can be taken off once the instance is available.
async fn unprotect(rds: &aws_sdk_rds::Client) {
    support::status_is(rds, "guarded", "available").await;
    rds.modify_db_instance().db_instance_identifier("guarded").deletion_protection(false).send().await.unwrap();
}
