//! The [`Engine`] that speaks to PostgreSQL 12 and later, as a master user that is no superuser.

mod bounded;
mod catalog;
mod connection;
mod dialect;
mod engine;
mod failure;
mod naming;
mod plan;
mod privileges;
mod question;
mod quote;
mod read;
mod script;
mod sessions;
mod statistics;
mod step;
mod tls;

pub use catalog::{
    Catalog, Database, GivenAway, LeftIn, Maintenance, Member, Pair, Possession, RemovedDatabase, RemovedUser,
    RoleState, User,
};
pub use connection::Timeouts;
pub use dialect::DIALECT;
pub use engine::{PostgresEngine, verifier};
pub use failure::of_answer as refusal;
pub use naming::{HEIR, KEEPER, MAINTENANCE_DATABASE, comment, owner_role};
pub use plan::plan_sql;
pub use privileges::PrivilegeReport;
pub use script::{Batch, DoneIf, Work, script};
pub use sessions::Sessions;
pub use step::{Attribute, Blocked, BlockedReason, SqlPlan, SqlStep};
