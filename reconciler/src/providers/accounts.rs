//! One client, one rate limit and one sweep for each way into the cloud that the classes name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinSet;

use super::catalogues::Catalogues;
use super::cloud::Cloud;
use super::connector::{ConnectError, Connected, Connector, ProviderConfig};
use super::kept::Kept;
use super::model::{Identity, Maintenance, Quota};
use super::sweep::{Change, Sweep, Sweeper};
use crate::clock::{Clock, Moment};

/// An account in a region, with what is shared by all objects in it.
pub struct Account {
    /// The port.
    pub cloud: Arc<dyn Cloud>,
    /// Who the operator is there.
    pub identity: Identity,
    /// The region.
    pub region: String,
    /// The shared observation.
    pub sweeper: Sweeper,
    /// Which parameters there are.
    pub catalogues: Catalogues,
    /// How many snapshots there may be.
    pub snapshot_quota: Kept<Quota>,
    /// What the provider is going to do by itself to which instance.
    pub maintenance: Kept<Arc<BTreeMap<String, Vec<Maintenance>>>>,
}

impl Account {
    /// One of which nothing is known yet.
    pub(crate) fn new(cloud: Arc<dyn Cloud>, identity: Identity, region: String, sweeper: Sweeper) -> Self {
        let (catalogues, snapshot_quota, maintenance) = Default::default();
        Self { cloud, identity, region, sweeper, catalogues, snapshot_quota, maintenance }
    }
}

/// A failed connection is not tried again for this long, however many objects ask.
const RETRY_CONNECT: Duration = Duration::from_secs(5);

/// What is known of one way into the cloud.
#[derive(Default)]
enum State {
    #[default]
    Untried,
    Connected(Arc<Account>),
    Failed(ConnectError, Moment),
}

/// One way into the cloud. Whoever holds `attempt` tries it.
#[derive(Default)]
struct Way {
    state: watch::Sender<State>,
    attempt: Mutex<()>,
}

impl Way {
    /// What can be said without asking the provider.
    fn answer(&self, now: Moment) -> Option<Result<Arc<Account>, ConnectError>> {
        match &*self.state.borrow() {
            State::Connected(account) => Some(Ok(account.clone())),
            State::Failed(error, at) if now.since(*at) < RETRY_CONNECT => Some(Err(error.clone())),
            _ => None,
        }
    }

    fn last_failure(&self) -> Option<ConnectError> {
        match &*self.state.borrow() {
            State::Failed(error, _) => Some(error.clone()),
            _ => None,
        }
    }
}

/// All accounts that objects have asked for.
pub struct Accounts {
    connector: Box<dyn Connector>,
    /// Each is tried for itself: an endpoint that does not answer keeps nobody waiting who needs another one.
    ways: Mutex<BTreeMap<ProviderConfig, Arc<Way>>>,
    /// The name of this cluster in ownership tags.
    cluster: Arc<str>,
    sweepers: mpsc::UnboundedSender<Sweeper>,
    changes: mpsc::Sender<Change>,
    clock: Arc<dyn Clock>,
    /// When somebody wished for a group of parameters last, by its name.
    wishes: std::sync::Mutex<BTreeMap<String, Moment>>,
}

impl Accounts {
    /// The registry, and the task that keeps its sweeps going: race it with the others.
    pub fn new(
        connector: Box<dyn Connector>,
        cluster: &str,
        changes: mpsc::Sender<Change>,
        clock: Arc<dyn Clock>,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send + use<>) {
        let (sweepers, started) = mpsc::unbounded_channel();
        let accounts = Arc::new(Self {
            connector,
            ways: Mutex::default(),
            cluster: cluster.into(),
            sweepers,
            changes,
            clock,
            wishes: std::sync::Mutex::default(),
        });
        (accounts, run_sweepers(started))
    }

    /// The sweep of an account and region: the one there is, whichever way led to it first, or a new one.
    async fn sweeper(&self, cloud: &Arc<dyn Cloud>, identity: &Identity, region: &str) -> Sweeper {
        let ways = self.ways.lock().await;
        let connected = ways.values().filter_map(|way| match &*way.state.borrow() {
            State::Connected(account) => Some(account.clone()),
            _ => None,
        });
        let same = |account: &Arc<Account>| account.identity.account == identity.account && account.region == region;
        if let Some(account) = connected.into_iter().find(same) {
            account.sweeper.add(cloud.clone());
            return account.sweeper.clone();
        }
        let sweeper = Sweeper::new(cloud.clone(), self.cluster.clone(), self.changes.clone(), self.clock.clone());
        // The receiver lives as long as the process: the task that holds it is raced with all others.
        let _ = self.sweepers.send(sweeper.clone());
        sweeper
    }

    /// An object is to have the group of parameters of this name.
    pub(crate) fn wish(&self, group: &str) {
        self.wishes().insert(group.to_owned(), self.clock.now());
    }

    /// Somebody wished for it lately.
    pub(crate) fn wished(&self, group: &str) -> bool {
        self.wishes().contains_key(group)
    }

    /// Forgets wishes that are older.
    pub(crate) fn forget_wishes(&self, than: Moment) {
        self.wishes().retain(|_, at| *at >= than);
    }

