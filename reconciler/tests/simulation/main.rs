//! The whole core over simulated ports, on a clock that is stopped: a seed is a run, and a run can be repeated to the byte.

mod chance;
mod cluster;
#[allow(dead_code, reason = "the simulated cloud and servers come next")]
mod faults;
mod process;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::ByteString;
use reconciler::entropy::Entropy;
use reconciler::turns::Key;
use serde_json::json;

use chance::Seeded;
use cluster::Kubernetes;
use process::Process;

const NAMESPACE: &str = "shop";
const NAMES: [&str; 3] = ["orders", "people", "stock"];

/// Two processes that both act, on clocks that are set; the first one is killed now and then.
async fn runs(seed: u64) -> Arc<Kubernetes> {
    let chance: Arc<dyn Entropy> = Arc::new(Seeded::new(seed));
    let cluster = Arc::new(Kubernetes::new(chance.clone()));
    for name in NAMES {
        cluster.create_database(NAMESPACE, name, &json!({"users": {"app": []}, "databases": {"main": ["app"]}}));
    }
    cluster.create_database(NAMESPACE, "odd", &json!({"users": "app"}));
    let keys = || NAMES.into_iter().chain(["odd"]).map(|name| Key { namespace: NAMESPACE.into(), name: name.into() });
    let mut steady = Process::start(&cluster, seed + 1, keys());
    let killed = async {
        for life in 0..20 {
            let mut mortal = Process::start(&cluster, seed + 2 + life, keys());
            mortal.clock.set(SignedDuration::from_secs(if life % 2 == 0 { 3600 } else { -3600 }));
            let lives = Duration::from_secs(6).mul_f64(chance.fraction());
            tokio::time::timeout(lives, mortal.run()).await.expect_err("it has always something to do");
        }
    };
    let lives_on = async {
        tokio::time::timeout(Duration::from_secs(300), steady.run()).await.expect_err("it has always something to do");
    };
    tokio::join!(biased; killed, lives_on);
    cluster
}

fn run(seed: u64) -> Arc<Kubernetes> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be built").block_on(runs(seed))
}

#[test]
fn a_seed_is_a_run() {
    for seed in [1, 1_000, 1_000_000] {
        let (once, again) = (run(seed).log(), run(seed).log());
        assert!(once.len() > 20, "{once:#?}");
        for (line, same) in once.iter().zip(&again) {
            assert_eq!(line, same, "seed {seed}");
        }
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
    assert_ne!(run(1).log(), run(2).log(), "another seed is another run");
}

#[test]
fn i4_a_password_is_made_once_whoever_is_killed() {
    for seed in (0..40).map(|seed| seed * 1_000) {
        let cluster = run(seed);
        let passwords: BTreeMap<_, _> = cluster
            .secrets()
            .into_iter()
            .map(|(key, secret)| {
                let data = secret.data.unwrap_or_default();
                (key.name, data.get("password").map(|ByteString(text)| text.clone()).unwrap_or_default())
            })
            .collect();
        assert_eq!(passwords.len(), 2 * NAMES.len(), "seed {seed}: {:?}", passwords.keys());
        for (secret, password) in passwords {
            assert_eq!(password.len(), 32, "seed {seed}: {secret}");
            let named = |line: &&String| line.contains(&format!(" {secret} ")) && line.contains("\"password\"");
            let log = cluster.log();
            assert_eq!(log.iter().filter(named).count(), 1, "seed {seed}: {secret} in {log:#?}");
        }
        let stalled = &cluster.status(NAMESPACE, "odd")["conditions"];
        assert!(stalled.to_string().contains("spec.users: must be a map"), "seed {seed}: {stalled}");
    }
}
