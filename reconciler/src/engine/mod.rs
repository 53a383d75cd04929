//! The users and databases inside an instance.
//!
//! [`Engine`] is the port: it reads a [`Catalog`], carries out one [`SqlStep`], and logs in as a user to see what it may do.
//! [`plan_sql`] is pure and decides which steps are needed. [`postgres`] is the adapter for PostgreSQL.

mod access;
mod catalog;
mod error;
mod naming;
mod password;
mod plan;
pub mod postgres;
mod step;

use async_trait::async_trait;

pub use access::AccessReport;
pub use catalog::{Catalog, Database, Inside, Membership, PublicSchema, Role};
pub use error::{Awaited, EngineError};
pub use naming::{Mark, owner_role};
pub use password::{LoginSeen, Password, PasswordState};
pub use plan::plan_sql;
pub use step::{Attribute, Blocked, BlockedReason, SqlPlan, SqlStep};

/// Where and as whom to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Host of the endpoint; the server's certificate must name it.
    pub host: String,
    /// Port of the endpoint.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Database. For the master: the maintenance database, `postgres` on RDS.
    pub database: String,
}

/// The SQL server of an instance. Each call opens a connection and closes it, verifies the server's certificate and name, and ends
/// within a time limit.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Reads the catalog as the master: roles and databases on one connection, and one more for each database that has its owner
    /// role as its owner. Writes nothing.
    async fn catalog(&self, master: &Login) -> Result<Catalog, EngineError>;

    /// Carries out steps in their order as the master, on one connection for each database they lead to. Each is idempotent, and
    /// safe to repeat after a crash at any point. One that fails stops those that need it, no others. The outcomes are those of
    /// the steps, one for one.
    async fn apply_all(&self, master: &Login, steps: &[SqlStep]) -> Vec<Outcome>;

    /// Carries out one step, as [`Engine::apply_all`] does.
    async fn apply(&self, master: &Login, step: &SqlStep) -> Result<(), EngineError> {
        let outcomes = self.apply_all(master, std::slice::from_ref(step)).await;
        outcomes.into_iter().find_map(Outcome::failure).map_or(Ok(()), Err)
    }

    /// Logs in as a user and reports what it may do there. Writes nothing.
    async fn check_access(&self, login: &Login) -> Result<AccessReport, EngineError>;
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It was tried and failed; some of it may have been done.
    Failed(EngineError),
    /// It was not tried, because one that failed before had to come first.
    Skipped,
}

impl Outcome {
    /// The error, if it failed.
    pub fn failure(self) -> Option<EngineError> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Done | Self::Skipped => None,
        }
    }
}
