//! A DB instance.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Activity, Change, Insights, Monitoring, Ordered, Phase};
use crate::versions::EngineVersion;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// A DB instance: its settings as Describe shows them, and what it is busy with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) id: String,
    /// `db-` and 26 letters and digits: never given twice, so files are kept under it.
    pub(crate) resource_id: String,
    pub(crate) class: String,
    pub(crate) engine_version: EngineVersion,
    pub(crate) master_username: String,
    /// The SCRAM-SHA-256 verifier of the master user's first password.
    pub(crate) master_verifier: String,
    pub(crate) db_name: Option<String>,
    /// GiB.
    pub(crate) allocated_storage: u32,
    pub(crate) max_allocated_storage: Option<u32>,
    pub(crate) storage_type: String,
    pub(crate) iops: Option<u32>,
    /// MiB/s.
    pub(crate) storage_throughput: Option<u32>,
    pub(crate) storage_encrypted: bool,
    pub(crate) kms_key_id: Option<String>,
    /// Where the real server listens. The port asked for at creation is not honoured, because all instances share one address.
    pub(crate) port: u16,
    pub(crate) created_at: Timestamp,
    /// Days.
    pub(crate) backup_retention: u32,
    pub(crate) backup_window: String,
    pub(crate) maintenance_window: String,
    pub(crate) availability_zone: String,
    pub(crate) multi_az: bool,
    pub(crate) publicly_accessible: bool,
    pub(crate) auto_minor_version_upgrade: bool,
    pub(crate) copy_tags_to_snapshot: bool,
    pub(crate) deletion_protection: bool,
    pub(crate) iam_authentication: bool,
    pub(crate) subnet_group: Option<String>,
    pub(crate) security_groups: Vec<String>,
    pub(crate) parameter_group: String,
    pub(crate) ca_certificate: String,
    pub(crate) lifecycle_support: String,
    pub(crate) log_exports: Vec<String>,
    #[serde(default)]
    pub(crate) monitoring: Monitoring,
    #[serde(default)]
    pub(crate) insights: Insights,
    #[serde(default)]
    pub(crate) dedicated_log_volume: bool,
    pub(crate) tags: Tags,
    /// The tags of its automated backup.
    #[serde(default)]
    pub(crate) backup_tags: Tags,
    /// Accepted changes that wait for the maintenance window.
    pub(crate) pending: Change,
    /// When the storage last grew: no further growth until its cooldown is over.
    pub(crate) storage_changed_at: Option<Timestamp>,
    /// The end of its first automated backup: what came before cannot be restored. None where there is no backup yet.
    #[serde(default)]
    pub(crate) restorable_since: Option<Timestamp>,
    /// Set for the final phase of a deletion that also removes automated backups.
    pub(crate) delete_automated_backups: bool,
    #[serde(default)]
    pub(crate) ordered: Ordered,
    pub(crate) phase: Phase,
}

impl Instance {
    /// Whether a PostgreSQL server should be running now. Work that starts or stops it itself is not counted.
    pub(crate) fn wants_server(&self) -> bool {
        match &self.phase.activity {
            Activity::Creating { .. } | Activity::Starting => self.phase.worked,
            // The server is there until the snapshot that was asked for has been copied.
            Activity::Stopping { snapshot } => snapshot.is_some() && !self.phase.worked,
            Activity::Stopped | Activity::Deleting { .. } | Activity::Failed => false,
            Activity::Available
            | Activity::BackingUp { .. }
            | Activity::Modifying { .. }
            | Activity::ResettingCredentials { .. }
            | Activity::Rebooting => true,
        }
    }

    /// Whether Describe shows an endpoint: not before the instance has been created.
    pub(crate) fn has_endpoint(&self) -> bool {
        !matches!(self.phase.activity, Activity::Creating { .. } | Activity::Failed)
    }

    /// What is on its way: the change being applied, or the one that waits.
    pub(crate) fn pending_change(&self) -> Change {
        let mut pending = self.pending.clone();
        match &self.phase.activity {
            Activity::Modifying { change } => pending.merge((**change).clone()),
            Activity::ResettingCredentials { verifier } => {
                pending.master_verifier = Some(verifier.clone());
            }
            _ => {}
        }
        pending
    }

    /// Applies a change to the settings that Describe shows. The password is not one of them.
    pub(crate) fn apply(&mut self, change: &Change, now: Timestamp) {
        let Change {
            // The first is the key of the state, the second is the server's own.
            new_id: _,
            master_verifier: _,
            class,
            engine_version,
            allocated_storage,
            storage_type,
            iops,
            storage_throughput,
            dedicated_log_volume,
            backup_retention,
            multi_az,
            iam_authentication,
            certificate,
            monitoring,
            log_exports,
            port,
        } = change.clone();
        if change.touches_storage() {
            self.storage_changed_at = Some(now);
        }
        set(&mut self.class, class);
        set(&mut self.engine_version, engine_version);
        set(&mut self.allocated_storage, allocated_storage);
        set(&mut self.storage_type, storage_type);
        set(&mut self.dedicated_log_volume, dedicated_log_volume);
        set(&mut self.backup_retention, backup_retention);
        set(&mut self.multi_az, multi_az);
        set(&mut self.iam_authentication, iam_authentication);
        set(&mut self.ca_certificate, certificate.map(|rotation| rotation.authority));
        set(&mut self.monitoring, monitoring);
        set(&mut self.log_exports, log_exports);
        set(&mut self.port, port);
        self.iops = iops.or(self.iops);
        self.storage_throughput = storage_throughput.or(self.storage_throughput);
    }
}

fn set<T>(present: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *present = new;
    }
}
