//! Whether this process may still act: asked before each effect.
//!
//! A process that is stopped for a minute, or whose machine sleeps, wakes in the middle of a pass and does not know that another one leads by
//! now. The age of its Lease tells.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;

use crate::clock::{Clock, Moment};

/// A Lease is not taken by another before 15 s; what is asked of others within this time has an effect before that.
const HOLDS_FOR: Duration = Duration::from_secs(10);

/// The age of the Lease, shared by whoever renews it and all who act. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Fence(Option<Arc<Term>>);

#[derive(Debug)]
struct Term {
    clock: Arc<dyn Clock>,
    renewed: Mutex<Option<Moment>>,
}

/// This process may not act any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the Lease is too old to act by it: this process was stopped, or cannot renew it")]
pub struct Fenced;

impl Fence {
    /// There is one process only, without a Lease: it may always act.
    pub fn open() -> Self {
        Self(None)
    }

    /// Nobody may act before the Lease is renewed. Its age is counted by `clock`.
    pub fn closed(clock: Arc<dyn Clock>) -> Self {
        Self(Some(Arc::new(Term { clock, renewed: Mutex::default() })))
    }

    /// The Lease was renewed by a request that was begun at this moment.
    pub fn renewed(&self, asked: Moment) {
        if let Some(term) = &self.0 {
            *term.renewed.lock().unwrap_or_else(PoisonError::into_inner) = Some(asked);
        }
    }

    /// Whether an effect may be made now.
    ///
    /// # Errors
    /// When the Lease was not renewed lately.
    pub fn check(&self) -> Result<(), Fenced> {
        let Some(term) = &self.0 else { return Ok(()) };
        // A single assignment: a panic elsewhere leaves nothing half done.
        let renewed = *term.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = renewed.is_some_and(|renewed| term.clock.now().since(renewed) < HOLDS_FOR);
        if holds { Ok(()) } else { Err(Fenced) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::TokioClock;

    #[tokio::test(start_paused = true)]
    async fn i11_a_process_that_was_stopped_does_not_act_when_it_wakes() {
        let clock = TokioClock::start();
        let fence = Fence::closed(clock.clone());
        assert_eq!(fence.check(), Err(Fenced), "it does not lead yet");
        fence.renewed(clock.now());
        tokio::time::sleep(Duration::from_secs(9)).await;
        assert_eq!(fence.check(), Ok(()));
        tokio::time::sleep(Duration::from_secs(51)).await;
        assert_eq!(fence.check(), Err(Fenced), "another one leads by now");
        fence.renewed(clock.now());
        assert_eq!(fence.clone().check(), Ok(()), "it was given the Lease again");
        assert_eq!(Fence::open().check(), Ok(()));
    }
}
