use std::sync::LazyLock;

use super::catalog::Catalog;
use super::connection::Session;
use super::privileges::PrivilegeReport;
use super::question::to_json;
use crate::engine::error::EngineError;
use crate::engine::port::Question;

/// One statement, so one snapshot.
static LOOK: LazyLock<String> =
    LazyLock::new(|| code(concat!(include_str!("look/seen.sql"), include_str!("look/differences.sql"))));
static PRIVILEGES: LazyLock<String> = LazyLock::new(|| code(include_str!("privileges.sql")));
const TLS: &str = "SELECT (SELECT version FROM pg_catalog.pg_stat_ssl \
     WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND ssl)";

/// Without what is for people.
pub(super) fn code(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n")
}

pub(super) async fn look(session: &mut Session, question: Question<'_>) -> Result<Catalog, EngineError> {
    session.json(LOOK.as_str(), &[Some(&to_json(question).to_string())]).await
}

pub(super) async fn privileges(session: &mut Session) -> Result<PrivilegeReport, EngineError> {
    let mut report: PrivilegeReport = session.json(PRIVILEGES.as_str(), &[]).await?;
    // The server shows what it knows of a session only to the user that logged in.
    session.run("SET ROLE NONE".to_owned()).await?;
    report.tls = session.text(TLS, &[]).await?;
    Ok(report)
}
