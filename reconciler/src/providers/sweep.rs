//! One shared look at all instances of an account, for all objects: O(instances / 100) calls instead of one for each object.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Notify, Semaphore, mpsc, watch};

use super::cloud::Cloud;
use super::error::{CloudError, ErrorClass};
use super::model::Instance;
use super::tempo::{self, Content, Pace, SLOW};
use crate::clock::{Clock, Moment};

/// Older than this, and failing since, a sweep is no longer believed.
const STALE: Duration = Duration::from_secs(300);
/// Passes that wait for a sweep of one account at the same time: more would take the place of those of others.
const WAITING: usize = 8;
/// An announced change keeps the sweep fast for this long.
const EXPECTANT: Duration = Duration::from_secs(90);

/// What one sweep saw.
#[derive(Debug)]
pub struct Sweep {
    /// When it began: it says nothing about effects after this.
    pub began: Moment,
    /// Instances by identifier.
    pub instances: BTreeMap<String, Instance>,
}

impl Sweep {
    /// The instance of this name; else the very one of this resource id, which has another name by now.
    pub fn find(&self, identifier: &str, resource_id: Option<&str>) -> Option<&Instance> {
        self.instances.get(identifier).or_else(|| {
            let same = |instance: &&Instance| instance.resource_id.as_deref() == resource_id;
            resource_id.and_then(|_| self.instances.values().find(same))
        })
    }

    /// The name by which the instance of this resource id goes, where another one is called this.
    pub fn moved(&self, identifier: &str, resource_id: &str) -> Option<&str> {
        let taken = self.instances.get(identifier)?.resource_id.as_deref() != Some(resource_id);
        let same = |instance: &&Instance| taken && instance.resource_id.as_deref() == Some(resource_id);
        self.instances.values().find(same).map(|instance| instance.identifier.as_str())
    }
}

/// What was last tried.
#[derive(Clone, Debug, Default)]
struct Latest {
    sweep: Option<Arc<Sweep>>,
    /// The error of the last try, with the moment that try began.
    failed: Option<(CloudError, Moment)>,
    /// How many tries have failed in a row.
    failures: u32,
}

/// An instance that is not as the sweep before saw it: it has appeared, gone, or changed. Holds the last that was seen of it.
#[derive(Clone, Debug)]
pub struct Change(pub Instance);

/// The shared sweep of one account and region. Clones are handles to the same one.
#[derive(Clone)]
pub struct Sweeper {
    /// Only this cluster's instances call for a closer look: others may be stopped or broken for weeks.
    cluster: Arc<str>,
    shared: Arc<Shared>,
    changes: mpsc::Sender<Change>,
    clock: Arc<dyn Clock>,
}

struct Shared {
    /// Ways to the account, the one that worked last first. Each class may bring credentials of its own.
    ways: Mutex<Vec<Arc<dyn Cloud>>>,
    /// Passes that wait for a sweep.
    waiting: Semaphore,
    latest: watch::Sender<Latest>,
    pace: Mutex<Pace>,
    content: Content,
    /// Something was tried.
    tried: Notify,
    wake: Notify,
    expectant_until: watch::Sender<Option<Moment>>,
}

impl Sweeper {
    /// A sweeper at rest: [`Sweeper::run`] makes it work.
    pub fn new(cloud: Arc<dyn Cloud>, cluster: Arc<str>, changes: mpsc::Sender<Change>, clock: Arc<dyn Clock>) -> Self {
        let shared = Shared {
            ways: Mutex::new(vec![cloud]),
            waiting: Semaphore::new(WAITING),
            latest: watch::Sender::new(Latest::default()),
            pace: Mutex::default(),
            content: Content::default(),
            tried: Notify::new(),
            wake: Notify::new(),
            expectant_until: watch::Sender::new(None),
        };
        Self { cluster, shared: Arc::new(shared), changes, clock }
    }

    /// A change is under way: look often for a while.
    pub(crate) fn expect_change(&self) {
        self.shared.expectant_until.send_replace(Some(self.clock.now() + EXPECTANT));
        self.shared.wake.notify_one();
    }

