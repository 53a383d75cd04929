//! Connections without end to the ports of the webhook, past the API server, while it asks.

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use testbed::{eventually::eventually, kubelet::Prepared, service::Service};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::{
    replica::metric,
    world::{World, quiet_trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![quiet_trial(
        world,
        "attack::i13_both_ports_under_a_connection_attack_creates_go_on",
        both_ports_under_attack_creates_go_on,
    )]
}

/// Memory that a replica may have, in kB: `resources.limits` of its Deployment.
const LIMIT: u64 = 128 * 1024;

/// Places on a replica's TLS port (`--max-connections`).
const PLACES: f64 = 512.0;

/// Connections that are kept open to a port: more than its places.
const KEPT: usize = 1000;

/// Between two connections to a port. Without it the attack would take the processor from the API server, and show nothing of places.
const PAUSE: Duration = Duration::from_millis(2);

/// Where the attack comes from.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// Connections to each port before anything is created, many times its places.
const MANY: u64 = 3000;

async fn both_ports_under_attack_creates_go_on(world: &World) -> Result<()> {
    let admission = world.admission().await?;
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;

    let mut attacks = Vec::new();
    for replica in &admission.replicas {
        let admin = replica.readiness().admin().trim_start_matches("http://").parse()?;
        let tls = replica.readiness().at(admission.pod().port("https")?);
        let unfinished = format!("GET /readyz HTTP/1.1\r\nHost: admin\r\nX-Padding: {:x<15000}", "");
        attacks.push(Attack::start(admin, unfinished, KEPT));
        attacks.push(Attack::start(tls, String::new(), KEPT));
    }
    eventually("thousands of connections", async || {
        let made: Vec<u64> = attacks.iter().map(|attack| attack.made.load(Relaxed)).collect();
        ensure!(made.iter().all(|&made| made > MANY), "{made:?} so far");
        Ok(())
    })
    .await?;
    for replica in &admission.replicas {
        let open = metric(replica.readiness().admin(), "rds_webhook_connections").await?;
        ensure!(open >= PLACES / 2.0, "only {open} places are taken: this shows nothing");
    }

    let load = admission.load();
    load.sent(300).await?;
    load.stop().await?.without_failure("connections to both ports without end")?;
    drop(attacks);
    for replica in &admission.replicas {
        let peak = peak(replica).await?;
        ensure!(peak < LIMIT, "a replica had {peak} kB, and may have {LIMIT}");
    }
    Ok(())
}

/// The most that was resident, in kB.
async fn peak(replica: &Service<Prepared>) -> Result<u64> {
    let pid = replica.pid().await.context("a replica has ended")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no peak")?;
    Ok(peak.trim().trim_end_matches(" kB").parse()?)
}

/// A task that connects again and again, until it is dropped.
struct Attack {
    made: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Drop for Attack {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Attack {
    /// Sends `first` on each connection, and keeps so many.
    fn start(address: SocketAddr, first: String, kept: usize) -> Self {
        let made = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&made);
        let task = tokio::spawn(async move {
            let mut held = VecDeque::new();
            loop {
                if let Ok(mut stream) = connect(address).await {
                    // It may be closed already.
                    let _ = stream.write_all(first.as_bytes()).await;
                    counted.fetch_add(1, Relaxed);
                    held.push_back(stream);
                }
                if held.len() > kept {
                    held.pop_front();
                }
                sleep(PAUSE).await;
            }
        });
        Self { made, task }
    }
}

/// Connects from another address than an API server has.
async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Its ports would be used up by connections that have just ended.
    socket.set_zero_linger()?;
    socket.bind((ATTACKER, 0).into())?;
    socket.connect(address).await
}
