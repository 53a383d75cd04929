//! One shared look at all instances of an account, for all objects: O(instances / 100) calls instead of one for each object.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use shared::api::labels::CLUSTER_TAG;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::{Cloud, CloudError, Instance};

/// While something is under way.
const FAST: Duration = Duration::from_secs(1);
/// When all is at rest: this is how soon a loss is seen.
const SLOW: Duration = Duration::from_secs(60);
/// A look at 100 instances costs a call: large accounts are looked at less often.
const PER_PAGE: Duration = Duration::from_millis(500);
/// After an error, doubling.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// Older than this, and failing since, a sweep is no longer believed.
const STALE: Duration = Duration::from_secs(300);
/// An announced change keeps the sweep fast for this long.
const EXPECTANT: Duration = Duration::from_secs(90);

/// What one sweep saw.
#[derive(Debug)]
pub struct Sweep {
    /// When it began: it says nothing about effects after this.
    pub began: Instant,
    /// Instances by identifier.
    pub instances: HashMap<String, Instance>,
}

/// What was last tried.
#[derive(Clone, Debug, Default)]
struct Latest {
    sweep: Option<Arc<Sweep>>,
    /// The error of the last try, with the moment that try began.
    failed: Option<(CloudError, Instant)>,
    /// How many tries have failed in a row.
    failures: u32,
}

/// An instance that is not as the sweep before saw it: it has appeared, gone, or changed. Holds the last that was seen of it.
#[derive(Clone, Debug)]
pub struct Change(pub Instance);

/// The shared sweep of one account and region. Clones are handles to the same one.
#[derive(Clone)]
pub struct Sweeper {
    cloud: Arc<dyn Cloud>,
    /// Only this cluster's instances call for a closer look: others may be stopped or broken for weeks.
    cluster: Arc<str>,
    shared: Arc<Shared>,
    changes: mpsc::Sender<Change>,
}

struct Shared {
    latest: watch::Sender<Latest>,
    wake: Notify,
    expectant_until: watch::Sender<Option<Instant>>,
}

impl Sweeper {
    /// A sweeper at rest: [`Sweeper::run`] makes it work.
    pub fn new(cloud: Arc<dyn Cloud>, cluster: Arc<str>, changes: mpsc::Sender<Change>) -> Self {
        let shared = Shared {
            latest: watch::Sender::new(Latest::default()),
            wake: Notify::new(),
            expectant_until: watch::Sender::new(None),
        };
        Self { cloud, cluster, shared: Arc::new(shared), changes }
    }

    /// A change is under way: look often for a while.
    pub fn expect_change(&self) {
        self.shared.expectant_until.send_replace(Some(Instant::now() + EXPECTANT));
        self.shared.wake.notify_one();
    }

    /// A sweep that began after `moment` (any sweep for `None`), waited for at most `patience`; else why there is none.
    pub async fn after(&self, moment: Option<Instant>, patience: Duration) -> Result<Arc<Sweep>, SweepError> {
        let fresh = |began: Instant| moment.is_none_or(|moment| began > moment);
        let mut latest = self.shared.latest.subscribe();
        if let Latest { sweep: Some(sweep), failed: Some((error, _)), .. } = &*latest.borrow()
            && sweep.began.elapsed() > STALE
        {
            return Err(SweepError::Failed(error.clone()));
        }
        if !latest.borrow().sweep.as_ref().is_some_and(|sweep| fresh(sweep.began)) {
            self.shared.wake.notify_one();
        }
        let wait = latest.wait_for(|latest| {
            latest.sweep.as_ref().is_some_and(|sweep| fresh(sweep.began))
                || latest.failed.as_ref().is_some_and(|(_, began)| fresh(*began))
        });
        match tokio::time::timeout(patience, wait).await {
            Ok(Ok(latest)) => match (&latest.sweep, &latest.failed) {
                (Some(sweep), _) if fresh(sweep.began) => Ok(sweep.clone()),
                (_, Some((error, _))) => Err(SweepError::Failed(error.clone())),
                _ => Err(SweepError::Late),
            },
            // The sender lives in `self`: only the time can have run out.
            Ok(Err(_)) | Err(_) => Err(SweepError::Late),
        }
    }

    /// Sweeps for as long as the process lives.
    pub async fn run(self) {
        let mut pause = Duration::ZERO;
        loop {
            let paused_at = Instant::now();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Woken, it still keeps the fast pace: many objects may call at once. After an error nobody wakes it.
                () = self.shared.wake.notified(), if self.shared.latest.borrow().failures == 0 => {
                    tokio::time::sleep_until(paused_at + pause.min(self.fast())).await;
                }
            }
            pause = self.sweep().await;
        }
    }

    /// One sweep; gives the pause until the next.
    async fn sweep(&self) -> Duration {
        let began = Instant::now();
        let answer = self.cloud.instances().await;
        match answer {
            Ok(instances) => {
                let instances: HashMap<_, _> = instances.into_iter().map(|i| (i.identifier.clone(), i)).collect();
                let busy = instances.values().any(|instance| instance.status.passing() && self.ours(instance));
                let sweep = Arc::new(Sweep { began, instances });
                let before = self.shared.latest.borrow().sweep.clone();
                self.shared.latest.send_replace(Latest { sweep: Some(sweep.clone()), failed: None, failures: 0 });
                for change in changes(before.as_deref(), &sweep) {
                    // A full channel means that the objects are being reconciled as fast as they can be; they look again by themselves.
                    let _ = self.changes.try_send(change);
                }
                if busy || self.expectant() { self.fast() } else { SLOW }
            }
            Err(error) => {
                tracing::warn!(%error, "the instances could not be listed");
                let failures = self.shared.latest.borrow().failures;
                self.shared.latest.send_modify(|latest| {
                    latest.failed = Some((error, began));
                    latest.failures = failures + 1;
                });
                FIRST_RETRY.saturating_mul(2_u32.saturating_pow(failures)).min(SLOW)
            }
        }
    }

    fn ours(&self, instance: &Instance) -> bool {
        instance.tags.get(CLUSTER_TAG).is_some_and(|cluster| **cluster == *self.cluster)
    }

    fn expectant(&self) -> bool {
        self.shared.expectant_until.borrow().is_some_and(|until| Instant::now() < until)
    }

    fn fast(&self) -> Duration {
        let count = self.shared.latest.borrow().sweep.as_ref().map_or(0, |sweep| sweep.instances.len());
        FAST + PER_PAGE * u32::try_from(count / 100).unwrap_or(u32::MAX)
    }
}

/// Why there is no sweep to judge by.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SweepError {
    /// The provider refused or was not reached.
    #[error("{0}")]
    Failed(CloudError),
    /// It takes longer than the caller would wait.
    #[error("the list of instances is not there yet")]
    Late,
}

fn changes(before: Option<&Sweep>, now: &Sweep) -> Vec<Change> {
    let Some(before) = before else {
        return now.instances.values().cloned().map(Change).collect();
    };
    let changed = now.instances.values().filter(|i| before.instances.get(&i.identifier) != Some(i));
    let gone = before.instances.values().filter(|i| !now.instances.contains_key(&i.identifier));
    changed.chain(gone).cloned().map(Change).collect()
}
