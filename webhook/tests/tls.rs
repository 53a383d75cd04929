//! Certificates that change under a running server.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::json;
use shared::serve::{Limits as ConnectionLimits, Server};
use support::client::Client;
use support::pki::{Authority, Mount, Pair};
use support::{LIMITS, review, service};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use webhook::metrics::Handshakes;
use webhook::tls::{Acceptor, CertificateStore, Failures, LoadError, MaterialError, Outcome, Validity, Watch};

const CONNECTIONS: ConnectionLimits = ConnectionLimits {
    connections: 64,
    first_header: Duration::from_secs(30),
    header: Duration::from_secs(30),
    answer: Duration::from_secs(30),
    drain: Duration::from_secs(5),
};
/// Longest time for a handshake.
const HANDSHAKE: Duration = Duration::from_millis(500);
const HOUR: i64 = 3600;

struct Running {
    address: SocketAddr,
    store: Arc<CertificateStore>,
    draining: CancellationToken,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(limits: ConnectionLimits) -> Running {
    let (router, _, draining) = service(LIMITS);
    let store = Arc::new(CertificateStore::new(Gauge::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    let task = tokio::spawn(run(listener, Arc::clone(&store), router, limits, stop.clone()));
    Running { address, store, draining, stop, task }
}

async fn run(
    listener: TcpListener,
    store: Arc<CertificateStore>,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let acceptor = Acceptor::new(store, HANDSHAKE, Failures::new(Handshakes::default(), Arc::default()));
    Server::new(router, limits, Gauge::default())
        .run(listener, |stream, peer| acceptor.accept(stream, peer), stop)
        .await;
}

fn der(pair: &Pair) -> Vec<u8> {
    use rustls_pki_types::pem::PemObject;
    rustls_pki_types::CertificateDer::from_pem_slice(pair.cert.as_bytes()).expect("a certificate").to_vec()
}

#[tokio::test]
async fn a_swapped_pair_is_served_to_new_connections_and_old_ones_live_on() {
    let authority = Authority::new();
    let mount = Mount::new();
    let gauge = Gauge::default();
    let store = Arc::new(CertificateStore::new(gauge.clone()));
    let mut watch = Watch::new(mount.files(), Arc::clone(&store), Timestamp::now);
    assert!(matches!(watch.look().await, Outcome::Kept(LoadError::Unreadable { .. })), "nothing is mounted yet");
    assert_eq!(store.validity(Timestamp::now()), Validity::Absent);

    let (router, _, _) = service(LIMITS);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(run(listener, Arc::clone(&store), router, CONNECTIONS, CancellationToken::new()));
    let connect = || Client::connect(address, &authority.root, &rustls::version::TLS13);
    assert!(connect().await.is_err(), "there is no certificate");

    let first = authority.leaf(-HOUR, HOUR);
    mount.swap(&first);
    assert_eq!(watch.look().await, Outcome::Replaced);
    assert_eq!(watch.look().await, Outcome::Unchanged);
    let ends = Timestamp::now().as_second() + HOUR;
    assert!((ends - 5..=ends).contains(&gauge.get()), "{}", gauge.get());
    let mut old = connect().await.expect("the first pair is served");
    assert_eq!(old.leaf(), der(&first));

    let second = authority.leaf(-HOUR, 2 * HOUR);
    mount.swap(&second);
    assert_eq!(watch.look().await, Outcome::Replaced);
    let mut new = connect().await.expect("the second pair is served");
    assert_eq!(new.leaf(), der(&second));
    for client in [&mut old, &mut new] {
        let answer = client.post("/mutate", &review("CREATE", &json!({}), None)).await.expect("an answer");
        assert_eq!((answer.code, answer.closes), (200, false));
    }

    // A pair caught in the middle of a change, then files that are no pair at all: what was good is kept.
    let torn = Pair { cert: authority.leaf(-HOUR, HOUR).cert, key: first.key.clone() };
    mount.swap(&torn);
    assert!(matches!(watch.look().await, Outcome::Kept(LoadError::Material(MaterialError::Mismatch(_)))));
    mount.swap(&Pair { cert: "none".into(), key: "none".into() });
    assert_eq!(watch.look().await, Outcome::Kept(LoadError::Material(MaterialError::NoCertificate)));
    mount.swap(&authority.leaf(-2 * HOUR, -HOUR));
    assert!(matches!(watch.look().await, Outcome::Kept(LoadError::OutOfTime { .. })));
    assert_eq!(connect().await.expect("the second pair is served still").leaf(), der(&second));

    mount.swap(&first);
    assert_eq!(watch.look().await, Outcome::Replaced, "a good pair is taken after bad ones");
    assert_eq!(connect().await.expect("the first pair is back").leaf(), der(&first));
    task.abort();
}

#[tokio::test]
async fn the_watch_notices_by_itself() {
    let authority = Authority::new();
    let mount = Mount::new();
    let store = Arc::new(CertificateStore::new(Gauge::default()));
    let task =
        tokio::spawn(Watch::new(mount.files(), Arc::clone(&store), Timestamp::now).run(Duration::from_millis(10)));
    mount.swap(&authority.leaf(-HOUR, HOUR));
    for _ in 0..500 {
        if store.validity(Timestamp::now()) == Validity::Valid {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(store.validity(Timestamp::now()), Validity::Valid);
    let later = Timestamp::from_second(Timestamp::now().as_second() + 2 * HOUR).expect("a time");
    assert_eq!(store.validity(later), Validity::Expired);
    task.abort();
}

async fn serve(authority: &Authority, limits: ConnectionLimits) -> Running {
    let running = start(limits).await;
    let pair = authority.leaf(-HOUR, HOUR);
    let material = webhook::tls::Material::parse(pair.cert.as_bytes(), pair.key.as_bytes()).expect("a pair");
    running.store.replace(material);
    running
}

#[tokio::test]
async fn nothing_older_than_tls_1_3_is_spoken() {
    let authority = Authority::new();
    let running = serve(&authority, CONNECTIONS).await;
    assert!(Client::connect(running.address, &authority.root, &rustls::version::TLS12).await.is_err());
    assert!(Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.is_ok());
}

#[tokio::test]
async fn a_stopping_server_answers_closes_and_ends() {
    let authority = Authority::new();
    let running = serve(&authority, CONNECTIONS).await;
    let mut busy = Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.expect("connected");
    let mut idle = Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.expect("connected");
    let asked = review("CREATE", &json!({}), None);
    assert_eq!(idle.post("/mutate", &asked).await.expect("an answer").code, 200);

    running.draining.cancel();
    let last = busy.post("/mutate", &asked).await.expect("an answer");
    assert_eq!((last.code, last.closes), (200, true));
    assert_eq!(busy.rest().await, 0, "the connection is closed");
    assert!(
        Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.is_ok(),
        "fresh connections are served while draining"
    );

    running.stop.cancel();
    tokio::time::timeout(Duration::from_secs(2), running.task)
        .await
        .expect("it ends at once")
        .expect("without a panic");
    assert_eq!(idle.rest().await, 0, "the idle connection is closed");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_on_the_wire() {
    let authority = Authority::new();
    let running = serve(&authority, CONNECTIONS).await;
    let mut client =
        Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.expect("connected");
    let answer = client.send("/mutate", &"x".repeat(7_500_000)).await.expect("an answer");
    assert_eq!((answer.code, &answer.body[..]), (413, &b"the body is larger than 7340032 bytes\n"[..]));
    let answer = client.post("/mutate", &review("CREATE", &json!({}), None)).await.expect("an answer");
    assert_eq!(answer.code, 200, "the connection can be used on");
}

#[tokio::test]
async fn whoever_does_not_shake_hands_is_left() {
    let authority = Authority::new();
    let running = serve(&authority, CONNECTIONS).await;
    let mut silent = TcpStream::connect(running.address).await.expect("connected");
    let mut byte = [0];
    let closed = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut byte));
    assert_eq!(closed.await.expect("in time").expect("without an error"), 0);
}

#[tokio::test]
async fn whoever_takes_no_answers_is_left() {
    let authority = Authority::new();
    let limits = ConnectionLimits { answer: Duration::from_millis(200), ..CONNECTIONS };
    let running = serve(&authority, limits).await;
    let mut greedy =
        Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.expect("connected");
    // Answers of some 100 KB, more and more of them, until the buffers of both sides are full.
    let wrong: serde_json::Map<_, _> = (0..500).map(|n| (format!("Not-A-Name-{n}"), json!(["nothing"]))).collect();
    let body = review("CREATE", &json!({"users": wrong}), None).to_string();
    let flood = async { while greedy.request("/mutate", &body).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), flood).await.expect("the server gives up");
    let mut next = Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.expect("connected");
    assert_eq!(next.post("/mutate", &review("CREATE", &json!({}), None)).await.expect("an answer").code, 200);
}

#[tokio::test]
async fn whoever_never_asks_is_left_and_whoever_has_asked_may_be_idle() {
    let authority = Authority::new();
    let limits = ConnectionLimits { first_header: Duration::from_millis(200), ..CONNECTIONS };
    let running = serve(&authority, limits).await;
    let connect = || Client::connect(running.address, &authority.root, &rustls::version::TLS13);
    let asked = review("CREATE", &json!({}), None);
    let mut idle = connect().await.expect("connected");
    assert_eq!(idle.post("/mutate", &asked).await.expect("an answer").code, 200);
    let (mut silent, mut slow) = (connect().await.expect("connected"), connect().await.expect("connected"));
    slow.begin("POST /mutate HTTP/1.1\r\nHost: ").await.expect("a part of a header");
    for client in [&mut silent, &mut slow] {
        tokio::time::timeout(Duration::from_secs(5), client.rest()).await.expect("closed in time");
    }
    assert_eq!(idle.post("/mutate", &asked).await.expect("an answer").code, 200);
}

#[tokio::test]
async fn a_connection_without_further_requests_is_closed() {
    let authority = Authority::new();
    let limits = ConnectionLimits { header: Duration::from_millis(200), ..CONNECTIONS };
    let running = serve(&authority, limits).await;
    let mut client =
        Client::connect(running.address, &authority.root, &rustls::version::TLS13).await.expect("connected");
    assert_eq!(client.post("/mutate", &review("CREATE", &json!({}), None)).await.expect("an answer").code, 200);
    tokio::time::timeout(Duration::from_secs(5), client.rest()).await.expect("closed in time");
}
