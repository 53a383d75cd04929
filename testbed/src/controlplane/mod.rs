//! A Kubernetes control plane on loopback: etcd, kube-apiserver and kube-controller-manager, ready in seconds, gone with this process.
//!
//! Mostly it has no nodes: Pods are run as plain processes by [`crate::kubelet`], and nobody tells the API server of them. Services work all
//! the same (see [`loopback`]): what listens on a Service's address is reached. With a [`NodeNetwork`] it is ready for [`crate::node`].

mod admission;
mod audit;
mod binaries;
mod flags;
mod kubeconfig;
pub mod loopback;
pub mod pki;

use std::{
    fmt::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU8, Ordering::Relaxed},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig},
};

pub(crate) use self::kubeconfig::write_private;
pub use self::{
    audit::{Mark, WriteRequest},
    binaries::Binaries,
};
use self::{
    flags::Layout,
    kubeconfig::{Server, render},
    loopback::LoopbackRange,
    pki::Authority,
};
use tokio::sync::{Mutex, Semaphore};

use crate::{
    eventually::eventually,
    kubectl::Kubectl,
    ports,
    process::{Process, Spec},
};

/// More than two that start at once only make each other late: each takes all of a core for some seconds.
static STARTING: Semaphore = Semaphore::const_new(2);

/// How long a program may take to end by itself: nothing it holds is worth more.
const GRACE: Duration = Duration::from_secs(5);

/// How long a ServiceAccount's token holds, in seconds: a week, longer than any demo stays up.
const TOKEN_SECONDS: i64 = 7 * 24 * 60 * 60;

/// What differs from one control plane to the next.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to write the administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// Where to write the logs of the programs.
    pub logs: PathBuf,
    /// Whether to keep an audit log of all writes, for [`ControlPlane::writes_since`].
    pub audit: bool,
}

/// The addresses of a control plane with a node, where it is alone.
#[derive(Clone, Debug)]
pub struct NodeNetwork {
    /// The name of the node.
    pub name: &'static str,
    /// The address of the node, and of the API server on it.
    pub address: Ipv4Addr,
    /// The port of the API server.
    pub port: u16,
    /// The range of Pods.
    pub pods: &'static str,
    /// The range of Services.
    pub services: &'static str,
    /// The first address of it, which is the API server's too.
    pub first_service: Ipv4Addr,
}

/// A running control plane. Dropping it kills it; [`stop`](Self::stop) ends it in order.
pub struct ControlPlane {
    layout: Layout,
    server: Server,
    client: Client,
    kubectl: Kubectl,
    etcd: Process,
    apiserver: Mutex<Process>,
    /// Started when the API server is ready: it does not wait for that itself for longer than ten seconds.
    controller_manager: Option<Process>,
    scheduler: Option<Process>,
    _services: LoopbackRange,
    pods: LoopbackRange,
    pods_placed: AtomicU8,
}

impl ControlPlane {
    /// Starts a control plane that keeps its files below `dir` and waits until it is ready.
    ///
    /// What `dir` holds of an earlier one is not used again: give it a fresh folder.
    ///
    /// # Errors
    /// When a program ends early or is not ready in time; with the end of its log.
    pub async fn start(binaries: &Binaries, dir: &Path, options: Options) -> Result<Self> {
        Self::start_for(binaries, dir, options, None).await
    }

