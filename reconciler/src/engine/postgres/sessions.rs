use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::{Connector, Purpose, Session};
use super::naming::comment;
use super::script::{Batch, DoneIf, Work};
use crate::engine::error::{Awaited, EngineError};
use crate::engine::port::Login;

/// Between two looks at sessions that are ending.
const POLL: Duration = Duration::from_millis(50);
/// How long whoever holds up what must be done is waited for.
const COURTESY: Duration = Duration::from_secs(1);

/// Ends the sessions of a user (`$1`), in one database (`$2`) or in all, and tells how many there were.
const END_SESSIONS: &str = "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(pid))::pg_catalog.text \
     FROM pg_catalog.pg_stat_activity \
     WHERE usename OPERATOR(pg_catalog.=) $1 AND ($2::pg_catalog.text IS NULL OR datname OPERATOR(pg_catalog.=) $2) \
     AND pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()";
/// Ends the sessions that another one (`$1`) waits for, but for those of the server's own people and the master's.
const END_BLOCKERS: &str = "SELECT pg_catalog.count(pg_catalog.pg_terminate_backend(a.pid))::pg_catalog.text \
     FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4)) AS b(pid) \
     JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) b.pid \
     JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.usesysid \
     WHERE NOT r.rolsuper AND r.rolname OPERATOR(pg_catalog.<>) CURRENT_USER \
     AND r.rolname::pg_catalog.text OPERATOR(pg_catalog.!~) '^rds'";
const OWN_PID: &str = "SELECT pg_catalog.pg_backend_pid()::pg_catalog.text";
/// A mark is compared where it is: a comment can be of any length.
const ROLE_IS_MARKED: &str = "SELECT (SELECT pg_catalog.shobj_description(oid, 'pg_authid') OPERATOR(pg_catalog.=) $2 \
     FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1)::pg_catalog.text";
const DATABASE_IS_KEPT: &str = "SELECT (SELECT pg_catalog.pg_get_userbyid(datdba) OPERATOR(pg_catalog.=) 'databases-keeper' \
     FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) $1)::pg_catalog.text";

/// The sessions of the master for one piece of work, one in each database it leads to.
pub struct Sessions {
    connector: Arc<Connector>,
    master: Login,
    open: HashMap<Option<String>, Session>,
    /// Databases that did not let the master in.
    closed: HashSet<String>,
}

impl Sessions {
    pub(super) fn new(connector: Arc<Connector>, master: &Login) -> Self {
        Self { connector, master: master.clone(), open: HashMap::new(), closed: HashSet::new() }
    }

    pub(super) async fn run(&mut self, batch: &Batch) -> Result<(), EngineError> {
        let outcome = match &batch.work {
            Work::Sql(statements) => self.statements(batch.database.as_deref(), statements).await,
            Work::Insist(statements) => self.insist(batch.database.as_deref(), statements).await,
            Work::EndSessions { user, database } => self.end_sessions(user, database.as_deref()).await,
        };
        match (outcome, &batch.done_if) {
            (Err(EngineError::Conflict { message }), DoneIf::RoleIsThere { role, mark }) => {
                let marked = self.look_up(ROLE_IS_MARKED, &[Some(role), Some(comment(mark).as_str())]).await?;
                if marked.as_deref() == Some("true") { Ok(()) } else { Err(EngineError::Conflict { message }) }
            }
            (Err(EngineError::Conflict { message }), DoneIf::DatabaseIsThere { database }) => {
                let kept = self.look_up(DATABASE_IS_KEPT, &[Some(database)]).await?;
                if kept.as_deref() == Some("true") { Ok(()) } else { Err(EngineError::Conflict { message }) }
            }
            (Err(EngineError::Other { sqlstate, .. }), DoneIf::SubjectIsGone) if is_absence(&sqlstate) => Ok(()),
            (outcome, _) => outcome,
        }
    }

    /// Whether a database did not let the master in.
    pub(super) fn lets_nobody_in(&self, database: &str) -> bool {
        self.closed.contains(database)
    }

    /// The time limit of a step.
    pub(super) fn limit(&self) -> Duration {
        self.connector.timeouts.step
    }

    pub(super) async fn end(self) {
        for session in self.open.into_values() {
            session.close().await;
        }
    }

    async fn statements(&mut self, database: Option<&str>, statements: &str) -> Result<(), EngineError> {
        let mut session = self.take(database).await?;
        session.run(statements.to_owned()).await?;
        self.keep(database, session);
        Ok(())
    }

    /// Runs statements while a second session ends those that they have to wait for.
    async fn insist(&mut self, database: Option<&str>, statements: &str) -> Result<(), EngineError> {
        let mut session = self.take(database).await?;
        let pid = session.text(OWN_PID, &[]).await?;
        let outcome = {
            let work = session.run(statements.to_owned());
            tokio::pin!(work);
            if let Ok(outcome) = tokio::time::timeout(COURTESY, &mut work).await {
                outcome
            } else {
                let mut helper = self.open_new(None).await?;
                let outcome = loop {
                    helper.text(END_BLOCKERS, &[pid.as_deref()]).await?;
                    if let Ok(outcome) = tokio::time::timeout(POLL, &mut work).await {
                        break outcome;
                    }
                };
                helper.close().await;
                outcome
            }
        };
        outcome?;
        self.keep(database, session);
        Ok(())
    }

    async fn look_up(
        &mut self,
        statement: &'static str,
        arguments: &[Option<&str>],
    ) -> Result<Option<String>, EngineError> {
        let mut session = self.take(None).await?;
        let found = session.text(statement, arguments).await?;
        self.keep(None, session);
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
        self.keep(None, session);
        Ok(())
    }

    /// Hands out a session. It comes back only after it has done its work: what state one is in after a failure is not known.
    async fn take(&mut self, database: Option<&str>) -> Result<Session, EngineError> {
        match self.open.remove(&database.map(str::to_owned)) {
            Some(session) => Ok(session),
            None => self.open_new(database).await,
        }
    }

    fn keep(&mut self, database: Option<&str>, session: Session) {
        // Those of a long list of databases are not all held: a small instance has some 80 connections for everyone.
        if database.is_none() || self.open.len() < MOST_HELD {
            self.open.insert(database.map(str::to_owned), session);
        }
    }

    async fn open_new(&mut self, database: Option<&str>) -> Result<Session, EngineError> {
        let name = database.unwrap_or(&self.master.database).to_owned();
        let session = self.connector.open(&Login { database: name, ..self.master.clone() }, Purpose::Work).await;
        if let (Err(_), Some(database)) = (&session, database) {
            self.closed.insert(database.to_owned());
        }
        let session = session?;
        // The first one may have been opened before it was known.
        self.master.version = session.version().or(self.master.version);
        Ok(session)
    }
}

/// Sessions held at a time.
const MOST_HELD: usize = 4;

/// `undefined_object` (a role) and `invalid_catalog_name` (a database).
fn is_absence(sqlstate: &str) -> bool {
    matches!(sqlstate, "42704" | "3D000")
}
