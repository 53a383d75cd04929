//! The users and databases inside an instance.
//!
//! [`Engine`] is the port, in the types of one engine: it looks where a server differs from what is wanted, decides purely which changes
//! that takes, carries them out, and logs in as a user to see what it may do. [`Server`] is the same without the types: a [`Visit`] that
//! it begins is all that the rest of the reconciler knows of an engine. [`postgres`] is the engine that speaks to PostgreSQL.

mod dialect;
mod error;
mod kind;
mod known;
mod mark;
#[cfg(test)]
pub(crate) mod paper;
mod password;
pub(crate) mod port;
#[allow(clippy::disallowed_methods, reason = "an adapter, which a run under a seed replaces")]
pub mod postgres;
mod report;
mod server;
mod visit;
mod work;

pub(crate) use dialect::secret_type;
pub use dialect::{Address, Dialect};
pub use error::{Awaited, EngineError};
pub use kind::Kind;
pub use known::Known;
pub(crate) use known::{RECREATE_DATABASE_ANNOTATION, recreate_word};
pub use mark::Mark;
pub use password::Password;
pub use port::{
    Change, Engine, Findings, Login, Obstacle, Outcome, Passwords, Planned, Privileges, Question, Session, Slice,
};
pub use report::{Left, Report, Why};
pub use server::{Server, Servers};
pub use visit::{Tally, Visit};
pub use work::work;