    /// As [`start`](Self::start), for a node: with a scheduler and all controllers, at addresses that nobody else may have.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with_node(binaries: &Binaries, dir: &Path, options: Options, node: NodeNetwork) -> Result<Self> {
        Self::start_for(binaries, dir, options, Some(node)).await
    }

    async fn start_for(binaries: &Binaries, dir: &Path, options: Options, node: Option<NodeNetwork>) -> Result<Self> {
        let _turn = STARTING.acquire().await?;
        let (services, pods) = (LoopbackRange::claim()?, LoopbackRange::claim()?);
        let [etcd, etcd_peer, free] = ports::free()?;
        let dir = std::path::absolute(dir)?;
        let (apiserver, range) =
            node.as_ref().map_or_else(|| (free, services.to_string()), |node| (node.port, node.services.to_owned()));
        let layout = Layout { dir, etcd, etcd_peer, apiserver, services: range, audit: options.audit, node };
        let server = write_files(&layout, &options)?;

        let logs = &options.logs;
        let etcd = Process::start(Spec::new("etcd", &binaries.etcd, logs).args(flags::etcd(&layout))).await?;
        let apiserver = Spec::new("kube-apiserver", &binaries.apiserver, logs).args(flags::apiserver(&layout));
        let apiserver = Process::start(apiserver).await?;
        let client = client(&options.kubeconfig).await?;
        let kubectl = Kubectl::new(&binaries.kubectl, &options.kubeconfig);
        let mut plane = Self {
            layout,
            server,
            client,
            kubectl,
            etcd,
            apiserver: Mutex::new(apiserver),
            controller_manager: None,
            scheduler: None,
            _services: services,
            pods,
            pods_placed: AtomicU8::new(0),
        };
        plane.wait_until(Self::served).await?;
        let manager = Spec::new("kube-controller-manager", &binaries.controller_manager, logs);
        plane.controller_manager = Some(Process::start(manager.args(flags::controller_manager(&plane.layout))).await?);
        if plane.layout.node.is_some() {
            let scheduler = Spec::new("kube-scheduler", &binaries.scheduler, logs);
            plane.scheduler = Some(Process::start(scheduler.args(flags::scheduler(&plane.layout))).await?);
        }
        plane.wait_until(Self::managed).await?;
        Ok(plane)
    }

    /// A client with the administrator's rights.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// kubectl with the administrator's rights.
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// The address of the API server.
    pub fn url(&self) -> &str {
        &self.server.url
    }

    /// The CA of the certificate that the API server shows to webhooks that ask for one, PEM.
    pub fn webhook_clients_ca(&self) -> PathBuf {
        self.layout.path("webhook-clients-ca.crt")
    }

    /// A file of the control plane: `ca.crt`, and with a node `kubelet.kubeconfig` and `kube-proxy.kubeconfig`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.layout.path(name)
    }

    /// An address for a Pod, not given before.
    ///
    /// # Errors
    /// When there are none left: a control plane has 253.
    pub fn pod_address(&self) -> Result<Ipv4Addr> {
        let before = self.pods_placed.try_update(Relaxed, Relaxed, |placed| (placed < 253).then_some(placed + 1));
        let Ok(before) = before else { bail!("no address left for a Pod") };
        Ok(self.pods.address(before + 1))
    }

    /// The process ids of etcd, the API server and the controller manager, as far as they run.
    pub async fn pids(&self) -> Vec<u32> {
        let apiserver = self.apiserver.lock().await;
        let all = [Some(&self.etcd), Some(&*apiserver), self.controller_manager.as_ref()];
        all.into_iter().flatten().filter_map(Process::pid).collect()
    }

    /// Kills the API server with SIGKILL, as a crash would. What it has stored is etcd's, which runs on.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub async fn kill_apiserver(&self) -> Result<()> {
        self.apiserver.lock().await.kill().await
    }

    /// Starts the API server again, after killing it if it still runs, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn restart_apiserver(&self) -> Result<()> {
        self.apiserver.lock().await.restart().await?;
        eventually("the API server to be ready again", async || Self::served(&self.client).await).await
    }

    /// Writes a kubeconfig with a token of this ServiceAccount, which must exist, and gives its path. Whoever uses it has the very rights
    /// that the ServiceAccount's roles give.
    ///
    /// # Errors
    /// When the ServiceAccount does not exist, or the file cannot be written.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client.clone(), namespace);
        let wish = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..Default::default() },
            ..Default::default()
        };
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &wish)
            .await
            .with_context(|| format!("asking for a token of the ServiceAccount {namespace}/{name}"))?;
        let token = answer.status.context("a TokenRequest without status")?.token;
        let path = self.layout.path(&format!("{namespace}.{name}.kubeconfig"));
        write_private(&path, &render(&self.server, name, &token, namespace)?)?;
        Ok(path)
    }

    /// kubectl with the rights of this ServiceAccount.
    ///
    /// # Errors
    /// As [`service_account_kubeconfig`](Self::service_account_kubeconfig).
    pub async fn kubectl_as(&self, namespace: &str, name: &str) -> Result<Kubectl> {
        let kubeconfig = self.service_account_kubeconfig(namespace, name).await?;
        Ok(self.kubectl.with_kubeconfig(kubeconfig))
    }

    /// All requests since `mark` that were meant to write, and the next mark. Needs [`Options::audit`].
    ///
    /// # Errors
    /// When there is no audit log, or it cannot be read.
    pub fn writes_since(&self, mark: Mark) -> Result<(Vec<WriteRequest>, Mark)> {
        ensure!(self.layout.audit, "this control plane keeps no audit log");
        audit::writes_since(&self.layout.audit_log(), mark)
    }

    /// Fails when one of the programs has ended, with the end of its log.
    ///
    /// # Errors
    /// When one is not running.
    pub fn check(&mut self) -> Result<()> {
        self.etcd.check()?;
        self.apiserver.get_mut().check()?;
        self.scheduler.as_mut().map_or(Ok(()), Process::check)?;
        self.controller_manager.as_mut().map_or(Ok(()), Process::check)
    }

    /// Ends the programs in order.
    ///
    /// # Errors
    /// When one cannot be ended.
    pub async fn stop(mut self) -> Result<()> {
        for mut client in [self.scheduler, self.controller_manager].into_iter().flatten() {
            client.stop(GRACE).await?;
        }
        self.apiserver.get_mut().stop(GRACE).await?;
        self.etcd.stop(GRACE).await?;
        Ok(())
    }

    /// Looks until `ready`, or until one of the programs has ended.
    async fn wait_until(&mut self, ready: impl AsyncFn(&Client) -> Result<()>) -> Result<()> {
        let client = self.client.clone();
        let ready = eventually("a ready control plane", async || ready(&client).await);
        let mut watch = tokio::time::interval(Duration::from_millis(200));
        tokio::pin!(ready);
        loop {
            tokio::select! {
                outcome = &mut ready => return outcome,
                _ = watch.tick() => self.check()?,
            }
        }
    }

    /// The API server answers, with the roles that every cluster has.
    async fn served(client: &Client) -> Result<()> {
        client.request_text(http::Request::get("/readyz").body(Vec::new())?).await?;
        Ok(())
    }

    /// The controller manager works: it makes this account, so tokens of `default` can be asked for too.
    async fn managed(client: &Client) -> Result<()> {
        Api::<ServiceAccount>::namespaced(client.clone(), "default").get("default").await?;
        Ok(())
    }
}

