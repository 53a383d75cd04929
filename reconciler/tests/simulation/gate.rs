//! What all calls of one process go through: it can stand still, and it can die before or after any of its effects.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// When a process dies by an effect of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    /// How many effects it lives to see from now on.
    pub(crate) after: u32,
    /// Whether the last of them is made: the process then dies before it has the answer.
    pub(crate) made: bool,
}

/// The way of one process to its ports.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    frozen: AtomicBool,
    thawed: Notify,
    dead: AtomicBool,
    death: Mutex<Option<Death>>,
    /// Effects that were begun, of all processes.
    effects: Arc<AtomicU64>,
}

impl Gate {
    /// Of a process whose effects are counted here.
    pub(crate) fn open(effects: Arc<AtomicU64>) -> Self {
        Self { effects, ..Self::default() }
    }

    /// Waits until the process goes on, if it stands still.
    pub(crate) async fn pass(&self) {
        while self.frozen.load(Ordering::Relaxed) {
            self.thawed.notified().await;
        }
    }

    /// Makes an effect, and dies before or after it where that was ordered.
    pub(crate) async fn effect<T>(&self, made: impl Future<Output = T>) -> T {
        self.pass().await;
        self.effects.fetch_add(1, Ordering::Relaxed);
        let death = self.count();
        if death == Some(false) {
            self.die().await;
        }
        let answer = made.await;
        if death == Some(true) {
            self.die().await;
        }
        self.pass().await;
        answer
    }

    /// From now on it stands still, or goes on.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Relaxed);
        self.thawed.notify_waiters();
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }

    /// Whether it is to be taken away.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Orders its death.
    pub(crate) fn order(&self, death: Death) {
        *self.death.lock().unwrap_or_else(PoisonError::into_inner) = Some(death);
    }

    /// Whether this effect is the last one, and whether it is made.
    fn count(&self) -> Option<bool> {
        let mut death = self.death.lock().unwrap_or_else(PoisonError::into_inner);
        let Death { after, made } = death.as_mut()?;
        *after = after.saturating_sub(1);
        (*after == 0).then_some(*made)
    }

    async fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
    }
}
