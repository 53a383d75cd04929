//! A DB snapshot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Instance, Tags};

/// A snapshot: what the instance was when it was taken, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// In lower case.
    pub id: String,
    /// Who asked for it.
    pub kind: SnapshotKind,
    /// When it was begun.
    pub created_at: Timestamp,
    /// How far it is.
    #[serde(default)]
    pub status: SnapshotStatus,
    /// When it was complete: what a recovery from it can reach begins here.
    #[serde(default)]
    pub completed_at: Option<Timestamp>,
    /// Of a copy, what it was copied from.
    #[serde(default)]
    pub copy: Option<SnapshotCopy>,
    /// Its own.
    pub tags: Tags,
    /// The instance at that moment.
    pub source: Instance,
}

impl Snapshot {
    /// Whether it can be restored, copied and deleted.
    pub fn available(&self) -> bool {
        self.status == SnapshotStatus::Available
    }

    /// When the data were those of the instance: a copy has another `created_at`.
    pub fn original_created_at(&self) -> Timestamp {
        self.copy.as_ref().map_or(self.created_at, |copy| copy.original_created_at)
    }
}

/// Where a copy of a snapshot comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SnapshotCopy {
    /// The identifier of the snapshot that was copied, which may be gone by now.
    pub from: String,
    /// When that was taken, the first of a chain of copies.
    pub original_created_at: Timestamp,
}

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotStatus {
    /// It is being taken.
    Creating,
    /// It holds what it is a snapshot of.
    #[default]
    Available,
    /// It holds nothing, and can only be deleted.
    Failed,
}

impl SnapshotStatus {
    /// The `Status` of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Available => "available",
            Self::Failed => "failed",
        }
    }
}

/// Who asked for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnapshotKind {
    /// A caller, or the deletion of the instance.
    Manual,
    /// RDS itself, as a part of the automated backup of an instance: it goes with that.
    Automated,
}

impl SnapshotKind {
    /// The `SnapshotType` of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Automated => "automated",
        }
    }
}