    /// A sweep that began after `moment` (any sweep for `None`), waited for at most `patience`; else why there is none.
    pub async fn after(&self, moment: Option<Moment>, patience: Duration) -> Result<Arc<Sweep>, SweepError> {
        let fresh = |began: Moment| moment.is_none_or(|moment| began > moment);
        let Latest { sweep, failed, .. } = self.shared.latest.borrow().clone();
        if let (Some(sweep), Some((error, _))) = (&sweep, &failed)
            && self.clock.now().since(sweep.began) > STALE
        {
            return Err(SweepError::Failed(error.clone()));
        }
        if let Some(sweep) = sweep.filter(|sweep| fresh(sweep.began)) {
            return Ok(sweep);
        }
        self.shared.wake.notify_one();
        // An account that is down is not waited for once more by everyone.
        if let Some((error, _)) = failed {
            return Err(SweepError::Failed(error));
        }
        let _place = self
            .shared
            .waiting
            .try_acquire()
            .map_err(|_| SweepError::Crowded(self.pace().next_but_one(self.clock.now(), self.fast())))?;
        let wait = async {
            loop {
                // Whoever waits is woken in the order in which they came: a watch channel draws lots.
                let tried = self.shared.tried.notified();
                let Latest { sweep, failed, .. } = self.shared.latest.borrow().clone();
                match (sweep, failed) {
                    (Some(sweep), _) if fresh(sweep.began) => break Ok(sweep),
                    (_, Some((error, began))) if fresh(began) => break Err(SweepError::Failed(error)),
                    _ => tried.await,
                }
            }
        };
        tokio::time::timeout(patience, wait).await.unwrap_or(Err(SweepError::Late))
    }

    /// Sweeps for as long as the process lives.
    pub async fn run(self) {
        let mut pause = Duration::ZERO;
        loop {
            let paused_at = self.clock.now();
            tokio::select! {
                biased;
                // Woken, it still keeps the fast pace: many objects may call at once. After an error nobody wakes it.
                () = self.shared.wake.notified(), if self.shared.latest.borrow().failures == 0 => {
                    let paused = self.clock.now().since(paused_at);
                    tokio::time::sleep(pause.min(self.fast()).saturating_sub(paused)).await;
                }
                () = tokio::time::sleep(pause) => {}
            }
            pause = self.sweep().await;
        }
    }

    /// One sweep; gives the pause until the next.
    async fn sweep(&self) -> Duration {
        let began = self.clock.now();
        self.pace().begin(began);
        let answer = self.list().await;
        self.pace().end(self.clock.now());
        match answer {
            Ok(instances) => {
                let instances: BTreeMap<_, _> = instances.into_iter().map(|i| (i.identifier.clone(), i)).collect();
                self.shared.content.retain(|identifier| instances.contains_key(identifier));
                let busy = instances.values().any(|i| self.ours(i) && self.shared.content.awaited(i));
                let sweep = Arc::new(Sweep { began, instances });
                let before = self.shared.latest.borrow().sweep.clone();
                self.shared.latest.send_replace(Latest { sweep: Some(sweep.clone()), failed: None, failures: 0 });
                self.shared.tried.notify_waiters();
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
                self.shared.tried.notify_waiters();
                tempo::retry(failures)
            }
        }
    }

