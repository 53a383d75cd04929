//! The reconciler as one server knows it: the shipped engine, the shipped decisions, and between them what a visit does. Kubernetes is not
//! there: what a visit would write into a status is kept here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use futures::{StreamExt as _, stream};
use reconciler::apply::{LOGINS_AT_ONCE, SLICE};
use reconciler::clock::SystemClock;
use reconciler::engine::postgres::{
    Batch, Catalog, DIALECT, DoneIf, PostgresEngine, SqlPlan, Timeouts, Work, plan_sql,
};
use reconciler::engine::{self, Engine as _, Known, Login, Mark, Password, Passwords, Question, Server as _, Why};
use reconciler::entropy::SystemEntropy;
use reconciler::errand::{Errand, Stage};
use reconciler::plan::{Doorway, LoginKnown, Moment, due};
use serde_json::{Value, json};
use shared::rules::{DatabaseName, DefaultVersions, Desired, defaults, parse};

/// What a login depends on, beside the password: here it never changes.
const FINGERPRINT: &str = "unchanged";

/// The shipped limits of a session and a statement are not what is measured: a busy machine takes longer, and goes on.
const PATIENT: Timeouts = Timeouts {
    connect: Duration::from_mins(1),
    statement: Duration::from_mins(5),
    lock: Duration::from_mins(1),
    sessions: Duration::from_mins(1),
    look: Duration::from_mins(6),
    login: Duration::from_mins(6),
    step: Duration::from_mins(6),
};

/// What is declared: so many plain users who all work in so many databases, and some more who work in the first of them.
pub(super) fn declared(users: u16, databases: u16, more: u16) -> Result<Desired> {
    let everywhere: Vec<String> = (1..=users).map(|number| format!("user_{number:02}")).collect();
    let more: Vec<String> = (1..=more).map(|number| format!("late_{number:02}")).collect();
    let first = [everywhere.clone(), more.clone()].concat();
    let mapped = |number| if number == 1 { &first } else { &everywhere };
    let databases: Value = (1..=databases).map(|number| (format!("shop_{number:02}"), json!(mapped(number)))).collect();
    let users: Value = first.iter().map(|user| (user.clone(), json!([]))).collect();
    let spec = defaults(&json!({"users": users, "databases": databases}), None, DefaultVersions::BUILT_IN);
    parse("orders", &spec).map_err(|violations| anyhow!("the benchmark's own spec is refused: {violations:?}"))
}

/// What is wanted of a server, and what is remembered of it.
pub(super) struct Operator {
    engine: Arc<PostgresEngine>,
    mark: Mark,
    desired: Desired,
    passwords: Passwords,
    known: BTreeMap<DatabaseName, Known>,
    logins: BTreeMap<Doorway, LoginKnown>,
}

/// How long the parts of a visit took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Durations {
    /// All looks, and what was decided after them.
    pub(super) looks: Duration,
    /// All work.
    pub(super) work: Duration,
    /// All logins.
    pub(super) logins: Duration,
}

impl Durations {
    /// Until the server is as declared, without the logins.
    pub(super) fn sql(&self) -> Duration {
        self.looks + self.work
    }

    /// The whole visit.
    pub(super) fn all(&self) -> Duration {
        self.sql() + self.logins
    }
}

/// A visit that came to its end with nothing left to do, and with every login that was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    /// How long its parts took.
    pub(super) durations: Durations,
    /// Steps that were carried out.
    pub(super) steps: usize,
    /// Logins that were tried.
    pub(super) logins: BTreeSet<Doorway>,
    /// Events it tells people.
    pub(super) events: usize,
}

impl Operator {
    /// One that has never been there. `ca_pem` is the authority of the server's certificate.
    pub(super) fn new(ca_pem: &[u8], desired: Desired) -> Self {
        let mut operator = Self {
            engine: Arc::new(PostgresEngine::new(ca_pem, PATIENT)),
            mark: Mark::new("bench/shop/orders"),
            desired: desired.clone(),
            passwords: BTreeMap::new(),
            known: BTreeMap::new(),
            logins: BTreeMap::new(),
        };
        operator.declare(desired);
        operator
    }

    /// What is wanted from now on. New users get their passwords, which takes no time of a visit.
    pub(super) fn declare(&mut self, desired: Desired) {
        for user in desired.users.keys() {
            self.passwords.entry(user.clone()).or_insert_with(|| Password::generate(&SystemEntropy));
        }
        self.desired = desired;
    }

