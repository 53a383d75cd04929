//! What somebody ordered to go wrong with one instance.

use serde::{Deserialize, Serialize};

/// The orders of the fault interface that an instance bears.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Ordered {
    /// A status shown instead of the true one; what RDS refuses in it is refused.
    pub(crate) status: Option<String>,
    /// Describe shows no endpoint.
    pub(crate) without_endpoint: bool,
    /// The next change is accepted, begins, and is dropped: this event tells that it was.
    pub(crate) drop_change: Option<String>,
    /// The next snapshot fails.
    pub(crate) fail_snapshot: bool,
}
