//! Work on a server, a slice at a time: which steps are tried, and what a failure stops. Written once for all engines.

use super::error::EngineError;
use super::port::{Change, Outcome, Session, Slice};

/// Carries out steps in their order. Each is idempotent, and safe to repeat after a crash at any point. One that fails stops those that need it, no others; a database that cannot be entered stops what is
/// inside of it. The outcomes are those of the first steps, one for one: the others were not begun, because time was up or no other could
/// fare better.
pub async fn work<S: Change, T: Session<S>>(mut session: T, slice: Slice<'_, S>) -> Vec<Outcome> {
    let Slice { steps, stopped, clock, budget, fence } = slice;
    let began = clock.now();
    let mut stopped: Vec<&S> = stopped.iter().collect();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for step in steps {
        let late = !outcomes.is_empty() && clock.now().since(began) >= budget;
        if late || fence.is_some_and(|fence| fence.check().is_err()) {
            break;
        }
        let barred = step.enters().is_some_and(|database| session.is_closed(database));
        let outcome = match barred || stopped.iter().any(|earlier| step.needs(earlier)) {
            true => Outcome::Skipped,
            false => session.carry_out(step).await.into(),
        };
        if outcome != Outcome::Done {
            stopped.push(step);
        }
        let ends = end_of_all(step, &outcome).is_some();
        outcomes.push(outcome);
        if ends {
            break;
        }
    }
    session.close().await;
    outcomes
}

/// The error after which no other step could fare better. A database that cannot be entered says nothing of the others.
pub(super) fn end_of_all<'a>(step: &impl Change, outcome: &'a Outcome) -> Option<&'a EngineError> {
    outcome.failure().filter(|error| step.enters().is_none() && error.ends_all())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::SystemClock;
    use crate::engine::paper::{Chore, Played, admit};

    fn conflict() -> Result<(), EngineError> {
        Err(EngineError::Conflict { message: "busy".into() })
    }

    fn unreachable() -> Result<(), EngineError> {
        Err(EngineError::Unreachable { host: "db.example".into(), port: 1, reason: "refused".into() })
    }

    async fn worked(steps: &[Chore], stopped: &[Chore], results: Vec<Result<(), EngineError>>) -> Vec<Outcome> {
        let slice = Slice { steps, stopped, clock: &SystemClock, budget: Duration::from_mins(1), fence: None };
        work(Played::of(results), slice).await
    }

    #[tokio::test]
    async fn a_failure_stops_those_that_need_it_and_no_others() {
        let steps = [admit("app", "orders"), admit("app", "archive"), admit("report", "orders")];
        let outcomes = worked(&steps, &[], vec![conflict(), Ok(())]).await;
        assert!(matches!(outcomes.as_slice(), [Outcome::Failed(_), Outcome::Skipped, Outcome::Done]), "{outcomes:?}");
        let earlier = [admit("report", "archive")];
        let outcomes = worked(&steps[2..], &earlier, vec![]).await;
        assert_eq!(outcomes, [Outcome::Skipped], "what stopped in an earlier slice stops it too");
    }

    #[tokio::test]
    async fn a_server_that_is_away_ends_the_slice_and_one_database_that_is_does_not() {
        let inside = |user: &str| Chore { enters: true, ..admit(user, "orders") };
        let outcomes = worked(&[admit("a", "orders"), admit("b", "orders")], &[], vec![unreachable()]).await;
        assert!(matches!(outcomes.as_slice(), [Outcome::Failed(_)]), "{outcomes:?}");
        let steps = [inside("a"), inside("b"), admit("c", "orders")];
        let outcomes = worked(&steps, &[], vec![unreachable(), Ok(())]).await;
        assert!(matches!(outcomes.as_slice(), [Outcome::Failed(_), Outcome::Skipped, Outcome::Done]), "{outcomes:?}");
    }

    #[tokio::test]
    async fn i13_a_slice_ends_with_its_time_and_always_does_something() {
        let steps = [admit("a", "orders"), admit("b", "orders")];
        let slice = Slice { steps: &steps, stopped: &[], clock: &SystemClock, budget: Duration::ZERO, fence: None };
        assert_eq!(work(Played::of(vec![]), slice).await, [Outcome::Done]);
    }
}
