//! The automated backup of an instance that is gone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Instance;

/// What a deletion without `DeleteAutomatedBackups` leaves, until its retention is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RetainedBackup {
    /// The instance when it was deleted.
    pub source: Instance,
    /// When the instance had gone.
    pub since: Timestamp,
}