    /// Opens a session, does as good as nothing, and closes it.
    pub(super) async fn greet(&self, master: &Login) -> Result<()> {
        let nothing = Batch { database: None, work: Work::Sql("SELECT 1".to_owned()), done_if: DoneIf::Never };
        Ok(self.engine.run(master, &nothing).await?)
    }

    /// A look, and what is to be done.
    pub(super) async fn look(&self, master: &Login) -> Result<(Catalog, SqlPlan)> {
        let catalog = self.engine.look(master, self.question()).await?;
        let plan = plan_sql(self.question(), &self.passwords, &catalog);
        Ok((catalog, plan))
    }

    fn question(&self) -> Question<'_> {
        Question { desired: &self.desired, mark: &self.mark, known: &self.known }
    }

    /// A look that finds nothing to do.
    pub(super) async fn look_at_rest(&self, master: &Login) -> Result<()> {
        let (_, plan) = self.look(master).await?;
        ensure!(plan == SqlPlan::default(), "the server is not at rest: {plan:?}");
        Ok(())
    }

    /// A whole visit.
    pub(super) async fn visit(&mut self, master: &Login) -> Result<Visit> {
        let mut durations = Durations::default();
        let mut tried = BTreeSet::new();
        let mut errand = Errand::begin(String::new(), self.engine.clone().visit(), Moment::START);
        loop {
            let began = Instant::now();
            match errand.stage() {
                Stage::Look => {
                    errand.visit_mut().look(master, self.question(), &self.passwords).await?;
                    let current =
                        self.passwords.keys().map(|user| (user.to_string(), FINGERPRINT.to_owned())).collect();
                    errand.looked(|visit| due(DIALECT, &self.desired, visit, &self.logins, &current), Moment::START);
                    durations.looks += began.elapsed();
                }
                Stage::Work => {
                    errand.visit_mut().work(master, &SystemClock, SLICE, None).await?;
                    errand.worked(Moment::START);
                    durations.work += began.elapsed();
                }
                Stage::LogIn(_) => {
                    let doors = errand.logins().to_vec();
                    self.log_in(&doors, errand.visit(), master).await?;
                    errand.logged_in(doors.len(), Moment::START);
                    tried.extend(doors);
                    durations.logins += began.elapsed();
                }
                Stage::Over => break,
            }
        }
        self.finish(&errand)?;
        Ok(Visit { durations, steps: errand.visit().done(), logins: tried, events: errand.told().len() })
    }

    /// Tries logins with the users' own passwords; one that does not do what it should ends the run.
    async fn log_in(&mut self, doors: &[Doorway], visit: &dyn engine::Visit, master: &Login) -> Result<()> {
        let checks = doors.iter().map(async |door| {
            let password = self.passwords.get(door.user.as_str()).cloned().context("a user without a password")?;
            let (user, database) = (door.user.clone(), door.database.clone());
            let login = Login { user, password, database, ..master.clone() };
            let faults = visit.log_in(login, &self.desired).await;
            let faults = faults.with_context(|| format!("{} at {}", door.user, door.database))?;
            ensure!(faults.is_empty(), "{} at {}: {}", door.user, door.database, faults.join("; "));
            anyhow::Ok(door)
        });
        let outcomes: Vec<Result<_>> = stream::iter(checks).buffer_unordered(LOGINS_AT_ONCE).collect().await;
        let mut seen = BTreeMap::new();
        for outcome in outcomes {
            let known =
                LoginKnown { fingerprint: FINGERPRINT.to_owned(), at: Moment::START, fault: None, passing: false };
            seen.insert(outcome?.clone(), known);
        }
        self.logins.extend(seen);
        Ok(())
    }

    /// Nothing may be left, and what the status would record is kept.
    fn finish(&mut self, errand: &Errand) -> Result<()> {
        let report = errand.visit().report();
        // Those that were not tried wait for one that failed.
        let failed = report.left.iter().find(|left| matches!(left.why, Why::Failed { .. }));
        if let Some(left) = failed.or(report.left.first()) {
            bail!("{} changes are left, first of all {}", report.left.len(), left.text);
        }
        ensure!(report.leisurely.is_empty(), "left to do: {:?}", report.leisurely);
        for name in self.desired.databases.keys() {
            if let Some(&oid) = report.oids.get(name.as_str()) {
                self.known.insert(name.clone(), Known { oid: Some(oid), replaceable: false });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_users_work_in_the_first_database_only() {
        let desired = declared(50, 20, 2).unwrap();
        assert_eq!(desired.users.len(), 52);
        let sizes: Vec<_> = desired.databases.values().map(BTreeSet::len).collect();
        assert_eq!(sizes, [vec![52], vec![50; 19]].concat());
    }
}
