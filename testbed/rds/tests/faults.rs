//! Faults on order: what they do, to whom, and that it ends.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::Duration;

use aws_sdk_rds::types::SourceType;
use serde_json::json;
use support::{Cloud, code, create, eventually, instance, sql};
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_one_instance_is_no_fault_of_another() {
    // As slow as RDS: nothing moves meanwhile.
    let cloud = Cloud::start_with(|options| options.time_scale = 1.0).await;
    let rds = &cloud.rds;
    let order = |action: &str, code: &str| json!({"action": action, "instance": "orders", "code": code, "times": 9});
    cloud.order_fault(order("CreateDBInstance", "Throttling")).await;
    create(rds, "other", "17").send().await.unwrap();
    assert_eq!(code(&create(rds, "orders", "17").send().await.unwrap_err()), "Throttling");
    cloud.order_fault(order("DescribeDBInstances", "InternalFailure")).await;
    cloud.order_fault(order("AddTagsToResource", "AccessDenied")).await;
    assert_eq!(instance(rds, "orders").await.unwrap_err(), "InternalFailure");
    let other = instance(rds, "other").await.unwrap();
    assert_eq!(rds.describe_db_instances().send().await.unwrap().db_instances().len(), 1);
    let tag = aws_sdk_rds::types::Tag::builder().key("a").value("b").build();
    let add = |arn: &str| rds.add_tags_to_resource().resource_name(arn).tags(tag.clone()).send();
    let arn = other.db_instance_arn().unwrap();
    add(arn).await.unwrap();
    assert_eq!(code(&add(&arn.replace("other", "orders")).await.unwrap_err()), "AccessDenied");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_call_is_carried_out_after_its_caller_has_gone() {
    let cloud = Cloud::start_with(|options| options.time_scale = 1.0).await;
    let rds = &cloud.rds;
    let late = json!({"action": "CreateDBInstance", "instance": "told", "code": "RequestTimeout", "late_ms": 300});
    cloud.order_fault(late).await;
    assert_eq!(code(&create(rds, "told", "17").send().await.unwrap_err()), "RequestTimeout");
    assert_eq!(instance(rds, "told").await.unwrap_err(), "DBInstanceNotFound", "not yet");
    eventually("there all the same", async || instance(rds, "told").await).await;

    cloud.order_fault(json!({"action": "CreateDBInstance", "instance": "left", "late_ms": 300})).await;
    let hung_up = timeout(Duration::from_millis(50), create(rds, "left", "17").send()).await;
    assert!(hung_up.is_err(), "answered at once");
    eventually("there all the same", async || instance(rds, "left").await).await;

    cloud.order_fault(json!({"action": "CreateDBInstance", "instance": "slow", "late_ms": 100})).await;
    let patient = create(rds, "slow", "17").send().await.unwrap().db_instance.unwrap();
    assert_eq!(patient.db_instance_status(), Some("creating"));
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_loses_its_endpoint_a_change_and_a_snapshot() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17").send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    let mut session = cloud.login(&orders, "sysadmin", "postgres").await;
    sql(&mut session, "CREATE TABLE kept ()").await.unwrap();

    cloud.order_fault(json!({"instance": "orders", "endpoint": false})).await;
    let without = instance(rds, "orders").await.unwrap();
    assert!(without.endpoint().is_none() && without.instance_create_time().is_some());
    cloud.order_fault(json!({"instance": "orders", "endpoint": true})).await;
    assert_eq!(instance(rds, "orders").await.unwrap().endpoint(), orders.endpoint());

    let event = "Unable to modify the DB instance: insufficient instance capacity";
    let change = || {
        let modify = rds.modify_db_instance().db_instance_identifier("orders").apply_immediately(true);
        modify.db_instance_class("db.t4g.small").master_user_password("another-password").send()
    };
    cloud.order_fault(json!({"instance": "orders", "drop_change": event})).await;
    change().await.unwrap();
    eventually("told by an event", async || {
        let events = rds.describe_events().source_identifier("orders").source_type(SourceType::DbInstance);
        let events = events.send().await.unwrap();
        if events.events().iter().any(|told| told.message() == Some(event)) { Ok(()) } else { Err("no event") }
    })
    .await;
    let unchanged = cloud.status_is("orders", "available").await;
    assert_eq!(unchanged.db_instance_class(), Some("db.t4g.micro"));
    assert_eq!(unchanged.pending_modified_values().unwrap().db_instance_class(), None);
    cloud.login(&unchanged, "sysadmin", "postgres").await;
    assert_eq!(cloud.local("faults").await["instances"], json!({}), "once only");

    // A final snapshot that fails ends the deletion, not the data.
    cloud.order_fault(json!({"instance": "orders", "fail_snapshot": true})).await;
    let delete = |last: &str| {
        rds.delete_db_instance().db_instance_identifier("orders").final_db_snapshot_identifier(last).send()
    };
    delete("failing").await.unwrap();
    let status = async |id: &str| {
        let found = rds.describe_db_snapshots().db_snapshot_identifier(id).send().await.unwrap();
        found.db_snapshots()[0].status().unwrap().to_owned()
    };
    eventually("a failed snapshot", async || match status("failing").await {
        failed if failed == "failed" => Ok(()),
        other => Err(other),
    })
    .await;
    let kept = cloud.status_is("orders", "available").await;
    let mut session = cloud.login(&kept, "sysadmin", "postgres").await;
    sql(&mut session, "SELECT FROM kept").await.unwrap();
    let restore = rds.restore_db_instance_from_db_snapshot().db_instance_identifier("restored");
    let refused = restore.db_snapshot_identifier("failing").send().await.unwrap_err();
    assert_eq!(code(&refused), "InvalidDBSnapshotState");
    rds.delete_db_snapshot().db_snapshot_identifier("failing").send().await.unwrap();
    delete("last").await.unwrap();
    cloud.gone("orders").await;
    assert_eq!(status("last").await, "available");
    cloud.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn maintenance_waits_until_somebody_opts_in_and_brings_the_newest_minor() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "17.10").preferred_maintenance_window(far_away()).send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    let arn = orders.db_instance_arn().unwrap();
    let none = rds.describe_pending_maintenance_actions().send().await.unwrap();
    assert!(none.pending_maintenance_actions().is_empty());

    let required =
        json!({"action": "db-upgrade", "auto_applied_after": "2026-01-01T00:00:00Z", "description": "17.11"});
    cloud.order_fault(json!({"instance": "orders", "maintenance": required})).await;
    let listed = rds.describe_pending_maintenance_actions().resource_identifier(arn).send().await.unwrap();
    let [resource] = listed.pending_maintenance_actions() else { panic!("{listed:?}") };
    assert_eq!(resource.resource_identifier(), Some(arn));
    let [pending] = resource.pending_maintenance_action_details() else { panic!("{resource:?}") };
    assert_eq!((pending.action(), pending.description()), (Some("db-upgrade"), Some("17.11")));
    assert!(pending.opt_in_status().is_none() && pending.current_apply_date() > pending.auto_applied_after_date());

    let apply = |action: &str, opt_in: &str| {
        let call = rds.apply_pending_maintenance_action().resource_identifier(arn);
        call.apply_action(action).opt_in_type(opt_in).send()
    };
    assert_eq!(code(&apply("os-upgrade", "immediate").await.unwrap_err()), "ResourceNotFoundFault");
    let opted = apply("db-upgrade", "next-maintenance").await.unwrap().resource_pending_maintenance_actions.unwrap();
    assert_eq!(opted.pending_maintenance_action_details()[0].opt_in_status(), Some("next-maintenance"));
    apply("db-upgrade", "undo-opt-in").await.unwrap();
    apply("db-upgrade", "immediate").await.unwrap();
    let done = eventually("maintained", async || {
        let orders = cloud.status_is("orders", "available").await;
        if orders.engine_version() == Some("17.11") { Ok(orders) } else { Err(orders.engine_version) }
    })
    .await;
    let mut session = cloud.login(&done, "sysadmin", "postgres").await;
    let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut session).await.unwrap();
    assert!(version.starts_with("17.11"), "{version}");
    let none = rds.describe_pending_maintenance_actions().send().await.unwrap();
    assert!(none.pending_maintenance_actions().is_empty());
    cloud.server.stop().await;
}

/// A window that is not open now.
fn far_away() -> &'static str {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).weekday();
    if today == jiff::civil::Weekday::Monday { "thu:05:00-thu:05:30" } else { "mon:05:00-mon:05:30" }
}
