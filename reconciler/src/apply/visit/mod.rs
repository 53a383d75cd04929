//! A visit to the database: catalog, steps, logins.

mod report;

use std::collections::BTreeMap;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use shared::names;
use shared::rules::{Desired, RoleFlags, RoleName};

use super::{ApplyError, Scene};
use crate::binding::MAINTENANCE_DATABASE;
use crate::cluster::Notice;
use crate::engine::{
    AccessReport, Catalog, Engine, EngineError, Login, LoginSeen, Mark, Outcome, Password, PasswordState, SqlPlan,
    SqlStep, plan_sql,
};
use crate::plan::{Effect, SqlFailure, SqlReport, SqlVisit, databases_of};

/// A plan that is carried out needs at most one more round, for what the first one could not see.
const ROUNDS: usize = 2;
/// A login takes two round trips of TLS and one of SCRAM; the smallest instances allow some 80 connections.
const LOGINS_AT_ONCE: usize = 8;
/// Between a visit that failed and the next.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
const PAUSE_FOR_PEOPLE: SignedDuration = SignedDuration::from_secs(60);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(600);

pub(super) async fn apply(scene: &Scene<'_>) -> Result<(), ApplyError> {
    let world = &scene.observation.world;
    let inconsistent = || ApplyError::Inconsistent("a visit to the database");
    let inputs = world.visit_inputs.clone().ok_or_else(inconsistent)?;
    let visit = Visit::new(scene).ok_or_else(inconsistent)?;
    let result = visit.pay().await;
    let now = (scene.context.clock)();
    let before = world.visit.as_ref().map(|visit| &visit.result);
    let attempts = world.visit.as_ref().filter(|visit| visit.inputs == inputs).map_or(0, SqlVisit::failures);
    let result = result.map_err(|error| failure(&error, &visit.master.user, attempts + 1, now));
    if let Err(failure) = &result
        && !matches!(before, Some(Err(told)) if told.message == failure.message)
    {
        visit.tell(true, "DatabaseVisitFailed", failure.message.clone()).await;
    }
    scene.context.memory.update(&world.object.uid, |recollection| {
        // The master's new password works: the next refusal is another matter.
        if result.is_ok() {
            recollection.asked.remove(&Effect::Password);
        }
        recollection.visit = Some(SqlVisit { inputs, at: now, result });
    });
    Ok(())
}

struct Visit<'a> {
    scene: &'a Scene<'a>,
    desired: &'a Desired,
    master: Login,
    mark: Mark,
    /// Each user's password; a user whose Secret is somebody else's has none.
    passwords: BTreeMap<RoleName, Option<Password>>,
}

impl<'a> Visit<'a> {
    fn new(scene: &'a Scene<'a>) -> Option<Self> {
        let world = &scene.observation.world;
        let desired = &scene.target?.desired;
        let endpoint = world.instance.known()?.endpoint.clone()?;
        let name = &world.object.name;
        let master = Login {
            host: endpoint.host,
            port: endpoint.port,
            user: desired.master_user.to_string(),
            password: world.password(&names::master_secret_name(name))?,
            database: MAINTENANCE_DATABASE.into(),
        };
        let passwords =
            desired.users.keys().map(|user| (user.clone(), world.password(&names::secret_name(name, user))));
        // The instance's name is the same for an object that is created again, so that a restored database knows its roles.
        let mark = Mark::new(world.identifier.as_str());
        Some(Self { scene, desired, master, mark, passwords: passwords.collect() })
    }

    async fn pay(&self) -> Result<SqlReport, EngineError> {
        let mut failures = Vec::new();
        let mut rounds = 0;
        loop {
            let catalog = self.scene.context.engine.catalog(&self.master).await?;
            let logins = self.log_in(&catalog).await;
            let plan = self.plan(&catalog, &logins);
            if plan.steps.is_empty() || rounds == ROUNDS {
                let seen = report::Seen { plan: &plan, catalog: &catalog, logins: &logins, failures: &failures };
                return Ok(report::report(self.desired, &self.mark, &seen, (self.scene.context.clock)()));
            }
            failures = self.carry_out(&plan).await?;
            rounds += 1;
        }
    }

