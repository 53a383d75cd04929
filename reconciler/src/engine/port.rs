//! The port to an engine: in its own types, and what all of them share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use shared::rules::{DatabaseName, Desired, RoleName};

use super::dialect::Dialect;
use super::error::EngineError;
use super::kind::Kind;
use super::known::Known;
use super::mark::Mark;
use super::password::Password;
use crate::clock::Clock;
use crate::lease::Fence;

/// Where and as whom to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Host of the endpoint; the server's certificate must name it.
    pub host: String,
    /// Port of the endpoint.
    pub port: u16,
    /// User.
    pub user: String,
    /// Its password.
    pub password: Password,
    /// Database. For the master: the maintenance database.
    pub database: String,
    /// The server's version as [`Findings::version`] gives it, where it is known: a session brings more settings of its own along then.
    pub version: Option<u32>,
}

/// What a look asks the server about.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is declared.
    pub desired: &'a Desired,
    /// Tells what is of this object from all else.
    pub mark: &'a Mark,
    /// Databases that were there before.
    pub known: &'a BTreeMap<DatabaseName, Known>,
}

/// The passwords of the users' Secrets.
pub type Passwords = BTreeMap<RoleName, Password>;

/// What is to be done, and what cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned<S, B> {
    /// What to do, in this order. Empty: the server is as declared.
    pub steps: Vec<S>,
    /// What cannot be done. The rest goes on without it.
    pub blocked: Vec<B>,
}

impl<S, B> Default for Planned<S, B> {
    fn default() -> Self {
        Self { steps: Vec::new(), blocked: Vec::new() }
    }
}

/// A part of what is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Slice<'a, S> {
    /// The steps, in their order.
    pub steps: &'a [S],
    /// Earlier ones that were not done: what needs one of them is not tried.
    pub stopped: &'a [S],
    /// What the time is.
    pub clock: &'a dyn Clock,
    /// After this long no other step is begun.
    pub budget: Duration,
    /// No step is begun by a process that may not act any more; `None` where there is only one.
    pub fence: Option<&'a Fence>,
}

/// What the SQL server of an instance is spoken to with. Each call verifies the server's certificate and name, and ends within a time
/// limit.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// How it is spoken of outside of its servers.
    const DIALECT: &'static dyn Dialect;

    /// What a look finds.
    type Catalog: Findings;
    /// One change on the server.
    type Step: Change;
    /// What the server's state does not allow.
    type Blocked: Obstacle;
    /// What a login may do.
    type Privileges: Privileges;
    /// What a piece of work is done through.
    type Session: Session<Self::Step>;

    /// Asks the server, as the master and on one connection, where it differs from what is wanted. Writes nothing, and enters no database
    /// but the maintenance one.
    async fn look(&self, master: &Login, question: Question<'_>) -> Result<Self::Catalog, EngineError>;

    /// Decides what has to change on the server so that it is as declared: pure. `catalog` is the server's answer to `question`. The
    /// steps are in the order they have to be done in; [`Change::needs`] tells which of them stop when one fails.
    fn plan(
        question: Question<'_>,
        passwords: &Passwords,
        catalog: &Self::Catalog,
    ) -> Planned<Self::Step, Self::Blocked>;

    /// The change that gives a user the password that its Secret holds.
    fn set_password(user: &str, password: &Password) -> Self::Step;

    /// Begins a piece of work as the master. Nothing is sent yet.
    fn session(&self, master: &Login) -> Self::Session;

    /// Logs in as a user and reports what it may do there. Writes nothing.
    async fn check_login(&self, login: &Login) -> Result<Self::Privileges, EngineError>;

    /// Logs in as a user and gathers the statistics of tables of its own that have none, as an upgrade to another major version leaves them:
    /// what users wrote runs then, and never as the master. An engine that keeps them has nothing to do.
    async fn gather_statistics(&self, _: &Login) -> Result<(), EngineError> {
        Ok(())
    }
}

/// The connections of the master for one piece of work.
#[async_trait]
pub trait Session<S>: Send + Sized {
    /// Carries out a step, within a time limit.
    async fn carry_out(&mut self, step: &S) -> Result<(), EngineError>;

    /// Whether a database did not let the master in.
    fn is_closed(&self, database: &str) -> bool;

    /// Ends the connections.
    async fn close(self);
}

/// What a look finds, as far as it matters to all engines.
pub trait Findings: Clone + Default + fmt::Debug + Send + Sync {
    /// The server's version as a number that grows with it.
    fn version(&self) -> u32;

    /// A wanted user is not there yet, or is somebody else's.
    fn lacks_user(&self, name: &str) -> bool;

    /// A wanted database is not there yet, or is somebody else's.
    fn lacks_database(&self, name: &str) -> bool;

    /// The server's own numbers for wanted databases, where they differ from what is known.
    fn oids(&self) -> &BTreeMap<String, u32>;

    /// Databases of ours that are not wanted any more, and why even the master cannot enter one. They are kept.
    fn removed_databases(&self) -> BTreeMap<String, Option<String>>;
}

/// One change on a server. Each can be repeated, and each leaves the server such that a new plan finds what is left to do. `Display` says
/// what it does, for a log line, an Event or a condition.
pub trait Change: Clone + PartialEq + fmt::Debug + fmt::Display + Send + Sync {
    /// What people are told of it with.
    fn kind(&self) -> Kind;

    /// The user it is about.
    fn user(&self) -> Option<&str>;

    /// The database it is about.
    fn database(&self) -> Option<&str>;

    /// The database it enters. One that cannot be entered stops what is inside of it, and nothing else.
    fn enters(&self) -> Option<&str>;

    /// Whether a database is as it should be without it: it is done as far as it goes, and what it leaves is no fault.
    fn is_leisurely(&self) -> bool;

    /// Whether `earlier` has to be done before it can be.
    fn needs(&self, earlier: &Self) -> bool;
}

/// Something declared that the server's state does not allow. It ends with an edit of the object or a change on the server. `Display` says
/// why, and what to do.
pub trait Obstacle: Clone + fmt::Debug + fmt::Display + Send + Sync {
    /// The user it is about.
    fn user(&self) -> Option<&str>;

    /// The database it is about.
    fn database(&self) -> Option<&str>;

    /// A database that was there once is gone.
    fn is_loss(&self) -> bool;
}

/// What a user that logged in to a database may do there.
pub trait Privileges: Send {
    /// What is wrong with it, as sentences for a status; empty if all is well. `mapped` are the databases the user works in, `ours` all
    /// databases the object declares or keeps.
    fn faults(&self, mapped: &BTreeSet<DatabaseName>, ours: &BTreeSet<DatabaseName>) -> Vec<String>;
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub fn failure(&self) -> Option<&EngineError> {
        match self {
            Self::Failed(error) => Some(error),
            Self::Done | Self::Skipped => None,
        }
    }
}
