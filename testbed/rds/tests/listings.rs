//! What the Describe actions answer: names and ARNs, filters, versions, events, and the members that clients read.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use aws_sdk_rds::types::{DbInstance, DbSnapshot, Filter, SourceType};
use support::{Cloud, code, create, eventually};

const VALUE: &str = "InvalidParameterValue";

fn filter(name: &str, values: &[&str]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.iter().map(ToString::to_string).collect())).build()
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_and_snapshots_are_found_by_name_arn_and_filter() {
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    create(rds, "orders", "18").send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    rds.create_db_snapshot().db_instance_identifier("orders").db_snapshot_identifier("kept").send().await.unwrap();
    cloud.snapshot_is_available("kept").await;
    let kept =
        rds.describe_db_snapshots().db_snapshot_identifier("Kept").send().await.unwrap().db_snapshots()[0].clone();
    let (arn, snapshot_arn) = (orders.db_instance_arn().unwrap(), kept.db_snapshot_arn().unwrap());
    let elsewhere = arn.replace("000000000000", "111111111111");

    let instances = async |name: Option<&str>, filters: Vec<Filter>| {
        let call = rds.describe_db_instances().set_db_instance_identifier(name.map(str::to_owned));
        let answer = call.set_filters(Some(filters)).send().await.map_err(|error| code(&error))?;
        Ok::<_, String>(answer.db_instances().len())
    };
    assert_eq!(instances(Some(arn), vec![]).await, Ok(1));
    assert_eq!(instances(Some("ORDERS"), vec![filter("engine", &["mysql"])]).await, Ok(0));
    assert_eq!(instances(Some(&elsewhere), vec![]).await, Err("DBInstanceNotFound".to_owned()));
    assert_eq!(instances(None, vec![filter("db-instance-id", &[arn])]).await, Ok(1));
    assert_eq!(instances(None, vec![filter("db-instance-id", &[&elsewhere])]).await, Ok(0));
    assert_eq!(instances(None, vec![filter("tag:team", &["x"])]).await, Err(VALUE.to_owned()));

    let snapshots = async |name: Option<&str>, of: Option<&str>, filters: Vec<Filter>| {
        let call = rds.describe_db_snapshots().set_db_snapshot_identifier(name.map(str::to_owned));
        let call = call.set_db_instance_identifier(of.map(str::to_owned)).set_filters(Some(filters));
        let answer = call.send().await.map_err(|error| code(&error))?;
        Ok::<_, String>(answer.db_snapshots().iter().filter(|found| found.snapshot_type() == Some("manual")).count())
    };
    assert_eq!(snapshots(Some(snapshot_arn), None, vec![]).await, Ok(1));
    assert_eq!(snapshots(Some("none"), None, vec![]).await, Err("DBSnapshotNotFound".to_owned()));
    assert_eq!(snapshots(None, Some(arn), vec![]).await, Ok(1));
    assert_eq!(snapshots(None, None, vec![filter("db-instance-id", &[arn])]).await, Ok(1));
    assert_eq!(snapshots(None, None, vec![filter("db-instance-id", &["other"])]).await, Ok(0));
    assert_eq!(snapshots(None, None, vec![filter("db-snapshot-id", &["Kept"])]).await, Ok(1));
    assert_eq!(snapshots(None, None, vec![filter("tag:team", &["x"])]).await, Err(VALUE.to_owned()));

    members(&orders, &kept);
    let modify = || rds.modify_db_snapshot().db_snapshot_identifier("kept");
    let same = modify().engine_version("18.6").send().await.unwrap().db_snapshot.unwrap();
    assert_eq!((same.status(), same.engine_version()), (Some("available"), Some("18.6")));
    modify().send().await.expect("it asks for nothing");
    assert_eq!(code(&modify().engine_version("18.9").send().await.unwrap_err()), "InvalidParameterCombination");
    empty_modifications(&cloud).await;
    events(&cloud).await;
    // What only takes an identifier takes no ARN.
    let delete = rds.delete_db_instance().db_instance_identifier(arn).skip_final_snapshot(true);
    assert_eq!(code(&delete.send().await.unwrap_err()), "DBInstanceNotFound");
    let restore = rds.restore_db_instance_from_db_snapshot().db_instance_identifier("again");
    restore.db_snapshot_identifier(snapshot_arn).send().await.unwrap();
    cloud.server.stop().await;
}

/// An instance is in a VPC, in the default groups where it was given none.
fn members(orders: &DbInstance, kept: &DbSnapshot) {
    let group = orders.db_subnet_group().expect("every instance has one");
    assert_eq!(group.db_subnet_group_name(), Some("default"));
    let zones = group.subnets().iter().filter_map(|subnet| subnet.subnet_availability_zone()?.name());
    assert_eq!(zones.collect::<Vec<_>>(), ["eu-central-1a", "eu-central-1b"]);
    let vpc = group.vpc_id().unwrap();
    assert!(vpc.starts_with("vpc-"), "{vpc}");
    assert_eq!(kept.vpc_id(), Some(vpc));
    let security = orders.vpc_security_groups();
    assert_eq!((security.len(), security[0].status()), (1, Some("active")));
    assert_eq!(kept.snapshot_database_time(), kept.snapshot_create_time());
}

