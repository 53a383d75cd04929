//! The parts of a visit to the database: a look, a slice of work, some logins. What comes of each is told to the errand.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use shared::rules::RoleName;

use super::scene::{ApplyError, Scene};
use crate::context::Context;
use crate::engine::{EngineError, Login, Password, Question};
use crate::errand::{Errand, Stage};
use crate::plan::{
    Concern, Doorway, Found, LoginKnown, Moment, Part, Reason, SqlFailure, SqlVisit, VisitInputs, due, fingerprint,
    report, retry_at,
};
use crate::tell;
use crate::turns::Key;

/// A login takes a few round trips; the smallest instances allow some 80 connections.
pub const LOGINS_AT_ONCE: usize = 8;
/// After this long a slice begins no other step, so that a deletion is noticed.
pub const SLICE: Duration = Duration::from_secs(10);

/// Whether an object is being deleted is looked at this often while it is visited.
const GLANCE: Duration = Duration::from_millis(250);

/// Makes the next part of a visit, if it is this object's turn; else it is called when it is.
pub(super) async fn apply(scene: &Scene<'_>, part: Part, inputs: &VisitInputs) -> Result<(), ApplyError> {
    let (context, facts) = (scene.context, &scene.observation.world.object);
    let key = Key { namespace: facts.namespace.clone(), name: facts.name.clone() };
    let slow = context.memory.part(&facts.uid, |recollection| recollection.pace.slow());
    let Some(_turn) = context.turns.take(&key, slow) else { return Err(ApplyError::NotItsTurn) };
    let began = context.now();
    tokio::select! {
        biased;
        () = visit(scene, part, inputs) => {}
        // What was under way is safe to repeat, and to leave.
        () = deleted(context, &key) => {}
    };
    let took = context.now().since(began);
    context.memory.update(&facts.uid, |recollection| {
        recollection.pace.after(took, recollection.errand.is_none());
    });
    Ok(())
}

/// Completes when the object is being deleted, or is gone.
async fn deleted(context: &Context, key: &Key) {
    while !context.views.leaving(key) {
        tokio::time::sleep(GLANCE).await;
    }
}

async fn visit(scene: &Scene<'_>, part: Part, inputs: &VisitInputs) {
    let world = &scene.observation.world;
    let visit = Visit { scene, inputs };
    let mut logins = world.logins.clone();
    let now = scene.context.now();
    // What a visit for another wish has found is not true any more, should that be the wish again.
    scene.context.memory.update(&world.object.uid, |recollection| {
        recollection.visit.take_if(|visit| visit.inputs != inputs.digest);
    });
    let under_way = scene.context.memory.part(&world.object.uid, |recollection| recollection.errand.clone());
    let mut errand = under_way
        .filter(|errand| errand.progress().goes_on(&inputs.digest, now))
        .unwrap_or_else(|| Errand::begin(inputs.digest.clone(), inputs.server.clone().visit(), now));
    let result = match part {
        Part::Work => visit.work(&mut errand).await,
        Part::LogIn => visit.log_in(&mut errand, &mut logins).await,
        Part::Look => visit.look(&mut errand, &logins).await,
    };
    let over = match &result {
        Ok(()) => *errand.stage() == Stage::Over,
        Err(_) => true,
    };
    let finished = if over { Some(visit.finish(&errand, &logins, result).await) } else { None };
    scene.context.memory.update(&world.object.uid, |recollection| {
        recollection.logins = logins;
        recollection.errand = if over { None } else { Some(errand) };
        if let Some(finished) = finished {
            // The master's new password works: the next refusal is another matter.
            if let Ok(report) = &finished.result {
                recollection.ledger.master_was_let_in();
                let known =
                    world.known_databases.iter().filter_map(|(name, known)| Some((name.to_string(), known.oid?)));
                let oids = known.chain(report.oids.clone()).collect();
                recollection.databases = inputs.instance.resource_id.clone().map(|id| (id, oids));
            }
            recollection.visit = Some(finished);
        }
    });
}

struct Visit<'a> {
    scene: &'a Scene<'a>,
    inputs: &'a VisitInputs,
}

impl<'a> Visit<'a> {
    fn now(&self) -> Moment {
        self.scene.context.now()
    }

    async fn look(&self, errand: &mut Errand, logins: &BTreeMap<Doorway, LoginKnown>) -> Result<(), EngineError> {
        let known = &self.scene.observation.world.known_databases;
        let question = Question { desired: &self.inputs.desired, mark: &self.inputs.mark, known };
        errand.visit_mut().look(&self.inputs.master, question, &self.inputs.passwords).await?;
        let current = self.fingerprints();
        errand.looked(|visit| due(self.inputs.dialect(), &self.inputs.desired, visit, logins, &current), self.now());
        Ok(())
    }

    async fn work(&self, errand: &mut Errand) -> Result<(), EngineError> {
        let before = errand.visit().done();
        let result = errand
            .visit_mut()
            .work(&self.inputs.master, &*self.scene.context.clock, SLICE, Some(&self.scene.context.fence))
            .await;
        let done = errand.visit().done() - before;
        self.scene.context.metrics.sql_steps.inc_by(u64::try_from(done).unwrap_or(u64::MAX));
        errand.worked(self.now());
        result
    }

