//! A real node: kubelet, kube-proxy, containerd and runc under the test bed's control plane, with the local RDS beside it. It runs in
//! namespaces of its own and is gone without a trace when it ends, also when it is killed. Linux and root are needed.

mod containerd;
mod containers;
mod dns;
mod door;
mod firewall;
mod images;
mod kubelet;
mod namespaces;
mod network;
mod released;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, ensure};
use serde_json::Value;

pub use self::{
    containers::{Container, Memory},
    firewall::Firewall,
    namespaces::{CGROUP, control_groups, enter, inside, require, sweep},
    network::{DNS, INTERFACE, NODE},
    released::Released,
};
use crate::{
    controlplane::{Binaries, ControlPlane, Options, write_private},
    eventually::eventually,
    kubectl::Kubectl,
    process::Process,
    service::Service,
    stack::{LocalRds, NAMESPACE, Programs, WORKSPACE},
};

/// A kustomization that installs the operator: the overlay, and the patch for the local RDS.
pub const SELF_MANAGED: &str = "testbed/node/self-managed";

/// The version of PostgreSQL of all examples.
pub const POSTGRESQL: &str = "17";

/// Both Deployments, with all images there, on a busy machine.
const ROLLED_OUT: &str = "--timeout=170s";

/// How long a program may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// A running node with its control plane and a local RDS. Dropping it kills all; what runs in Pods ends with the namespace.
pub struct Node {
    plane: ControlPlane,
    rds: Service<LocalRds>,
    containerd: Process,
    kubelet: Process,
    proxy: Process,
    dns: Process,
    logs: PathBuf,
    /// Where the control groups of Pods are, as far as they count memory.
    groups: PathBuf,
    /// Where images are laid out and packed.
    scratch: PathBuf,
}

/// The programs of a node that are built from Go modules.
///
/// # Errors
/// When they cannot be built.
pub async fn ensure_programs() -> Result<Binaries> {
    let binaries = Binaries::ensure_with_node().await?;
    crate::go_programs::build(dns::FOLDER).await?;
    Ok(binaries)
}

impl Node {
    /// Starts everything in `dir`, which must be fresh, and waits until the node takes Pods. `progress` is told each part that has come up.
    ///
    /// # Errors
    /// When this is not the run inside of [`enter`], or a part does not start.
    pub async fn start(
        binaries: &Binaries,
        programs: &Programs,
        dir: &Path,
        kubeconfig: PathBuf,
        time_scale: f64,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        let dir = std::path::absolute(dir)?;
        let logs = dir.join("logs");
        std::fs::create_dir_all(&logs)?;
        let cgroup = namespaces::prepare()?;
        network::prepare().await?;

        let options = Options { kubeconfig, logs: logs.clone(), audit: true };
        let plane = ControlPlane::start_with_node(binaries, &dir.join("controlplane"), options, NODE).await?;
        progress(&format!("Kubernetes API server at {}", plane.url()));

        let rds = LocalRds::on_node(dir.join("rds"), network::RDS, network::INSTANCES);
        let spec = rds.spec(programs, &logs, time_scale, true);
        let rds = Service::start(spec, rds).await?;
        progress(&format!(
            "local RDS at {}, its instances at {}",
            rds.readiness().endpoint(),
            rds.readiness().instances()?
        ));

        let containerd = containerd::start(&dir, &logs).await?;
        let scratch = dir.join("images");
        let mut archives = images::of_services(programs, &scratch).await?;
        archives.extend([images::pause(&scratch).await?, images::application(&scratch).await?]);
        for archive in archives {
            containerd::import(&archive).await?;
        }
        progress("containerd, with the images of both services and of an application");

        namespaces::ask(network::DNS, &dir)?;
        let dns = dns::start(&plane, &rds.readiness().hosts(), &dir, &logs).await?;
        let kubelet = kubelet::start(binaries, &plane, &cgroup, &dir, &logs).await?;
        let proxy = kubelet::start_proxy(binaries, &plane, &dir, &logs).await?;
        door::open_inside(namespaces::outside()?)?;
        let groups = namespaces::memory_groups(&cgroup)?;
        let mut node = Self { plane, rds, containerd, kubelet, proxy, dns, logs, groups, scratch };
        let ready = eventually("a node that takes Pods", async || takes_pods(node.plane.kubectl()).await).await;
        ready.or_else(|error| node.check().and(Err(error)))?;
        progress("kubelet and kube-proxy: the node is ready");
        Ok(node)
    }

    /// The control plane.
    pub fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// kubectl with the administrator's rights.
    pub fn kubectl(&self) -> &Kubectl {
        self.plane.kubectl()
    }