/// Refused, unless what waits for the window is to be applied: that nothing waits is no mistake.
async fn empty_modifications(cloud: &Cloud) {
    let modify = || cloud.rds.modify_db_instance().db_instance_identifier("orders");
    let refused = modify().send().await.unwrap_err();
    assert_eq!(code(&refused), "InvalidParameterCombination");
    let answer = modify().apply_immediately(true).send().await.unwrap().db_instance.unwrap();
    assert_eq!(answer.db_instance_status(), Some("available"));

    modify().db_instance_class("db.t4g.small").send().await.unwrap();
    let still = support::instance(&cloud.rds, "orders").await.unwrap();
    assert_eq!(still.db_instance_class(), Some("db.t4g.micro"));
    modify().apply_immediately(true).send().await.unwrap();
    eventually("what waited is applied", async || {
        let seen = cloud.status_is("orders", "available").await;
        if seen.db_instance_class() == Some("db.t4g.small") { Ok(()) } else { Err(seen) }
    })
    .await;
}

async fn events(cloud: &Cloud) {
    let said = async |kind: SourceType, id: &str| -> Vec<String> {
        let call = cloud.rds.describe_events().source_type(kind).source_identifier(id);
        let answer = call.send().await.unwrap();
        answer.events().iter().map(|event| event.message().unwrap().to_owned()).collect()
    };
    let backup = ["Backing up DB instance", "Finished DB Instance backup"];
    let class =
        ["Applying modification to database instance class", "Finished applying modification to DB instance class"];
    let expected = [&["DB instance created"], &backup[..], &backup, &class].concat();
    assert_eq!(said(SourceType::DbInstance, "orders").await, expected);
    assert_eq!(said(SourceType::DbSnapshot, "kept").await, ["Creating manual snapshot", "Manual snapshot created"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_listed_by_filter_and_deprecated_ones_on_demand() {
    let cloud = Cloud::start().await;
    let listed = async |all: bool, filters: Vec<Filter>| {
        let call = cloud.rds.describe_db_engine_versions().set_filters(Some(filters)).include_all(all);
        let answer = call.send().await.map_err(|error| code(&error))?;
        let versions = answer.db_engine_versions().iter();
        Ok::<_, String>(versions.map(|version| version.engine_version().unwrap().to_owned()).collect::<Vec<_>>())
    };
    let twelve = || filter("engine-version", &["12"]);
    let offered = ["12.20", "12.22", "12.22-rds.20250814"];
    assert_eq!(listed(false, vec![twelve()]).await.unwrap(), offered);
    assert_eq!(listed(false, vec![filter("db-parameter-group-family", &["postgres12"])]).await.unwrap(), offered);
    assert_eq!(listed(true, vec![twelve()]).await.unwrap(), ["12.15", "12.20", "12.22", "12.22-rds.20250814"]);
    assert_eq!(listed(true, vec![twelve(), filter("status", &["deprecated"])]).await.unwrap(), ["12.15"]);
    assert_eq!(listed(false, vec![filter("status", &["deprecated"])]).await.unwrap(), [""; 0]);
    assert_eq!(listed(false, vec![filter("engine", &["mysql"])]).await.unwrap(), [""; 0]);
    assert_eq!(listed(false, vec![filter("tag", &["x"])]).await, Err(VALUE.to_owned()));

    let one = cloud.rds.describe_db_engine_versions().engine("postgres").engine_version("12.22").send().await.unwrap();
    let one = &one.db_engine_versions()[0];
    assert_eq!(
        one.supported_ca_certificate_identifiers(),
        ["rds-ca-rsa2048-g1", "rds-ca-rsa4096-g1", "rds-ca-ecc384-g1"]
    );
    assert_eq!(one.valid_upgrade_target()[0].engine_version(), Some("12.22-rds.20250814"));
    let old = create(&cloud.rds, "old", "12.15").send().await.unwrap_err();
    assert_eq!(code(&old), "InvalidParameterCombination");

    // It runs the community's last minor.
    create(&cloud.rds, "extended", "12.22-rds.20250814").send().await.unwrap();
    let extended = cloud.status_is("extended", "available").await;
    assert_eq!(extended.engine_version(), Some("12.22-rds.20250814"));
    let mut session = cloud.login(&extended, "sysadmin", "postgres").await;
    let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut session).await.unwrap();
    assert!(version.starts_with("12.22"), "{version}");
    cloud.server.stop().await;
}
