//! One client, one rate limit and one sweep for each way into the cloud that the classes name.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::sweep::{Change, Sweeper};
use super::{Access, Cloud, ConnectError, Connected, Connector, Identity};

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
}

/// A failed connection is not tried again for this long, however many objects ask.
const RETRY_CONNECT: Duration = Duration::from_secs(5);

#[derive(Default)]
enum Slot {
    #[default]
    Untried,
    Connected(Arc<Account>),
    Failed(ConnectError, Instant),
}

/// All accounts that objects have asked for.
pub struct Accounts {
    connector: Box<dyn Connector>,
    /// Each has a lock of its own: an endpoint that does not answer keeps only those waiting who need it.
    slots: Mutex<HashMap<Access, Arc<Mutex<Slot>>>>,
    sweepers: mpsc::UnboundedSender<Sweeper>,
    changes: mpsc::Sender<Change>,
}

impl Accounts {
    /// The registry, and the task that keeps its sweeps going: race it with the others.
    pub fn new(
        connector: Box<dyn Connector>,
        changes: mpsc::Sender<Change>,
    ) -> (Arc<Self>, impl Future<Output = ()> + Send) {
        let (sweepers, started) = mpsc::unbounded_channel();
        let accounts = Arc::new(Self { connector, slots: Mutex::default(), sweepers, changes });
        (accounts, run_sweepers(started))
    }

    /// The account behind `access`, connecting to it at the first call and after a failure.
    pub async fn get(&self, access: &Access) -> Result<Arc<Account>, ConnectError> {
        let slot = self.slots.lock().await.entry(access.clone()).or_default().clone();
        let mut slot = slot.lock().await;
        match &*slot {
            Slot::Connected(account) => return Ok(account.clone()),
            Slot::Failed(error, at) if at.elapsed() < RETRY_CONNECT => return Err(error.clone()),
            _ => {}
        }
        match self.connector.connect(access).await {
            Ok(Connected { cloud, identity, region }) => {
                tracing::info!(account = %identity.account, arn = %identity.arn, region, "connected to the cloud");
                let sweeper = Sweeper::new(cloud.clone(), self.changes.clone());
                // The receiver lives as long as the process: the task that holds it is raced with all others.
                let _ = self.sweepers.send(sweeper.clone());
                let account = Arc::new(Account { cloud, identity, region, sweeper });
                *slot = Slot::Connected(account.clone());
                Ok(account)
            }
            Err(error) => {
                // The default way is told of with the readiness that hangs on it; of the others, each failure is told once.
                let told = matches!(&*slot, Slot::Failed(before, _) if *before == error);
                if !told && *access != Access::default() {
                    let Access { region, role_arn, endpoint } = access;
                    tracing::warn!(%error, ?region, ?role_arn, ?endpoint, "no access to AWS by a class");
                }
                *slot = Slot::Failed(error.clone(), Instant::now());
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
            Some(sweeper) = started.recv() => { running.spawn(sweeper.run()); }
            Some(_) = running.join_next() => return,
            else => return,
        }
    }
}
