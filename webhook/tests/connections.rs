//! Connections that only take places, on both ports of the binary: reviews and probes go on, and it stays within its memory.

mod support;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::client::Client;
use support::pki::{Authority, Mount};
use support::process::Process;
use support::review;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Builder;

/// Places on both ports, where the number does not matter.
const PLACES: &str = "--max-connections=64";

/// More than those.
const CROWD: usize = 80;

/// More than the webhook has as shipped.
const LARGE_CROWD: usize = 530;

/// Connections that an attack keeps: with the crowd they stay below the 1024 files that a process may usually have.
const KEPT: usize = 150;

/// How long an API server waits for a webhook (`timeoutSeconds` of the registrations).
const PATIENCE: Duration = Duration::from_secs(5);

/// The begin of a request as long as a header may be, which never ends.
fn unfinished() -> String {
    format!("GET /readyz HTTP/1.1\r\nHost: admin\r\nX-Padding: {:x<15000}", "")
}

struct Webhook {
    authority: Authority,
    process: Process,
}

impl Webhook {
    async fn start(args: &[&str]) -> Self {
        let (authority, mount) = (Authority::new(), Mount::new());
        mount.swap(&authority.leaf(-3600, 3600));
        let process = Process::start(&mount, args);
        process.wait_ready(200).await;
        Self { authority, process }
    }

    async fn connect(&self) -> Client {
        let connecting = Client::connect(self.process.listen, &self.authority.root, &rustls::version::TLS13);
        let connected = tokio::time::timeout(PATIENCE, connecting).await.expect("connected in time");
        connected.expect("a handshake that nobody cuts short")
    }

    /// A review over a connection of its own.
    async fn review(&self) -> Client {
        let mut client = self.connect().await;
        ask(&mut client).await;
        client
    }

    /// The most it had resident so far, in bytes.
    fn peak(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.child.id())).expect("its status");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        peak.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }
}

async fn ask(client: &mut Client) {
    let review = review("CREATE", &json!({}), None);
    let answer = tokio::time::timeout(PATIENCE, client.post("/mutate", &review)).await.expect("in time");
    let answer: Value = serde_json::from_slice(&answer.expect("an answer").body).expect("JSON");
    assert_eq!(answer["response"]["allowed"], true);
}

/// Where attacks come from.
const ATTACKER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 66);

/// Threads that connect without a pause.
struct Attack {
    going: Arc<AtomicBool>,
    made: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Attack {
    fn start(threads: usize, address: SocketAddr, first: &str, kept: usize) -> Self {
        let (going, made) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicUsize::new(0)));
        let threads = (0..threads)
            .map(|_| {
                let (going, made, first) = (Arc::clone(&going), Arc::clone(&made), first.to_owned());
                let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
                let attack = async move {
                    let mut held = VecDeque::new();
                    while going.load(Ordering::Relaxed) {
                        let Ok(mut stream) = connect_from(ATTACKER, address).await else { continue };
                        // It may be closed already.
                        let _ = stream.write_all(first.as_bytes()).await;
                        made.fetch_add(1, Ordering::Relaxed);
                        held.push_back(stream);
                        if held.len() > kept {
                            held.pop_front();
                        }
                    }
                };
                thread::spawn(move || runtime.block_on(attack))
            })
            .collect();
        Self { going, made, threads }
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    async fn reaches(&self, count: usize) {
        let start = Instant::now();
        while self.made() < count {
            assert!(start.elapsed() < Duration::from_secs(60), "{} connections of {count}", self.made());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn stop(self) {
        self.going.store(false, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("without a panic");
        }
    }
}

async fn connect_from(from: Ipv4Addr, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // Its ports would be used up by connections that have just ended.
    socket.set_zero_linger()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

#[tokio::test]
async fn i13_idle_connections_make_room_for_the_api_server() {
    let webhook = Webhook::start(&[PLACES]).await;
    let mut api_server = webhook.review().await;
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let mut client = webhook.connect().await;
        match number % 4 {
            0 => client.begin(&unfinished()).await.expect("a part of a header"),
            1 => drop(client.send("/nothing", "").await.expect("an answer")),
            2 => client
                .begin("POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
                .await
                .expect("a part of a body"),
            _ => {}
        }
        crowd.push(client);
    }
    ask(&mut api_server).await;
    for _ in 0..40 {
        crowd.push(webhook.review().await);
    }
    ask(&mut api_server).await;
}

#[tokio::test]
async fn i13_whoever_is_served_again_and_again_keeps_nobody_out() {
    let webhook = Webhook::start(&[PLACES]).await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        crowd.push(webhook.review().await);
    }
    let attack = Attack::start(2, webhook.process.listen, "", 64);
    attack.reaches(1_000).await;
    for _ in 0..20 {
        webhook.review().await;
    }
    attack.stop();
}

#[tokio::test]
async fn i13_both_ports_under_attack_reviews_and_probes_go_on_within_the_memory() {
    let webhook = Webhook::start(&[]).await;
    let mut api_server = webhook.review().await;
    let before = webhook.peak();
    let mut crowd = Vec::new();
    for _ in 0..LARGE_CROWD {
        let mut client = webhook.connect().await;
        client.begin(&unfinished()).await.expect("a part of a header");
        crowd.push(client);
    }
    let admin = Attack::start(1, webhook.process.admin, &unfinished(), KEPT);
    let tls = Attack::start(1, webhook.process.listen, "", KEPT);
    admin.reaches(3_000).await;
    tls.reaches(3_000).await;
    let (start, made) = (Instant::now(), admin.made() + tls.made());
    let mut slowest = Duration::ZERO;
    for _ in 0..30 {
        let start = Instant::now();
        webhook.review().await;
        slowest = slowest.max(start.elapsed());
        ask(&mut api_server).await;
        let probe = tokio::time::timeout(PATIENCE, webhook.process.get("/readyz")).await.expect("a probe in time");
        assert_eq!(probe, (200, "ready\n".to_owned()));
    }
    let made = admin.made() + tls.made() - made;
    println!("{made} connections in {:?}; the slowest review by a new one took {slowest:?}", start.elapsed());
    admin.stop();
    tls.stop();
    let peak = webhook.peak();
    println!("at most {peak} bytes were resident, {before} before");
    assert!(peak < 128 * 1024 * 1024, "{peak} bytes");
}
