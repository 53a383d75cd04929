//! Upgrades to another major version: what survives them, what is in their way, and what of them is told.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use aws_sdk_rds::operation::modify_db_instance::builders::ModifyDBInstanceFluentBuilder;
use aws_sdk_rds::types::{ApplyMethod, DbInstance, Parameter, SourceType};
use sqlx::PgConnection;
use support::{Cloud, PASSWORD, can_upgrade, code, create, eventually, login, sql, status_is};

#[tokio::test(flavor = "multi_thread")]
async fn from_12_to_13() {
    survives("12", "13.23").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_12_to_17() {
    survives("12", "17.11").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_15_to_18() {
    survives("15", "18.6").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_16_to_18() {
    survives("16", "18.6").await;
}

async fn survives(from: &str, to: &str) {
    if !can_upgrade(&format!("from {from} to {to}")).await {
        return;
    }
    let cloud = Cloud::start().await;
    create(&cloud.rds, "orders", from).db_name("plain").send().await.unwrap();
    let before = cloud.status_is("orders", "available").await;
    let mut master = cloud.login(&before, "sysadmin", "postgres").await;
    for statement in [
        "CREATE ROLE app LOGIN CONNECTION LIMIT 7 PASSWORD 'correct-horse-battery'",
        "CREATE ROLE \"the owner\"; GRANT \"the owner\" TO sysadmin; GRANT \"the owner\" TO app",
        "CREATE DATABASE \"shop's\" OWNER \"the owner\"",
        "REVOKE ALL ON DATABASE \"shop's\" FROM PUBLIC; GRANT CONNECT, CREATE ON DATABASE \"shop's\" TO app",
        "COMMENT ON ROLE app IS 'of the shop'",
        "ALTER ROLE app SET lock_timeout = '7s'; ALTER ROLE app IN DATABASE \"shop's\" SET work_mem = '8MB'",
        "CREATE TABLE untouched (n int)",
    ] {
        sql(&mut master, statement).await.unwrap_or_else(|error| panic!("{from}: {statement}: {error}"));
    }
    let mut shop = cloud.login(&before, "sysadmin", "shop's").await;
    for statement in [
        "CREATE SCHEMA tools; GRANT USAGE ON SCHEMA tools TO PUBLIC; CREATE EXTENSION pg_trgm SCHEMA tools; CREATE EXTENSION earthdistance CASCADE",
        "SET ROLE \"the owner\"; CREATE SCHEMA app; CREATE TABLE app.orders (id int PRIMARY KEY, note text)",
        "INSERT INTO app.orders SELECT n, 'order ' || n FROM generate_series(1, 500) n",
        "CREATE INDEX ON app.orders USING gin (note tools.gin_trgm_ops)",
        "CREATE VIEW app.late AS SELECT * FROM app.orders WHERE id > 400; GRANT SELECT ON app.late TO app; RESET ROLE",
        "COMMENT ON DATABASE \"shop's\" IS 'kept'",
        // In the way of whoever enters without looking.
        "ALTER DATABASE \"shop's\" SET default_transaction_read_only = on",
        "ALTER DATABASE \"shop's\" SET idle_in_transaction_session_timeout = '11s'",
    ] {
        let done = sql(&mut shop, statement).await;
        // Up to 15 the master comments on its own databases only.
        let own = statement.starts_with("COMMENT ON DATABASE");
        assert!(done.is_ok() || own, "{from}: {statement}: {done:?}");
    }
    let extensions = state(&mut shop).await;

    let target = to.split('.').next().unwrap();
    let without = modify(&cloud).engine_version(to).send().await.unwrap_err();
    assert_eq!(code(&without), "InvalidParameterCombination");
    modify(&cloud).engine_version(to).allow_major_version_upgrade(true).send().await.unwrap();
    cloud.status_is("orders", "upgrading").await;
    let after = cloud.status_is("orders", "available").await;
    assert_eq!(after.engine_version(), Some(to));
    assert_eq!((after.endpoint(), after.dbi_resource_id()), (before.endpoint(), before.dbi_resource_id()));
    let group = &after.db_parameter_groups()[0];
    assert_eq!(group.db_parameter_group_name(), Some(format!("default.postgres{target}").as_str()));

    let mut shop = cloud.login(&after, "sysadmin", "shop's").await;
    assert!(text(&mut shop, "SHOW server_version").await.starts_with(to), "{from}");
    assert_eq!(state(&mut shop).await, extensions, "{from} to {to}");
    let ca = cloud.server.ca_pem_path();
    let mut app = login(&after, &ca, "app", PASSWORD, "shop's").await.expect("the old password");
    for (query, expected) in [
        ("SELECT count(*)::text FROM app.late", "100"),
        ("SHOW work_mem", "8MB"),
        ("SHOW lock_timeout", "7s"),
        ("SHOW idle_in_transaction_session_timeout", "11s"),
        ("SELECT shobj_description('app'::regrole, 'pg_authid')", "of the shop"),
        ("SELECT rolconnlimit::text FROM pg_roles WHERE rolname = 'app'", "7"),
        ("SELECT count(*)::text FROM pg_roles WHERE rolsuper AND rolname <> 'rdsadmin'", "0"),
    ] {
        assert_eq!(text(&mut app, query).await, expected, "{from} to {to}: {query}");
    }
    let mut master = cloud.login(&after, "sysadmin", "postgres").await;
    sql(&mut master, "TABLE untouched; CREATE EXTENSION hstore").await.expect("what the master may, it still may");
    // Roles that the master made up to 15 are not its own from 16 on.
    let altered = sql(&mut master, "ALTER ROLE app PASSWORD 'another-battery-staple'").await;
    let lost = from.parse::<u16>().unwrap() < 16 && target.parse::<u16>().unwrap() >= 16;
    assert_eq!(altered.is_err(), lost, "{from} to {to}: {altered:?}");
    told(&cloud, from, to).await;
    cloud.server.stop().await;
}

/// Extensions with their versions and owners, the database with its owner, privileges and comment, and what is in it.
async fn state(shop: &mut PgConnection) -> Vec<String> {
    let query = "
        SELECT format('%s %s %s %s', extname, extversion, extnamespace::regnamespace, extowner::regrole)
        FROM pg_extension WHERE extname <> 'plpgsql'
        UNION ALL SELECT format('%s %s %s', datdba::regrole, shobj_description(oid, 'pg_database'), x)
        FROM pg_database, unnest(datacl) x WHERE datname = current_database()
        UNION ALL SELECT format('%s %s %s', oid::regclass, relowner::regrole, relkind)
        FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind <> 'i'
        ORDER BY 1";
    sqlx::query_scalar(query).fetch_all(shop).await.unwrap()
}

/// Two snapshots, and RDS's events in their order.
async fn told(cloud: &Cloud, from: &str, to: &str) {
    let listed = cloud.rds.describe_db_snapshots().db_instance_identifier("orders").send().await.unwrap();
    let named = |part: &str| {
        listed.db_snapshots().iter().filter(|s| s.db_snapshot_identifier().unwrap().contains(part)).count()
    };
    assert_eq!((named("preupgrade-orders"), listed.db_snapshots().len()), (1, 3), "{from} to {to}");
    let said = events(cloud).await;
    let expected = [
        "The pre-check started for the DB engine version upgrade.",
        "The pre-check finished for the DB engine version upgrade.",
        "The downtime started for the DB instance.",
        "The engine version upgrade started.",
        "The engine version upgrade finished.",
        "The post-upgrade tasks are in progress.",
        "Backing up DB instance",
        "Finished DB Instance backup",
    ];
    assert_eq!(said[said.len() - 8..], expected);
}

async fn events(cloud: &Cloud) -> Vec<String> {
    let call = cloud.rds.describe_events().source_type(SourceType::DbInstance).source_identifier("orders");
    call.send().await.unwrap().events().iter().map(|event| event.message().unwrap().to_owned()).collect()
}

async fn text(connection: &mut PgConnection, query: &'static str) -> String {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

fn modify(cloud: &Cloud) -> ModifyDBInstanceFluentBuilder {
    cloud.rds.modify_db_instance().db_instance_identifier("orders").apply_immediately(true)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_in_the_log_and_without_it_the_upgrade_is_made_from_14_to_18() {
    if !can_upgrade("from 14 to 18").await {
        return;
    }
    let cloud = Cloud::start().await;
    let rds = &cloud.rds;
    for (name, family, parameter, method) in [
        ("old", "postgres14", "max_prepared_transactions", ApplyMethod::PendingReboot),
        ("new", "postgres18", "work_mem", ApplyMethod::Immediate),
    ] {
        let group = rds.create_db_parameter_group().db_parameter_group_name(name).db_parameter_group_family(family);
        group.description(name).send().await.unwrap();
        let parameter = Parameter::builder().parameter_name(parameter).parameter_value("5000").apply_method(method);
        let set = rds.modify_db_parameter_group().db_parameter_group_name(name).parameters(parameter.build());
        set.send().await.unwrap();
    }
    create(rds, "orders", "14").db_parameter_group_name("old").db_name("shop").send().await.unwrap();
    let orders = cloud.status_is("orders", "available").await;
    let mut shop = cloud.login(&orders, "sysadmin", "shop").await;
    sql(&mut shop, "CREATE TABLE callbacks (name regprocedure); CREATE TABLE kinds (kind regtype)").await.unwrap();
    sql(&mut shop, "BEGIN; CREATE TABLE t (n int); PREPARE TRANSACTION 'left open'").await.unwrap();

    let upgrade = || modify(&cloud).engine_version("18.6").allow_major_version_upgrade(true);
    let refused = upgrade().send().await.unwrap_err().into_service_error();
    let message = refused.meta().message().unwrap_or_default().to_owned();
    assert!(message.contains("Current Parameter Group (old) is non-default"), "{message}");
    let upgrade = || upgrade().db_parameter_group_name("new");
    upgrade().send().await.unwrap();
    let said = eventually("refused", async || {
        let said = events(&cloud).await;
        if said.last().unwrap().contains("cannot be upgraded") { Ok(said) } else { Err(said) }
    })
    .await;
    assert!(said.last().unwrap().contains("pg_upgrade_precheck.log"), "{said:?}");
    let kept = cloud.status_is("orders", "available").await;
    assert_eq!(kept.engine_version(), orders.engine_version());
    assert_eq!(kept.db_parameter_groups()[0].db_parameter_group_name(), Some("old"));
    let log = log(&cloud).await;
    for part in
        ["from 14.24 to 18.6", "uncommitted prepared transactions", "left open", "'shop'", "public.callbacks.name"]
    {
        assert!(log.contains(part), "{part:?} in {log}");
    }
    assert!(!log.contains("kinds"), "regtype is kept: {log}");

    // The session that was open all the time has lost nothing.
    sql(&mut shop, "ROLLBACK PREPARED 'left open'").await.unwrap();
    sql(&mut shop, "DROP TABLE callbacks").await.unwrap();
    upgrade().send().await.unwrap();
    let upgraded = status_upgraded(&cloud).await;
    assert_eq!(upgraded.db_parameter_groups()[0].parameter_apply_status(), Some("in-sync"));
    let mut shop = cloud.login(&upgraded, "sysadmin", "shop").await;
    assert_eq!(text(&mut shop, "SHOW work_mem").await, "5000kB");
    assert_eq!(text(&mut shop, "SELECT count(*)::text FROM kinds").await, "0");
    cloud.server.stop().await;
}

async fn status_upgraded(cloud: &Cloud) -> DbInstance {
    eventually("18.6", async || {
        let orders = status_is(&cloud.rds, "orders", "available").await;
        assert!(!events(cloud).await.last().unwrap().contains("rollback"), "the upgrade failed");
        if orders.engine_version() == Some("18.6") { Ok(orders) } else { Err(orders.engine_version) }
    })
    .await
}

async fn log(cloud: &Cloud) -> String {
    let files = cloud.rds.describe_db_log_files().db_instance_identifier("orders");
    let files = files.filename_contains("pg_upgrade_precheck.log").send().await.unwrap();
    let [file] = files.describe_db_log_files() else { panic!("{files:?}") };
    let portion = cloud.rds.download_db_log_file_portion().db_instance_identifier("orders").marker("0");
    let portion = portion.log_file_name(file.log_file_name().unwrap()).send().await.unwrap();
    portion.log_file_data.unwrap()
}
