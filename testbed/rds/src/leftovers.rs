//! Files of what is gone: of snapshots, of automated backups, and of what an ended run was about to remove.

use std::collections::BTreeSet;

use rds_model::{Activity, Instance, SnapshotKind, SnapshotStatus, State};

use crate::postgres::{discard, prune};
use crate::service::Service;

/// Removes the files of everything that the state does not know any more. Those of instances are their workers', while they have any.
pub(crate) async fn clear(service: &Service) {
    if !service.engines {
        return;
    }
    // Nothing is begun meanwhile, so what is not known is not wanted.
    let _alone = service.files.lock().await;
    let needed = service.store.read(Needed::of).await;
    let workers: BTreeSet<String> = service.workers.lock().await.keys().cloned().collect();
    let layout = &service.env.layout;
    let found = |folder: std::path::PathBuf| {
        let entries = folder.read_dir().into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    for id in found(layout.snapshot("")).into_iter().filter(|id| !needed.snapshots.contains(id)) {
        if let Err(error) = std::fs::remove_dir_all(layout.snapshot(&id)) {
            tracing::warn!(%error, id, "the data of a snapshot are left over");
        }
    }
    for id in found(layout.instance("")) {
        let (there, archive) = (needed.instances.contains(&id), needed.archives.contains(&id));
        if !there
            && !workers.contains(&id)
            && let Err(error) = discard(layout, &id, archive)
        {
            tracing::warn!(%error, id, "the files of an instance are left over");
        }
    }
    for (id, snapshots) in &needed.bases {
        if let Err(error) = prune(layout, id, snapshots) {
            tracing::warn!(%error, id, "write-ahead log is left over");
        }
    }
}

/// Whose files are needed: instances and archives by resource id, snapshots by their own.
#[derive(Debug, Default)]
struct Needed {
    instances: BTreeSet<String>,
    archives: BTreeSet<String>,
    snapshots: BTreeSet<String>,
    /// The automated snapshots of an archive whose log can be played on nothing else.
    bases: Vec<(String, Vec<String>)>,
}

impl Needed {
    fn of(state: &State) -> Self {
        let mut needed = Self {
            instances: state.instances.values().map(|instance| instance.resource_id.clone()).collect(),
            archives: state.retained.keys().cloned().collect(),
            snapshots: state.snapshots.keys().cloned().collect(),
            bases: Vec::new(),
        };
        let mut restored = BTreeSet::new();
        for Instance { phase, .. } in state.instances.values() {
            if let (Activity::Creating { from_snapshot, point_in_time }, false) = (&phase.activity, phase.worked) {
                needed.snapshots.extend(from_snapshot.clone());
                restored.extend(point_in_time.iter().map(|point| point.resource_id.clone()));
            }
        }
        let copied = state.snapshots.values().filter(|snapshot| snapshot.status == SnapshotStatus::Creating);
        needed.snapshots.extend(copied.filter_map(|snapshot| Some(snapshot.copy.as_ref()?.from.clone())));
        let kept = needed.instances.iter().chain(&needed.archives).filter(|id| !restored.contains(*id));
        needed.bases = kept.map(|id| (id.clone(), automated(state, id))).collect();
        needed.archives.extend(restored);
        needed
    }
}

fn automated(state: &State, resource_id: &str) -> Vec<String> {
    let of_it = state.snapshots.values().filter(|snapshot| {
        snapshot.kind == SnapshotKind::Automated && snapshot.available() && snapshot.source.resource_id == resource_id
    });
    of_it.map(|snapshot| snapshot.id.clone()).collect()
}
