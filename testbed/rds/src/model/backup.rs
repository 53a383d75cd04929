//! The automated backup of an instance that is gone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Instance;

/// What a deletion without `DeleteAutomatedBackups` leaves, until its retention is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RetainedBackup {
    /// The instance when it was deleted.
    pub(crate) source: Instance,
    pub(crate) since: Timestamp,
}
