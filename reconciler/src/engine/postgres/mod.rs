//! The [`Engine`] that speaks to PostgreSQL 12 and later, as a master user that is no superuser.

mod connection;
mod failure;
mod quote;
mod read;
mod script;
mod sessions;

use async_trait::async_trait;

use self::connection::{Access, Connector};
use self::sessions::Sessions;
use super::{AccessReport, Catalog, Engine, EngineError, Login, Outcome, Password, SqlStep, owner_role};

pub use connection::Timeouts;
pub use script::{Batch, DoneIf, Work, script};

/// Connects to PostgreSQL servers whose certificates a given CA has signed.
pub struct PostgresEngine {
    connector: Connector,
}

impl PostgresEngine {
    /// `ca_pem` holds the certificates of one or more authorities, as in the bundle that AWS publishes.
    pub fn new(ca_pem: Vec<u8>, timeouts: Timeouts) -> Self {
        Self { connector: Connector::new(ca_pem, timeouts) }
    }

    /// Carries out one [`Batch`] as the master.
    pub async fn run(&self, master: &Login, batch: &Batch) -> Result<(), EngineError> {
        let mut sessions = Sessions::new(&self.connector, master);
        let outcome = sessions.run(batch).await;
        sessions.close().await;
        outcome
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
            let inside = Login { database: name.clone(), ..master.clone() };
            let mut session = self.connector.open(&inside, Access::ReadOnly).await?;
            let inside = read::inside(&mut session).await;
            session.close().await;
            database.inside = Some(inside?);
        }
        Ok(catalog)
    }

    async fn apply_all(&self, master: &Login, steps: &[SqlStep]) -> Vec<Outcome> {
        let mut sessions = Sessions::new(&self.connector, master);
        let mut outcomes: Vec<Outcome> = Vec::new();
        for step in steps {
            let stopped = steps.iter().zip(&outcomes).any(|(earlier, outcome)| match outcome {
                Outcome::Done => false,
                Outcome::Failed(error) => error.ends_all() || step.needs(earlier),
                Outcome::Skipped => step.needs(earlier),
            });
            outcomes.push(if stopped { Outcome::Skipped } else { carry_out(&mut sessions, step).await });
        }
        sessions.close().await;
        outcomes
    }

    async fn check_access(&self, login: &Login) -> Result<AccessReport, EngineError> {
        let mut session = self.connector.open(login, Access::ReadOnly).await?;
        let report = read::access(&mut session).await;
        session.close().await;
        report
    }
}

async fn carry_out(sessions: &mut Sessions<'_>, step: &SqlStep) -> Outcome {
    for batch in script(step, verifier) {
        if let Err(error) = sessions.run(&batch).await {
            return Outcome::Failed(error);
        }
    }
    Outcome::Done
}

/// What the server is told of a password: enough to check it, not enough to log in with.
pub fn verifier(password: &Password) -> String {
    postgres_protocol::password::scram_sha_256(password.expose().as_bytes())
}
