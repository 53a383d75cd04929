use super::connection::Session;
use crate::engine::{AccessReport, Catalog, EngineError, Inside};

/// Roles, memberships and databases: one statement, so one snapshot. The grants of a membership are read through `to_jsonb`, because
/// `inherit_option` and `set_option` are there from PostgreSQL 16 only.
const CATALOG: &str = include_str!("catalog.sql");
const INSIDE: &str = include_str!("inside.sql");
const ACCESS: &str = include_str!("access.sql");

pub(super) async fn catalog(session: &mut Session) -> Result<Catalog, EngineError> {
    session.json(CATALOG).await
}

pub(super) async fn inside(session: &mut Session) -> Result<Inside, EngineError> {
    session.json(INSIDE).await
}

pub(super) async fn access(session: &mut Session) -> Result<AccessReport, EngineError> {
    session.json(ACCESS).await
}
