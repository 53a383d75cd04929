//! `./local.sh --cluster`: the reconciler on this machine, for a cluster and an AWS account that are real.

use std::{
    io::{self, BufRead as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use kube::config::Kubeconfig;

use super::{account::Account, environment::Folder, narrator::Narrator};
use crate::{
    kubectl::Kubectl,
    ports,
    process::{Process, Spec},
    stack::{LOCAL, Manifests, NAMESPACE, Programs},
};

/// Variables that the AWS chain reads: here they are meant to reach the reconciler.
const AWS: [&str; 18] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_RDS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
];

/// How to get the CA bundle.
const GET_CA: &str = "  curl -O https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem
  ./local.sh --cluster --rds-ca-bundle global-bundle.pem";

/// What the run against a cluster is asked for.
#[derive(Clone, Debug)]
pub struct ClusterRequest {
    /// The folder for logs.
    pub dir: PathBuf,
    /// The CA bundle of the real RDS servers; required.
    pub rds_ca_bundle: Option<PathBuf>,
}

/// Says what it is about to touch, asks, installs the CRDs and runs the reconciler until `interrupted`.
///
/// # Errors
/// When there is no kubeconfig, the answer is not yes, or the reconciler ends by itself.
pub async fn run(request: &ClusterRequest, interrupted: impl Future<Output = ()>) -> Result<()> {
    let narrator = Narrator::new();
    let Some(ca) = request.rds_ca_bundle.as_deref().filter(|path| path.is_file()) else {
        bail!("the servers of RDS prove themselves by AWS's own CA, which this machine has to know:\n{GET_CA}");
    };
    let target = Target::from_kubeconfig()?;
    let programs = Programs::beside_this_one()?;
    narrator.plain(&target.announcement(ca, &Account::ask().await));
    confirm(&target.context)?;

    let folder = Folder::take(&request.dir)?;
    let kubectl = Kubectl::new("kubectl", &target.kubeconfig);
    let manifests = Manifests::render(&kubectl, LOCAL).await?;
    narrator.chapter("Installing");
    for (what, objects) in [
        ("the CRDs", manifests.crds()?),
        ("the namespaces rds-system and rds", manifests.namespaces()?),
        ("the admission policies rds-deletion-protection and rds-class-in-use", manifests.policies()?),
    ] {
        let output = kubectl.run_with_input(&["apply", "--server-side", "-f", "-"], &objects).await?;
        ensure!(output.success, "installing {what}: {}", output.stderr.trim());
        narrator.done(what);
    }

    let [admin] = ports::free()?;
    let logs = folder.path().join("logs");
    let mut reconciler = Process::start(target.reconciler(&programs, &logs, admin, ca)).await?;
    narrator.done(format!("the reconciler runs; its log is {}", reconciler.log().display()));
    narrator.plain(&format!("\n  curl http://127.0.0.1:{admin}/readyz    says whether it can work, and what is missing if not\n  Ctrl-C ends it; what was installed, the objects and their databases stay."));
    tokio::select! {
        () = interrupted => {}
        ended = watch(&mut reconciler) => ended?,
    }
    reconciler.stop(Duration::from_secs(30)).await?;
    narrator.done("the reconciler has ended");
    Ok(())
}

async fn watch(process: &mut Process) -> Result<()> {
    loop {
        process.check()?;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The cluster that a kubeconfig's current context names.
struct Target {
    kubeconfig: PathBuf,
    context: String,
    server: String,
}

impl Target {
    fn from_kubeconfig() -> Result<Self> {
        let from_env = std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
        let kubeconfig = match from_env {
            Some(paths) => {
                std::env::split_paths(&paths).find(|path| path.is_file()).context("KUBECONFIG names no file")?
            }
            None => std::env::home_dir().context("no home folder")?.join(".kube/config"),
        };
        let config = Kubeconfig::read_from(&kubeconfig).with_context(|| format!("reading {}", kubeconfig.display()))?;
        let context = config
            .current_context
            .clone()
            .with_context(|| format!("{} has no current context", kubeconfig.display()))?;
        let cluster = config
            .contexts
            .iter()
            .find(|entry| entry.name == context)
            .and_then(|entry| entry.context.as_ref())
            .map(|entry| entry.cluster.clone())
            .with_context(|| format!("{} does not describe its context {context}", kubeconfig.display()))?;
        let server = config
            .clusters
            .iter()
            .find(|entry| entry.name == cluster)
            .and_then(|entry| entry.cluster.as_ref()?.server.clone())
            .with_context(|| format!("{} does not describe the cluster {cluster}", kubeconfig.display()))?;
        Ok(Self { kubeconfig, context, server })
    }

    fn announcement(&self, ca: &Path, account: &Account) -> String {
        let credentials = match std::env::var("AWS_PROFILE") {
            Ok(profile) => format!("the profile {profile}"),
            Err(_) if std::env::var_os("AWS_ACCESS_KEY_ID").is_some() => "AWS_ACCESS_KEY_ID".to_owned(),
            Err(_) => "the default chain (environment, profile, SSO, metadata)".to_owned(),
        };
        let Self { kubeconfig, context, server } = self;
        format!(
            "
This is about to touch a real cluster and a real AWS account.

  Cluster      {server}
               context {context} of {kubeconfig}
  Installs     as you: the CRDs rdsdatabases and rdsdatabaseclasses, the namespaces rds-system and rds, and the admission
               policies by which the API server refuses to delete what deletionProtection keeps (rds-deletion-protection),
               and classes that have databases (rds-class-in-use)
  Runs         the reconciler on this machine, with your rights in the cluster
  It writes    Secrets and Services beside each RDSDatabase, and a Lease in rds-system
{account}
  Credentials  {credentials}
               each RDSDatabase in the cluster becomes an RDS instance there, which costs money
  RDS CA       {ca}
  Not done     no webhook is registered: that API server cannot call this machine. The schema, its CEL rules and the
               reconciler's own validation hold; defaults are applied in memory.
",
            kubeconfig = kubeconfig.display(),
            ca = ca.display(),
        )
    }

    fn reconciler(&self, programs: &Programs, logs: &Path, admin: u16, ca: &Path) -> Spec {
        Spec::new("rds-reconciler", programs.reconciler(), logs)
            .args([&format!("--admin-listen=127.0.0.1:{admin}"), "--service-namespace=rds", "--leader-election"])
            .args([format!("--lease-namespace={NAMESPACE}")])
            .args(["--rds-ca-bundle".as_ref(), ca.as_os_str()])
            .env("KUBECONFIG", &self.kubeconfig)
            .inherit(&AWS)
            .inherit(&["RDS_RECONCILER_CLUSTER_NAME", "RDS_RECONCILER_ENDPOINT_SUFFIXES"])
            .inherit(&["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"])
    }
}

/// Nothing but a typed yes goes on.
fn confirm(context: &str) -> Result<()> {
    write!(io::stdout(), "Go on with {context}? Type yes: ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if answer.trim() != "yes" {
        bail!("nothing was touched");
    }
    Ok(())
}
