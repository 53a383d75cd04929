//! What the provider has and what it can be asked for, in the words of this project.

use std::collections::BTreeMap;
use std::fmt;

use crate::engine::Password;

/// Who the operator is to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account's number.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

/// Where an instance listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Host name, as the server's certificate has it.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// An instance as the provider describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The name within account and region.
    pub identifier: String,
    /// The provider's immutable id of this very instance (AWS: DbiResourceId); a namesake made later has another one.
    pub resource_id: Option<String>,
    /// ARN, where the provider has one.
    pub arn: Option<String>,
    /// The provider's own word for the state.
    pub status: InstanceState,
    /// Where it listens; absent while it is being created.
    pub endpoint: Option<Endpoint>,
    /// The running engine version, such as `12.22`.
    pub engine_version: Option<String>,
    /// Allocated storage in GiB.
    pub allocated_gib: Option<u32>,
    /// A larger storage that was asked for and is not applied yet, in GiB.
    pub pending_allocated_gib: Option<u32>,
    /// Compute size, such as `db.t4g.micro`.
    pub instance_class: Option<String>,
    /// A compute size that was asked for and is not applied yet.
    pub pending_instance_class: Option<String>,
    /// An engine version that was asked for and is not applied yet.
    pub pending_engine_version: Option<String>,
    /// RDS upgrades the minor version by itself.
    pub auto_minor_version_upgrade: bool,
    /// Days that automated backups are kept.
    pub backup_retention_days: Option<u32>,
    /// A retention that was asked for and is not applied yet.
    pub pending_backup_retention_days: Option<u32>,
    /// Daily window of automated backups, `hh24:mi-hh24:mi` UTC.
    pub backup_window: Option<String>,
    /// Whether the provider refuses to delete it.
    pub deletion_protection: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// The state of an instance: the provider's word, and what it means for us.
///
/// Words from the RDS user guide, "Viewing Amazon RDS DB instance status". A word that is not known is one that will pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceState(String);

impl InstanceState {
    /// Takes the provider's word, verbatim.
    pub fn new(word: impl Into<String>) -> Self {
        Self(word.into())
    }

    /// The provider's word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The database can be expected to answer on its endpoint.
    pub fn serves(&self) -> bool {
        self.0.starts_with("configuring-")
            || matches!(
                self.as_str(),
                "available"
                    | "backing-up"
                    | "modifying"
                    | "modify-failed"
                    | "upgrade-failed"
                    | "storage-optimization"
                    | "storage-initialization"
                    | "storage-config-upgrade"
                    | "delete-precheck"
                    | "insufficient-capacity"
            )
    }

    /// Nothing is going on: the provider takes any change.
    pub fn settled(&self) -> bool {
        self.as_str() == "available"
    }

    /// Something is going on that ends soon: worth a look each second. The optimization of a volume takes hours.
    pub fn passing(&self) -> bool {
        !self.settled() && self.stuck().is_none() && !self.as_str().starts_with("storage-")
    }

    /// The provider takes changes other than to storage.
    pub fn modifiable(&self) -> bool {
        matches!(
            self.as_str(),
            "available" | "storage-optimization" | "modify-failed" | "upgrade-failed" | "storage-full"
        )
    }

    /// The provider takes a change of storage.
    pub fn storage_modifiable(&self) -> bool {
        matches!(self.as_str(), "available" | "storage-full" | "modify-failed" | "upgrade-failed")
    }

    /// It is on its way out.
    pub fn deleting(&self) -> bool {
        self.as_str() == "deleting"
    }

    /// It is on its way in.
    pub fn creating(&self) -> bool {
        self.as_str() == "creating"
    }

    /// The provider can make a final snapshot of it while deleting it.
    pub fn snapshot_possible(&self) -> bool {
        !matches!(
            self.as_str(),
            "creating" | "failed" | "incompatible-restore" | "incompatible-network" | "incompatible-create"
        )
    }

