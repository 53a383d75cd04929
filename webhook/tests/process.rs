//! The binary itself: starts, is ready when it has a certificate, and leaves in order.

mod support;

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Map, Value, json};
use support::client::Client;
use support::pki::{Authority, Mount};
use support::process::Process;
use support::review;

#[tokio::test]
async fn it_waits_for_a_certificate_serves_and_leaves_in_order() {
    let authority = Authority::new();
    let mount = Mount::new();
    let mut process = Process::start(&mount, &[]);
    assert_eq!(process.get("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(process.get("/readyz").await, (503, "no certificate yet\n".to_owned()));

    mount.swap(&authority.leaf(-3600, 3600));
    process.wait_ready(200).await;
    let connect = || Client::connect(process.listen, &authority.root, &rustls::version::TLS13);
    let mut client = connect().await.expect("connected");
    let asked = review("CREATE", &json!({}), None);
    let answer = client.post("/mutate", &asked).await.expect("an answer");
    let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!((&answer["response"]["allowed"], &answer["response"]["uid"]), (&json!(true), &asked["request"]["uid"]));

    let (_, metrics) = process.get("/metrics").await;
    for line in [
        r#"rds_webhook_requests_total{path="mutate",operation="CREATE",allowed="true"} 1"#,
        "rds_webhook_connections 1",
        "rds_webhook_cert_not_after_seconds 1",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }

    process.terminate();
    process.wait_ready(503).await;
    assert_eq!(process.get("/readyz").await.1, "stopping\n");
    let mut late = connect().await.expect("it serves on for the moment");
    let answer = late.post("/validate", &asked).await.expect("an answer");
    assert_eq!((answer.code, answer.closes), (200, true));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = process.child.try_wait().expect("a child") {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "it never ends");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(status.success(), "{status}");
}

/// A Pod has 128 MiB, whatever comes at once.
#[tokio::test]
async fn the_heaviest_requests_fit_into_its_memory() {
    let authority = Authority::new();
    let mount = Mount::new();
    mount.swap(&authority.leaf(-3600, 3600));
    let process = Process::start(&mount, &[]);
    process.wait_ready(200).await;

    let names: Vec<String> = (0..500).map(|n| format!("u{n}")).collect();
    let users: Map<_, _> = names.iter().map(|name| (name.clone(), json!(["createdb"]))).collect();
    let databases: Map<_, _> = (0..500).map(|n| (format!("d{n}"), json!(names))).collect();
    let full = json!({"type": "Postgresql", "users": users, "databases": databases});
    let mut grown = full.clone();
    grown["size"] = json!("40GB");
    let maps = Value::Array(vec![json!({"": 1}); 33_000]);
    let lists = Value::Array(vec![json!([]); 1_000_000]);
    let heavy = [
        review("UPDATE", &grown, Some(&full)),
        review("UPDATE", &json!({}), Some(&full)),
        review("CREATE", &json!({"users": maps}), None),
        review("UPDATE", &json!({"users": maps}), Some(&json!({"users": maps, "paused": true}))),
        review("CREATE", &json!({"users": lists}), None),
    ];
    let bodies: Vec<String> = heavy.iter().map(Value::to_string).collect();
    let mut asked = Vec::new();
    for (path, body) in
        ["/mutate", "/validate"].into_iter().flat_map(|path| bodies.iter().map(move |body| (path, body)))
    {
        let client = Client::connect(process.listen, &authority.root, &rustls::version::TLS13).await;
        asked.push((client.expect("connected"), path, body));
    }
    let answers = join_all(asked.into_iter().map(async |(mut client, path, body)| {
        loop {
            let answer = client.send(path, body).await?;
            if answer.code != 429 {
                return io::Result::Ok(answer.code);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }));
    for code in answers.await {
        assert_eq!(code.expect("an answer"), 200);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.child.id())).expect("its status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("at most {peak} kB were resident");
    assert!(peak < 128 * 1024, "{peak} kB");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_rds-webhook"))
        .args(["--listen", &address, "--admin-listen=127.0.0.1:0", "--tls-cert=/none", "--tls-key=/none"])
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
}

#[test]
fn default_versions_are_judged_at_the_start() {
    for (args, why) in [
        (&["--default-version=postgresql=11"][..], "\"11\" is not a version of PostgreSQL that is offered"),
        (&["--default-version=postgresql=16,Postgresql=17"], "the default version of PostgreSQL is given twice"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_rds-webhook"))
            .args(["--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"])
            .args(args)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(why), "{said}");
    }
}
