//! The whole product on one machine: the control plane, the local RDS, `manifests/` as shipped, the webhook behind its Service, and the
//! reconciler with the rights of its ServiceAccount.

mod local_rds;
mod manifests;
mod pods;
mod programs;

use std::{
    net::{Ipv4Addr, SocketAddrV4},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Service as KubernetesService;
use kube::Api;
use serde_json::json;

pub use self::{
    local_rds::{Counters, LocalRds, REGION, SECURITY_GROUPS},
    manifests::{CERT_MANAGER, LOCAL, Manifests, SELF_MANAGED},
    programs::Programs,
};
use crate::{
    controlplane::{Binaries, ControlPlane, Options as ControlPlaneOptions, pki::Authority, write_private},
    kubelet::{Kubelet, Pod, Prepared},
    ports,
    service::Service,
};
pub(crate) use programs::WORKSPACE;

/// The namespace of both services.
pub const NAMESPACE: &str = "rds-system";

/// The Deployment of the webhook, its Service, and the name of its log.
pub const WEBHOOK: &str = "rds-webhook";

/// The Deployment of the reconciler, and the name of its log.
const RECONCILER: &str = "rds-reconciler";

/// Parts that a test may kill and start again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The local RDS with all its PostgreSQL servers.
    LocalRds,
    /// The admission service.
    Webhook,
    /// The controller.
    Reconciler,
}

/// What differs from one stack to the next.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to write the administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// Whether the control plane keeps an audit log.
    pub audit: bool,
    /// What the local RDS multiplies the durations of AWS by.
    pub time_scale: f64,
    /// Whether there are servers behind its instances. Without them it admits calls at any rate, until it is told otherwise.
    pub engines: bool,
}

/// A running stack. Dropping it kills all parts; [`stop`](Self::stop) ends them in order.
pub struct Stack {
    controlplane: ControlPlane,
    kubelet: Kubelet,
    rds: Service<LocalRds>,
    webhook: Service<Prepared>,
    reconciler: Service<Prepared>,
    reconciler_pod: Pod,
    programs: Programs,
    webhook_url: String,
    dir: PathBuf,
}

impl Stack {
    /// Starts everything in `dir`, which must be fresh, and returns when all parts are ready. `progress` is told each part that has come up.
    ///
    /// # Errors
    /// When a part does not start; with the end of its log.
    pub async fn start(
        binaries: &Binaries,
        programs: &Programs,
        dir: &Path,
        options: Options,
        progress: &(dyn Fn(&str) + Sync),
    ) -> Result<Self> {
        let dir = std::path::absolute(dir)?;
        let logs = dir.join("logs");
        let [rds_port] = ports::free()?;

        let controlplane = async {
            let Options { kubeconfig, audit, .. } = options.clone();
            let options = ControlPlaneOptions { kubeconfig, logs: logs.clone(), audit };
            let plane = ControlPlane::start(binaries, &dir.join("controlplane"), options).await?;
            progress(&format!("Kubernetes API server at {}", plane.url()));
            anyhow::Ok(plane)
        };
        let local_rds = async {
            let rds = LocalRds::new(dir.join("rds"), rds_port);
            let spec = rds.spec(programs, &logs, options.time_scale, options.engines);
            let rds = Service::start(spec, rds).await?;
            let (endpoint, instances) = (rds.readiness().endpoint(), rds.readiness().instances()?);
            progress(&format!("local RDS at {endpoint}, its instances at {instances}"));
            anyhow::Ok(rds)
        };
        let (controlplane, rds) = tokio::try_join!(controlplane, local_rds)?;

        let kubectl = controlplane.kubectl();
        let manifests = Manifests::render(kubectl, LOCAL).await?;
        let deployments = Manifests::render(kubectl, CERT_MANAGER).await?;
        install(&controlplane, &manifests.without_registrations()?).await?;
        progress("manifests/ installed: CRDs, roles, Services");

        let kubelet = Kubelet::new(&dir.join("pods"), &logs, pods::LAG);
        let address = service_address(&controlplane, WEBHOOK).await?;
        let ca = give_certificate(&controlplane, *address.ip(), &dir).await?;
        let pod = pods::webhook(&deployments)?;
        let prepared = kubelet.prepare(&controlplane, &pod, WEBHOOK, *address.ip(), &programs.webhook).await?;
        let webhook = prepared.start().await?;
        webhook.wait_until_ready().await?;
        install(&controlplane, &manifests.registrations(&ca)?).await?;
        let webhook_url = format!("https://{address}");
        progress(&format!("webhook at {webhook_url}, registered"));

        let reconciler_pod = pods::reconciler(&deployments, rds.readiness())?;
        let address = controlplane.pod_address()?;
        let prepared =
            kubelet.prepare(&controlplane, &reconciler_pod, RECONCILER, address, &programs.reconciler).await?;
        let reconciler = prepared.start().await?;
        reconciler.wait_until_ready().await?;
        progress("reconciler, with the rights of its ServiceAccount");
        let programs = programs.clone();
        Ok(Self { controlplane, kubelet, rds, webhook, reconciler, reconciler_pod, programs, webhook_url, dir })
    }

    /// The control plane.
    pub fn controlplane(&self) -> &ControlPlane {
        &self.controlplane
    }

    /// The local RDS.
    pub fn rds(&self) -> &LocalRds {
        self.rds.readiness()
    }