    fn plan(&self, catalog: &Catalog, logins: &Logins) -> SqlPlan {
        let states = self.passwords.iter().filter_map(|(user, password)| {
            let seen = logins
                .iter()
                .filter(|((who, _), _)| who == user.as_str())
                .map(|(_, outcome)| LoginSeen::from_login(outcome));
            let seen = seen
                .reduce(|one, other| if one == LoginSeen::Unknown { other } else { one })
                .unwrap_or(LoginSeen::Unknown);
            Some((user.clone(), PasswordState { password: password.clone()?, seen }))
        });
        plan_sql(self.desired, &states.collect(), catalog, &self.mark)
    }

    /// Gives the steps that failed. One that fails stops those that need it and no others, unless no other could fare better.
    async fn carry_out(&self, plan: &SqlPlan) -> Result<Vec<(SqlStep, EngineError)>, EngineError> {
        let outcomes = self.scene.context.engine.apply_all(&self.master, &plan.steps).await;
        let mut failures = Vec::new();
        for (step, outcome) in plan.steps.iter().zip(outcomes) {
            match outcome {
                Outcome::Done => {
                    self.scene.context.metrics.sql_steps.inc();
                    self.tell(false, "DatabaseChanged", step.to_string()).await;
                }
                Outcome::Failed(error) if error.ends_all() => return Err(error),
                Outcome::Failed(error) => failures.push((step.clone(), error)),
                Outcome::Skipped => {}
            }
        }
        Ok(failures)
    }

    /// Logs in as each user to each of its databases, as far as both are there.
    async fn log_in(&self, catalog: &Catalog) -> Logins {
        let there = self.desired.users.iter().filter(|(user, _)| catalog.is_ours(user.as_str(), &self.mark));
        let logins = there.flat_map(|(user, flags)| self.logins_of(user, *flags));
        let checks: Vec<BoxFuture<'_, _>> = logins
            .filter(|login| catalog.databases.contains_key(&login.database))
            .map(|login| check(self.scene.context.engine.as_ref(), login).boxed())
            .collect();
        stream::iter(checks).buffer_unordered(LOGINS_AT_ONCE).collect().await
    }

    fn logins_of(&self, user: &RoleName, flags: RoleFlags) -> Vec<Login> {
        let Some(Some(password)) = self.passwords.get(user).filter(|_| flags.can_login()) else { return Vec::new() };
        let mut databases = databases_of(self.desired, user.as_str());
        if databases.is_empty() && flags.privileged() {
            databases.push(MAINTENANCE_DATABASE.into());
        }
        let login = |database| Login {
            host: self.master.host.clone(),
            port: self.master.port,
            user: user.to_string(),
            password: password.clone(),
            database,
        };
        databases.into_iter().map(login).collect()
    }

    async fn tell(&self, warning: bool, reason: &str, note: String) {
        let notice = Notice { warning, reason: reason.into(), action: "VisitDatabase".into(), note };
        self.scene.context.cluster.notify(self.scene.object, notice).await;
    }
}

/// What each login came to, by user and database.
type Logins = BTreeMap<(String, String), Result<AccessReport, EngineError>>;

async fn check(engine: &dyn Engine, login: Login) -> ((String, String), Result<AccessReport, EngineError>) {
    let outcome = engine.check_access(&login).await;
    ((login.user, login.database), outcome)
}

fn failure(error: &EngineError, master: &str, attempts: u32, now: Timestamp) -> SqlFailure {
    let (reason, needs_person) = match error {
        EngineError::Unreachable { .. } => ("DatabaseUnreachable", false),
        EngineError::TlsFailed { .. } => ("CertificateNotTrusted", true),
        EngineError::AuthenticationFailed { .. } => ("MasterPasswordRefused", false),
        EngineError::NotPermitted { .. } => ("NotPermitted", true),
        EngineError::Conflict { .. } => ("DatabaseBusy", false),
        EngineError::Timeout { .. } => ("DatabaseTimeout", false),
        EngineError::Other { .. } => ("DatabaseError", true),
    };
    SqlFailure {
        reason,
        message: error.to_string(),
        needs_person,
        master_refused: matches!(error, EngineError::AuthenticationFailed { user } if user == master),
        retry_at: retry_at(now, needs_person, attempts),
        attempts,
    }
}

/// The pause doubles with each failure in a row, up to ten minutes, with up to a quarter of jitter.
fn retry_at(now: Timestamp, needs_person: bool, attempts: u32) -> Timestamp {
    let first = if needs_person { PAUSE_FOR_PEOPLE } else { PAUSE };
    let doubled = first.saturating_mul(2_i32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE);
    let jitter = doubled.mul_f64(rand::rng().random_range(0.0..0.25));
    now.saturating_add(doubled + jitter).unwrap_or(Timestamp::MAX)
}
