//! Users and databases inside the instance: when to look, when to work, and what was seen.
//!
//! A visit is a look (read-only), work in bounded slices where something differs, another look, and logins. Each of these is a step of its
//! own, so between any two of them the status is written and a deletion is noticed.

pub(super) mod inputs;
pub(super) mod logins;
pub(super) mod progress;
mod report;

use std::time::Duration;

use shared::names;
use shared::number::counted;

use super::ground::{other_master, serving, usable};
use super::outcome::Outcome;
use super::reason::Reason;
use super::step::{Part, Step};
use super::world::{RESYNC, SqlReport, World};
use crate::clock::Moment;
use crate::providers::{MasterPassword, Request, ResetMaster};
use crate::subject::Target;

pub use inputs::VisitInputs;
pub use logins::{Doorway, LoginKnown, doorways, due, fingerprint};
pub use progress::Progress;
pub(crate) use report::{Seen as Found, kept, report, retry_at};

pub(super) fn databases(target: &Target, world: &World, now: Moment) -> Outcome {
    let Some(instance) = serving(world) else {
        return Outcome::wait(Reason::WaitingForInstance, "users and databases follow when the instance is available");
    };
    let wanted = target.desired.master_user.as_str();
    if let Some(found) = other_master(wanted, world) {
        let message = format!(
            "the instance's master user is {found}, and spec.masteruser says {wanted}: {} renames none, so set spec.masteruser: {found}; \
             until then nothing inside is changed, and no password",
            world.offer.service()
        );
        return Outcome::blocked(Reason::MasterUserDiffers, message);
    }
    let Some(inputs) = &world.visit_inputs else {
        return Outcome::wait(Reason::WaitingForSecrets, "every user's Secret must hold a password first");
    };
    let Some(last) = world.current_visit() else {
        let (part, message) = match under_way(world, inputs, now) {
            Some(progress) => (progress.part, progress.message.clone()),
            None => (Part::Look, "the server is being looked at".to_owned()),
        };
        return Outcome::act(Reason::VisitingDatabase, message, Step::Inside(part, inputs.clone()));
    };
    match &last.result {
        Err(failure) => {
            let secret = names::master_secret_name(&world.object.name);
            if let Some(password) = world.password(&secret)
                && failure.master_refused
                && instance.status.modifiable()
            {
                let message = format!("the server refuses the password in {secret}: it is being given that one");
                let master_password = MasterPassword { secret, password };
                let request = ResetMaster { identifier: instance.identifier.clone(), master_password };
                let step = Step::Cloud(Request::ResetMaster(request));
                return Outcome::act(Reason::ResettingMasterPassword, message, step);
            }
            match failure.needs_person {
                true => Outcome::blocked(failure.reason, &failure.message),
                false => Outcome::wait(failure.reason, &failure.message),
            }
        }
        Ok(report) => {
            if !report.settled() {
                let reason = if report.lost { Reason::DatabaseLost } else { Reason::NotAsDeclared };
                return obstacle(report, reason, report.obstacles().join("; "));
            }
            let desired = &target.desired;
            let mut message =
                format!("{}, {}", counted(desired.users.len(), "user"), counted(desired.databases.len(), "database"));
            if !report.removed_databases.is_empty() {
                let kept: Vec<_> = report.removed_databases.keys().map(String::as_str).collect();
                message = format!("{message}; kept although not in the spec: {}", kept.join(", "));
            }
            if !report.notes.is_empty() {
                message = format!("{message}; left for the next look: {}", report.notes.join("; "));
            }
            Outcome::done(message)
        }
    }
}

/// A visit that was begun with what is wanted now, and lately enough to go on with.
fn under_way<'a>(world: &'a World, inputs: &VisitInputs, now: Moment) -> Option<&'a Progress> {
    world.errand.as_ref().filter(|progress| progress.goes_on(&inputs.digest, now))
}

/// How long what the last visit found is good for, and what is done then: it is looked at once more, because it is old or because a
/// failure may have passed. Until a new visit has found something else it is the truth: a look is no reason to call a database anything
/// but Ready.
pub(super) fn next_look(target: &Target, world: &World, now: Moment) -> Option<(Duration, Step)> {
    if other_master(target.desired.master_user.as_str(), world).is_some() {
        return None;
    }
    serving(world)?;
    let (inputs, last) = (world.visit_inputs.as_ref()?, world.current_visit()?);
    let step = |part| Step::Inside(part, inputs.clone());
    if let Some(progress) = under_way(world, inputs, now) {
        return Some((Duration::ZERO, step(progress.part)));
    }
    let left = match &last.result {
        Ok(SqlReport { retry_at: Some(at), .. }) => at.since(now),
        Ok(_) => RESYNC.saturating_sub(now.since(last.at)),
        Err(failure) => failure.retry_at.since(now),
    };
    Some((left, step(Part::Look)))
}

fn obstacle(report: &SqlReport, reason: Reason, message: String) -> Outcome {
    if report.passing { Outcome::wait(reason, message) } else { Outcome::blocked(reason, message) }
}

pub(super) fn verified(world: &World) -> Outcome {
    if let Some(instance) = usable(world).filter(|instance| !instance.status.serves()) {
        let message =
            format!("{} reports the instance as {}: nobody can log in", world.offer.service(), instance.status);
        return Outcome::wait(Reason::WaitingForInstance, message);
    }
    match world.current_visit().map(|visit| &visit.result) {
        Some(Ok(report)) if report.verified() => {
            Outcome::done(format!("{} verified", counted(report.logins.len(), "login")))
        }
        Some(Ok(report)) => {
            let failed =
                report.logins.iter().filter_map(|(login, seen)| seen.as_ref().map(|seen| format!("{login}: {seen}")));
            obstacle(report, Reason::AccessFailed, failed.collect::<Vec<_>>().join("; "))
        }
        _ => Outcome::wait(Reason::WaitingForDatabases, "logins are checked when users and databases are there"),
    }
}
