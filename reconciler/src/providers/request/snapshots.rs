//! Snapshots that are asked for: how they are made, and how copies of them end.

use std::collections::BTreeMap;
use std::fmt;

use crate::providers::listed::told;
use crate::providers::owner::Owner;

/// A snapshot of an instance, apart from those that the provider makes by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TakeSnapshot {
    /// The instance.
    pub identifier: String,
    /// The name to give it.
    pub snapshot: String,
    /// Whether it is one of the copies that are kept for a while; else it stays until a person removes it.
    pub kept: bool,
    /// Whose it is.
    pub owner: Owner,
    /// Tags of class and object.
    pub tags: BTreeMap<String, String>,
}

/// The end of a snapshot that was kept for a while.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeleteSnapshot {
    /// The snapshot.
    pub snapshot: String,
}

impl fmt::Display for TakeSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identifier, snapshot, kept, owner, tags } = self;
        let what = if *kept { "copy" } else { "snapshot" };
        write!(f, "make the {what} {snapshot} of the instance {identifier} (for {owner}")?;
        if !tags.is_empty() {
            write!(f, ", tags {}", told(tags))?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for DeleteSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { snapshot } = self;
        write!(f, "delete the copy {snapshot}, which has been kept for long enough")
    }
}
