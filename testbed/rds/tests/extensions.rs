//! CREATE EXTENSION by the master user: what is on RDS's list and nothing else, and no superuser is left behind.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use sqlx::PgConnection;
use support::{Cloud, PASSWORD, create, eventually, login, sql};

#[tokio::test(flavor = "multi_thread")]
async fn on_12() {
    check("12", "template1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_18() {
    check("18", "template0").await;
}

async fn check(version: &str, template: &str) {
    let cloud = Cloud::start().await;
    create(&cloud.rds, "p", version).send().await.unwrap();
    let instance = cloud.status_is("p", "available").await;
    let mut master = cloud.login(&instance, "sysadmin", "postgres").await;
    for statement in
        ["CREATE ROLE app LOGIN PASSWORD 'correct-horse-battery'", "CREATE ROLE other; GRANT other TO sysadmin"]
    {
        sql(&mut master, statement).await.unwrap();
    }
    let made = format!("CREATE DATABASE shop TEMPLATE {template}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(made)).execute(&mut master).await.unwrap();

    for database in ["postgres", "shop"] {
        let mut master = cloud.login(&instance, "sysadmin", database).await;
        for allowed in [
            "CREATE EXTENSION pg_stat_statements",
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements",
            "CREATE EXTENSION earthdistance CASCADE",
            "BEGIN; CREATE EXTENSION pg_trgm; CREATE EXTENSION \"uuid-ossp\"; COMMIT",
            "DO $$ BEGIN EXECUTE 'CREATE EXTENSION hstore'; END $$",
            "ALTER EXTENSION pg_stat_statements UPDATE",
            "DROP EXTENSION pg_trgm",
        ] {
            sql(&mut master, allowed).await.unwrap_or_else(|error| panic!("{version} {database}: {allowed}: {error}"));
            assert!(!superuser(&mut master).await, "{version} {database}: {allowed}");
        }
        for (refused, state) in [
            ("CREATE EXTENSION file_fdw", "0A000"),
            ("DO $$ BEGIN EXECUTE 'CREATE EXTENSION ' || 'pageinspect'; END $$", "0A000"),
            ("CREATE EXTENSION bloom; CREATE EXTENSION pg_stat_statements", "42710"),
            ("CREATE EXTENSION no_such_extension", if version == "12" { "58P01" } else { "0A000" }),
            // Who acts as another role has that one's rights.
            ("SET ROLE other; CREATE EXTENSION dblink", "42501"),
            ("RESET ROLE; ALTER EXTENSION plpgsql DROP EVENT TRIGGER rds_extension_start", "42501"),
            ("DROP EVENT TRIGGER rds_extension_end", "42501"),
        ] {
            let error = sql(&mut master, refused).await.expect_err(refused);
            assert!(error.starts_with(state), "{version} {database}: {refused}: {error}");
            assert!(!superuser(&mut master).await, "{version} {database}: {refused}");
        }
        let ca = cloud.server.ca_pem_path();
        let mut app = login(&instance, &ca, "app", PASSWORD, database).await.unwrap();
        let error = sql(&mut app, "CREATE EXTENSION dblink").await.expect_err("app is in no rds_superuser");
        assert!(error.starts_with("42501"), "{version} {database}: {error}");
    }
    // In two databases at the same time.
    let (mut first, mut second) =
        (cloud.login(&instance, "sysadmin", "postgres").await, cloud.login(&instance, "sysadmin", "shop").await);
    sql(&mut first, "BEGIN; CREATE EXTENSION amcheck").await.unwrap();
    let waiting = tokio::spawn(async move { sql(&mut second, "CREATE EXTENSION amcheck").await });
    let blocked = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'shop' AND wait_event_type = 'Lock'";
    eventually("the second waits for the first", async || {
        let mut watch = cloud.login(&instance, "sysadmin", "postgres").await;
        let count: i64 = sqlx::query_scalar(blocked).fetch_one(&mut watch).await.unwrap();
        if count == 1 { Ok(()) } else { Err(count) }
    })
    .await;
    sql(&mut first, "COMMIT").await.unwrap();
    waiting.await.unwrap().unwrap_or_else(|error| panic!("{version}: {error}"));
    assert!(!superuser(&mut master).await, "{version}: after two at a time");
    let listed: String = sqlx::query_scalar("SHOW rds.extensions").fetch_one(&mut master).await.unwrap();
    assert!(listed.contains("pg_stat_statements, pg_trgm"), "{listed}");
    cloud.server.stop().await;
}

/// Whether anybody but the service is one.
async fn superuser(connection: &mut PgConnection) -> bool {
    let query = "SELECT count(*) > 0 FROM pg_roles WHERE rolsuper AND rolname <> 'rdsadmin'";
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}
