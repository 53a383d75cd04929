//! How an upgrade to another major version did not come about.

use serde::{Deserialize, Serialize};

/// The instance keeps its version; that it does is told when the upgrade is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailedUpgrade {
    /// The checks beforehand found what is in the way: this.
    Refused(String),
    /// It failed after they had passed, and everything is as before.
    RolledBack,
}
