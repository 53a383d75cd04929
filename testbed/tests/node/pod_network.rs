//! Connections from the network of a Pod. Its image has no program for that, and needs none: a thread of ours enters its network namespace.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket},
    path::PathBuf,
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use nix::sched::{CloneFlags, setns};
use serde_json::Value;
use testbed::kubectl::Kubectl;
use tokio::{process::Command, sync::oneshot};

/// Where the network namespaces of Pods have names.
const NAMESPACES: &str = "/run/netns";

/// Nothing is further away than this machine. A refusal may come without a word: the kernel sends only so many in a second.
const ANSWERS: Duration = Duration::from_millis(500);

/// The network of one Pod, or of what is no Pod.
#[derive(Clone, Debug)]
pub(crate) struct PodNetwork {
    address: Ipv4Addr,
    namespace: PathBuf,
}

impl PodNetwork {
    /// That of a Pod that runs, by a selector of labels.
    pub(crate) async fn of_pod(kubectl: &Kubectl, namespace: &str, selector: &str) -> Result<Self> {
        let found: Value =
            serde_json::from_str(&kubectl.ok(&["get", "pods", "-n", namespace, "-l", selector, "-o", "json"]).await?)?;
        let runs = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null() && pod["status"]["phase"] == "Running";
        let pod = found["items"].as_array().into_iter().flatten().find(runs);
        let address = pod.and_then(|pod| pod["status"]["podIP"].as_str());
        Self::at(address.with_context(|| format!("no Pod runs with {selector}"))?.parse()?).await
    }

    /// The one that has an address: the only one in which it can be listened on.
    pub(crate) async fn at(address: Ipv4Addr) -> Result<Self> {
        for entry in fs::read_dir(NAMESPACES).with_context(|| format!("reading {NAMESPACES}"))? {
            let namespace = entry?.path();
            let network = Self { address, namespace };
            // One that is being removed cannot be entered any more.
            if matches!(network.inside(move || Ok(UdpSocket::bind((address, 0)).is_ok())).await, Ok(true)) {
                return Ok(network);
            }
        }
        Err(anyhow!("no network namespace has {address}"))
    }

    /// An address of it.
    pub(crate) fn port(&self, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(self.address, port)
    }

    /// Whether a connection comes about, or else why not.
    pub(crate) async fn connect(&self, to: SocketAddrV4) -> Result<()> {
        self.inside(move || Ok(TcpStream::connect_timeout(&to.into(), ANSWERS).map(drop)?)).await
    }

    /// Listens at a port of it.
    pub(crate) async fn listen(&self, port: u16) -> Result<TcpListener> {
        let address = self.port(port);
        self.inside(move || Ok(TcpListener::bind(address)?)).await
    }

    /// Does something on a thread that is in the namespace, and ends there: those of the runtime are used again.
    async fn inside<T: Send + 'static>(&self, act: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let namespace = File::open(&self.namespace).with_context(|| format!("opening {}", self.namespace.display()))?;
        let (reply, answer) = oneshot::channel();
        thread::spawn(move || {
            let done = setns(&namespace, CloneFlags::CLONE_NEWNET).context("entering a network").and_then(|()| act());
            let _ = reply.send(done);
        });
        answer.await.context("a thread that ended early")?
    }
}

/// A network beside the node that is no Pod's, as of another machine.
pub(crate) struct Neighbour(&'static str);

impl Neighbour {
    /// Makes one with an address of the node's network, behind a bridge of the node.
    pub(crate) async fn new(name: &'static str, address: Ipv4Addr, bridge: &str, gateway: Ipv4Addr) -> Result<Self> {
        for line in [
            format!("netns add {name}"),
            format!("link add {name} type veth peer name eth0 netns {name}"),
            format!("link set {name} master {bridge} up"),
            format!("-n {name} addr add {address}/24 dev eth0"),
            format!("-n {name} link set eth0 up"),
            format!("-n {name} route add default via {gateway}"),
        ] {
            ip(&line).await?;
        }
        Ok(Self(name))
    }

    /// Removes it, and with it its end of the cable.
    pub(crate) async fn remove(self) -> Result<()> {
        ip(&format!("link del {}", self.0)).await?;
        ip(&format!("netns del {}", self.0)).await
    }
}

/// Runs `ip` on the node.
pub(crate) async fn ip(arguments: &str) -> Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output().await.context("running ip")?;
    ensure!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
