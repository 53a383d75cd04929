//! Admission alone, as it is in a cluster: an overlay applied as it is shipped, the webhook's replicas from its Deployment, and the Service
//! between them and the API server. No reconciler, no RDS.

use std::{
    net::{SocketAddr, SocketAddrV4},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use testbed::{
    certmanager::CertManager,
    controlplane::{ControlPlane, Options},
    eventually::eventually,
    kubectl::Kubectl,
    kubelet::{Kubelet, Pod, Prepared},
    load::Load,
    service::Service,
    service_proxy::ServiceProxy,
    stack::{Manifests, Programs, WEBHOOK, service_address},
};

use crate::{replica::metric, world::World};

/// From what happens to a Pod to where new connections go. The drain delay of the manifests must be longer.
pub(crate) const PROPAGATION: Duration = Duration::from_secs(3);

/// How late a mounted Secret changes. A kubelet takes 60 to 90 s; what matters is that it is later than the injection of a caBundle, which
/// takes less than one, and than a poll of the files is apart.
const LAG: Duration = Duration::from_secs(7);

/// Where the load goes.
const NAMESPACE: &str = "load";

/// The replicas of a Deployment behind their Service.
pub(crate) struct Admission {
    pub(crate) plane: ControlPlane,
    pub(crate) replicas: Vec<Service<Prepared>>,
    pub(crate) proxy: ServiceProxy,
    pod: Pod,
    service: SocketAddrV4,
    port: u16,
    wanted: usize,
    started: usize,
    kubelet: Kubelet,
    programs: Programs,
    cert_manager: Option<CertManager>,
}

impl Admission {
    /// Starts a control plane and applies the overlay. There are no replicas before [`fresh`](Self::fresh); each will be as the Deployment says, but
    /// for what `adjust` changes.
    pub(crate) async fn start(
        world: &World,
        name: &str,
        overlay: &str,
        adjust: impl FnOnce(Pod) -> Result<Pod>,
    ) -> Result<Self> {
        let programs = world.programs().await?.clone();
        let dir = world.folder(name);
        let logs = dir.join("logs");
        let options = Options { kubeconfig: dir.join("kubeconfig"), logs: logs.clone(), audit: true };
        let plane = ControlPlane::start(world.binaries().await?, &dir.join("controlplane"), options).await?;
        let manifests = Manifests::render(plane.kubectl(), overlay).await?;
        let cert_manager = match manifests.needs_cert_manager() {
            true => Some(CertManager::start(&plane, &logs).await?),
            false => None,
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(overlay);
        plane.kubectl().ok(&["apply", "-k", path.to_str().context("a path that is not UTF-8")?]).await?;
        plane.kubectl().ok(&["create", "namespace", NAMESPACE]).await?;

        let pod = adjust(manifests.pod(WEBHOOK)?)?;
        let service = service_address(&plane, WEBHOOK).await?;
        Ok(Self {
            port: pod.port("https")?,
            pod,
            service,
            proxy: ServiceProxy::listen(SocketAddr::from(service), PROPAGATION).await?,
            kubelet: Kubelet::new(&dir.join("pods"), &logs, LAG),
            replicas: Vec::new(),
            started: 0,
            wanted: manifests.replicas(WEBHOOK)?,
            plane,
            programs,
            cert_manager,
        })
    }

    /// Begins anew, whatever a test before this one has left: as many replicas as the Deployment says, and everybody is answered.
    pub(crate) async fn fresh(&mut self) -> Result<()> {
        while !self.replicas.is_empty() {
            self.proxy.terminating(self.replicas[0].readiness(), self.port);
            let gone = self.kill_oldest().await?;
            eventually("the Service to forget a replica", async || {
                ensure!(!self.is_led_to(&gone), "not yet");
                Ok(())
            })
            .await?;
        }
        for _ in 0..self.wanted {
            self.add().await?;
        }
        self.ready().await?;
        self.answering().await
    }

    pub(crate) fn kubectl(&self) -> &Kubectl {
        self.plane.kubectl()
    }

    /// Starts one more replica, and leaves the waiting to the caller.
    pub(crate) async fn add(&mut self) -> Result<()> {
        let pod = self.pod.clone();
        self.add_as(&pod).await
    }

    /// Starts one more replica as this Pod.
    pub(crate) async fn add_as(&mut self, pod: &Pod) -> Result<()> {
        self.started += 1;
        let (name, address) = (format!("{WEBHOOK}-{}", self.started), self.plane.pod_address()?);
        let prepared = self.kubelet.prepare(&self.plane, pod, &name, address, self.programs.webhook()).await?;
        let replica = prepared.start().await?;
        self.proxy.watch(replica.readiness(), self.port);
        self.replicas.push(replica);
        Ok(())
    }

    /// The address of the Service.
    pub(crate) fn service(&self) -> SocketAddrV4 {
        self.service
    }

    /// The Pod that replicas are started as.
    pub(crate) fn pod(&self) -> &Pod {
        &self.pod
    }

    /// Waits until all replicas are ready and connections lead to each of them.
    pub(crate) async fn ready(&mut self) -> Result<()> {
        if let Some(cert_manager) = &mut self.cert_manager {
            cert_manager.check()?;
        }
        for replica in &self.replicas {
            replica.wait_until_ready().await?;
            eventually("the Service to lead to a new replica", async || {
                ensure!(self.is_led_to(replica), "not yet");
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Waits until the API server's requests get through, defaults and all.
    pub(crate) async fn answering(&self) -> Result<()> {
        let object = "apiVersion: matrixmind.cloud/v1\nkind: RDSDatabase\nmetadata: {name: first, namespace: load}\n";
        eventually("admission through the webhook", async || {
            let args = ["create", "--dry-run=server", "-o", "jsonpath={.spec.version}", "-f", "-"];
            let answer = self.kubectl().run_with_input(&args, object).await?;
            ensure!(answer.success && answer.stdout == "12", "{answer:?}");
            Ok(())
        })
        .await
    }

    /// Starts sending requests.
    pub(crate) fn load(&self) -> Load {
        Load::start(&self.plane.client(), NAMESPACE)
    }

    /// Takes the oldest replica away as the deletion of its Pod would: SIGTERM at once, and soon no new connections. It must end by itself,
    /// well, and within its grace.
    pub(crate) async fn delete_oldest(&mut self) -> Result<()> {
        ensure!(!self.replicas.is_empty(), "no replica is left");
        let replica = self.replicas.remove(0);
        self.proxy.terminating(replica.readiness(), self.port);
        let status = replica.stop().await?.context("it had ended before")?;
        ensure!(status.success(), "it did not end by itself within {:?}: {status}", self.pod.grace());
        Ok(())
    }

    /// Ends the oldest replica with SIGKILL, as a crash would; nobody is told.
    pub(crate) async fn kill_oldest(&mut self) -> Result<Service<Prepared>> {
        ensure!(!self.replicas.is_empty(), "no replica is left");
        let replica = self.replicas.remove(0);
        replica.kill().await?;
        Ok(replica)
    }

    /// Whether new connections are led to this replica.
    pub(crate) fn is_led_to(&self, replica: &Service<Prepared>) -> bool {
        self.proxy.leads_to(replica.readiness(), self.port)
    }

    /// When the certificates of the replicas end, in seconds since 1970.
    pub(crate) async fn not_after(&self) -> Result<Vec<f64>> {
        let mut all = Vec::new();
        for replica in &self.replicas {
            all.push(metric(replica.readiness().admin(), "rds_webhook_cert_not_after_seconds").await?);
        }
        Ok(all)
    }

    /// Waits until every replica serves a later certificate than `before`, and then until the API server has made connections to them.
    pub(crate) async fn renewed_since(&self, before: &[f64]) -> Result<()> {
        eventually("a new certificate in each replica", async || {
            let now = self.not_after().await?;
            ensure!(now.iter().zip(before).all(|(now, before)| now > before), "from {before:?} to {now:?}");
            Ok(())
        })
        .await?;
        let connections = self.proxy.connections();
        eventually("new connections, which see the new certificate", async || {
            let made = self.proxy.connections() - connections;
            ensure!(made >= 30, "{made} so far");
            Ok(())
        })
        .await
    }

    /// The CAs that both webhook configurations trust, base64; an error while they differ or are empty.
    pub(crate) async fn bundle(&self) -> Result<String> {
        let mut all = Vec::new();
        for kind in ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"] {
            let path = "jsonpath={.webhooks[*].clientConfig.caBundle}";
            all.push(self.kubectl().ok(&["get", kind, WEBHOOK, "-o", path]).await?);
        }
        ensure!(!all[0].is_empty() && all[0] == all[1], "the bundles are {all:?}");
        Ok(all.swap_remove(0))
    }

    /// Ends everything in order.
    pub(crate) async fn stop(self) -> Result<()> {
        for replica in &self.replicas {
            replica.kill().await?;
        }
        if let Some(cert_manager) = self.cert_manager {
            cert_manager.stop().await?;
        }
        self.plane.stop().await
    }
}
