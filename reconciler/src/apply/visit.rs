//! A visit to the database: catalog, steps, logins.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use shared::names;
use shared::rules::{DatabaseName, RoleName};

use super::{ApplyError, Scene};
use crate::binding::MAINTENANCE_DATABASE;
use crate::cluster::Notice;
use crate::engine::{AccessReport, EngineError, Login, LoginSeen, Mark, Password, PasswordState, SqlPlan, plan_sql};
use crate::plan::{SqlFailure, SqlReport, SqlVisit, databases_of, reset_request};
use crate::providers::Endpoint;
use crate::target::Target;

/// A plan that is carried out needs at most one more round, for what the first one could not see.
const ROUNDS: usize = 2;
/// Between a visit that failed and the next.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
const PAUSE_FOR_PEOPLE: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn apply(scene: &Scene<'_>) -> Result<(), ApplyError> {
    let world = &scene.observation.world;
    let inconsistent = || ApplyError::Inconsistent("a visit to the database");
    let inputs = world.visit_inputs.clone().ok_or_else(inconsistent)?;
    let visit = Visit::new(scene).ok_or_else(inconsistent)?;
    let result = visit.pay().await;
    let now = (scene.context.clock)();
    let before = world.visit.as_ref().map(|visit| &visit.result);
    let result = result.map_err(|error| failure(&error, &visit.master.user, now));
    if let Err(failure) = &result
        && !matches!(before, Some(Err(told)) if told.message == failure.message)
    {
        visit.tell(true, "DatabaseVisitFailed", failure.message.clone()).await;
    }
    scene.context.memory.update(&world.object.uid, |recollection| {
        // The master's new password works: the next refusal is another matter.
        if result.is_ok() {
            recollection.repeats.remove(&reset_request(world));
        }
        recollection.visit = Some(SqlVisit { inputs, at: now, result });
    });
    Ok(())
}

struct Visit<'a> {
    scene: &'a Scene<'a>,
    endpoint: Endpoint,
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
            host: endpoint.host.clone(),
            port: endpoint.port,
            user: desired.master_user.to_string(),
            password: world.password(&names::master_secret_name(name))?,
            database: MAINTENANCE_DATABASE.into(),
        };
        let passwords =
            desired.users.keys().map(|user| (user.clone(), world.password(&names::secret_name(name, user))));
        // The instance's name is the same for an object that is created again, so that a restored database knows its roles.
        Some(Self {
            scene,
            endpoint,
            master,
            mark: Mark::new(world.identifier.as_str()),
            passwords: passwords.collect(),
        })
    }

    async fn pay(&self) -> Result<SqlReport, EngineError> {
        let mut rounds = 0;
        loop {
            let logins = self.log_in().await;
            let (plan, catalog) = self.plan(&logins).await?;
            if plan.steps.is_empty() || rounds == ROUNDS {
                return Ok(self.report(&plan, &catalog, &logins));
            }
            self.carry_out(&plan).await?;
            rounds += 1;
        }
    }

    async fn plan(&self, logins: &Logins) -> Result<(SqlPlan, crate::engine::Catalog), EngineError> {
        let engine = &self.scene.context.engine;
        let catalog = engine.catalog(&self.master).await?;
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
        let states: BTreeMap<_, _> = states.collect();
        let desired = self.scene.target.map(|target| &target.desired);
        Ok((desired.map(|desired| plan_sql(desired, &states, &catalog, &self.mark)).unwrap_or_default(), catalog))
    }

    /// A step that fails stops the later ones of this visit: they may depend on it.
    async fn carry_out(&self, plan: &SqlPlan) -> Result<(), EngineError> {
        for step in &plan.steps {
            self.scene.context.engine.apply(&self.master, step).await?;
            self.scene.context.metrics.sql_steps.inc();
            self.tell(false, "DatabaseChanged", step.to_string()).await;
        }
        Ok(())
    }

    /// Logs in as each user to each of its databases.
    async fn log_in(&self) -> Logins {
        let Some(target) = self.scene.target else {
            return Logins::new();
        };
        let mut logins = Logins::new();
        for (user, flags) in &target.desired.users {
            let Some(Some(password)) = self.passwords.get(user) else {
                continue;
            };
            if !flags.can_login() {
                continue;
            }
            let mut databases = databases_of(target, user.as_str());
            if databases.is_empty() && flags.privileged() {
                databases.push(MAINTENANCE_DATABASE.into());
            }
            for database in databases {
                let login = Login {
                    host: self.endpoint.host.clone(),
                    port: self.endpoint.port,
                    user: user.to_string(),
                    password: password.clone(),
                    database: database.clone(),
                };
                let outcome = self.scene.context.engine.check_access(&login).await;
                logins.insert((user.to_string(), database), outcome);
            }
        }
        logins
    }

    fn report(&self, plan: &SqlPlan, catalog: &crate::engine::Catalog, logins: &Logins) -> SqlReport {
        let Some(target) = self.scene.target else {
            return SqlReport::default();
        };
        let desired = &target.desired;
        let obstacle = |about: &dyn Fn(&crate::engine::Blocked) -> bool,
                        step: &dyn Fn(&crate::engine::SqlStep) -> bool| {
            let mut texts: Vec<String> =
                plan.blocked.iter().filter(|blocked| about(blocked)).map(|b| b.reason.to_string()).collect();
            texts.extend(
                plan.steps
                    .iter()
                    .filter(|found| step(found))
                    .map(|step| format!("still to do after {ROUNDS} rounds: {step}")),
            );
            (!texts.is_empty()).then(|| texts.join("; "))
        };
        let users = desired.users.keys().map(|user| {
            let name = user.as_str();
            let found = obstacle(&|blocked| blocked.user.as_deref() == Some(name), &|step| step.user() == Some(name));
            (user.to_string(), found.map(|found| format!("user {user}: {found}")))
        });
        let databases = desired.databases.keys().map(|database| {
            let name = database.as_str();
            let found =
                obstacle(&|blocked| blocked.user.is_none() && blocked.database.as_deref() == Some(name), &|step| {
                    step.user().is_none() && step.database() == Some(name)
                });
            (database.to_string(), found.map(|found| format!("database {database}: {found}")))
        });
        let ours = catalog.our_databases(&self.mark).map(|(name, _)| name.to_owned());
        let removed = ours.filter(|name| !desired.databases.keys().any(|wanted| wanted.as_str() == name));
        SqlReport {
            users: users.collect(),
            databases: databases.collect(),
            removed_databases: removed.collect(),
            access: access(target, logins),
        }
    }

    async fn tell(&self, warning: bool, reason: &str, note: String) {
        let notice = Notice { warning, reason: reason.into(), action: "VisitDatabase".into(), note };
        self.scene.context.cluster.notify(self.scene.object, notice).await;
    }
}

