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
    /// A caller, or the deletion of the instance: holds the data.
    Manual,
    /// The daily backup: listed, but without data here.
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
