//! When to visit the database, and what the last visit says.

use std::time::Duration;

use jiff::Timestamp;
use shared::names;

use super::guard::hold;
use super::instance::usable;
use super::{CloudStep, Effect, Outcome, RESYNC, SqlReport, Step, World};
use crate::target::Target;

/// A reset of the master password, as retries and breaker know it: another password is another request.
pub(crate) fn reset_request(world: &World) -> String {
    let inputs = world.visit_inputs.as_deref().unwrap_or_default();
    format!("ModifyDBInstance MasterUserPassword (for the inputs {})", inputs.get(..8).unwrap_or_default())
}

pub(super) fn databases(target: &Target, world: &World, now: Timestamp) -> Outcome {
    let Some(instance) = usable(world).filter(|instance| instance.status.serves() && instance.endpoint.is_some())
    else {
        return Outcome::wait("WaitingForInstance", "users and databases follow when the instance is available");
    };
    let Some(inputs) = &world.visit_inputs else {
        return Outcome::wait("WaitingForSecrets", "every user's Secret must hold a password first");
    };
    let visit =
        || Outcome::act("VisitingDatabase", "users and databases are being brought to the spec", Step::VisitDatabase);
    let Some(last) = world.visit.as_ref().filter(|visit| visit.inputs == *inputs) else {
        return visit();
    };
    match &last.result {
        Err(failure) => {
            if failure.master_refused && instance.status.modifiable() {
                return hold(world, Effect::Password, &reset_request(world), now).unwrap_or_else(|| {
                    let master = names::master_secret_name(&world.object.name);
                    let message = format!("the server refuses the password in {master}: it is being given that one");
                    Outcome::act("ResettingMasterPassword", message, Step::Cloud(CloudStep::ResetMasterPassword))
                });
            }
            match failure.needs_person {
                true => Outcome::blocked(failure.reason, &failure.message),
                false => Outcome::wait(failure.reason, &failure.message),
            }
        }
        Ok(report) => {
            if !report.settled() {
                return obstacle(report, "NotAsDeclared", report.obstacles().join("; "));
            }
            let desired = &target.desired;
            let mut message = format!("{} users, {} databases", desired.users.len(), desired.databases.len());
            if !report.removed_databases.is_empty() {
                let kept: Vec<_> = report.removed_databases.iter().map(String::as_str).collect();
                message = format!("{message}; kept although not in the spec: {}", kept.join(", "));
            }
            Outcome::done(message)
        }
    }
}

/// How long what the last visit found is good for: then it is looked at once more, because it is old or because a failure may have
/// passed. Until a new visit has found something else it is the truth: a look is no reason to call a database anything but Ready.
pub(super) fn next_look(world: &World, now: Timestamp) -> Option<Duration> {
    usable(world).filter(|instance| instance.status.serves() && instance.endpoint.is_some())?;
    let last = world.visit.as_ref().filter(|visit| Some(&visit.inputs) == world.visit_inputs.as_ref())?;
    let duration = |from: Timestamp, to: Timestamp| Duration::try_from(to.duration_since(from)).unwrap_or_default();
    Some(match &last.result {
        Ok(SqlReport { retry_at: Some(at), .. }) => duration(now, *at),
        Ok(_) => RESYNC.saturating_sub(duration(last.at, now)),
        Err(failure) => duration(now, failure.retry_at),
    })
}

fn obstacle(report: &SqlReport, reason: &'static str, message: String) -> Outcome {
    if report.passing { Outcome::wait(reason, message) } else { Outcome::blocked(reason, message) }
}

pub(super) fn access(world: &World) -> Outcome {
    let last = world.visit.as_ref().filter(|visit| Some(&visit.inputs) == world.visit_inputs.as_ref());
    match last.map(|visit| &visit.result) {
        Some(Ok(report)) if report.verified() => Outcome::done(format!("{} logins verified", report.access.len())),
        Some(Ok(report)) => {
            let failed =
                report.access.iter().filter_map(|(login, seen)| seen.as_ref().map(|seen| format!("{login}: {seen}")));
            obstacle(report, "AccessFailed", failed.collect::<Vec<_>>().join("; "))
        }
        _ => Outcome::wait("WaitingForDatabases", "logins are checked when users and databases are there"),
    }
}
