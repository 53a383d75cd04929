//! The local RDS: how it is started, and what it says about itself.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddrV4},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use aws_sdk_rds::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
};
use serde::Deserialize;

use super::programs::Programs;
use crate::{process::Spec, service::Readiness};

/// The region that the local RDS plays.
pub const REGION: &str = "eu-central-1";

/// Security groups of its VPC, which classes may name.
pub const SECURITY_GROUPS: [&str; 2] = ["sg-0123456789abcdef0", "sg-0fedcba9876543210"];

/// Snapshots and retained backups that it may have: each trial leaves some in the one account they all share.
const KEPT: usize = 10_000;

/// Accepted by the local RDS, which verifies no secret.
pub(super) const ACCESS_KEY: (&str, &str) = ("local", "local");

/// What the folder of a local RDS says about it.
#[derive(Clone, Debug, Deserialize)]
struct Ready {
    endpoint: String,
    ca: PathBuf,
    instances: String,
}

/// Calls by action and SQL statements that write, counted by the local RDS since its start.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Counters {
    /// How often each action was called.
    pub calls: BTreeMap<String, u64>,
    /// Calls that were meant to change something.
    pub mutating: u64,
    /// Statements that write, by instance.
    pub sql_writes: BTreeMap<String, u64>,
}

/// A local RDS that keeps all it has in one folder.
#[derive(Clone, Debug)]
pub struct LocalRds {
    dir: PathBuf,
    address: SocketAddrV4,
    /// The first address of the instances, where they have addresses of their own.
    instances: Option<Ipv4Addr>,
}

impl LocalRds {
    pub(super) fn new(dir: PathBuf, port: u16) -> Self {
        Self { dir, address: SocketAddrV4::new(Ipv4Addr::LOCALHOST, port), instances: None }
    }

    /// At an address of a node, at the port that AWS has, and each instance at an address of its own from `instances` on.
    pub(crate) fn on_node(dir: PathBuf, address: Ipv4Addr, instances: Ipv4Addr) -> Self {
        Self { dir, address: SocketAddrV4::new(address, 443), instances: Some(instances) }
    }

    pub(crate) fn spec(&self, programs: &Programs, logs: &Path, time_scale: f64, engines: bool) -> Spec {
        // Without engines it is for large numbers, in a rate of its own choice.
        let servers: &[&str] = if engines { &["--log-statements"] } else { &["--no-engines", "--no-throttling"] };
        Spec::new("local-rds", &programs.local_rds, logs)
            .args(["--data-dir".as_ref(), self.dir.as_os_str()])
            .args([&format!("--listen={}", self.address), "--region", REGION])
            .args(self.instances.map(|first| format!("--instance-network={first}")))
            .args([&format!("--time-scale={time_scale}"), "--exit-with-parent"])
            .args(servers)
            .args([&format!("--security-group={}", SECURITY_GROUPS.join(",")), "--subnet-group=databases"])
            .args([&format!("--snapshot-quota={KEPT}"), &format!("--retained-backup-quota={KEPT}")])
            // It downloads PostgreSQL.
            .inherit(&["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"])
    }

    /// Where its API listens.
    pub fn address(&self) -> SocketAddrV4 {
        self.address
    }

    /// The URL of its API.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The CA of its instances' certificates.
    pub fn ca(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// Names and addresses of its instances, where they have addresses of their own.
    pub(crate) fn hosts(&self) -> PathBuf {
        self.dir.join("hosts")
    }

    /// How clients find its instances, for people: by names, or by the address of all where this machine knows no such names.
    ///
    /// # Errors
    /// When it is not running.
    pub fn instances(&self) -> Result<String> {
        Ok(self.ready()?.instances)
    }

    /// A client of its API, the same as for AWS.
    pub fn client(&self) -> Client {
        let config = aws_sdk_rds::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.endpoint())
            .credentials_provider(Credentials::new(ACCESS_KEY.0, ACCESS_KEY.1, None, None, "testbed"))
            .build();
        Client::from_conf(config)
    }

    /// What it has counted.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn counters(&self) -> Result<Counters> {
        let answer = reqwest::get(format!("{}/_local/counters", self.endpoint())).await?.error_for_status()?;
        serde_json::from_slice(&answer.bytes().await?).context("reading the counters of the local RDS")
    }

    fn ready(&self) -> Result<Ready> {
        let path = self.dir.join("ready.json");
        Ok(serde_json::from_slice(&fs::read(&path).with_context(|| format!("reading {}", path.display()))?)?)
    }

    /// Orders a fault: what can be ordered is in the local RDS's README.
    ///
    /// # Errors
    /// When it does not know the fault or the instance.
    pub async fn order(&self, fault: &serde_json::Value) -> Result<()> {
        let request = reqwest::Client::new()
            .post(format!("{}/_local/faults", self.endpoint()))
            .header("content-type", "application/json")
            .body(fault.to_string());
        let answer = request.send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "the fault {fault} was refused: {status} {}", answer.text().await?);
        Ok(())
    }
}

impl Readiness for LocalRds {
    async fn check(&self) -> Result<()> {
        let ready = self.ready()?;
        ensure!(ready.endpoint == self.endpoint() && ready.ca == self.ca(), "of another start: {ready:?}");
        // The file may be left from before a crash; the server itself tells.
        self.counters().await?;
        Ok(())
    }
}
