//! Events, as DescribeEvents lists them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that happened to an instance or a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Event {
    /// Orders events of the same millisecond.
    pub sequence: u64,
    /// When it happened.
    pub at: Timestamp,
    /// To what.
    pub source: Source,
    /// Of what kind it is.
    pub category: Category,
    /// In RDS's words.
    pub message: String,
}

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The instance with this identifier.
    DbInstance(String),
    /// The snapshot with this identifier.
    DbSnapshot(String),
}

impl Source {
    /// The `SourceType` of the API.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::DbInstance(_) => "db-instance",
            Self::DbSnapshot(_) => "db-snapshot",
        }
    }

    /// The `SourceIdentifier` of the API.
    pub fn id(&self) -> &str {
        match self {
            Self::DbInstance(id) | Self::DbSnapshot(id) => id,
        }
    }
}

/// The `EventCategories` of the API that occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// It restarted.
    Availability,
    /// A backup began or ended.
    Backup,
    /// A change began or ended.
    ConfigurationChange,
    /// It was created.
    Creation,
    /// It was deleted.
    Deletion,
    /// Something that was asked for was not done.
    Failure,
    /// It was patched.
    Maintenance,
    /// It was stopped or started.
    Notification,
    /// It was restored.
    Restoration,
}

impl Category {
    /// The category's name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Backup => "backup",
            Self::ConfigurationChange => "configuration change",
            Self::Creation => "creation",
            Self::Deletion => "deletion",
            Self::Failure => "failure",
            Self::Maintenance => "maintenance",
            Self::Notification => "notification",
            Self::Restoration => "restoration",
        }
    }
}
