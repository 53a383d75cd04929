//! What an instance is busy with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Change;

/// An activity, when it began, and whether the real work behind it is done. Work that is not done when the server stops is done again
/// when it starts, so all of it is idempotent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Phase {
    /// What it is busy with.
    pub activity: Activity,
    /// When that began.
    pub since: Timestamp,
    /// Whether the real work is done, and only time is left.
    pub worked: bool,
}

impl Phase {
    /// An activity that begins now, its work ahead.
    pub fn begin(activity: Activity, now: Timestamp) -> Self {
        Self { activity, since: now, worked: false }
    }
}

/// The activities of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activity {
    /// The data directory is made, from nothing or from a snapshot, and the server started.
    Creating {
        /// The snapshot that it is restored from.
        from_snapshot: Option<String>,
        /// Where the write-ahead log leads the data of the snapshot, which is then an automated one.
        #[serde(default)]
        point_in_time: Option<PointInTime>,
    },
    /// A snapshot is taken of the running server.
    BackingUp {
        /// Its identifier.
        snapshot: String,
    },
    /// At rest.
    Available,
    /// A change is applied.
    Modifying {
        /// All that changes.
        change: Box<Change>,
    },
    /// The master user gets a new password (as a SCRAM verifier: the password itself is never kept).
    ResettingCredentials {
        /// The new one.
        verifier: String,
    },
    /// The server is restarted.
    Rebooting,
    /// The server is being stopped, after a snapshot where one was asked for.
    Stopping {
        /// Its identifier.
        snapshot: Option<String>,
    },
    /// At rest, without a server.
    Stopped,
    /// The server is being started again.
    Starting,
    /// The server is stopped, its data kept in the final snapshot if there is one, or removed.
    Deleting {
        /// Its identifier.
        final_snapshot: Option<String>,
        /// It has ended, and where it ended well is available.
        published: bool,
    },
    /// Creating it failed; only deletion is left.
    Failed,
}

/// A moment in the life of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PointInTime {
    /// The resource id of the instance, there or gone.
    pub resource_id: String,
    /// The identifier that it has or had.
    pub source: String,
    /// What was committed until then is there, and nothing later.
    pub at: Timestamp,
}

impl Activity {
    /// What it is called in the log, without what it is about.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Creating { .. } => "creating",
            Self::BackingUp { .. } => "backing-up",
            Self::Available => "available",
            Self::Modifying { .. } => "modifying",
            Self::ResettingCredentials { .. } => "resetting-credentials",
            Self::Rebooting => "rebooting",
            Self::Stopping { .. } => "stopping",
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Deleting { .. } => "deleting",
            Self::Failed => "failed",
        }
    }
}