    /// The instances, by the first way that works.
    async fn list(&self) -> Result<Vec<Instance>, CloudError> {
        let ways = self.ways().clone();
        let mut first = None;
        for (position, way) in ways.iter().enumerate() {
            match way.inventory().await {
                Ok(instances) => {
                    self.ways()[..=position].rotate_right(1);
                    return Ok(instances);
                }
                // Where the account has too many calls, others' would only be more of them.
                Err(error) if error.class == ErrorClass::Transient => return Err(error),
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        Err(first.unwrap_or_else(|| CloudError::no_way("no way leads to this account".into())))
    }

    /// Another way to the same account.
    pub(super) fn add(&self, way: Arc<dyn Cloud>) {
        self.ways().push(way);
    }

    fn ways(&self) -> MutexGuard<'_, Vec<Arc<dyn Cloud>>> {
        // Pushed and rotated in one go: a panic elsewhere leaves nothing half done.
        self.shared.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last sweep that was made.
    pub fn latest(&self) -> Option<Arc<Sweep>> {
        self.shared.latest.borrow().sweep.clone()
    }

    /// Whether an object has all that it wants of the instance of this name.
    pub(crate) fn note(&self, identifier: &str, content: bool) {
        self.shared.content.note(identifier, content);
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        // Its parts are set one by one: a panic elsewhere leaves nothing half done.
        self.shared.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ours(&self, instance: &Instance) -> bool {
        instance.marks.cluster.as_deref() == Some(&*self.cluster)
    }

    fn expectant(&self) -> bool {
        self.shared.expectant_until.borrow().is_some_and(|until| self.clock.now() < until)
    }

    fn fast(&self) -> Duration {
        tempo::fast(self.shared.latest.borrow().sweep.as_ref().map_or(0, |sweep| sweep.instances.len()))
    }
}

/// Why there is no sweep to judge by.
#[derive(Clone, Debug, Error)]
pub enum SweepError {
    /// The provider refused or was not reached.
    #[error("{0}")]
    Failed(CloudError),
    /// Many wait for it already: when to come again.
    #[error("many wait for the list of instances")]
    Crowded(Duration),
    /// It takes longer than the caller would wait.
    #[error("the list of instances is not there yet")]
    Late,
}

fn changes(before: Option<&Sweep>, now: &Sweep) -> Vec<Change> {
    let Some(before) = before else {
        return now.instances.values().cloned().map(Change).collect();
    };
    let otherwise = |i: &&Instance| before.instances.get(&i.identifier).is_none_or(|was| !i.is_as(was));
    let changed = now.instances.values().filter(otherwise);
    let gone = before.instances.values().filter(|i| !now.instances.contains_key(&i.identifier));
    changed.chain(gone).cloned().map(Change).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::time::Instant;

    use super::*;
    use crate::clock::tests::TokioClock;
    use crate::plan::tests::instance;
    use crate::providers::{Backup, Group, Identity, Maintenance, Offered, Quota, Request, Snapshot, Source, Upgrades};
    use shared::rules::Engine;

    /// A way to an account that gives these answers, and changes nothing.
    #[derive(Default)]
    pub(crate) struct Played {
        /// What a list gives; `None` is refused.
        pub(crate) listed: Option<Vec<Instance>>,
        /// What is there by its name.
        pub(crate) named: Option<Instance>,
        pub(crate) asked: AtomicUsize,
    }

    fn refused(action: &'static str) -> CloudError {
        CloudError::new(action, "AccessDenied", "not this role", ErrorClass::Unauthorized)
    }

    #[async_trait]
    impl Cloud for Played {
        async fn identity(&self) -> Result<Identity, CloudError> {
            Err(refused("GetCallerIdentity"))
        }

        async fn inventory(&self) -> Result<Vec<Instance>, CloudError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.listed.clone().ok_or_else(|| refused("DescribeDBInstances"))
        }

        async fn snapshots_of(&self, _: &str) -> Result<Vec<Snapshot>, CloudError> {
            Ok(Vec::new())
        }

        async fn snapshot_quota(&self) -> Result<Quota, CloudError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            Ok(Quota { used: 0, most: 100 })
        }

        async fn backups(&self, _: &Source) -> Result<Vec<Backup>, CloudError> {
            Ok(Vec::new())
        }

        async fn upgrades(&self, _: Engine, _: &str, _: &str) -> Result<Upgrades, CloudError> {
            Ok(Upgrades::default())
        }

        async fn look(&self, _: &str) -> Result<Option<Instance>, CloudError> {
            Ok(self.named.clone())
        }

        async fn group(&self, _: &str) -> Result<Option<Group>, CloudError> {
            Ok(None)
        }

        async fn groups(&self) -> Result<Vec<String>, CloudError> {
            Ok(Vec::new())
        }

        async fn parameters(&self, _: &str) -> Result<Offered, CloudError> {
            Ok(Offered::new())
        }

        async fn maintenance(&self) -> Result<BTreeMap<String, Vec<Maintenance>>, CloudError> {
            Ok(BTreeMap::new())
        }

        async fn carry_out(&self, request: &Request) -> Result<(), CloudError> {
            Err(CloudError { message: request.to_string(), ..refused("any") })
        }
    }

    /// A sweeper by this way, which works.
    pub(crate) fn sweeper(cloud: Arc<dyn Cloud>) -> Sweeper {
        let sweeper = Sweeper::new(cloud, "cluster".into(), mpsc::channel(8).0, TokioClock::start());
        tokio::spawn(sweeper.clone().run());
        sweeper
    }

    const SOON: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn i13_any_credentials_that_work_will_do() {
        let lapsed = Arc::new(Played::default());
        let good = Arc::new(Played { listed: Some(vec![instance("available")]), ..Played::default() });
        let clock = TokioClock::start();
        let sweeper = Sweeper::new(lapsed.clone(), "cluster".into(), mpsc::channel(8).0, clock.clone());
        sweeper.add(good.clone());
        tokio::spawn(sweeper.clone().run());
        let sweep = sweeper.after(None, SOON).await.expect("one of the ways works");
        assert_eq!(sweep.instances.len(), 1);
        sweeper.after(Some(clock.now()), SLOW * 2).await.expect("it works again");
        let asked = |way: &Played| way.asked.load(Ordering::Relaxed);
        assert_eq!((asked(&lapsed), asked(&good)), (1, 2), "the way that worked is taken first");
    }

    #[tokio::test(start_paused = true)]
    async fn i13_nobody_waits_again_for_an_account_that_is_down() {
        let clock = TokioClock::start();
        let sweeper = Sweeper::new(Arc::new(Played::default()), "cluster".into(), mpsc::channel(8).0, clock.clone());
        tokio::spawn(sweeper.clone().run());
        sweeper.after(None, SOON).await.expect_err("no way works");
        let began = Instant::now();
        let error = sweeper.after(Some(clock.now()), SLOW).await.expect_err("it is down");
        assert!(matches!(error, SweepError::Failed(_)) && began.elapsed().is_zero(), "{error}: {:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn i11_those_who_wait_go_on_in_the_order_in_which_they_came() {
        let listed = Arc::new(Played { listed: Some(Vec::new()), ..Played::default() });
        let sweeper = Sweeper::new(listed, "cluster".into(), mpsc::channel(8).0, TokioClock::start());
        let (went_on, mut order) = mpsc::unbounded_channel();
        for place in 0..WAITING {
            let (sweeper, went_on) = (sweeper.clone(), went_on.clone());
            tokio::spawn(async move { sweeper.after(None, SLOW).await.map(|_| went_on.send(place)) });
        }
        tokio::task::yield_now().await;
        tokio::spawn(sweeper.run());
        for place in 0..WAITING {
            assert_eq!(order.recv().await, Some(place), "else a seed were no run");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn i13_so_many_wait_for_an_account_and_no_more() {
        let silent =
            Sweeper::new(Arc::new(Played::default()), "cluster".into(), mpsc::channel(8).0, TokioClock::start());
        let wait = |sweeper: Sweeper| tokio::spawn(async move { sweeper.after(None, SLOW).await.map(drop) });
        let waiting: Vec<_> = (0..WAITING).map(|_| wait(silent.clone())).collect();
        tokio::task::yield_now().await;
        assert!(matches!(silent.after(None, SLOW).await, Err(SweepError::Crowded(_))));
        for waits in waiting {
            assert!(matches!(waits.await.expect("it does not panic"), Err(SweepError::Late)));
        }
    }
}