    /// What a person must do, for the states that do not pass by themselves.
    pub fn stuck(&self) -> Option<&'static str> {
        Some(match self.as_str() {
            "failed" => {
                "restore the database from its newest snapshot, or delete the object with deletionPolicy: Delete and create it anew"
            }
            "incompatible-create" => "correct what the class asks for, then delete and re-create the object",
            "incompatible-credentials" => "mend the credentials that the provider names in its events",
            "incompatible-network" => "give the subnet group free addresses and a valid VPC, then start the instance",
            "incompatible-option-group" | "incompatible-parameters" => {
                "mend the option or parameter group, then reboot the instance"
            }
            "incompatible-restore" | "restore-error" => "restore to another time or from another snapshot",
            "inaccessible-encryption-credentials" | "inaccessible-encryption-credentials-recoverable" => {
                "give the operator and RDS access to the KMS key again, then start the instance"
            }
            "storage-full" => "raise spec.size",
            "stopped" => "start the instance",
            _ => return None,
        })
    }
}

impl fmt::Display for InstanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who asked for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotKind {
    /// A person or this operator.
    Manual,
    /// The provider's own schedule.
    Automated,
}

/// A snapshot as the provider describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its name.
    pub identifier: String,
    /// Who asked for it.
    pub kind: SnapshotKind,
    /// The provider's word for its state; `available` means complete.
    pub status: String,
    /// When it was made, RFC 3339.
    pub created: Option<String>,
    /// The `resource_id` of the instance it was made of.
    pub resource_id: Option<String>,
}

impl Snapshot {
    /// The snapshot is complete and can be restored.
    pub fn available(&self) -> bool {
        self.status == "available"
    }
}

/// A new instance.
#[derive(Clone, Debug)]
pub struct CreateInstance {
    /// The name to give it.
    pub identifier: String,
    /// The provider's name of the engine (`postgres`).
    pub engine: &'static str,
    /// Version, either a major one (the provider picks the minor one) or an exact one.
    pub engine_version: String,
    /// Whether RDS shall upgrade the minor version by itself.
    pub auto_minor_version_upgrade: bool,
    /// Compute size.
    pub instance_class: String,
    /// Storage in GiB.
    pub allocated_gib: u32,
    /// Storage type (`gp3`).
    pub storage_type: String,
    /// Master user.
    pub master_user: String,
    /// The master user's password, from its Secret.
    pub master_password: Password,
    /// Days that automated backups are kept.
    pub backup_retention_days: u32,
    /// Whether the provider shall refuse to delete it.
    pub deletion_protection: bool,
    /// Subnet group, or the provider's default.
    pub subnet_group: Option<String>,
    /// Security groups, or the provider's default.
    pub security_groups: Vec<String>,
    /// Key to encrypt with, or the provider's default key.
    pub kms_key: Option<String>,
    /// Tags, ownership included; copied to snapshots.
    pub tags: BTreeMap<String, String>,
}

/// A change to an instance. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModifyInstance {
    /// The instance.
    pub identifier: String,
    /// New storage in GiB: at least 10 % more than there is.
    pub allocated_gib: Option<u32>,
    /// New compute size: an outage.
    pub instance_class: Option<String>,
    /// New minor version: an outage.
    pub engine_version: Option<String>,
    /// Whether RDS shall upgrade the minor version by itself.
    pub auto_minor_version_upgrade: Option<bool>,
    /// New retention of automated backups, in days.
    pub backup_retention_days: Option<u32>,
    /// New deletion protection.
    pub deletion_protection: Option<bool>,
    /// New password of the master user.
    pub master_password: Option<Password>,
}

/// The end of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteInstance {
    /// The instance.
    pub identifier: String,
    /// The snapshot to make first; without one the data is gone.
    pub final_snapshot: Option<String>,
    /// Whether the automated backups go too.
    pub delete_automated_backups: bool,
}
