//! The users and databases inside an instance.
//!
//! [`Engine`] is the port: it looks where the server differs from what is wanted (a [`Catalog`]), carries out [`SqlStep`]s, and logs in
//! as a user to see what it may do. [`plan_sql`] is pure and decides which steps are needed. [`postgres`] is the adapter for PostgreSQL.

mod access;
mod catalog;
mod error;
mod naming;
mod password;
mod plan;
pub mod postgres;
mod step;

use std::time::Duration;

use async_trait::async_trait;

use crate::lease::Fence;

pub use access::AccessReport;
pub use catalog::{
    Catalog, Database, GivenAway, Known, LeftIn, Maintenance, Member, Pair, Possession, Question, RemovedDatabase,
    RemovedUser, RoleState, User, enters_maintenance,
};
pub use error::{Awaited, EngineError};
pub use naming::{HEIR, KEEPER, Mark, owner_role};
pub use password::Password;
pub use plan::plan_sql;
pub use step::{
    Attribute, Blocked, BlockedReason, Kind, RECREATE_DATABASE_ANNOTATION, SqlPlan, SqlStep, recreate_word,
};

/// The database that every PostgreSQL server has, where statements run that belong to no other.
pub const MAINTENANCE_DATABASE: &str = "postgres";

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
    /// Database. For the master: [`MAINTENANCE_DATABASE`].
    pub database: String,
    /// `server_version_num`, where it is known: a session brings more settings of its own along then.
    pub version: Option<u32>,
}

/// A part of what is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    /// The steps, in their order.
    pub steps: &'a [SqlStep],
    /// Earlier ones that were not done: what needs one of them is not tried.
    pub stopped: &'a [SqlStep],
    /// After this long no other step is begun.
    pub budget: Duration,
    /// No step is begun by a process that may not act any more; `None` where there is only one.
    pub fence: Option<&'a Fence>,
}

/// The SQL server of an instance. Each call verifies the server's certificate and name, and ends within a time limit.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Asks the server, as the master and on one connection, where it differs from what is wanted. Writes nothing, and enters no database
    /// but the maintenance one.
    async fn look(&self, master: &Login, question: Question<'_>) -> Result<Catalog, EngineError>;

    /// Carries out steps in their order as the master. Each is idempotent, and safe to repeat after a crash at any point. One that fails
    /// stops those that need it, no others; a database that cannot be entered stops what is inside of it. The outcomes are those of the
    /// first steps, one for one: the others were not begun, because time was up or no other could fare better.
    async fn work(&self, master: &Login, slice: Slice<'_>) -> Vec<Outcome>;

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

impl From<Result<(), EngineError>> for Outcome {
    fn from(result: Result<(), EngineError>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Done)
    }
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
