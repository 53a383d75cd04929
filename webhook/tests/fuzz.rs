//! Whatever is posted, there is an answer: a review with the uid where there is one, a 400 where there is none, never a panic.
//!
//! `cargo test` replays the corpus (`__fuzz__/<target>/corpus`, and `crashes` where there are some) and then goes on at random for a bounded
//! time, longer with `BOLERO_RANDOM_TEST_TIME_MS=60000`. `cargo bolero test any_bytes` fuzzes by coverage. A failure prints a
//! `BOLERO_RANDOM_SEED` that repeats it; what it found belongs into the corpus.

mod support;

#[path = "../../shared/tests/specs/mod.rs"]
#[allow(dead_code, reason = "what becomes of them is judged elsewhere")]
mod specs;

use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use bolero::check;
use serde_json::{Value, json};
use support::mutation::Recipe;
use support::{LIMITS, oracle, post, review, service};
use tokio::runtime::{Builder, Runtime};

/// Of each target, where nobody says otherwise.
const TIME: Duration = Duration::from_secs(3);

/// A service to ask from outside of any runtime.
struct Asked {
    runtime: Runtime,
    router: Router,
}

impl Asked {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (router, _, _) = service(LIMITS);
        Self { runtime, router }
    }

    fn ask(&self, body: &[u8]) {
        for path in ["/mutate", "/validate"] {
            let reply = self.runtime.block_on(post(&self.router, path, body.to_vec()));
            oracle::holds(path, body, &reply);
        }
    }
}

/// The corpus of the bytes, as far as it is JSON, and a review of each specification that the rules are held to.
fn seeds() -> Vec<Value> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/__fuzz__/any_bytes/corpus");
    let files = fs::read_dir(corpus).expect("a corpus").map(|file| file.expect("a file").path());
    let mut files: Vec<_> = files.collect();
    files.sort();
    let mut seeds: Vec<Value> =
        files.iter().filter_map(|file| serde_json::from_slice(&fs::read(file).expect("a file")).ok()).collect();
    assert!(seeds.len() > 20, "the corpus is there");
    let old = json!({"type": "Postgresql", "version": "16", "size": "100Gi", "users": {"app": []}});
    for spec in specs::admitted().into_iter().chain(specs::refused().into_iter().map(|refused| refused.spec)) {
        seeds.push(review("CREATE", &spec, None));
        seeds.push(review("UPDATE", &spec, Some(&old)));
    }
    let refused = specs::refused_changes().into_iter().map(|refused| refused.change);
    for change in specs::admitted_changes().into_iter().chain(refused) {
        let mut review = review("UPDATE", &change.new, Some(&change.old));
        review["request"]["oldObject"]["status"] = change.status;
        seeds.push(review);
    }
    // An old value that is carried over, on either side of how deep the oracle's parser goes.
    for levels in [122, 124, 126] {
        let deep = (0..levels).fold(Value::Null, |inner, _| json!([inner]));
        seeds.push(review("UPDATE", &json!({}), Some(&json!({"restoreFrom": deep}))));
    }
    seeds
}

#[test]
fn any_bytes() {
    let asked = AssertUnwindSafe(Asked::new());
    check!().with_test_time(TIME).for_each(move |body: &[u8]| asked.ask(body));
}

#[test]
fn almost_reviews() {
    let (asked, seeds) = (AssertUnwindSafe(Asked::new()), seeds());
    for seed in &seeds {
        asked.ask(seed.to_string().as_bytes());
    }
    check!().with_test_time(TIME).with_type::<Recipe>().for_each(move |recipe| asked.ask(&recipe.body(&seeds)));
}
