//! A DB instance.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Activity, Change, FailedUpgrade, Insights, Monitoring, Ordered, PendingMaintenance, Phase, Running};
use crate::versions::EngineVersion;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A DB instance: its settings as Describe shows them, and what it is busy with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instance {
    /// The `DBInstanceIdentifier`, in lower case.
    pub id: String,
    /// `db-` and 26 letters and digits: never given twice, so files are kept under it.
    pub resource_id: String,
    /// `db.t4g.micro`.
    pub class: String,
    /// Of PostgreSQL, the only engine.
    pub engine_version: EngineVersion,
    /// The master user.
    pub master_username: String,
    /// The SCRAM-SHA-256 verifier of the master user's first password.
    pub master_verifier: String,
    /// The database made with it.
    pub db_name: Option<String>,
    /// GiB.
    pub allocated_storage: u32,
    /// GiB that autoscaling may grow it to; it is off without them.
    pub max_allocated_storage: Option<u32>,
    /// `gp3`.
    pub storage_type: String,
    /// Operations a second.
    pub iops: Option<u32>,
    /// MiB/s.
    pub storage_throughput: Option<u32>,
    /// Whether a key of KMS encrypts the volume.
    pub storage_encrypted: bool,
    /// The ARN of that key.
    pub kms_key_id: Option<String>,
    /// Where the real server listens. The port asked for at creation is not honoured, because all instances share one address.
    pub port: u16,
    /// When its creation was asked for, then when it ended.
    pub created_at: Timestamp,
    /// Days.
    pub backup_retention: u32,
    /// `03:00-03:30`, UTC.
    pub backup_window: String,
    /// `sun:05:00-sun:05:30`, UTC.
    pub maintenance_window: String,
    /// `eu-central-1a`.
    pub availability_zone: String,
    /// Whether there is a standby in another zone.
    pub multi_az: bool,
    /// Whether it has a public address; nothing here reads it.
    pub publicly_accessible: bool,
    /// Whether minor upgrades come by themselves, which they do not here.
    pub auto_minor_version_upgrade: bool,
    /// Whether snapshots get its tags.
    pub copy_tags_to_snapshot: bool,
    /// Whether a deletion is refused.
    pub deletion_protection: bool,
    /// Whether tokens of IAM log in.
    pub iam_authentication: bool,
    /// The DB subnet group.
    pub subnet_group: Option<String>,
    /// The VPC security groups.
    pub security_groups: Vec<String>,
    /// `default.postgres17`.
    pub parameter_group: String,
    /// The parameters that its server runs with.
    #[serde(default)]
    pub running: Running,
    /// The certificate authority, `rds-ca-rsa2048-g1`.
    pub ca_certificate: String,
    /// Whether it goes on into Extended Support, in RDS's words.
    pub lifecycle_support: String,
    /// Log types that go to CloudWatch.
    pub log_exports: Vec<String>,
    /// Enhanced Monitoring.
    #[serde(default)]
    pub monitoring: Monitoring,
    /// Performance Insights.
    #[serde(default)]
    pub insights: Insights,
    /// Whether the write-ahead log has a volume of its own.
    #[serde(default)]
    pub dedicated_log_volume: bool,
    /// Its own.
    pub tags: Tags,
    /// The tags of its automated backup.
    #[serde(default)]
    pub backup_tags: Tags,
    /// Accepted changes that wait for the maintenance window.
    pub pending: Change,
    /// What RDS has in store for it.
    #[serde(default)]
    pub maintenance: PendingMaintenance,
    /// When the storage last grew: no further growth until its cooldown is over.
    pub storage_changed_at: Option<Timestamp>,
    /// The end of the first automated backup that is kept: what came before cannot be restored. None where there is no backup yet.
    #[serde(default)]
    pub restorable_since: Option<Timestamp>,
    /// When its last automated backup began.
    #[serde(default)]
    pub backed_up_at: Option<Timestamp>,
    /// When its data came from a snapshot: the volume loads them lazily from then on.
    #[serde(default)]
    pub restored_at: Option<Timestamp>,
    /// The identifiers of its read replicas.
    #[serde(default)]
    pub replicas: Vec<String>,
    /// The identifier of the instance that it is a read replica of.
    #[serde(default)]
    pub replica_source: Option<String>,
    /// Set for the final phase of a deletion that also removes automated backups.
    pub delete_automated_backups: bool,
    /// What somebody ordered to go wrong.
    #[serde(default)]
    pub ordered: Ordered,
    /// The upgrade that it is busy with has failed.
    #[serde(default)]
    pub failed_upgrade: Option<FailedUpgrade>,
    /// What it is busy with.
    pub phase: Phase,
}

impl Instance {
    /// The same settings of one that is new: nothing has happened to it, nothing waits, and nobody has ordered anything of it.
    pub(crate) fn without_a_past(self) -> Self {
        Self {
            running: Running::default(),
            backup_tags: Tags::new(),
            pending: Change::default(),
            maintenance: PendingMaintenance::new(),
            storage_changed_at: None,
            restorable_since: None,
            backed_up_at: None,
            restored_at: None,
            replicas: Vec::new(),
            replica_source: None,
            delete_automated_backups: true,
            ordered: Ordered::default(),
            failed_upgrade: None,
            ..self
        }
    }

    /// Whether a PostgreSQL server should be running now. Work that starts or stops it itself is not counted.
    pub fn wants_server(&self) -> bool {
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
    pub fn has_endpoint(&self) -> bool {
        !matches!(self.phase.activity, Activity::Creating { .. } | Activity::Failed)
    }

    /// What is on its way: the change being applied, or the one that waits.
    pub fn pending_change(&self) -> Change {
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

    /// The major version that it is being upgraded to, unless that was ordered to come to nothing.
    pub fn major_upgrade(&self) -> Option<EngineVersion> {
        match &self.phase.activity {
            Activity::Modifying { change } if self.ordered.drop_change.is_none() => {
                change.engine_version.filter(|_| change.is_major_upgrade(self.engine_version))
            }
            _ => None,
        }
    }

    /// Applies a change to the settings that Describe shows. The password is not one of them.
    pub fn apply(&mut self, change: &Change, now: Timestamp) {
        let Change {
            // The first is the key of the state, the second is the server's own.
            new_id: _,
            master_verifier: _,
            maintenance,
            class,
            engine_version,
            parameter_group,
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
        self.maintenance.retain(|action, _| !maintenance.contains(action));
        set(&mut self.class, class);
        set(&mut self.engine_version, engine_version);
        set(&mut self.parameter_group, parameter_group);
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
