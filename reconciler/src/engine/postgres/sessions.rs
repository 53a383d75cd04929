use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::{Access, Connector, Session};
use super::script::{Batch, DoneIf, Work};
use crate::engine::{Awaited, EngineError, Login};

/// Between two looks at sessions that are ending.
const POLL: Duration = Duration::from_millis(50);

/// Ends the sessions of a user (`$1`), in one database (`$2`) or in all, and tells how many there were.
const END_SESSIONS: &str = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity \
     WHERE usename = $1 AND ($2::text IS NULL OR datname = $2) AND pid <> pg_backend_pid()";
const COMMENT_OF_ROLE: &str = "SELECT (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = $1)";
const OWNER_OF_DATABASE: &str = "SELECT (SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1)";

/// The sessions of the master for one piece of work, one in each database it leads to.
pub(super) struct Sessions<'a> {
    connector: &'a Connector,
    master: &'a Login,
    open: HashMap<Option<String>, Session>,
}

impl<'a> Sessions<'a> {
    pub(super) fn new(connector: &'a Connector, master: &'a Login) -> Self {
        Self { connector, master, open: HashMap::new() }
    }

    pub(super) async fn run(&mut self, batch: &Batch) -> Result<(), EngineError> {
        let outcome = match &batch.work {
            Work::Sql(statements) => self.statements(batch.database.as_deref(), statements).await,
            Work::EndSessions { user, database } => self.end_sessions(user, database.as_deref()).await,
        };
        match (outcome, &batch.done_if) {
            (Err(EngineError::Conflict { message }), DoneIf::RoleIsThere { role, mark }) => {
                let comment = self.look_up(COMMENT_OF_ROLE, role).await?;
                if comment.as_deref() == Some(mark.as_str()) { Ok(()) } else { Err(EngineError::Conflict { message }) }
            }
            (Err(EngineError::Conflict { message }), DoneIf::DatabaseIsThere { database, owner }) => {
                let found = self.look_up(OWNER_OF_DATABASE, database).await?;
                if found.as_ref() == Some(owner) { Ok(()) } else { Err(EngineError::Conflict { message }) }
            }
            (Err(EngineError::Other { sqlstate, .. }), DoneIf::SubjectIsGone) if is_absence(&sqlstate) => Ok(()),
            (outcome, _) => outcome,
        }
    }

    pub(super) async fn close(self) {
        for session in self.open.into_values() {
            session.close().await;
        }
    }

    async fn statements(&mut self, database: Option<&str>, statements: &str) -> Result<(), EngineError> {
        let mut session = self.take(database).await?;
        session.run(statements.to_owned()).await?;
        self.open.insert(database.map(str::to_owned), session);
        Ok(())
    }

    async fn look_up(&mut self, statement: &'static str, name: &str) -> Result<Option<String>, EngineError> {
        let mut session = self.take(None).await?;
        let found = session.text(statement, &[Some(name)]).await?;
        self.open.insert(None, session);
        Ok(found)
    }

    async fn end_sessions(&mut self, user: &str, database: Option<&str>) -> Result<(), EngineError> {
        let limit = self.connector.timeouts.sessions;
        let end = Instant::now() + limit;
        let mut session = self.take(None).await?;
        while session.text(END_SESSIONS, &[Some(user), database]).await?.as_deref() != Some("0") {
            if Instant::now() >= end {
                return Err(EngineError::Timeout { awaited: Awaited::EndOfSessions, limit });
            }
            tokio::time::sleep(POLL).await;
        }
        self.open.insert(None, session);
        Ok(())
    }

    /// Hands out a session. It comes back only after it has done its work: what state one is in after a failure is not known.
    async fn take(&mut self, database: Option<&str>) -> Result<Session, EngineError> {
        if let Some(session) = self.open.remove(&database.map(str::to_owned)) {
            return Ok(session);
        }
        let database = database.unwrap_or(&self.master.database).to_owned();
        self.connector.open(&Login { database, ..self.master.clone() }, Access::ReadWrite).await
    }
}

/// `undefined_object` (a role) and `invalid_catalog_name` (a database).
fn is_absence(sqlstate: &str) -> bool {
    matches!(sqlstate, "42704" | "3D000")
}
