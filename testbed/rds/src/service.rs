//! What all calls and all workers share.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use rds_model::Account;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::counters::Counters;
use crate::faults::Faults;
use crate::postgres::Environment;
use crate::store::Store;
use crate::throttle::Throttle;
use crate::worker::Worker;

/// One account in one region.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) account: Account,
    pub(crate) store: Store,
    pub(crate) env: Environment,
    /// Whether there are servers behind the instances.
    pub(crate) engines: bool,
    pub(crate) counters: Counters,
    pub(crate) faults: Faults,
    pub(crate) throttle: Throttle,
    /// Manual snapshots of others in the account, by order.
    pub(crate) snapshots_of_others: AtomicU32,
    /// Cancelled when the service stops.
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) workers: Mutex<HashMap<String, Arc<Notify>>>,
    /// Held by who removes files that nobody knows, and by who makes some before anybody does.
    pub(crate) files: Mutex<()>,
}

impl Service {
    /// Has every worker look at its instance now: what became of one may have given others work.
    pub(crate) async fn wake_all(&self) {
        self.workers.lock().await.values().for_each(|wake| wake.notify_one());
    }

    /// Makes sure that an instance has a worker, and that the worker looks at it now.
    pub(crate) async fn attend(self: &Arc<Self>, resource_id: &str) {
        let mut workers = self.workers.lock().await;
        if let Some(wake) = workers.get(resource_id) {
            wake.notify_one();
            return;
        }
        let wake = Arc::new(Notify::new());
        workers.insert(resource_id.to_owned(), Arc::clone(&wake));
        let worker = Worker::new(Arc::clone(self), resource_id.to_owned(), wake);
        let (service, resource_id) = (Arc::clone(self), resource_id.to_owned());
        self.tasks.spawn(async move {
            worker.run().await;
            service.workers.lock().await.remove(&resource_id);
        });
    }
}