    /// Writes the administrator's kubeconfig for people outside of the namespaces.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_kubeconfig(&self, path: &Path) -> Result<()> {
        let inside = std::fs::read_to_string(self.kubectl().kubeconfig())?;
        let outside = inside.replace(self.plane.url(), &format!("https://127.0.0.1:{}", namespaces::door()?));
        write_private(path, &outside)
    }

    /// The local RDS.
    pub fn rds(&self) -> &LocalRds {
        self.rds.readiness()
    }

    /// Where the logs are, those of Pods too.
    pub fn logs(&self) -> &Path {
        &self.logs
    }

    /// The containers of a Deployment of the operator, all of which must run.
    ///
    /// # Errors
    /// When one does not.
    pub async fn containers(&self, deployment: &str) -> Result<Vec<Container>> {
        containers::of(self.kubectl(), &self.groups, deployment).await
    }

    /// Installs the operator by a kustomization of the workspace, gives it the authority of the local RDS, and waits until both Deployments
    /// have rolled out.
    ///
    /// # Errors
    /// When it is refused or does not come up.
    pub async fn install(&self, kustomization: &str) -> Result<()> {
        let folder = format!("{WORKSPACE}/{kustomization}");
        self.kubectl().ok(&["apply", "--server-side", "-k", &folder]).await?;
        self.trust_local_rds().await?;
        self.works().await
    }

    /// Gives the reconciler the authority of the local RDS, in the ConfigMap that `testbed/node/local-rds` mounts.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn trust_local_rds(&self) -> Result<()> {
        let authority = format!("--from-file=global-bundle.pem={}", self.rds().ca().display());
        self.kubectl().ok(&["create", "configmap", "local-rds-ca", "-n", NAMESPACE, &authority]).await?;
        Ok(())
    }

    /// Waits until both Deployments have rolled out and an object is admitted: a node learns of a ready replica a moment after kubelet does.
    ///
    /// # Errors
    /// When one does not.
    pub async fn works(&self) -> Result<()> {
        for deployment in ["deployment/rds-webhook", "deployment/rds-reconciler"] {
            self.kubectl().ok(&["rollout", "status", "-n", NAMESPACE, deployment, ROLLED_OUT]).await?;
        }
        let example = format!("{WORKSPACE}/manifests/examples/minimal.yaml");
        eventually("the webhook to admit an object", async || {
            self.kubectl().ok(&["create", "--dry-run=server", "-f", &example]).await.map(drop)
        })
        .await
    }

    /// Puts the images of an earlier release beside this version's, with a tag of their own.
    ///
    /// # Errors
    /// When they cannot be made, or containerd does not take them.
    pub async fn import(&self, released: &Released, tag: &str) -> Result<()> {
        for archive in released.images(tag, &self.scratch).await? {
            containerd::import(&archive).await?;
        }
        Ok(())
    }

    /// Waits until one of the programs ends by itself, which none should.
    ///
    /// # Errors
    /// Always, sooner or later.
    pub async fn watch(&mut self) -> Result<()> {
        loop {
            self.check()?;
            self.rds.check().await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Fails when one of the programs has ended, with the end of its log.
    ///
    /// # Errors
    /// When one is not running.
    pub fn check(&mut self) -> Result<()> {
        self.plane.check()?;
        [&mut self.containerd, &mut self.kubelet, &mut self.proxy, &mut self.dns]
            .into_iter()
            .try_for_each(Process::check)
    }

    /// Ends the programs in order. What runs in Pods ends with the namespace.
    ///
    /// # Errors
    /// When one cannot be ended.
    pub async fn stop(self) -> Result<()> {
        for mut process in [self.kubelet, self.proxy, self.dns, self.containerd] {
            process.stop(GRACE).await?;
        }
        self.rds.stop().await?;
        self.plane.stop().await
    }
}

/// kubelet has registered the node, and nothing keeps Pods away.
async fn takes_pods(kubectl: &Kubectl) -> Result<()> {
    let node: Value = serde_json::from_str(&kubectl.ok(&["get", "node", NODE.name, "-o", "json"]).await?)?;
    let conditions = node["status"]["conditions"].as_array().into_iter().flatten();
    let ready = conditions.clone().any(|one| one["type"] == "Ready" && one["status"] == "True");
    ensure!(ready, "{:?}", conditions.map(|one| &one["message"]).collect::<Vec<_>>());
    ensure!(node["spec"]["taints"].is_null(), "taints {}", node["spec"]["taints"]);
    Ok(())
}
