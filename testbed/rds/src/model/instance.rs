//! A DB instance.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Activity, Phase};
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
    pub(crate) tags: Tags,
    /// Accepted changes that wait for the maintenance window.
    pub(crate) pending: Change,
    /// When the storage last grew: no further growth until its cooldown is over.
    pub(crate) storage_changed_at: Option<Timestamp>,
    /// Set for the final phase of a deletion that also removes automated backups.
    pub(crate) delete_automated_backups: bool,
    /// A status shown instead of the true one, set through the fault interface.
    pub(crate) forced_status: Option<String>,
    pub(crate) phase: Phase,
}

impl Instance {
    /// Whether a PostgreSQL server should be running now. Work that starts or stops it itself is not counted.
    pub(crate) fn wants_server(&self) -> bool {
        match self.phase.activity {
            Activity::Creating { .. } | Activity::Starting => self.phase.worked,
            Activity::Stopped | Activity::Stopping | Activity::Deleting { .. } | Activity::Failed => false,
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
        if let Some(class) = &change.class {
            self.class.clone_from(class);
        }
        if let Some(version) = change.engine_version {
            self.engine_version = version;
        }
        if let Some(storage) = change.allocated_storage {
            self.allocated_storage = storage;
        }
        if let Some(storage_type) = &change.storage_type {
            self.storage_type.clone_from(storage_type);
        }
        self.iops = change.iops.or(self.iops);
        self.storage_throughput = change.storage_throughput.or(self.storage_throughput);
        if change.touches_storage() {
            self.storage_changed_at = Some(now);
        }
        self.backup_retention = change.backup_retention.unwrap_or(self.backup_retention);
        self.multi_az = change.multi_az.unwrap_or(self.multi_az);
    }
}

/// A set of changes that take time: applied at once or kept for the maintenance window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) class: Option<String>,
    pub(crate) engine_version: Option<EngineVersion>,
    pub(crate) allocated_storage: Option<u32>,
    pub(crate) storage_type: Option<String>,
    pub(crate) iops: Option<u32>,
    pub(crate) storage_throughput: Option<u32>,
    pub(crate) backup_retention: Option<u32>,
    pub(crate) multi_az: Option<bool>,
    pub(crate) master_verifier: Option<String>,
}

impl Change {
    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the volume changes, which starts its optimization and cooldown.
    pub(crate) fn touches_storage(&self) -> bool {
        self.allocated_storage.is_some()
            || self.storage_type.is_some()
            || self.iops.is_some()
            || self.storage_throughput.is_some()
    }

    /// Whether the server restarts for it.
    pub(crate) fn needs_restart(&self) -> bool {
        self.class.is_some() || self.engine_version.is_some()
    }

    /// Adds `later`, whose values win.
    pub(crate) fn merge(&mut self, later: Self) {
        let Self {
            class,
            engine_version,
            allocated_storage,
            storage_type,
            iops,
            storage_throughput,
            backup_retention,
            multi_az,
            master_verifier,
        } = later;
        self.class = class.or(self.class.take());
        self.engine_version = engine_version.or(self.engine_version);
        self.allocated_storage = allocated_storage.or(self.allocated_storage);
        self.storage_type = storage_type.or(self.storage_type.take());
        self.iops = iops.or(self.iops);
        self.storage_throughput = storage_throughput.or(self.storage_throughput);
        self.backup_retention = backup_retention.or(self.backup_retention);
        self.multi_az = multi_az.or(self.multi_az);
        self.master_verifier = master_verifier.or(self.master_verifier.take());
    }
}
