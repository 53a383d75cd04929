use super::connection::Session;
use crate::engine::{AccessReport, Catalog, EngineError, Inside};

/// Roles, memberships and databases: one statement, so one snapshot. The grants of a membership are read through `to_jsonb`, because
/// `inherit_option` and `set_option` are there from PostgreSQL 16 only.
const CATALOG: &str = include_str!("catalog.sql");
const INSIDE: &str = include_str!("inside.sql");
const ACCESS: &str = include_str!("access.sql");
const TLS: &str = "SELECT (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl)";

pub(super) async fn catalog(session: &mut Session) -> Result<Catalog, EngineError> {
    session.json(CATALOG).await
}

pub(super) async fn inside(session: &mut Session) -> Result<Inside, EngineError> {
    session.json(INSIDE).await
}

pub(super) async fn access(session: &mut Session) -> Result<AccessReport, EngineError> {
    let mut report: AccessReport = session.json(ACCESS).await?;
    // The server shows what it knows of a session only to the user that logged in.
    session.run("SET ROLE NONE".to_owned()).await?;
    report.tls = session.text(TLS, &[]).await?;
    Ok(report)
}
