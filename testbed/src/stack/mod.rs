//! The whole product on one machine: the control plane, the local RDS, `manifests/` as shipped, the webhook behind its Service, and the
//! reconciler with the rights of its ServiceAccount.

mod local_rds;
mod manifests;
mod programs;
mod service;

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::core::v1::Service as KubernetesService;
use kube::Api;

use self::{
    local_rds::ACCESS_KEY,
    service::{AdminPort, Service},
};
pub use self::{
    local_rds::{Counters, LocalRds, REGION},
    manifests::Manifests,
    programs::Programs,
};
use crate::{
    controlplane::{Binaries, ControlPlane, Options as ControlPlaneOptions, pki::Authority, write_private},
    ports,
    process::Spec,
};
pub(crate) use programs::WORKSPACE;

/// The namespace of both services.
pub const NAMESPACE: &str = "rds-system";

/// The ServiceAccount of the reconciler, and the name of its log.
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
}

/// A running stack. Dropping it kills all parts; [`stop`](Self::stop) ends them in order.
pub struct Stack {
    controlplane: ControlPlane,
    rds: Service<LocalRds>,
    webhook: Service<AdminPort>,
    reconciler: Service<AdminPort>,
    reconciler_kubeconfig: PathBuf,
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
        let [rds_port, webhook_admin, reconciler_admin] = ports::free()?;

        let controlplane = async {
            let Options { kubeconfig, audit, .. } = options.clone();
            let options = ControlPlaneOptions { kubeconfig, logs: logs.clone(), audit };
            let plane = ControlPlane::start(binaries, &dir.join("controlplane"), options).await?;
            progress(&format!("Kubernetes API server at {}", plane.url()));
            anyhow::Ok(plane)
        };
        let local_rds = async {
            let rds = LocalRds::new(dir.join("rds"), rds_port);
            let spec = rds.spec(programs, &logs, options.time_scale);
            let rds = Service::start(spec, rds).await?;
            progress(&format!("local RDS at {}", rds.readiness().endpoint()));
            anyhow::Ok(rds)
        };
        let (controlplane, rds) = tokio::try_join!(controlplane, local_rds)?;

        let manifests = Manifests::render(controlplane.kubectl(), Path::new(WORKSPACE)).await?;
        install(&controlplane, &manifests.without_registrations()?).await?;
        progress("manifests/ installed: CRDs, roles, Services");

        let (webhook, webhook_url, ca) = start_webhook(&controlplane, programs, &dir, webhook_admin).await?;
        install(&controlplane, &manifests.registrations(&ca)?).await?;
        progress(&format!("webhook at {webhook_url}, registered"));

        let reconciler_kubeconfig = controlplane.service_account_kubeconfig(NAMESPACE, RECONCILER).await?;
        let spec = reconciler(RECONCILER, programs, &logs, reconciler_admin, &reconciler_kubeconfig, rds.readiness());
        let reconciler = Service::start(spec, AdminPort::new(reconciler_admin)).await?;
        progress("reconciler, with the rights of its ServiceAccount");
        let programs = programs.clone();
        Ok(Self { controlplane, rds, webhook, reconciler, reconciler_kubeconfig, programs, webhook_url, dir })
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
        self.webhook.readiness().url()
    }

    /// Where the reconciler answers `/healthz`, `/readyz` and `/metrics`.
    pub fn reconciler_admin(&self) -> &str {
        self.reconciler.readiness().url()
    }

    /// What starts a further reconciler, with the flags, the environment and the rights of the stack's own; `name` names its log.
    pub fn further_reconciler(&self, name: &str, admin: u16) -> Spec {
        reconciler(name, &self.programs, &self.logs(), admin, &self.reconciler_kubeconfig, self.rds())
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
            Part::LocalRds => self.rds.stop().await,
            Part::Webhook => self.webhook.stop().await,
            Part::Reconciler => self.reconciler.stop().await,
        }
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

/// Starts the webhook on the address of its Service, so that the shipped registrations reach it; gives its URL and the CA to trust.
async fn start_webhook(
    controlplane: &ControlPlane,
    programs: &Programs,
    dir: &Path,
    admin: u16,
) -> Result<(Service<AdminPort>, String, String)> {
    let services: Api<KubernetesService> = Api::namespaced(controlplane.client(), NAMESPACE);
    let spec = services.get("rds-webhook").await.context("the webhook's Service")?.spec.unwrap_or_default();
    let address: IpAddr =
        spec.cluster_ip.as_deref().unwrap_or_default().parse().context("the webhook's Service has no address")?;
    let port = spec.ports.iter().flatten().next().context("the webhook's Service has no port")?.port;

    let authority = Authority::new("testbed webhook")?;
    let names = ["rds-webhook.rds-system.svc", "rds-webhook.rds-system.svc.cluster.local", &address.to_string()];
    let identity = authority.server(&names)?;
    let tls = dir.join("webhook");
    write_private(&tls.join("ca.crt"), authority.certificate())?;
    write_private(&tls.join("tls.crt"), &identity.certificate)?;
    write_private(&tls.join("tls.key"), &identity.key)?;

    let spec = Spec::new("rds-webhook", &programs.webhook, &dir.join("logs"))
        .args([
            "--tls-cert".as_ref(),
            tls.join("tls.crt").as_os_str(),
            "--tls-key".as_ref(),
            tls.join("tls.key").as_os_str(),
        ])
        .args([
            format!("--listen={address}:{port}"),
            format!("--admin-listen=127.0.0.1:{admin}"),
            // Nobody routes traffic away from it first: there is nothing to wait for.
            "--drain-delay=0s".to_owned(),
        ]);
    let webhook = Service::start(spec, AdminPort::new(admin)).await?;
    Ok((webhook, format!("https://{address}:{port}"), authority.certificate().to_owned()))
}

/// The reconciler as its Deployment runs it, but for the addresses and the local RDS in place of AWS.
fn reconciler(name: &str, programs: &Programs, logs: &Path, admin: u16, kubeconfig: &Path, rds: &LocalRds) -> Spec {
    Spec::new(name, &programs.reconciler, logs)
        .args([&format!("--admin-listen=127.0.0.1:{admin}"), "--service-namespace=rds", "--endpoint-suffix=127.0.0.1"])
        .args(["--leader-election", "--lease-namespace=rds-system"])
        .args(["--rds-ca-bundle".as_ref(), rds.ca().as_os_str()])
        .env("KUBECONFIG", kubeconfig)
        .env("AWS_ENDPOINT_URL", rds.endpoint())
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY.0)
        .env("AWS_SECRET_ACCESS_KEY", ACCESS_KEY.1)
        // Nothing of the person's own AWS set-up, and no look for an instance's metadata.
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
}
