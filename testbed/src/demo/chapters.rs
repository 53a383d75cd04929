//! The life of one database, told and checked.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_rds::operation::describe_db_instances::DescribeDBInstancesError;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use super::{follow::Follower, ground::Ground, narrator::Narrator};
use crate::{kubectl::Output, resource::Database, sql::Login, stack::WORKSPACE};

/// The database of `manifests/examples/orders.yaml`.
const NAMESPACE: &str = "shop";
const NAME: &str = "orders";

/// The longest wait for any change: mostly the download of PostgreSQL at the first start.
const DEADLINE: Duration = Duration::from_mins(5);

/// Several mistakes at once: a shrink, a reserved name, and a user who is not there.
const BAD: &str = "\
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata: {name: orders, namespace: shop}
spec:
  size: 5GB
  users: {app: [createdb], report: [], master: []}
  databases: {orders: [app, repot]}
";

pub(super) struct Chapters<'a> {
    ground: &'a Ground,
    narrator: &'a Narrator,
    follower: Follower<'a>,
}

impl<'a> Chapters<'a> {
    pub(super) fn new(ground: &'a Ground, narrator: &'a Narrator) -> Self {
        let follower = Follower::new(narrator, ground.controlplane().client(), NAMESPACE, NAME);
        Self { ground, narrator, follower }
    }

    /// From `kubectl apply` to Ready.
    pub(super) async fn create(&mut self) -> Result<()> {
        self.narrator.chapter("A database from a manifest");
        let manifest = format!("{WORKSPACE}/manifests/examples/orders.yaml");
        self.narrator.command("kubectl apply -f manifests/examples/orders.yaml");
        self.accepted(&["apply", "-f", &manifest]).await?;
        let summary = self
            .follower
            .until("orders to become Ready", DEADLINE, |object| {
                let object = object.context("there is no object")?;
                object.expect("Ready", "True")?;
                Ok(summary(object))
            })
            .await?;
        self.narrator.done(summary);
        self.show(&["get", "rds", "-n", NAMESPACE]).await?;
        self.show(&["get", "secrets,services", "-n", NAMESPACE]).await?;
        self.show(&["get", "services", "-n", "rds"]).await
    }

    /// As an application would: with nothing but a Secret.
    pub(super) async fn log_in(&self) -> Result<()> {
        self.narrator.chapter("Logging in with the Secrets' own credentials, over verified TLS");
        let mut app = self.connect("app").await?;
        app.execute("CREATE TABLE IF NOT EXISTS greeting (id serial PRIMARY KEY, words text NOT NULL)").await?;
        sqlx::query("INSERT INTO greeting (words) VALUES ($1)").bind("hello from app").execute(&mut app).await?;
        self.narrator.done("app made a table and wrote a row");
        app.close().await?;

        let mut report = self.connect("report").await?;
        let words: String =
            report.fetch_one("SELECT words FROM greeting ORDER BY id DESC LIMIT 1").await?.try_get(0)?;
        ensure!(words == "hello from app", "report read {words:?}");
        self.narrator.done(format!("report read it: {words:?}"));
        report.close().await?;
        Ok(())
    }

    /// More storage and one more user.
    pub(super) async fn update(&mut self) -> Result<()> {
        self.narrator.chapter("Growing it, and one more user");
        let patch = r#"{"spec":{"size":"40GB","users":{"batch":[]},"databases":{"orders":["app","report","batch"]}}}"#;
        self.narrator.command(&format!("kubectl patch rds -n {NAMESPACE} {NAME} --type=merge -p '{patch}'"));
        self.accepted(&["patch", "rds", "-n", NAMESPACE, NAME, "--type=merge", "-p", patch]).await?;
        let summary = self
            .follower
            .until("the growth and the new user", DEADLINE, |object| {
                let object = object.context("there is no object")?;
                object.expect("Ready", "True")?;
                // 40 GB are 37.3 GiB.
                let size = object.at("/status/allocatedStorageGiB");
                ensure!(size.as_i64() >= Some(38), "{size} GiB are allocated");
                Ok(summary(object))
            })
            .await?;
        self.narrator.done(summary);
        self.connect("batch").await?.close().await?;
        Ok(())
    }

    /// A manifest that cannot work is refused at once, with everything that is wrong with it.
    pub(super) async fn refuse(&self) -> Result<()> {
        self.narrator.chapter("A manifest with three mistakes");
        self.narrator.output(BAD);
        self.narrator.command("kubectl apply -f -");
        let output = self.ground.controlplane().kubectl().run_with_input(&["apply", "-f", "-"], BAD).await?;
        self.print(&output);
        ensure!(!output.success, "the bad manifest was accepted");
        for field in ["spec.size", "spec.users", "spec.databases"] {
            ensure!(output.stderr.contains(field), "the refusal does not name {field}");
        }
        self.narrator.done("refused, and nothing was changed");
        Ok(())
    }

