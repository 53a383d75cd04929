//! What the provider has, in the words of this project.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::rules::Engine;

use super::owner::Marks;
use super::parameters::Applied;
use super::settings::Settings;
use super::state::State;

/// Who the operator is to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account's number.
    pub account: String,
    /// Whom the provider takes the caller for, by its own name.
    pub principal: String,
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
    /// The provider's immutable id of this very instance; a namesake made later has another one.
    pub resource_id: Option<String>,
    /// What the provider's calls for tags know it by.
    pub resource_name: Option<String>,
    /// The provider's own word for the state.
    pub status: State,
    /// Where it listens; absent while it is being created.
    pub endpoint: Option<Endpoint>,
    /// The settings that it runs with.
    pub running: Settings,
    /// Those that were asked for and are not applied yet.
    pub pending: Settings,
    /// What its server runs with of its group of parameters.
    pub parameters: Applied,
    /// What else waits to be applied, that no specification speaks of, in words.
    pub pending_else: Vec<String>,
    /// The instances that are its read replicas, by name: somebody made them, this operator makes none.
    pub replicas: Vec<String>,
    /// Its master user, which never changes.
    pub master_user: Option<String>,
    /// The newest moment that its automated backups reach: their evidence. It advances every few minutes by itself.
    pub restorable: Option<Timestamp>,
    /// The authority that signs for its server, by the provider's name for it.
    pub authority: Option<String>,
    /// Whose it is.
    pub marks: Marks,
    /// Its tags, marks included as the provider spells them.
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
    /// Whose it is, as its own tags say.
    pub marks: Marks,
}

/// How many of something an account has, and may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// There are so many.
    pub used: u32,
    /// There may be so many.
    pub most: u32,
}

/// Where the data of a new instance may come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The snapshot of this name.
    Snapshot(String),
    /// The automated backups of instances of this name, which may be gone.
    Instance(String),
}

/// What a new instance can be made of, as the provider describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The `resource_id` of the instance it was made of.
    pub resource_id: Option<String>,
    /// What ran in it, where that is one of the engines of this project.
    pub engine: Option<Engine>,
    /// The version that ran.
    pub engine_version: Option<String>,
    /// The master user that it brings.
    pub master_user: Option<String>,
    /// The size of its storage in GiB.
    pub allocated_gib: Option<u32>,
    /// The provider's word for its state.
    pub status: String,
    /// It is complete and can be restored.
    pub complete: bool,
    /// The first and the last moment that can be restored; absent of a snapshot, which is one moment.
    pub reaches: Option<(Timestamp, Timestamp)>,
    /// Whose the instance was, as the tags of the backup itself say.
    pub marks: Marks,
}

/// What an instance can be upgraded to, and what came of the last try.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upgrades {
    /// The versions, of all majors, that the one that runs can be upgraded to.
    pub targets: Vec<String>,
    /// What the last checks before an upgrade found in the way; `None` where none ever did.
    pub report: Option<UpgradeReport>,
}

/// Why an upgrade came to nothing: what the provider's checks before it found in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeReport {
    /// When it was written.
    pub written: Timestamp,
    /// What stands in the way, in the provider's words; bounded.
    pub text: String,
}

/// Something that the provider is going to do to an instance by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// What it is, in the provider's words; bounded.
    pub what: String,
    /// When it is done, as far as that is settled: without a date it waits until somebody opts in.
    pub at: Option<Timestamp>,
    /// It is done with any change of the instance that is applied at once.
    pub with_changes: bool,
}

impl Instance {
    /// Whether it is as it was seen before, but for what advances by itself.
    pub(crate) fn is_as(&self, before: &Self) -> bool {
        self == before
            || self.restorable != before.restorable && *self == Self { restorable: self.restorable, ..before.clone() }
    }
}

impl Backup {
    /// It will never be complete.
    pub fn failed(&self) -> bool {
        self.status == "failed"
    }
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
