//! The programs of `testbed/gitops`, and what they print.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use testbed::{go_programs, kubectl::Kubectl};
use tokio::{process::Command, time::timeout};

use super::repository::Repository;

const CUSTOMIZATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/argocd/resource_customizations");
const KSTATUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/gitops/kstatus.yaml");

/// Their own patience is three minutes.
const LIMIT: Duration = Duration::from_mins(4);

async fn run(program: &PathBuf, args: &[String]) -> Result<(bool, String, String)> {
    let mut command = Command::new(program);
    let output = command.args(args).kill_on_drop(true).output();
    let output = timeout(LIMIT, output).await.with_context(|| format!("{} hangs", program.display()))?;
    let output = output.with_context(|| format!("running {}", program.display()))?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((output.status.success(), text(output.stdout), text(output.stderr)))
}

/// Judges objects in files.
pub(super) struct Health(PathBuf);

impl Health {
    pub(super) async fn find() -> Result<Self> {
        Ok(Self(go_programs::build("gitops").await?.join("health")))
    }

    /// Runs the tests beside the customization of a kind, and those of kstatus.
    pub(super) async fn test(&self, kind: &str) -> Result<()> {
        let args = ["--customizations", CUSTOMIZATIONS, "--test", kind, "--kstatus", KSTATUS].map(str::to_owned);
        let (success, stdout, stderr) = run(&self.0, &args).await?;
        ensure!(success, "{stderr}{stdout}");
        Ok(())
    }

    /// What is made of each object in a file.
    pub(super) async fn judge(&self, file: &str) -> Result<Vec<Value>> {
        let args = ["--customizations", CUSTOMIZATIONS, file].map(str::to_owned);
        let (success, stdout, stderr) = run(&self.0, &args).await?;
        ensure!(success, "{stderr}");
        let lines = stdout.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().with_context(|| format!("health printed {stdout}"))
    }
}

/// Where the difference to what is there is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// `kubectl apply`, Argo CD's default.
    ClientSide,
    /// `ServerSideApply=true`.
    ServerSide,
}

impl Way {
    /// Whether Argo CD, configured for this way of applying, compares by these means. A null is dropped by one way of applying and kept
    /// by the other, so that comparing by the other's means finds a difference, and rightly.
    pub(super) fn is_compared_by(self, means: &str) -> bool {
        match self {
            Self::ClientSide => means == "three-way",
            Self::ServerSide => means.starts_with("server-side"),
        }
    }
}

/// The flags that both tools have.
fn flags(kubectl: &Kubectl, namespace: &str) -> Vec<String> {
    let kubeconfig = kubectl.kubeconfig().display().to_string();
    vec!["--kubeconfig".into(), kubeconfig, "--namespace".into(), namespace.into()]
}

/// One synchronization after the other, as Argo CD makes them.
pub(super) struct Argo {
    program: PathBuf,
    args: Vec<String>,
}

/// What a synchronization did, and what Argo CD shows after it.
#[derive(Debug, Deserialize)]
pub(super) struct Synchronization {
    pub(super) results: Vec<SyncResult>,
    pub(super) objects: Vec<Seen>,
    pub(super) strays: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SyncResult {
    #[serde(default)]
    pub(super) object: String,
    #[serde(default)]
    pub(super) status: String,
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Seen {
    pub(super) object: String,
    health: Option<Verdict>,
    pub(super) differences: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Verdict {
    status: String,
    #[serde(default)]
    message: String,
}

impl Argo {
    pub(super) async fn find(kubectl: &Kubectl, namespace: &str, way: Way) -> Result<Self> {
        let mut args = flags(kubectl, namespace);
        args.extend(["--customizations".to_owned(), CUSTOMIZATIONS.to_owned()]);
        if way == Way::ServerSide {
            args.push("--server-side".into());
        }
        Ok(Self { program: go_programs::build("gitops").await?.join("sync"), args })
    }

    pub(super) async fn sync(&self, repository: &Repository, flags: &[&str]) -> Result<Synchronization> {
        let mut args = self.args.clone();
        args.extend(flags.iter().map(|&flag| flag.to_owned()));
        args.push(repository.path().display().to_string());
        let (success, stdout, stderr) = run(&self.program, &args).await?;
        ensure!(success, "sync: {stderr}");
        serde_json::from_str(&stdout).with_context(|| format!("sync printed {stdout}"))
    }
}

impl Synchronization {
    pub(super) fn all_applied(&self) -> Result<()> {
        for result in &self.results {
            ensure!(result.status == "Synced", "{result:?}");
        }
        ensure!(!self.results.is_empty(), "nothing was synchronized");
        Ok(())
    }

    /// What was done about an object.
    pub(super) fn result(&self, name: &str) -> Option<&SyncResult> {
        self.results.iter().find(|result| result.object.ends_with(&format!("/{name}")))
    }

    /// A database as it is shown.
    pub(super) fn database(&self, name: &str) -> Result<&Seen> {
        let database =
            |seen: &&Seen| seen.object.starts_with("RDSDatabase ") && seen.object.ends_with(&format!("/{name}"));
        self.objects.iter().find(database).with_context(|| format!("{name} is not declared: {:?}", self.objects))
    }
}

impl Seen {
    pub(super) fn healthy(&self) -> Result<()> {
        match &self.health {
            Some(verdict) if verdict.status == "Healthy" => Ok(()),
            Some(verdict) => bail!("{} is {}: {}", self.object, verdict.status, verdict.message),
            None => bail!("{} has no health", self.object),
        }
    }
}

/// A Kustomization of Flux.
pub(super) struct Flux {
    program: PathBuf,
    args: Vec<String>,
}

/// What it did, by `Kind/namespace/name`.
#[derive(Debug, Deserialize)]
pub(super) struct Changes(Vec<Change>);

#[derive(Debug, Deserialize)]
struct Change {
    object: String,
    action: String,
}

impl Flux {
    pub(super) async fn find(kubectl: &Kubectl, namespace: &str) -> Result<Self> {
        let args = flags(kubectl, namespace);
        Ok(Self { program: go_programs::build("gitops").await?.join("flux"), args })
    }

    /// Applies, prunes if asked to, and waits until all is current.
    pub(super) async fn apply(&self, repository: &Repository, flags: &[&str]) -> Result<Changes> {
        let mut args = self.args.clone();
        args.extend(flags.iter().map(|&flag| flag.to_owned()));
        args.push(repository.path().display().to_string());
        let (success, stdout, stderr) = run(&self.program, &args).await?;
        ensure!(success, "flux: {stderr}{stdout}");
        serde_json::from_str(&stdout).with_context(|| format!("flux printed {stdout}"))
    }
}

impl Changes {
    /// What was done about a database.
    pub(super) fn action(&self, name: &str) -> Option<&str> {
        let database = |change: &&Change| {
            change.object.starts_with("RDSDatabase/") && change.object.ends_with(&format!("/{name}"))
        };
        self.0.iter().find(database).map(|change| change.action.as_str())
    }

    pub(super) fn all_unchanged(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|change| change.action == "unchanged")
    }
}