    async fn log_in(&self, errand: &mut Errand, logins: &mut BTreeMap<Doorway, LoginKnown>) -> Result<(), EngineError> {
        let (began, mut count) = (self.now(), 0);
        let mut outcomes: Vec<(Doorway, Result<Vec<String>, EngineError>)> = Vec::new();
        for doors in errand.logins().chunks(LOGINS_AT_ONCE) {
            if self.now().since(began) >= SLICE {
                break;
            }
            let checks = doors.iter().filter_map(|door| self.check(errand, door));
            outcomes.extend(join_all(checks).await);
            count += doors.len();
        }
        let current = self.fingerprints();
        let news = outcomes.iter().filter(|(door, outcome)| {
            let known = logins.get(door).map(|known| &known.fingerprint);
            outcome.as_ref().is_ok_and(Vec::is_empty) && known != current.get(&door.user)
        });
        self.gather_statistics(errand, news.map(|(door, _)| door)).await;
        let mut refused = BTreeMap::new();
        for (door, outcome) in outcomes {
            if matches!(outcome, Err(EngineError::AuthenticationFailed { .. }))
                && let Some((user, password)) = self.password(&door.user)
            {
                refused.insert(user.to_string(), password.clone());
            }
            let login = LoginKnown {
                fingerprint: current.get(&door.user).cloned().unwrap_or_default(),
                at: self.now(),
                passing: outcome.as_ref().err().is_some_and(EngineError::is_transient),
                fault: match outcome {
                    Ok(faults) => (!faults.is_empty()).then(|| faults.join("; ")),
                    Err(error) => Some(error.to_string()),
                },
            };
            logins.insert(door, login);
        }
        errand.visit_mut().set_passwords(refused);
        errand.logged_in(count, self.now());
        Ok(())
    }

    /// In each database by the first login that is new there, as all are when the server has another version: they share their tables.
    async fn gather_statistics(&self, errand: &Errand, news: impl Iterator<Item = &Doorway>) {
        let mut first: BTreeMap<&str, &Doorway> = BTreeMap::new();
        for door in news {
            first.entry(&door.database).or_insert(door);
        }
        let logins: Vec<Login> = first.into_values().filter_map(|door| self.login(door)).collect();
        for logins in logins.chunks(LOGINS_AT_ONCE) {
            let gathered = join_all(logins.iter().map(|login| errand.visit().gather_statistics(login.clone()))).await;
            // Queries are slower without them, and no user is shut out.
            for error in gathered.into_iter().filter_map(Result::err) {
                tracing::debug!(%error, "statistics were not gathered");
            }
        }
    }

    fn login(&self, door: &Doorway) -> Option<Login> {
        let (_, password) = self.password(&door.user)?;
        let (user, database) = (door.user.clone(), door.database.clone());
        Some(Login { user, password: password.clone(), database, ..self.inputs.master.clone() })
    }

    fn password(&self, user: &str) -> Option<(&RoleName, &Password)> {
        self.inputs.passwords.iter().find(|(found, _)| found.as_str() == user)
    }

    fn check<'b>(
        &'b self,
        errand: &'b Errand,
        door: &Doorway,
    ) -> Option<impl Future<Output = (Doorway, Result<Vec<String>, EngineError>)> + Send + use<'a, 'b>> {
        let (login, visit, door) = (self.login(door)?, errand.visit(), door.clone());
        Some(async move { (door, visit.log_in(login, &self.inputs.desired).await) })
    }

    fn fingerprints(&self) -> BTreeMap<String, String> {
        let users = self.inputs.passwords.iter();
        let print = |(user, password): (&RoleName, &Password)| {
            let flags = *self.inputs.desired.users.get(user)?;
            Some((user.to_string(), fingerprint(&self.inputs.instance, flags, password)))
        };
        users.filter_map(print).collect()
    }

    /// What the visit came to. People are told of all that was done, once for each kind, and of a failure once.
    async fn finish(
        &self,
        errand: &Errand,
        logins: &BTreeMap<Doorway, LoginKnown>,
        result: Result<(), EngineError>,
    ) -> SqlVisit {
        for (reason, note) in errand.told() {
            self.scene.context.cluster.notify(self.scene.object, tell::worked(reason, note)).await;
        }
        let world = &self.scene.observation.world;
        let (now, jitter) = (self.now(), self.scene.context.entropy.fraction());
        let attempts = world.current_visit().map_or(0, SqlVisit::failures);
        let result = match result {
            Ok(()) => Ok(report(
                self.inputs.dialect(),
                &self.inputs.desired,
                Found { report: errand.visit().report(), logins, attempts, jitter },
                now,
            )),
            Err(error) => {
                let failure = failure(&error, &self.inputs.master.user, attempts.saturating_add(1), jitter, now);
                let (context, object) = (self.scene.context, self.scene.object);
                let notice = tell::visit_failed(failure.message.clone());
                tell::once(context, object, Concern::Databases.condition(), notice).await;
                Err(failure)
            }
        };
        SqlVisit { inputs: self.inputs.digest.clone(), at: now, result }
    }
}

fn failure(error: &EngineError, master: &str, attempts: u32, jitter: f64, now: Moment) -> SqlFailure {
    let (reason, needs_person) = match error {
        EngineError::Unreachable { .. } => (Reason::DatabaseUnreachable, false),
        EngineError::TlsFailed { .. } => (Reason::CertificateNotTrusted, true),
        EngineError::AuthenticationFailed { .. } => (Reason::MasterPasswordRefused, false),
        EngineError::NotPermitted { .. } => (Reason::NotPermitted, true),
        EngineError::Conflict { .. } => (Reason::DatabaseBusy, false),
        EngineError::Timeout { .. } => (Reason::DatabaseTimeout, false),
        EngineError::Other { .. } => (Reason::DatabaseError, true),
    };
    SqlFailure {
        reason,
        message: error.to_string(),
        needs_person,
        master_refused: matches!(error, EngineError::AuthenticationFailed { user } if user == master),
        retry_at: retry_at(now, needs_person, attempts, jitter),
        attempts,
    }
}
