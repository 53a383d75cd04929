//! A visit to a server: what was found there, what of it was done, and what is left. Written once for all engines.

mod journal;
pub(super) mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shared::rules::{DatabaseName, Desired};

use self::journal::Journal;
use super::error::EngineError;
use super::password::Password;
use super::port::{
    Change as _, Engine, Findings as _, Login, Obstacle as _, Outcome, Passwords, Planned, Privileges as _, Question,
    Slice,
};
use super::report::{Left, Report, Why};
use super::work::{end_of_all, work};
use crate::clock::Clock;
use crate::lease::Fence;

pub use tally::Tally;

/// A visit whose engine nobody else knows. It can be left between any two calls, and is lost with the process: then another begins.
#[async_trait]
pub trait Visit: fmt::Debug + Send + Sync {
    /// Looks, and decides what is to be done. Writes nothing.
    async fn look(&mut self, master: &Login, question: Question<'_>, passwords: &Passwords) -> Result<(), EngineError>;

    /// Carries out the next steps, for as long as `budget`. One that fails stops those that need it and no others; the error is that of
    /// one after which no other could fare better.
    async fn work(
        &mut self,
        master: &Login,
        clock: &dyn Clock,
        budget: Duration,
        fence: Option<&Fence>,
    ) -> Result<(), EngineError>;

    /// Logs in as a user and gives what is wrong with what it may do there; empty is nothing. Writes nothing.
    async fn log_in(&self, login: Login, desired: &Desired) -> Result<Vec<String>, EngineError>;

    /// Logs in as a user and gathers the statistics that its tables lack.
    async fn gather_statistics(&self, login: Login) -> Result<(), EngineError>;

    /// Users whose passwords the server refused get those of their Secrets, once in a visit.
    fn set_passwords(&mut self, refused: BTreeMap<String, Password>);

    /// So many changes are carried out next; after a look, none means that there is nothing to do that was not just tried.
    fn todo(&self) -> usize;

    /// The first of them, in words.
    fn next(&self) -> Option<String>;

    /// So many changes were carried out.
    fn done(&self) -> usize;

    /// A user or a database is not there yet, or is somebody else's: no login can succeed.
    fn lacks(&self, user: &str, database: &str) -> bool;

    /// Something was changed that a login of this user to this database depends on.
    fn touched(&self, user: &str, database: &str) -> bool;

    /// What people are told of.
    fn tally(&self) -> &Tally;

    /// What was found, and what is left.
    fn report(&self) -> Report;

    /// The same visit once more.
    fn duplicate(&self) -> Box<dyn Visit>;
}

impl Clone for Box<dyn Visit> {
    fn clone(&self) -> Self {
        self.duplicate()
    }
}

/// A visit in the types of its engine.
pub(super) struct Inside<E: Engine> {
    engine: Arc<E>,
    /// What the last look found.
    catalog: E::Catalog,
    /// What is still to do after it, and cannot be done.
    plan: Planned<E::Step, E::Blocked>,
    journal: Journal<E::Step>,
}

impl<E: Engine> Inside<E> {
    pub(super) fn new(engine: Arc<E>) -> Self {
        Self { engine, catalog: E::Catalog::default(), plan: Planned::default(), journal: Journal::default() }
    }

    fn at(&self, login: Login) -> Login {
        // Nothing is known before the first look.
        let version = Some(self.catalog.version()).filter(|version| *version > 0);
        Login { version, ..login }
    }

    fn left(&self) -> Vec<Left> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let blocked = self.plan.blocked.iter().map(|blocked| {
            let (user, database) = (owned(blocked.user()), owned(blocked.database()));
            Left { user, database, text: blocked.to_string(), why: Why::Blocked }
        });
        let steps = self.plan.steps.iter().filter(|step| !step.is_leisurely()).map(|step| {
            let (text, why) = match self.journal.failure(step) {
                Some(error) => (format!("{step}: {error}"), Why::Failed { passing: error.is_transient() }),
                None => (format!("still to do: {step}"), Why::Undone),
            };
            Left { user: owned(step.user()), database: owned(step.database()), text, why }
        });
        blocked.chain(steps).collect()
    }
}

