//! What becomes of the data of an instance that is deleted.

use super::{Layout, PostgresError, remove_dir};

/// Moves the data directory of a stopped server into its final snapshot. Done again after an interruption, it finds it moved.
pub(crate) fn keep_as_snapshot(layout: &Layout, resource_id: &str, snapshot: &str) -> Result<(), PostgresError> {
    let (data, target) = (layout.data(resource_id), layout.snapshot(snapshot));
    if !data.exists() {
        return if target.exists() { Ok(()) } else { Err(PostgresError::EmptySnapshot(snapshot.to_owned())) };
    }
    remove_dir(&target)?;
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(PostgresError::file(parent))?;
    }
    std::fs::rename(&data, &target).map_err(PostgresError::file(data))
}

/// Removes everything of an instance.
pub(crate) fn discard(layout: &Layout, resource_id: &str) -> Result<(), PostgresError> {
    remove_dir(&layout.instance(resource_id))
}