    /// Gone, but for the final snapshot and the Secrets.
    pub(super) async fn delete(&mut self) -> Result<()> {
        self.narrator.chapter("Deleting it");
        let client = self.ground.controlplane().client();
        let before = Database::existing(client, NAMESPACE, NAME).await?;
        let instance = before.text("/status/instance/identifier").to_owned();
        ensure!(!instance.is_empty(), "status.instance.identifier is empty");

        self.narrator.command(&format!("kubectl delete rds -n {NAMESPACE} {NAME}"));
        self.accepted(&["delete", "rds", "-n", NAMESPACE, NAME, "--wait=false"]).await?;
        self.follower
            .until("the object to go", DEADLINE, |object| match object {
                None => Ok(()),
                Some(object) => bail!("it is still there: {:?}", object.conditions()),
            })
            .await?;
        self.narrator.done("the object is gone");

        let rds = self.ground.rds().client();
        let snapshots = rds
            .describe_db_snapshots()
            .db_instance_identifier(&instance)
            .send()
            .await
            .context("asking for snapshots")?;
        let finals: Vec<_> = snapshots
            .db_snapshots()
            .iter()
            .filter(|snapshot| {
                snapshot.db_snapshot_identifier().is_some_and(|name| name.starts_with(&format!("{instance}-final-")))
            })
            .collect();
        let [last] = finals.as_slice() else { bail!("wanted one final snapshot of {instance}, found {finals:?}") };
        ensure!(last.status() == Some("available"), "the final snapshot is {:?}", last.status());
        self.narrator
            .done(format!("its final snapshot is available: {}", last.db_snapshot_identifier().unwrap_or_default()));

        let gone = rds.describe_db_instances().db_instance_identifier(&instance).send().await;
        let not_found = gone
            .as_ref()
            .err()
            .and_then(|error| error.as_service_error())
            .is_some_and(DescribeDBInstancesError::is_db_instance_not_found_fault);
        ensure!(not_found, "the instance is still there: {gone:?}");
        self.narrator.done(format!("the instance {instance} is gone"));

        let kubectl = self.ground.controlplane().kubectl();
        let secrets = kubectl.ok(&["get", "secrets", "-n", NAMESPACE, "-o", "name"]).await?;
        for user in ["master", "app", "report", "batch"] {
            let secret = format!("secret/{NAME}.rds.{user}");
            ensure!(secrets.lines().any(|line| line == secret), "{secret} did not stay: {secrets}");
        }
        self.narrator.done("the Secrets stayed");
        let services = kubectl.ok(&["get", "services", "-n", NAMESPACE, "-o", "name"]).await?;
        ensure!(services.trim().is_empty(), "Services stayed: {services}");
        self.narrator.done("its Services are gone");
        Ok(())
    }

    async fn connect(&self, user: &str) -> Result<PgConnection> {
        let secret = format!("{NAME}.rds.{user}");
        let login = Login::from_secret(self.ground.controlplane().client(), NAMESPACE, &secret).await?;
        let mut connection = login.connect(&self.ground.rds().ca()).await?;
        let row =
            connection.fetch_one("SELECT current_user::text, session_user::text, current_database()::text").await?;
        let (role, user, database): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        self.narrator.done(format!("{secret}: logged in at {} as {user} to {database} (role {role})", login.address()));
        Ok(connection)
    }

    /// Runs a command that must succeed, and shows what it printed.
    async fn accepted(&self, args: &[&str]) -> Result<()> {
        let output = self.ground.controlplane().kubectl().run(args).await?;
        self.print(&output);
        ensure!(output.success, "kubectl {} was refused", args[0]);
        Ok(())
    }

    /// Shows a command and what it prints.
    async fn show(&self, args: &[&str]) -> Result<()> {
        self.narrator.command(&format!("kubectl {}", args.join(" ")));
        self.accepted(args).await
    }

    fn print(&self, output: &Output) {
        self.narrator.output(&output.stderr);
        self.narrator.output(&output.stdout);
    }
}

fn summary(object: &Database) -> String {
    let (version, volume) = (object.text("/status/engineVersion"), object.text("/status/volume"));
    let (host, port) = (object.text("/status/endpoint/host"), object.at("/status/endpoint/port"));
    format!("{NAME} is Ready: version {version}, {volume} allocated, at {host}:{port}")
}
