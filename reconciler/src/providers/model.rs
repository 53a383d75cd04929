//! What the provider has and what it can be asked for, in the words of this project.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;

use super::State;
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
    pub status: State,
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
    /// Its master user, which never changes.
    pub master_user: Option<String>,
    /// Storage type (`gp3`).
    pub storage_type: Option<String>,
    /// Subnet group.
    pub subnet_group: Option<String>,
    /// The security groups it has or is about to have.
    pub security_groups: Vec<String>,
    /// The ARN of the key it is encrypted with.
    pub kms_key: Option<String>,
    /// The authority that signs for its server, by the provider's name for it (AWS: CACertificateIdentifier).
    pub authority: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
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
    /// When it was made; absent while it is being made.
    pub created: Option<Timestamp>,
    /// The `resource_id` of the instance it was made of.
    pub resource_id: Option<String>,
}

impl Snapshot {
    /// The snapshot is complete and can be restored.
    pub fn available(&self) -> bool {
        self.status == "available"
    }

    /// The snapshot will never be complete.
    pub fn failed(&self) -> bool {
        self.status == "failed"
    }
}

/// A new instance: all of what is asked for, so that another wish is another request.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The Secret that holds the master user's password.
    pub master_secret: String,
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

/// What a creation asks for, as retries, breaker and log know it.
impl fmt::Display for CreateInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            identifier,
            engine,
            engine_version,
            auto_minor_version_upgrade,
            instance_class,
            allocated_gib,
            storage_type,
            master_user,
            master_secret,
            backup_retention_days,
            deletion_protection,
            subnet_group,
            security_groups,
            kms_key,
            tags,
        } = self;
        write!(
            f,
            "CreateDBInstance {identifier} {engine} {engine_version} AutoMinorVersionUpgrade={auto_minor_version_upgrade} \
             {instance_class} {allocated_gib} GiB {storage_type} MasterUsername={master_user} ({master_secret}) \
             BackupRetentionPeriod={backup_retention_days} DeletionProtection={deletion_protection} {subnet_group:?} \
             {security_groups:?} {kms_key:?} {tags:?}"
        )
    }
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
    /// New security groups, in place of all that it has.
    pub security_groups: Option<Vec<String>>,
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
