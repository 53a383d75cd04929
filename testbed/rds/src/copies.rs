//! CopyDBSnapshot: one task for each copy that is under way.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rds_model::{Snapshot, SnapshotStatus, actions};
use tokio::time::sleep;

use crate::postgres::copy_offline;
use crate::service::Service;
use crate::store::StoreError;

/// How long to wait before a copy that failed is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// Takes up the copies that an ended run was about to make.
pub(crate) async fn resume(service: &Arc<Service>) {
    let copies: Vec<Snapshot> = service
        .store
        .read(|state| {
            let begun = |snapshot: &&Snapshot| snapshot.copy.is_some() && snapshot.status == SnapshotStatus::Creating;
            state.snapshots.values().filter(begun).cloned().collect()
        })
        .await;
    for copy in copies {
        begin(service, &copy);
    }
}

/// Copies the data, and ends the copy when its time has come.
pub(crate) fn begin(service: &Arc<Service>, copy: &Snapshot) {
    let (on, copy) = (Arc::clone(service), copy.clone());
    service.tasks.spawn(async move {
        let done = async {
            while let Err(error) = make(&on, &copy).await {
                tracing::warn!(id = copy.id, %error, "copying a snapshot failed");
                sleep(RETRY).await;
            }
        };
        tokio::select! {
            () = done => {}
            () = on.stopping.cancelled() => {}
        }
    });
}

async fn make(service: &Service, copy: &Snapshot) -> anyhow::Result<()> {
    if let Some(from) = copy.copy.as_ref().map(|copy| &copy.from) {
        let layout = &service.env.layout;
        copy_offline(layout.snapshot(from), layout.snapshot(&copy.id)).await?;
    }
    let left = service.account.timetable.copied(copy).duration_since(Timestamp::now());
    sleep(Duration::try_from(left).unwrap_or_default()).await;
    let finished = |state: &mut _| {
        actions::finish_copy(state, &copy.id, Timestamp::now());
        Ok::<_, StoreError>(())
    };
    Ok(service.store.update(finished).await?)
}