#[async_trait]
impl<E: Engine> Visit for Inside<E> {
    async fn look(&mut self, master: &Login, question: Question<'_>, passwords: &Passwords) -> Result<(), EngineError> {
        self.catalog = self.engine.look(master, question).await?;
        self.plan = E::plan(question, passwords, &self.catalog);
        self.journal.looked(&self.plan.steps);
        Ok(())
    }

    async fn work(
        &mut self,
        master: &Login,
        clock: &dyn Clock,
        budget: Duration,
        fence: Option<&Fence>,
    ) -> Result<(), EngineError> {
        let (steps, stopped) = self.journal.slice();
        let slice = Slice { steps, stopped: &stopped, clock, budget, fence };
        let outcomes = work(self.engine.session(&self.at(master.clone())), slice).await;
        for error in outcomes.iter().filter_map(Outcome::failure) {
            tracing::debug!(%error, "a change inside the server failed");
        }
        // Only the last one can have ended it all: nothing was begun after it.
        let last = steps.iter().zip(&outcomes).next_back();
        let end = last.and_then(|(step, outcome)| end_of_all(step, outcome)).cloned();
        self.journal.worked_on(outcomes);
        end.map_or(Ok(()), Err)
    }

    async fn log_in(&self, login: Login, desired: &Desired) -> Result<Vec<String>, EngineError> {
        let privileges = self.engine.check_login(&self.at(login.clone())).await?;
        let databases = desired.databases.iter();
        let mapped = databases.filter(|(_, users)| users.iter().any(|found| found.as_str() == login.user));
        let kept = self.catalog.removed_databases();
        let kept = kept.keys().filter_map(|kept| DatabaseName::parse(desired.engine, kept).ok());
        let ours: BTreeSet<_> = desired.databases.keys().cloned().chain(kept).collect();
        Ok(privileges.faults(&mapped.map(|(name, _)| name.clone()).collect(), &ours))
    }

    async fn gather_statistics(&self, login: Login) -> Result<(), EngineError> {
        self.engine.gather_statistics(&self.at(login)).await
    }

    fn set_passwords(&mut self, refused: BTreeMap<String, Password>) {
        self.journal.add(refused.iter().map(|(user, password)| E::set_password(user, password)));
    }

    fn todo(&self) -> usize {
        self.journal.todo().len()
    }

    fn next(&self) -> Option<String> {
        self.journal.todo().first().map(ToString::to_string)
    }

    fn done(&self) -> usize {
        self.journal.worked().len()
    }

    fn lacks(&self, user: &str, database: &str) -> bool {
        self.catalog.lacks_user(user) || self.catalog.lacks_database(database)
    }

    fn touched(&self, user: &str, database: &str) -> bool {
        let worked = self.journal.worked().iter().filter(|step| !step.is_leisurely());
        let mut about = worked.map(|step| (step.user(), step.database()));
        about.any(|about| match about {
            (None, None) => false,
            (who, place) => who.is_none_or(|who| who == user) && place.is_none_or(|place| place == database),
        })
    }

    fn tally(&self) -> &Tally {
        self.journal.tally()
    }

    fn report(&self) -> Report {
        Report {
            left: self.left(),
            leisurely: self.plan.steps.iter().filter(|step| step.is_leisurely()).map(ToString::to_string).collect(),
            lost: self.plan.blocked.iter().any(E::Blocked::is_loss),
            oids: self.catalog.oids().clone(),
            removed_databases: self.catalog.removed_databases(),
        }
    }

    fn duplicate(&self) -> Box<dyn Visit> {
        Box::new(Self {
            engine: self.engine.clone(),
            catalog: self.catalog.clone(),
            plan: self.plan.clone(),
            journal: self.journal.clone(),
        })
    }
}

impl<E: Engine> fmt::Debug for Inside<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut visit = f.debug_struct("Visit");
        visit.field("catalog", &self.catalog).field("plan", &self.plan).field("journal", &self.journal);
        visit.finish_non_exhaustive()
    }
}