    fn wishes(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Moment>> {
        // Every change is a single call: a panic elsewhere leaves nothing half done.
        self.wishes.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// One way into each account and region that is reached.
    pub(crate) async fn connected(&self) -> Vec<Arc<Account>> {
        let ways = self.ways.lock().await;
        let connected = ways.values().filter_map(|way| match &*way.state.borrow() {
            State::Connected(account) => Some(account.clone()),
            _ => None,
        });
        let by_place = connected.map(|account| ((account.identity.account.clone(), account.region.clone()), account));
        by_place.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// The last sweep of each account and region.
    pub async fn sweeps(&self) -> Vec<Arc<Sweep>> {
        let ways = self.ways.lock().await;
        let connected = ways.values().filter_map(|way| match &*way.state.borrow() {
            State::Connected(account) => account.sweeper.latest(),
            _ => None,
        });
        let mut sweeps: Vec<Arc<Sweep>> = Vec::new();
        for sweep in connected {
            // Several ways lead to one account.
            if !sweeps.iter().any(|found| Arc::ptr_eq(found, &sweep)) {
                sweeps.push(sweep);
            }
        }
        sweeps
    }

    /// The account that `provider` leads to, connecting to it at the first call and after a failure.
    ///
    /// # Errors
    /// When nothing leads there. While somebody tries, nobody waits for that: passes that all wait for an endpoint that does not answer would
    /// take the place of every other pass.
    pub async fn get(&self, provider: &ProviderConfig) -> Result<Arc<Account>, ConnectError> {
        let way = self.ways.lock().await.entry(provider.clone()).or_default().clone();
        if let Some(answer) = way.answer(self.clock.now()) {
            return answer;
        }
        let _attempt = match (way.attempt.try_lock(), way.last_failure()) {
            (Ok(attempt), _) => attempt,
            (Err(_), Some(error)) => return Err(error),
            (Err(_), None) => return Err(ConnectError::UnderWay),
        };
        // It may have been answered while this one waited for its turn.
        if let Some(answer) = way.answer(self.clock.now()) {
            return answer;
        }
        match self.connector.connect(provider).await {
            Ok(Connected { cloud, identity, region }) => {
                tracing::info!(account = %identity.account, principal = %identity.principal, region, "connected to the cloud");
                let sweeper = self.sweeper(&cloud, &identity, &region).await;
                let account = Arc::new(Account::new(cloud, identity, region, sweeper));
                way.state.send_replace(State::Connected(account.clone()));
                Ok(account)
            }
            Err(error) => {
                // The default way is told of with the readiness that hangs on it; of the others, each failure is told once.
                let told = way.last_failure().as_ref() == Some(&error);
                if !told && *provider != ProviderConfig::default() {
                    let ProviderConfig { region, acts_as, endpoint } = provider;
                    tracing::warn!(%error, ?region, ?acts_as, ?endpoint, "no access to the cloud by a class");
                }
                way.state.send_replace(State::Failed(error.clone(), self.clock.now()));
                Err(error)
            }
        }
    }
}

/// Runs each sweeper that is handed over, and ends when one of them does: that is a bug, and the process must not go on without eyes.
async fn run_sweepers(mut started: mpsc::UnboundedReceiver<Sweeper>) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(sweeper) = started.recv() => { running.spawn(sweeper.run()); }
            Some(_) = running.join_next() => return,
            else => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::clock::tests::TokioClock;

    /// Refuses at once, but for one region, of which nothing is heard for a while.
    #[derive(Clone, Default)]
    struct Refusing(Arc<AtomicU32>);

    const SILENCE: Duration = Duration::from_secs(20);
    const SOON: Duration = Duration::from_secs(1);

    #[async_trait]
    impl Connector for Refusing {
        async fn connect(&self, provider: &ProviderConfig) -> Result<Connected, ConnectError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            if *provider == silent() {
                sleep(SILENCE).await;
            }
            Err(ConnectError::Failed("no region".to_owned()))
        }
    }

    fn silent() -> ProviderConfig {
        ProviderConfig { region: Some("nowhere-1".to_owned()), ..ProviderConfig::default() }
    }

    fn accounts() -> (Arc<Accounts>, Refusing) {
        let connector = Refusing::default();
        (Accounts::new(Box::new(connector.clone()), "cluster", mpsc::channel(1).0, TokioClock::start()).0, connector)
    }

    fn ask(accounts: &Arc<Accounts>) -> tokio::task::JoinHandle<bool> {
        let accounts = accounts.clone();
        tokio::spawn(async move { accounts.get(&silent()).await.is_ok() })
    }

    #[tokio::test(start_paused = true)]
    async fn i8_an_endpoint_that_does_not_answer_keeps_nobody_else_waiting() {
        let (accounts, _) = accounts();
        let waiting = ask(&accounts);
        sleep(SOON).await;
        let other = timeout(SOON, accounts.get(&ProviderConfig::default())).await.expect("an answer at once");
        assert_eq!(other.err(), Some(ConnectError::Failed("no region".to_owned())));
        assert!(!waiting.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn i8_while_one_tries_again_the_others_have_the_last_answer() {
        let (accounts, connector) = accounts();
        let first = ask(&accounts);
        sleep(SOON).await;
        let second = timeout(SOON, accounts.get(&silent())).await.expect("an answer at once");
        assert_eq!(second.err(), Some(ConnectError::UnderWay));
        assert!(!first.await.expect("a pass that does not panic"));
        assert_eq!(connector.0.load(Ordering::Relaxed), 1, "one tries for all");
        sleep(RETRY_CONNECT).await;
        let waiting = ask(&accounts);
        sleep(SOON).await;
        let other = timeout(SOON, accounts.get(&silent())).await.expect("an answer at once");
        assert_eq!((other.err(), waiting.is_finished()), (Some(ConnectError::Failed("no region".to_owned())), false));
        assert_eq!(connector.0.load(Ordering::Relaxed), 2, "one tries for all");
    }
}
