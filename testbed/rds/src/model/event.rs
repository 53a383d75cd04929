//! Events, as DescribeEvents lists them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that happened to an instance or a snapshot.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Orders events of the same millisecond.
    pub(crate) sequence: u64,
    pub(crate) at: Timestamp,
    pub(crate) source: Source,
    pub(crate) category: Category,
    pub(crate) message: String,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    DbInstance(String),
    DbSnapshot(String),
}

impl Source {
    /// The `SourceType` of the API.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::DbInstance(_) => "db-instance",
            Self::DbSnapshot(_) => "db-snapshot",
        }
    }

    /// The `SourceIdentifier` of the API.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::DbInstance(id) | Self::DbSnapshot(id) => id,
        }
    }
}

/// The `EventCategories` of the API that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Category {
    Availability,
    Backup,
    ConfigurationChange,
    Creation,
    Deletion,
    Failure,
    Maintenance,
    Notification,
    Restoration,
}

impl Category {
    /// The category's name in the API.
    pub(crate) fn name(self) -> &'static str {
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