type Logins = BTreeMap<(String, String), Result<AccessReport, EngineError>>;

/// What each login showed, as sentences; `None` where all is well.
fn access(target: &Target, logins: &Logins) -> BTreeMap<String, Option<String>> {
    let all: BTreeSet<DatabaseName> = target.desired.databases.keys().cloned().collect();
    let verdict = |user: &str, outcome: &Result<AccessReport, EngineError>| match outcome {
        Err(error) => Some(error.to_string()),
        Ok(report) => {
            let mapped =
                target.desired.databases.iter().filter(|(_, users)| users.iter().any(|found| found.as_str() == user));
            let faults = report.faults(&mapped.map(|(name, _)| name.clone()).collect(), &all);
            (!faults.is_empty()).then(|| faults.join("; "))
        }
    };
    logins.iter().map(|((user, database), outcome)| (format!("{user}@{database}"), verdict(user, outcome))).collect()
}

fn failure(error: &EngineError, master: &str, now: Timestamp) -> SqlFailure {
    let (reason, needs_person) = match error {
        EngineError::Unreachable { .. } => ("DatabaseUnreachable", false),
        EngineError::TlsFailed { .. } => ("CertificateNotTrusted", true),
        EngineError::AuthenticationFailed { .. } => ("MasterPasswordRefused", false),
        EngineError::NotPermitted { .. } => ("NotPermitted", true),
        EngineError::Conflict { .. } => ("DatabaseBusy", false),
        EngineError::Timeout { .. } => ("DatabaseTimeout", false),
        EngineError::Other { .. } => ("DatabaseError", true),
    };
    let pause = if needs_person { PAUSE_FOR_PEOPLE } else { PAUSE };
    SqlFailure {
        reason,
        message: error.to_string(),
        needs_person,
        master_refused: matches!(error, EngineError::AuthenticationFailed { user } if user == master),
        retry_at: now.saturating_add(pause).unwrap_or(Timestamp::MAX),
    }
}
