//! What was refused is not asked again at once, and what has no effect not for ever.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Effect, Outcome, World};
use crate::providers::ErrorClass;

/// The cloud's view lags a change that it has accepted: Terraform gives RDS a minute before it believes what it sees.
const LAG: SignedDuration = SignedDuration::from_secs(60);
/// A change that was accepted this often and never seen is not made again until the wish changes.
const MOST_REPEATS: u32 = 3;

/// Holds an effect back: after a refusal until its time has come, and for good where it was accepted again and again without being seen.
pub(super) fn hold(world: &World, effect: Effect, request: &str, now: Timestamp) -> Option<Outcome> {
    if let Some((_, at)) = world.accepted.get(&effect).filter(|(accepted, _)| accepted == request) {
        let left = Duration::try_from(LAG - now.duration_since(*at)).unwrap_or_default();
        if !left.is_zero() {
            let message = format!("{request} was accepted and is not seen yet");
            return Some(Outcome::Wait { reason: "ChangeAccepted", message, until: Some(left) });
        }
    }
    if let Some(times) = world.repeats.get(request).filter(|times| **times >= MOST_REPEATS) {
        let message = format!(
            "{request} was accepted {times} times and never took effect: it is not sent again; look at the instance's events, or change the spec"
        );
        return Some(Outcome::blocked("ChangeHasNoEffect", message));
    }
    let failure = world.failures.get(&effect).filter(|failure| failure.request == request)?;
    let left = Duration::try_from(failure.retry_at.duration_since(now)).unwrap_or_default();
    if left.is_zero() {
        return None;
    }
    let message = failure.message.clone();
    let until = Some(left);
    Some(match failure.class {
        ErrorClass::Refused | ErrorClass::AlreadyExists => {
            Outcome::Blocked { reason: "RefusedByCloud", message, until }
        }
        ErrorClass::Unauthorized => Outcome::Blocked { reason: "NotAuthorized", message, until },
        ErrorClass::Exhausted => Outcome::Wait { reason: "QuotaOrCapacityExhausted", message, until },
        ErrorClass::StorageCooldown => Outcome::Wait { reason: "StorageCooldown", message, until },
        ErrorClass::WrongState | ErrorClass::NotFound => Outcome::Wait { reason: "InstanceBusy", message, until },
        ErrorClass::Transient | ErrorClass::Unreachable => Outcome::Wait { reason: "CloudUnavailable", message, until },
    })
}
