//! The statistics of tables that have none, as their own users gather them.
//!
//! An upgrade to another major version leaves them behind up to 17, and the planner guesses until somebody says ANALYZE; autovacuum does not,
//! for a table that nobody changes.

use std::sync::LazyLock;

use super::connection::Session;
use super::read::code;
use crate::engine::error::EngineError;

/// The tables, quoted, the smallest first: that one takes long is no reason for the others to wait.
static LACKING: LazyLock<String> = LazyLock::new(|| code(include_str!("statistics.sql")));

/// Gathers them, of whatever the session's user owns or acts as the owner of. One that somebody works on is left to the next time.
pub(super) async fn gather(session: &mut Session) -> Result<(), EngineError> {
    let tables: Vec<String> = session.json(LACKING.as_str(), &[]).await?;
    for table in tables {
        session.run(format!("ANALYZE (SKIP_LOCKED) {table}")).await?;
    }
    Ok(())
}