/// Makes the keys, certificates and tokens that the programs are told of; gives what clients of the API server need to know.
fn write_files(layout: &Layout, options: &Options) -> Result<Server> {
    let authority = Authority::new("testbed control plane")?;
    let callers = Authority::new("testbed API server, as a client of webhooks")?;
    let mut names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned).to_vec();
    names.extend(layout.node.iter().flat_map(|node| [node.address.to_string(), node.first_service.to_string()]));
    let server = authority.server(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let etcd_client = authority.client("kube-apiserver")?;
    let (token_key, token_public_key) = pki::token_key()?;
    let (admin, manager) = (pki::random_token(), pki::random_token());
    let seen =
        Server { url: format!("https://127.0.0.1:{}", layout.apiserver), ca: authority.certificate().to_owned() };
    let mut tokens = format!(
        "{admin},admin,admin,system:masters\n{manager},system:kube-controller-manager,kube-controller-manager\n"
    );
    if let Some(node) = &layout.node {
        tokens.push_str(&write_node_files(layout, node, &authority, &seen)?);
    }
    for (name, content) in [
        ("ca.crt", authority.certificate()),
        ("server.crt", &server.certificate),
        ("server.key", &server.key),
        ("client.crt", &etcd_client.certificate),
        ("client.key", &etcd_client.key),
        ("serviceaccount.key", &token_key),
        ("serviceaccount.pub", &token_public_key),
        ("tokens.csv", &tokens),
        ("audit-policy.yaml", audit::POLICY),
        ("webhook-clients-ca.crt", callers.certificate()),
        ("admission.yaml", &admission::configuration(&layout.path("webhook-clients.kubeconfig"))),
        ("webhook-clients.kubeconfig", &admission::credentials(&callers.client("kube-apiserver")?)?),
        ("controller-manager.kubeconfig", &render(&seen, "kube-controller-manager", &manager, "default")?),
    ] {
        write_private(&layout.path(name), content)?;
    }
    write_private(&options.kubeconfig, &render(&seen, "admin", &admin, "default")?)?;
    Ok(seen)
}

/// Makes the same for the scheduler and for a node; gives their lines of `tokens.csv`.
fn write_node_files(layout: &Layout, node: &NodeNetwork, authority: &Authority, seen: &Server) -> Result<String> {
    let caller = authority.member("kube-apiserver", Some("system:masters"))?;
    write_private(&layout.path("kubelet-client.crt"), &caller.certificate)?;
    write_private(&layout.path("kubelet-client.key"), &caller.key)?;
    let kubelet = format!("system:node:{}", node.name);
    let mut tokens = String::new();
    for (name, user, groups) in [
        ("scheduler", "system:kube-scheduler", ""),
        ("kubelet", &kubelet, ",system:nodes"),
        ("kube-proxy", "system:kube-proxy", ""),
    ] {
        let token = pki::random_token();
        let _ = writeln!(tokens, "{token},{user},{name}{groups}");
        write_private(&layout.path(&format!("{name}.kubeconfig")), &render(seen, name, &token, "default")?)?;
    }
    Ok(tokens)
}

/// A client with the credentials of a kubeconfig.
///
/// # Errors
/// When the file cannot be read or used.
pub async fn client(kubeconfig: &Path) -> Result<Client> {
    let read = Kubeconfig::read_from(kubeconfig).with_context(|| format!("reading {}", kubeconfig.display()))?;
    let mut config = Config::from_custom_kubeconfig(read, &KubeConfigOptions::default()).await?;
    // The API server is on this machine: a proxy in the environment is not meant for it.
    config.proxy_url = None;
    Ok(Client::try_from(config)?)
}
