//! What all calls and all workers share.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::counters::Counters;
use crate::faults::Faults;
use crate::network::Network;
use crate::postgres::Environment;
use crate::store::Store;
use crate::throttle::Throttle;
use crate::timetable::Timetable;
use crate::worker::Worker;

/// One account in one region.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) network: Network,
    pub(crate) instance_quota: Option<usize>,
    pub(crate) quotas: Quotas,
    pub(crate) times: Timetable,
    pub(crate) store: Store,
    pub(crate) env: Environment,
    pub(crate) counters: Counters,
    pub(crate) faults: Faults,
    pub(crate) throttle: Option<Throttle>,
    /// Cancelled when the service stops.
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) workers: Mutex<HashMap<String, Arc<Notify>>>,
}

/// What the account may have of what outlives its instances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quotas {
    pub(crate) manual_snapshots: usize,
    pub(crate) retained_backups: usize,
}

impl Service {
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

    /// The identifier that a listing is asked for: in lower case, and in an ARN of this account and region what follows the kind.
    pub(crate) fn id_of(&self, kind: &str, name: &str) -> String {
        name.strip_prefix(&self.arn(kind, "")).unwrap_or(name).to_ascii_lowercase()
    }

    /// `arn:aws:rds:<region>:<account>:<kind>:<id>`.
    pub(crate) fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:rds:{}:{}:{kind}:{id}", self.region, self.account)
    }
}
