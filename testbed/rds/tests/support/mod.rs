//! What the tests share: a server in a folder of its own, clients for it, and waiting that says what was last seen.

// Each test binary uses another part of this.
#![allow(dead_code)]

use std::fmt::Debug;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_sdk_rds::config::retry::RetryConfig;
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_rds::error::ProvideErrorMetadata;
use aws_sdk_rds::operation::create_db_instance::builders::CreateDBInstanceFluentBuilder;
use aws_sdk_rds::types::DbInstance;
use local_rds::{Options, Server};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, PgConnection};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct-horse-battery";
/// Long enough for a download of PostgreSQL on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A server and a client for it. The folder is removed at the end.
pub(crate) struct Cloud {
    pub(crate) server: Server,
    pub(crate) rds: aws_sdk_rds::Client,
    pub(crate) folder: TempDir,
}

/// Options for a fast server in `folder`.
pub(crate) fn options(folder: &Path) -> Options {
    Options {
        time_scale: 0.002,
        program: Some(env!("CARGO_BIN_EXE_local-rds").into()),
        no_throttling: true,
        ..Options::new(folder)
    }
}

/// A client of the API at `endpoint`, which does not retry.
pub(crate) fn client(endpoint: &str, region: &str) -> aws_sdk_rds::Client {
    let config = aws_sdk_rds::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::new("AKLOCAL", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .build();
    aws_sdk_rds::Client::from_conf(config)
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(adjust: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        adjust(&mut options);
        let region = options.region.clone();
        let server = Server::start(options).await.unwrap();
        let rds = client(&server.endpoint(), &region);
        Self { server, rds, folder }
    }

    pub(crate) async fn status_is(&self, id: &str, status: &str) -> DbInstance {
        status_is(&self.rds, id, status).await
    }

    pub(crate) async fn gone(&self, id: &str) {
        eventually(&format!("{id} gone"), async || match instance(&self.rds, id).await {
            Ok(instance) => Err(instance.db_instance_status),
            Err(code) if code == "DBInstanceNotFound" => Ok(()),
            Err(code) => panic!("{code}"),
        })
        .await;
    }

    pub(crate) async fn snapshot_is_available(&self, id: &str) {
        eventually(&format!("snapshot {id} available"), async || {
            let call = self.rds.describe_db_snapshots().db_snapshot_identifier(id);
            let seen = call.send().await.map_err(|error| code(&error))?;
            let status = seen.db_snapshots()[0].status.clone().unwrap();
            if status == "available" { Ok(()) } else { Err(status) }
        })
        .await;
    }

    /// A verified connection as the master user.
    pub(crate) async fn login(&self, instance: &DbInstance, user: &str, database: &str) -> PgConnection {
        let ca = self.server.ca_pem_path();
        login(instance, &ca, user, PASSWORD, database).await.unwrap()
    }

    pub(crate) async fn local(&self, path: &str) -> serde_json::Value {
        let url = format!("{}/_local/{path}", self.server.endpoint());
        reqwest::get(url).await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn order_fault(&self, order: serde_json::Value) {
        let url = format!("{}/_local/faults", self.server.endpoint());
        let sent = reqwest::Client::new().post(url).json(&order).send().await;
        assert!(sent.unwrap().status().is_success(), "{order}");
    }
}

/// A request for an instance that is valid in every field.
pub(crate) fn create(rds: &aws_sdk_rds::Client, id: &str, version: &str) -> CreateDBInstanceFluentBuilder {
    rds.create_db_instance()
        .db_instance_identifier(id)
        .engine("postgres")
        .engine_version(version)
        .db_instance_class("db.t4g.micro")
        .allocated_storage(20)
        .master_username("sysadmin")
        .master_user_password(PASSWORD)
        .backup_retention_period(7)
}

/// The instance, or the code of the refusal.
pub(crate) async fn instance(rds: &aws_sdk_rds::Client, id: &str) -> Result<DbInstance, String> {
    let call = rds.describe_db_instances().db_instance_identifier(id);
    let seen = call.send().await.map_err(|error| code(&error))?;
    Ok(seen.db_instances()[0].clone())
}

pub(crate) async fn status_is(rds: &aws_sdk_rds::Client, id: &str, status: &str) -> DbInstance {
    eventually(&format!("{id} {status}"), async || {
        let instance = instance(rds, id).await?;
        if instance.db_instance_status() == Some(status) {
            Ok(instance)
        } else {
            Err(instance.db_instance_status.unwrap_or_default())
        }
    })
    .await
}

/// Connects with the server's certificate and address verified.
pub(crate) async fn login(
    instance: &DbInstance,
    ca: &Path,
    user: &str,
    password: &str,
    database: &str,
) -> Result<PgConnection, sqlx::Error> {
    let endpoint = instance.endpoint().unwrap();
    PgConnectOptions::new_without_pgpass()
        .host(endpoint.address().unwrap())
        .port(endpoint.port().unwrap().try_into().unwrap())
        .username(user)
        .password(password)
        .database(database)
        .ssl_mode(PgSslMode::VerifyFull)
        .ssl_root_cert(ca)
        .connect()
        .await
}

/// Runs statements; an error has its SQLSTATE in front.
pub(crate) async fn sql(connection: &mut PgConnection, statements: &'static str) -> Result<(), String> {
    let done = sqlx::raw_sql(statements).execute(connection).await;
    done.map(drop).map_err(|error| {
        let refused = error.as_database_error();
        let code = refused.and_then(sqlx::error::DatabaseError::code);
        format!("{} {error}", code.unwrap_or_default())
    })
}

pub(crate) fn code<E: ProvideErrorMetadata + Debug>(error: &E) -> String {
    let code = error.code().map(str::to_owned);
    code.unwrap_or_else(|| format!("{error:?}"))
}

/// Asks until the answer is `Ok`.
pub(crate) async fn eventually<T, E: Debug>(what: &str, ask: impl AsyncFn() -> Result<T, E>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(seen) if Instant::now() > deadline => panic!("not {what}, last seen: {seen:?}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Whether the clients are there that a major upgrade needs. Where they cannot be had, that is said past what the test harness keeps.
pub(crate) async fn can_upgrade(test: &str) -> bool {
    match local_rds::fetch("clients").await {
        Ok(_) => true,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: no clients of PostgreSQL can be had: {error}");
            false
        }
    }
}
