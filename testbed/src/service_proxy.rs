//! The part of kube-proxy, and of those who tell it where to send whom: a Service's address leads to the Pods that are ready.
//!
//! As in a cluster, only new connections are led elsewhere: those that are open stay with their Pod until one side ends them. And all news
//! come late: readiness is asked for now and then, and what is known takes a while to reach every node.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use rand::seq::IndexedRandom as _;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{interval, sleep, timeout},
};

use crate::kubelet::Prepared;

/// How long one look for readiness may take: `timeoutSeconds` of the manifests.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// A Service's address that is served for as long as this value lives.
#[derive(Debug)]
pub struct ServiceProxy {
    delay: Duration,
    endpoints: Endpoints,
    connections: Arc<AtomicU64>,
    listening: JoinHandle<()>,
    probing: Mutex<Vec<(SocketAddr, JoinHandle<()>)>>,
}

/// Where new connections may go.
#[derive(Clone, Debug, Default)]
struct Endpoints(Arc<Mutex<Vec<SocketAddr>>>);

impl Endpoints {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<SocketAddr>) -> T) -> T {
        // Nothing that is done under the lock can panic half-way.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, address: SocketAddr, ready: bool) {
        self.change(|all| {
            all.retain(|&one| one != address);
            if ready {
                all.push(address);
            }
        });
    }

    fn pick(&self) -> Option<SocketAddr> {
        self.change(|all| all.choose(&mut rand::rng()).copied())
    }
}

impl Drop for ServiceProxy {
    fn drop(&mut self) {
        self.listening.abort();
        for (_, probing) in self.probing.get_mut().unwrap_or_else(PoisonError::into_inner) {
            probing.abort();
        }
    }
}

impl ServiceProxy {
    /// Listens on a Service's address. `delay` is the time from something that happens to a Pod to the moment when new connections heed it:
    /// about a second on a calm cluster (the EndpointSlice controller, a watch, kube-proxy's `minSyncPeriod`), several on a busy one.
    ///
    /// # Errors
    /// When somebody listens there already.
    pub async fn listen(service: SocketAddr, delay: Duration) -> Result<Self> {
        let listener = TcpListener::bind(service).await.with_context(|| format!("listening on {service}"))?;
        let (endpoints, connections) = (Endpoints::default(), Arc::new(AtomicU64::new(0)));
        let listening = tokio::spawn(forward(listener, endpoints.clone(), Arc::clone(&connections)));
        Ok(Self { delay, endpoints, connections, listening, probing: Mutex::default() })
    }

    /// Leads connections to this port of a Pod whenever it is ready.
    pub fn watch(&self, pod: &Prepared, port: u16) {
        let (address, probe, delay) = (pod.at(port), pod.probe().clone(), self.delay);
        let url = format!("{}{}", pod.admin(), probe.path);
        let endpoints = self.endpoints.clone();
        let probing = tokio::spawn(async move {
            let (mut ready, mut failures, mut ticks) = (false, 0, interval(probe.period));
            loop {
                ticks.tick().await;
                let answer = timeout(PROBE_LIMIT, reqwest::get(&url)).await;
                let good = answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success()));
                failures = if good { 0 } else { failures + 1 };
                if good != ready && (good || failures >= probe.failures) {
                    sleep(delay).await;
                    endpoints.set(address, good);
                    ready = good;
                }
            }
        });
        self.probing().push((address, probing));
    }

    /// A Pod is being deleted: its endpoint goes, whatever its readiness says. Returns at once; connections heed it later.
    pub fn terminating(&self, pod: &Prepared, port: u16) {
        let address = pod.at(port);
        self.probing().retain(|(watched, probing)| {
            if *watched == address {
                probing.abort();
            }
            *watched != address
        });
        let (endpoints, delay) = (self.endpoints.clone(), self.delay);
        tokio::spawn(async move {
            sleep(delay).await;
            endpoints.set(address, false);
        });
    }

    /// Whether new connections may go to this port of a Pod.
    pub fn leads_to(&self, pod: &Prepared, port: u16) -> bool {
        self.endpoints.change(|all| all.contains(&pod.at(port)))
    }

    /// How many connections have been made so far.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    fn probing(&self) -> std::sync::MutexGuard<'_, Vec<(SocketAddr, JoinHandle<()>)>> {
        self.probing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn forward(listener: TcpListener, endpoints: Endpoints, connections: Arc<AtomicU64>) {
    loop {
        // Out of file descriptors, most likely: some will be closed in a moment.
        let Ok((mut client, _)) = listener.accept().await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        connections.fetch_add(1, Relaxed);
        // A Service without endpoints refuses; so does an endpoint whose process is gone. Either way the client's connection ends.
        let Some(endpoint) = endpoints.pick() else { continue };
        tokio::spawn(async move {
            if let Ok(mut server) = TcpStream::connect(endpoint).await {
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                // How a connection ends is for its two sides to judge.
                let _ = copy_bidirectional(&mut client, &mut server).await;
            }
        });
    }
}
