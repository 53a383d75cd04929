//! What somebody ordered to go wrong with one instance.

use serde::{Deserialize, Serialize};

/// The orders of the fault interface that an instance bears.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Ordered {
    /// A status shown instead of the true one; what RDS refuses in it is refused.
    pub status: Option<String>,
    /// Describe shows no endpoint.
    pub without_endpoint: bool,
    /// The next change is accepted, begins, and is dropped: this event tells that it was.
    pub drop_change: Option<String>,
    /// The next snapshot fails.
    pub fail_snapshot: bool,
}
