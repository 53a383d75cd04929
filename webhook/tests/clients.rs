//! `--client-ca`: who may connect, on the real process.

mod support;

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustls_pki_types::CertificateDer;
use serde_json::json;
use support::client::Client;
use support::pki::{Authority, Mount, Pair};
use support::process::Process;
use support::review;
use webhook::authority::certificate::Anchor;

fn pem(root: &CertificateDer<'static>) -> String {
    Anchor::render_bundle([&Anchor::new(root.clone()).expect("a certificate")])
}

/// The status code of a review, or why there is no answer: with TLS 1.3 a client learns that it was refused when it reads.
async fn asked(process: &Process, server: &Authority, identity: Option<&Pair>) -> io::Result<u16> {
    let version = &rustls::version::TLS13;
    let mut client = Client::connect_as(identity, process.listen, &server.root, version).await?;
    Ok(client.post("/validate", &review("CREATE", &json!({"type": "Postgresql"}), None)).await?.code)
}

async fn becomes(process: &Process, server: &Authority, identity: &Pair, accepted: bool) {
    let start = Instant::now();
    while asked(process, server, Some(identity)).await.is_ok() != accepted {
        assert!(start.elapsed() < Duration::from_secs(10), "whether it is accepted never becomes {accepted}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn put(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).expect("written");
    fs::rename(&beside, path).expect("moved");
}

#[tokio::test]
async fn only_clients_of_the_authority_are_served_and_it_may_change() {
    let (server, one, other) = (Authority::new(), Authority::new(), Authority::new());
    let mount = Mount::new();
    mount.swap(&server.leaf(-3600, 3600));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("clients.crt");
    let process = Process::start(&mount, &["--client-ca", path.to_str().expect("text")]);
    let unready = (503, "the file of --client-ca holds no authority yet\n".to_owned());
    assert_eq!(process.get("/readyz").await, unready);
    assert!(asked(&process, &server, None).await.is_err(), "nobody is served before it is known who may be");
    let (_, metrics) = process.get("/metrics").await;
    let unserved = r#"rds_webhook_handshakes_failed_total{reason="no-client-authority"} 1"#;
    assert!(metrics.contains(unserved), "{unserved} in\n{metrics}");

    put(&path, &pem(&one.root));
    process.wait_ready(200).await;
    let (client, stranger) = (one.leaf(-3600, 3600), other.leaf(-3600, 3600));
    assert_eq!(asked(&process, &server, Some(&client)).await.expect("an answer"), 200);
    assert!(asked(&process, &server, None).await.is_err(), "no certificate");
    assert!(asked(&process, &server, Some(&stranger)).await.is_err(), "by somebody else");
    assert!(asked(&process, &server, Some(&one.leaf(-7200, -3600))).await.is_err(), "ended");
    let (_, metrics) = process.get("/metrics").await;
    let refused = r#"rds_webhook_handshakes_failed_total{reason="client-certificate"} 3"#;
    assert!(metrics.contains(refused), "{refused} in\n{metrics}");

    put(&path, "no certificate");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(asked(&process, &server, Some(&client)).await.expect("the last good authority stays"), 200);
    put(&path, &format!("{}{}", pem(&one.root), pem(&other.root)));
    becomes(&process, &server, &stranger, true).await;
    assert_eq!(asked(&process, &server, Some(&client)).await.expect("both are accepted"), 200);
    put(&path, &pem(&other.root));
    becomes(&process, &server, &client, false).await;
}