    /// Where the API server reaches the webhook.
    pub fn webhook_url(&self) -> &str {
        &self.webhook_url
    }

    /// The CA of the webhook's certificate.
    pub fn webhook_ca(&self) -> PathBuf {
        self.dir.join("webhook/ca.crt")
    }

    /// Where the webhook answers `/healthz`, `/readyz` and `/metrics`.
    pub fn webhook_admin(&self) -> &str {
        self.webhook.readiness().admin()
    }

    /// Where the reconciler answers `/healthz`, `/readyz` and `/metrics`.
    pub fn reconciler_admin(&self) -> &str {
        self.reconciler.readiness().admin()
    }

    /// A further reconciler, with the flags, the environment and the rights of the stack's own; `name` names its log.
    ///
    /// # Errors
    /// When there is no address for it.
    pub async fn further_reconciler(&self, name: &str) -> Result<Prepared> {
        let (pod, address) = (&self.reconciler_pod, self.controlplane.pod_address()?);
        self.kubelet.prepare(&self.controlplane, pod, name, address, &self.programs.reconciler).await
    }

    /// The folder that everything of the stack lies in.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the logs are.
    pub fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }

    /// Kills a part with SIGKILL, as a crash would.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn kill(&self, part: Part) -> Result<()> {
        match part {
            Part::LocalRds => self.rds.kill().await,
            Part::Webhook => self.webhook.kill().await,
            Part::Reconciler => self.reconciler.kill().await,
        }
    }

    /// Stops a part with SIGTERM, as a rollout would, and waits until it has drained.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn stop_part(&self, part: Part) -> Result<()> {
        match part {
            Part::LocalRds => self.rds.stop().await?,
            Part::Webhook => self.webhook.stop().await?,
            Part::Reconciler => self.reconciler.stop().await?,
        };
        Ok(())
    }

    /// Starts a part again, after killing it if it still runs, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart(&self, part: Part) -> Result<()> {
        match part {
            Part::LocalRds => {
                self.rds.restart().await?;
                self.rds.wait_until_ready().await
            }
            Part::Webhook => {
                self.webhook.restart().await?;
                self.webhook.wait_until_ready().await
            }
            Part::Reconciler => {
                self.reconciler.restart().await?;
                self.reconciler.wait_until_ready().await
            }
        }
    }

    /// The process id of a part while it runs.
    pub async fn pid(&self, part: Part) -> Option<u32> {
        match part {
            Part::LocalRds => self.rds.pid().await,
            Part::Webhook => self.webhook.pid().await,
            Part::Reconciler => self.reconciler.pid().await,
        }
    }

    /// Waits until a part ends by itself, which none should; the error says which one and shows the end of its log.
    ///
    /// # Errors
    /// Always, sooner or later.
    pub async fn watch(&mut self) -> Result<()> {
        loop {
            self.controlplane.check()?;
            self.rds.check().await?;
            self.webhook.check().await?;
            self.reconciler.check().await?;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Ends all parts, those first that use the others.
    ///
    /// # Errors
    /// When one cannot be ended.
    pub async fn stop(self) -> Result<()> {
        self.reconciler.stop().await?;
        self.webhook.stop().await?;
        self.rds.stop().await?;
        self.controlplane.stop().await
    }
}

/// Applies manifests and waits until the CRDs among them are served.
async fn install(controlplane: &ControlPlane, manifests: &str) -> Result<()> {
    let kubectl = controlplane.kubectl();
    let output = kubectl.run_with_input(&["apply", "--server-side", "-f", "-"], manifests).await?;
    ensure!(output.success, "installing manifests/: {}", output.stderr.trim());
    kubectl.ok(&["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"]).await?;
    Ok(())
}

/// Where the API server looks for a Service of the operator.
///
/// # Errors
/// When there is no such Service.
pub async fn service_address(controlplane: &ControlPlane, name: &str) -> Result<SocketAddrV4> {
    let services: Api<KubernetesService> = Api::namespaced(controlplane.client(), NAMESPACE);
    let spec = services.get(name).await.with_context(|| format!("the Service {name}"))?.spec.unwrap_or_default();
    let address: Ipv4Addr = spec.cluster_ip.as_deref().unwrap_or_default().parse().context("it has no address")?;
    let port = spec.ports.iter().flatten().next().context("the webhook's Service has no port")?.port;
    Ok(SocketAddrV4::new(address, u16::try_from(port)?))
}

/// Plays whoever gives the webhook its certificate, into the Secret that its Deployment mounts; gives the CA to trust. The people at the
/// keyboard reach the webhook by its address, so that is in the certificate too.
async fn give_certificate(controlplane: &ControlPlane, address: Ipv4Addr, dir: &Path) -> Result<String> {
    let authority = Authority::new("testbed webhook")?;
    let names = ["rds-webhook.rds-system.svc", "rds-webhook.rds-system.svc.cluster.local", &address.to_string()];
    let identity = authority.server(&names)?;
    write_private(&dir.join("webhook/ca.crt"), authority.certificate())?;
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "rds-webhook-tls", "namespace": NAMESPACE},
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": identity.certificate, "tls.key": identity.key},
    });
    controlplane.kubectl().apply(&secret.to_string()).await?;
    Ok(authority.certificate().to_owned())
}
