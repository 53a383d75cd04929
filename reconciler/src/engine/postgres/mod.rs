//! The [`Engine`] that speaks to PostgreSQL 12 and later, as a master user that is no superuser.

mod connection;
mod failure;
mod quote;
mod read;
mod script;

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use self::connection::{Access, Connector, Session};
use super::{AccessReport, Catalog, Engine, EngineError, Login, Password, SqlStep, owner_role};

pub use connection::Timeouts;
pub use script::{Batch, DoneIf, Work, script};

/// Connects to PostgreSQL servers whose certificates a given CA has signed.
pub struct PostgresEngine {
    connector: Connector,
}

/// Between two looks at sessions that are ending.
const SESSIONS_POLL: Duration = Duration::from_millis(50);

/// Ends the sessions of a user (`$1`), in one database (`$2`) or in all, and tells how many there were.
const END_SESSIONS: &str = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity \
     WHERE usename = $1 AND ($2::text IS NULL OR datname = $2) AND pid <> pg_backend_pid()";
const COMMENT_OF_ROLE: &str = "SELECT (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = $1)";
const OWNER_OF_DATABASE: &str = "SELECT (SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1)";

impl PostgresEngine {
    /// `ca_pem` holds the certificates of one or more authorities, as in the bundle that AWS publishes.
    pub fn new(ca_pem: Vec<u8>, timeouts: Timeouts) -> Self {
        Self { connector: Connector::new(ca_pem, timeouts) }
    }

    /// Carries out one [`Batch`] as the master.
    pub async fn run(&self, master: &Login, batch: &Batch) -> Result<(), EngineError> {
        let outcome = match &batch.work {
            Work::Sql(statements) => self.run_sql(master, batch.database.as_deref(), statements).await,
            Work::EndSessions { user, database } => self.end_sessions(master, user, database.as_deref()).await,
        };
        match (outcome, &batch.done_if) {
            (Err(EngineError::Conflict { message }), DoneIf::RoleIsThere { role, mark }) => {
                let comment = self.look_up(master, COMMENT_OF_ROLE, role).await?;
                if comment.as_deref() == Some(mark.as_str()) { Ok(()) } else { Err(EngineError::Conflict { message }) }
            }
            (Err(EngineError::Conflict { message }), DoneIf::DatabaseIsThere { database, owner }) => {
                let found = self.look_up(master, OWNER_OF_DATABASE, database).await?;
                if found.as_ref() == Some(owner) { Ok(()) } else { Err(EngineError::Conflict { message }) }
            }
            // undefined_object (a role), invalid_catalog_name (a database)
            (Err(EngineError::Other { sqlstate, .. }), DoneIf::SubjectIsGone)
                if matches!(sqlstate.as_str(), "42704" | "3D000") =>
            {
                Ok(())
            }
            (outcome, _) => outcome,
        }
    }

    async fn run_sql(&self, master: &Login, database: Option<&str>, statements: &str) -> Result<(), EngineError> {
        let mut session = self.open_in(master, database, Access::ReadWrite).await?;
        let outcome = session.run(statements.to_owned()).await;
        session.close().await;
        outcome
    }

    async fn look_up(
        &self,
        master: &Login,
        statement: &'static str,
        name: &str,
    ) -> Result<Option<String>, EngineError> {
        let mut session = self.open_in(master, None, Access::ReadOnly).await?;
        let found = session.text(statement, &[Some(name)]).await;
        session.close().await;
        found
    }

    async fn end_sessions(&self, master: &Login, user: &str, database: Option<&str>) -> Result<(), EngineError> {
        let limit = self.connector.timeouts.sessions;
        let end = Instant::now() + limit;
        let mut session = self.open_in(master, None, Access::ReadWrite).await?;
        let outcome = loop {
            match session.text(END_SESSIONS, &[Some(user), database]).await {
                Ok(left) if left.as_deref() == Some("0") => break Ok(()),
                Ok(_) if Instant::now() >= end => {
                    break Err(EngineError::Timeout { what: "ending the sessions of a user", limit });
                }
                Ok(_) => tokio::time::sleep(SESSIONS_POLL).await,
                Err(error) => break Err(error),
            }
        };
        session.close().await;
        outcome
    }

    async fn open_in(&self, master: &Login, database: Option<&str>, access: Access) -> Result<Session, EngineError> {
        match database {
            Some(database) => {
                self.connector.open(&Login { database: database.to_owned(), ..master.clone() }, access).await
            }
            None => self.connector.open(master, access).await,
        }
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn catalog(&self, master: &Login) -> Result<Catalog, EngineError> {
        let mut session = self.connector.open(master, Access::ReadOnly).await?;
        let catalog = read::catalog(&mut session).await;
        session.close().await;
        let mut catalog = catalog?;
        for (name, database) in &mut catalog.databases {
            if database.owner != owner_role(name) || !database.manageable {
                continue;
            }
            let mut session = self.open_in(master, Some(name), Access::ReadOnly).await?;
            let inside = read::inside(&mut session).await;
            session.close().await;
            database.inside = Some(inside?);
        }
        Ok(catalog)
    }

    async fn apply(&self, master: &Login, step: &SqlStep) -> Result<(), EngineError> {
        for batch in script(step, verifier) {
            self.run(master, &batch).await?;
        }
        Ok(())
    }

    async fn check_access(&self, login: &Login) -> Result<AccessReport, EngineError> {
        let mut session = self.connector.open(login, Access::ReadOnly).await?;
        let report = read::access(&mut session).await;
        session.close().await;
        report
    }
}

/// What the server is told of a password: enough to check it, not enough to log in with.
pub fn verifier(password: &Password) -> String {
    postgres_protocol::password::scram_sha_256(password.expose().as_bytes())
}
