//! What the master user may and may not do, on the oldest major, the first that forces TLS, and the newest.

// clippy.toml allows these in test functions; a test's own functions are no less tests.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use support::{Cloud, PASSWORD, create, login, sql};

/// SQLSTATE insufficient_privilege.
const DENIED: &str = "42501";

#[tokio::test(flavor = "multi_thread")]
async fn on_12() {
    check("12", "12.22", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_15() {
    check("15", "15.19", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_18() {
    check("18", "18.6", true).await;
}

async fn check(major: &str, version: &str, forces_tls: bool) {
    let cloud = Cloud::start().await;
    create(&cloud.rds, "p", major).send().await.unwrap();
    let instance = cloud.status_is("p", "available").await;
    assert_eq!(instance.engine_version(), Some(version));
    let mut master = cloud.login(&instance, "sysadmin", "postgres").await;

    for allowed in [
        "CREATE ROLE app LOGIN CREATEDB PASSWORD 'correct-horse-battery'",
        "GRANT rds_superuser TO app",
        "GRANT rds_replication TO app",
        "GRANT rds_iam TO app; REVOKE rds_iam FROM app",
        "CREATE DATABASE shop",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        "CREATE SCHEMA mine; CREATE TABLE mine.t ()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'",
        "SELECT count(*) FROM pg_roles",
    ] {
        sql(&mut master, allowed).await.unwrap_or_else(|error| panic!("{version}: {allowed}: {error}"));
    }
    for denied in [
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "CREATE ROLE root SUPERUSER",
        "CREATE ROLE sender REPLICATION",
        "CREATE ROLE blind BYPASSRLS",
        "ALTER ROLE rdsadmin PASSWORD 'x'",
        "SET ROLE rdsadmin",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "COPY mine.t FROM PROGRAM 'true'",
        "SELECT pg_read_file('postgresql.conf')",
        "DROP DATABASE rdsadmin",
    ] {
        let error = sql(&mut master, denied).await;
        let error = error.expect_err(&format!("{version}: {denied}"));
        assert!(error.starts_with(DENIED), "{version}: {denied}: {error}");
    }
    attributes(&mut master).await;

    // Its users log in with verified TLS; the service's own account and database are closed to everyone.
    cloud.login(&instance, "app", "shop").await;
    let ca = cloud.server.ca_pem_path();
    let users = [("rdsadmin", "postgres"), ("sysadmin", "rdsadmin")];
    for (user, database) in users {
        let refused = login(&instance, &ca, user, PASSWORD, database).await;
        assert!(refused.is_err(), "{version}: {user} in {database}");
    }
    let endpoint = instance.endpoint().unwrap();
    let plain = PgConnectOptions::new_without_pgpass()
        .host(endpoint.address().unwrap())
        .port(endpoint.port().unwrap().try_into().unwrap())
        .username("sysadmin")
        .password(PASSWORD)
        .database("postgres")
        .ssl_mode(PgSslMode::Disable);
    assert_eq!(plain.connect().await.is_err(), forces_tls, "{version}");
    cloud.server.stop().await;
}

async fn attributes(master: &mut PgConnection) {
    let query = "SELECT rolsuper, rolreplication, rolbypassrls, rolcreatedb, rolcreaterole, \
                 pg_has_role(oid, 'rds_superuser', 'MEMBER'), pg_has_role(oid, 'rds_iam', 'USAGE') \
                 FROM pg_roles WHERE rolname = current_user";
    let seen: (bool, bool, bool, bool, bool, bool, bool) = sqlx::query_as(query).fetch_one(&mut *master).await.unwrap();
    assert_eq!(seen, (false, false, false, true, true, true, false));
    let owners = "SELECT datname::text, pg_get_userbyid(datdba)::text FROM pg_database \
                  WHERE datname IN ('postgres', 'rdsadmin', 'shop') ORDER BY 1";
    let owners: Vec<(String, String)> = sqlx::query_as(owners).fetch_all(master).await.unwrap();
    let owners: Vec<_> = owners.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let expected = [("postgres", "sysadmin"), ("rdsadmin", "rdsadmin"), ("shop", "sysadmin")];
    assert_eq!(owners, expected);
}
