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
pub use error::EngineError;
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

    /// Carries out one step as the master. Idempotent, and safe to repeat after a crash at any point.
    async fn apply(&self, master: &Login, step: &SqlStep) -> Result<(), EngineError>;

    /// Logs in as a user and reports what it may do there. Writes nothing.
    async fn check_access(&self, login: &Login) -> Result<AccessReport, EngineError>;
}
