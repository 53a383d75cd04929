//! Fresh PostgreSQL servers, as instances of a local RDS in this process: their master user may do what that of RDS may, and no more.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_rds::Client;
use aws_sdk_rds::config::{BehaviorVersion, Credentials, Region};
use local_rds::Options;
use reconciler::engine::postgres::MAINTENANCE_DATABASE;
use reconciler::engine::{Login, Password};
use reconciler::entropy::SystemEntropy;
use testbed::eventually::eventually_within;
use testbed::stack::REGION;

/// The longest until an instance is there; the first of a version waits for the download of PostgreSQL.
const LIMIT: Duration = Duration::from_mins(5);

/// The master user, as the resource calls it where it says nothing.
const MASTER: &str = "sysadmin";

/// The local RDS.
pub(super) struct Cloud {
    server: local_rds::Server,
    rds: Client,
}

/// One instance.
pub(super) struct Server {
    identifier: String,
    /// Its version, such as `12.22`.
    pub(super) version: String,
    /// How its master logs in.
    pub(super) master: Login,
}

impl Server {
    /// The master by way of another port.
    pub(super) fn master_at(&self, port: u16) -> Login {
        Login { port, ..self.master.clone() }
    }
}

impl Cloud {
    /// Starts it in an empty folder. Nothing takes the time that AWS takes.
    pub(super) async fn start(folder: &Path) -> Result<Self> {
        let here = std::env::current_exe()?;
        let program = here.with_file_name("local-rds");
        ensure!(program.is_file(), "{} is not there: ./bench.sh builds it", program.display());
        let options = Options {
            time_scale: 0.0,
            region: REGION.to_owned(),
            no_throttling: true,
            program: Some(program),
            ..Options::new(folder)
        };
        let server = local_rds::Server::start(options).await?;
        let config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(server.endpoint())
            .credentials_provider(Credentials::new("local", "local", None, None, "bench"))
            .build();
        Ok(Self { server, rds: Client::from_conf(config) })
    }

    /// The authority of all servers' certificates.
    pub(super) fn ca(&self) -> PathBuf {
        self.server.ca_pem_path()
    }

    /// A new server without anything of ours.
    pub(super) async fn create(&self, identifier: &str, version: &str) -> Result<Server> {
        let password = Password::generate(&SystemEntropy);
        let create = self
            .rds
            .create_db_instance()
            .db_instance_identifier(identifier)
            .engine("postgres")
            .engine_version(version)
            .db_instance_class("db.t4g.micro")
            .allocated_storage(20)
            .master_username(MASTER)
            .master_user_password(password.expose());
        create.send().await.with_context(|| format!("creating {identifier}"))?;
        eventually_within(LIMIT, identifier, async || {
            let seen = self.rds.describe_db_instances().db_instance_identifier(identifier).send().await?;
            let instance = seen.db_instances().first().context("no instance")?;
            let status = instance.db_instance_status().unwrap_or_default();
            ensure!(status == "available", "{status}");
            let endpoint = instance.endpoint().context("no endpoint")?;
            let master = Login {
                host: endpoint.address().context("no host")?.to_owned(),
                port: endpoint.port().context("no port")?.try_into()?,
                user: MASTER.to_owned(),
                password: password.clone(),
                database: MAINTENANCE_DATABASE.to_owned(),
                version: None,
            };
            let version = instance.engine_version().context("no version")?.to_owned();
            Ok(Server { identifier: identifier.to_owned(), version, master })
        })
        .await
    }

    /// Stops a server and removes it, so that it does not disturb the next.
    pub(super) async fn delete(&self, server: Server) -> Result<()> {
        let identifier = &server.identifier;
        self.rds.delete_db_instance().db_instance_identifier(identifier).skip_final_snapshot(true).send().await?;
        eventually_within(LIMIT, &format!("the end of {identifier}"), async || {
            let left = self.rds.describe_db_instances().send().await?;
            let gone = left.db_instances().iter().all(|one| one.db_instance_identifier() != Some(identifier));
            ensure!(gone, "it is still there");
            Ok(())
        })
        .await
    }

    /// Stops everything.
    pub(super) async fn stop(self) {
        self.server.stop().await;
    }
}
