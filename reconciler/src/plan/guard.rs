//! What was asked of the cloud is not asked again at once: not while its answer may not show yet, not before a refusal's time is up, and
//! not for ever where it has no effect.

use std::time::Duration;

use super::{Answer, Effect, Moment, Outcome, Reason, World};
use crate::providers::ErrorClass;

/// The cloud's view lags a change that it has accepted: Terraform gives RDS a minute before it believes what it sees.
pub(super) const LAG: Duration = Duration::from_secs(60);
/// A change that was accepted this often and never seen is not made again until the wish changes.
const MOST_REPEATS: u32 = 3;

/// Holds an effect back; `None` lets it go out.
pub(super) fn hold(world: &World, effect: Effect, request: &str, now: Moment) -> Option<Outcome> {
    let asked = world.asked.get(&effect).filter(|asked| asked.request == request)?;
    match &asked.answer {
        Answer::Accepted { times } => {
            if let Some(left) = now.until(asked.at + LAG) {
                let message = format!("{request} was accepted and is not seen yet");
                return Some(Outcome::Wait { reason: Reason::ChangeAccepted, message, until: Some(left) });
            }
            (*times >= MOST_REPEATS).then(|| {
                let message = format!(
                    "{request} was accepted {times} times and never took effect: it is not sent again; look at the instance's events, \
                     or change the spec"
                );
                Outcome::blocked(Reason::ChangeHasNoEffect, message)
            })
        }
        Answer::Refused { class, message, retry_at, .. } => {
            let until = Some(now.until(*retry_at)?);
            Some(refused(effect, *class, message.clone(), until))
        }
    }
}

fn refused(effect: Effect, class: ErrorClass, message: String, until: Option<Duration>) -> Outcome {
    match class {
        // Most often our own creation that was not seen answered: the next sweep tells whose it is.
        ErrorClass::AlreadyExists if effect == Effect::Create => {
            Outcome::Wait { reason: Reason::NotSeenYet, message, until }
        }
        ErrorClass::Refused | ErrorClass::AlreadyExists => {
            Outcome::Blocked { reason: Reason::RefusedByCloud, message, until }
        }
        ErrorClass::Unauthorized => Outcome::Blocked { reason: Reason::NotAuthorized, message, until },
        ErrorClass::Exhausted => Outcome::Wait { reason: Reason::QuotaOrCapacityExhausted, message, until },
        ErrorClass::StorageCooldown => Outcome::Wait { reason: Reason::StorageCooldown, message, until },
        ErrorClass::WrongState | ErrorClass::NotFound => Outcome::Wait { reason: Reason::InstanceBusy, message, until },
        ErrorClass::Transient | ErrorClass::Unreachable => {
            Outcome::Wait { reason: Reason::CloudUnavailable, message, until }
        }
    }
}

/// How long a creation that was asked for may still appear although it is not seen: its answer may have been lost, or this process may
/// not know that another one has asked.
pub(super) fn creation_may_appear(world: &World, now: Moment) -> Option<Duration> {
    let asked = world.asked.get(&Effect::Create).filter(|asked| match &asked.answer {
        Answer::Accepted { .. } => true,
        Answer::Refused { class, .. } => matches!(class, ErrorClass::Unreachable | ErrorClass::Transient),
    });
    let since = asked.map_or(world.acting_since, |asked| asked.at);
    now.until(since + LAG)
}
