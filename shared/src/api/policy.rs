//! What becomes of the data when an object is deleted.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of the RDS instance when its `RDSDatabase` is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// A final snapshot is taken and seen available before the instance is let go.
    #[default]
    Snapshot,
    /// The instance stays as it is; the operator only forgets it.
    Retain,
    /// The instance and its automated backups go, without a final snapshot.
    Delete,
}

impl DeletionPolicy {
    /// Every policy, the default first.
    pub const ALL: [Self; 3] = [Self::Snapshot, Self::Retain, Self::Delete];

    /// The policy as it is written in a specification.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "Snapshot",
            Self::Retain => "Retain",
            Self::Delete => "Delete",
        }
    }
}

impl fmt::Display for DeletionPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is none of `Snapshot`, `Retain` and `Delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of Snapshot, Retain, Delete")]
pub struct UnknownDeletionPolicy;

impl FromStr for DeletionPolicy {
    type Err = UnknownDeletionPolicy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text).ok_or(UnknownDeletionPolicy)
    }
}
