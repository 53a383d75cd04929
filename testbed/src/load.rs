//! Creates of `RDSDatabase`s without end, through the API server and so through both webhooks. They are dry runs: all of admission happens, and
//! nothing is stored.

use std::{
    io::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use kube::{
    Api, Client,
    api::{DynamicObject, PostParams},
};
use serde_json::json;
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::{eventually::eventually, resource::databases};

/// Requests of one client after another, all the time.
const STEADY: usize = 3;

/// Requests at once, now and then. An API server keeps 25 idle connections to a webhook (client-go's `MaxIdleConnsPerHost`): what goes beyond
/// needs new ones, with a handshake each.
const BURST: usize = 40;

const BETWEEN_BURSTS: Duration = Duration::from_millis(1200);
const BETWEEN_REQUESTS: Duration = Duration::from_millis(40);

/// How many failures are kept word for word.
const KEPT: usize = 5;

/// Requests that are being sent until [`stop`](Self::stop).
pub struct Load {
    going: watch::Sender<bool>,
    tally: Arc<Tally>,
    workers: JoinSet<()>,
}

#[derive(Default)]
struct Tally {
    sent: AtomicU64,
    failed: AtomicU64,
    failures: Mutex<Vec<String>>,
}

/// What became of the requests.
#[derive(Debug)]
pub struct Report {
    /// How many were sent.
    pub sent: u64,
    /// How many of them failed.
    pub failed: u64,
    /// The first few failures.
    pub failures: Vec<String>,
}

impl Load {
    /// Starts sending into a namespace that is there.
    pub fn start(client: &Client, namespace: &str) -> Self {
        let (going, watching) = watch::channel(true);
        let tally = Arc::new(Tally::default());
        let mut workers = JoinSet::new();
        for _ in 0..STEADY {
            let (api, tally, going) = (databases(client.clone(), namespace), Arc::clone(&tally), watching.clone());
            workers.spawn(async move {
                while *going.borrow() {
                    tally.request(&api).await;
                    sleep(BETWEEN_REQUESTS).await;
                }
            });
        }
        let (api, bursts) = (databases(client.clone(), namespace), Arc::clone(&tally));
        workers.spawn(async move {
            while *watching.borrow() {
                let mut burst = JoinSet::new();
                for _ in 0..BURST {
                    let (api, tally) = (api.clone(), Arc::clone(&bursts));
                    burst.spawn(async move { tally.request(&api).await });
                }
                burst.join_all().await;
                sleep(BETWEEN_BURSTS).await;
            }
        });
        Self { going, tally, workers }
    }

    /// How many requests have failed so far.
    pub fn failed(&self) -> u64 {
        self.tally.failed.load(Relaxed)
    }

    /// How many requests have been sent so far.
    pub fn count(&self) -> u64 {
        self.tally.sent.load(Relaxed)
    }

    /// Waits until so many requests have been sent.
    ///
    /// # Errors
    /// When they take too long.
    pub async fn sent(&self, wanted: u64) -> Result<()> {
        eventually(&format!("{wanted} requests"), async || {
            let sent = self.tally.sent.load(Relaxed);
            ensure!(sent >= wanted, "{sent} so far");
            Ok(())
        })
        .await
    }

    /// Lets the last requests end and tells what became of all.
    ///
    /// # Errors
    /// When the requests have ended by themselves.
    pub async fn stop(self) -> Result<Report> {
        let Self { going, tally, workers } = self;
        going.send(false).context("nobody sends any more")?;
        workers.join_all().await;
        let failures = tally.failures.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Report { sent: tally.sent.load(Relaxed), failed: tally.failed.load(Relaxed), failures })
    }
}

impl Report {
    /// Fails unless every request was answered, and there were some. Tells how many; `what` happened meanwhile.
    ///
    /// # Errors
    /// With the first few failures.
    pub fn without_failure(&self, what: &str) -> Result<()> {
        writeln!(std::io::stderr(), "{what}: {} of {} requests failed", self.failed, self.sent)?;
        ensure!(self.failed == 0, "{} of {} requests failed: {:#?}", self.failed, self.sent, self.failures);
        ensure!(self.sent > 100, "only {} requests were sent: this shows nothing", self.sent);
        Ok(())
    }
}

impl Tally {
    async fn request(&self, api: &Api<DynamicObject>) {
        let number = self.sent.fetch_add(1, Relaxed);
        if let Err(error) = create(api, number).await {
            self.failed.fetch_add(1, Relaxed);
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            if failures.len() < KEPT {
                failures.push(format!("request {number}: {error:#}"));
            }
        }
    }
}

async fn create(api: &Api<DynamicObject>, number: u64) -> Result<()> {
    let object = serde_json::from_value(json!({
        "apiVersion": "matrixmind.cloud/v1",
        "kind": "RDSDatabase",
        "metadata": {"name": format!("load-{number}")},
        "spec": {"users": {"app": []}, "databases": {"orders": ["app"]}},
    }))?;
    let answer = api.create(&PostParams { dry_run: true, field_manager: None }, &object).await?;
    // /mutate fails open: where it was not reached, the object is admitted as it was written.
    ensure!(answer.data["spec"]["version"] == "12", "admitted without defaults: {}", answer.data);
    Ok(())
}
