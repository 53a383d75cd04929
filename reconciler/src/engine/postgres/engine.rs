//! The engine: connections, and what is asked and done on them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::catalog::Catalog;
use super::connection::{Connector, Purpose, Timeouts};
use super::dialect::DIALECT;
use super::plan::plan_sql;
use super::privileges::PrivilegeReport;
use super::read;
use super::script::{Batch, script};
use super::sessions::Sessions;
use super::statistics;
use super::step::blocked::Blocked;
use super::step::{SqlPlan, SqlStep};
use crate::engine::dialect::Dialect;
use crate::engine::error::{Awaited, EngineError};
use crate::engine::password::Password;
use crate::engine::port::{Engine, Login, Passwords, Question, Session};

/// Connects to PostgreSQL servers whose certificates a given CA has signed.
pub struct PostgresEngine {
    connector: Arc<Connector>,
}

impl PostgresEngine {
    /// `ca_pem` holds the certificates of one or more authorities.
    pub fn new(ca_pem: &[u8], timeouts: Timeouts) -> Self {
        Self { connector: Arc::new(Connector::new(ca_pem, timeouts)) }
    }

    /// Carries out one [`Batch`] as the master.
    pub async fn run(&self, master: &Login, batch: &Batch) -> Result<(), EngineError> {
        let mut sessions = Sessions::new(self.connector.clone(), master);
        let outcome = sessions.run(batch).await;
        sessions.end().await;
        outcome
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    const DIALECT: &'static dyn Dialect = DIALECT;

    type Catalog = Catalog;
    type Step = SqlStep;
    type Blocked = Blocked;
    type Privileges = PrivilegeReport;
    type Session = Sessions;

    async fn look(&self, master: &Login, question: Question<'_>) -> Result<Catalog, EngineError> {
        within(self.connector.timeouts.look, async {
            let mut session = self.connector.open(master, Purpose::Look).await?;
            let catalog = read::look(&mut session, question).await;
            session.close().await;
            catalog
        })
        .await
    }

    fn plan(question: Question<'_>, passwords: &Passwords, catalog: &Catalog) -> SqlPlan {
        plan_sql(question, passwords, catalog)
    }

    fn set_password(user: &str, password: &Password) -> SqlStep {
        SqlStep::SetPassword { user: user.to_owned(), password: password.clone() }
    }

    fn session(&self, master: &Login) -> Sessions {
        Sessions::new(self.connector.clone(), master)
    }

    async fn check_login(&self, login: &Login) -> Result<PrivilegeReport, EngineError> {
        within(self.connector.timeouts.login, async {
            let mut session = self.connector.open(login, Purpose::Check).await?;
            let report = read::privileges(&mut session).await;
            session.close().await;
            report
        })
        .await
    }

    async fn gather_statistics(&self, login: &Login) -> Result<(), EngineError> {
        within(self.connector.timeouts.step, async {
            let mut session = self.connector.open(login, Purpose::Check).await?;
            let gathered = statistics::gather(&mut session).await;
            session.close().await;
            gathered
        })
        .await
    }
}

#[async_trait]
impl Session<SqlStep> for Sessions {
    async fn carry_out(&mut self, step: &SqlStep) -> Result<(), EngineError> {
        within(self.limit(), async {
            for batch in script(step, verifier) {
                self.run(&batch).await?;
            }
            Ok(())
        })
        .await
    }

    fn is_closed(&self, database: &str) -> bool {
        self.lets_nobody_in(database)
    }

    async fn close(self) {
        self.end().await;
    }
}

/// What comes of a piece of work within its time; a session that is in the middle of something is closed then.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
    let late = |_| Err(EngineError::Timeout { awaited: Awaited::Statement, limit });
    tokio::time::timeout(limit, work).await.unwrap_or_else(late)
}

/// What the server is told of a password: enough to check it, not enough to log in with.
pub fn verifier(password: &Password) -> String {
    postgres_protocol::password::scram_sha_256(password.expose().as_bytes())
}
