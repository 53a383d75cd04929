//! An engine on paper: it finds and does what it is told, so that a visit is played on values. It also shows that nothing outside of an
//! engine asks for more than the port has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use shared::rules::{self, DatabaseName};

use super::dialect::Dialect;
use super::error::EngineError;
use super::kind::Kind;
use super::password::Password;
use super::port::{Change, Engine, Findings, Login, Obstacle, Passwords, Planned, Privileges, Question, Session};
use super::postgres::DIALECT;
use super::server::{Server as _, Servers};
use super::visit::Visit;

/// What there is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chore {
    pub(crate) user: String,
    pub(crate) database: Option<String>,
    pub(crate) leisurely: bool,
    /// It enters its database.
    pub(crate) enters: bool,
}

/// A user is let into a database.
pub(crate) fn admit(user: &str, database: &str) -> Chore {
    Chore { user: user.to_owned(), database: Some(database.to_owned()), ..Chore::default() }
}

impl fmt::Display for Chore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(database) => write!(f, "let {} into {database}", self.user),
            None => write!(f, "set the password of {}", self.user),
        }
    }
}

impl Change for Chore {
    fn kind(&self) -> Kind {
        if self.database.is_some() { Kind::AccessGiven } else { Kind::UsersChanged }
    }

    fn user(&self) -> Option<&str> {
        Some(&self.user)
    }

    fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn enters(&self) -> Option<&str> {
        self.database().filter(|_| self.enters)
    }

    fn is_leisurely(&self) -> bool {
        self.leisurely
    }

    /// One after the other, for each user.
    fn needs(&self, earlier: &Self) -> bool {
        self.user == earlier.user
    }
}

/// What a look finds: all that is to be done, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) chores: Vec<Chore>,
    pub(crate) lost: Vec<Lost>,
    pub(crate) missing: BTreeSet<String>,
    pub(crate) oids: BTreeMap<String, u32>,
}

impl Found {
    pub(crate) fn of(chores: Vec<Chore>) -> Self {
        Self { chores, ..Self::default() }
    }
}

impl Findings for Found {
    fn version(&self) -> u32 {
        1
    }

    fn lacks_user(&self, name: &str) -> bool {
        self.missing.contains(name)
    }

    fn lacks_database(&self, name: &str) -> bool {
        self.missing.contains(name)
    }

    fn oids(&self) -> &BTreeMap<String, u32> {
        &self.oids
    }

    fn removed_databases(&self) -> BTreeMap<String, Option<String>> {
        BTreeMap::new()
    }
}

/// A database that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lost(pub(crate) String);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is gone", self.0)
    }
}

impl Obstacle for Lost {
    fn user(&self) -> Option<&str> {
        None
    }

    fn database(&self) -> Option<&str> {
        Some(&self.0)
    }

    fn is_loss(&self) -> bool {
        true
    }
}

/// Nothing is ever wrong with it.
pub(crate) struct Fine;

impl Privileges for Fine {
    fn faults(&self, _mapped: &BTreeSet<DatabaseName>, _ours: &BTreeSet<DatabaseName>) -> Vec<String> {
        Vec::new()
    }
}

type Results = Arc<Mutex<VecDeque<Result<(), EngineError>>>>;

/// What comes of each step; then all succeeds. A database whose step fails has let nobody in.
pub(crate) struct Played {
    results: Results,
    closed: BTreeSet<String>,
}

impl Played {
    pub(crate) fn of(results: impl IntoIterator<Item = Result<(), EngineError>>) -> Self {
        Self::with(Arc::new(Mutex::new(results.into_iter().collect())))
    }

    fn with(results: Results) -> Self {
        Self { results, closed: BTreeSet::new() }
    }
}

#[async_trait]
impl Session<Chore> for Played {
    async fn carry_out(&mut self, step: &Chore) -> Result<(), EngineError> {
        let result = next(&self.results).unwrap_or(Ok(()));
        self.closed.extend(step.enters().filter(|_| result.is_err()).map(str::to_owned));
        result
    }

    fn is_closed(&self, database: &str) -> bool {
        self.closed.contains(database)
    }

    async fn close(self) {}
}

/// What each look finds, and what comes of each step; then nothing more is found.
pub(crate) struct Paper {
    looks: Mutex<VecDeque<Found>>,
    results: Results,
}

impl Paper {
    /// A visit that goes like this.
    pub(crate) fn visit(
        looks: impl IntoIterator<Item = Found>,
        results: impl IntoIterator<Item = Result<(), EngineError>>,
    ) -> Box<dyn Visit> {
        let results = Arc::new(Mutex::new(results.into_iter().collect()));
        let paper = Self { looks: Mutex::new(looks.into_iter().collect()), results };
        Arc::new(paper).visit()
    }
}

fn next<T>(script: &Mutex<VecDeque<T>>) -> Option<T> {
    script.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

/// Servers on which nothing is ever to be done.
pub(crate) fn servers() -> Servers {
    let paper = Paper { looks: Mutex::default(), results: Results::default() };
    Servers::default().with(rules::Engine::Postgresql, Arc::new(paper))
}

#[async_trait]
impl Engine for Paper {
    const DIALECT: &'static dyn Dialect = DIALECT;

    type Catalog = Found;
    type Step = Chore;
    type Blocked = Lost;
    type Privileges = Fine;
    type Session = Played;

    async fn look(&self, _master: &Login, _question: Question<'_>) -> Result<Found, EngineError> {
        Ok(next(&self.looks).unwrap_or_default())
    }

    fn plan(_question: Question<'_>, _passwords: &Passwords, found: &Found) -> Planned<Chore, Lost> {
        Planned { steps: found.chores.clone(), blocked: found.lost.clone() }
    }

    fn set_password(user: &str, _password: &Password) -> Chore {
        Chore { user: user.to_owned(), ..Chore::default() }
    }

    fn session(&self, _master: &Login) -> Played {
        Played::with(self.results.clone())
    }

    async fn check_login(&self, _login: &Login) -> Result<Fine, EngineError> {
        Ok(Fine)
    }
}
