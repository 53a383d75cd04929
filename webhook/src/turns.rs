//! A thread on which tasks that take much memory take turns.
//!
//! Memory that is freed stays with the allocator's arena of its thread. On a pool of two threads the peak of the service was half as high again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{OnceLock, mpsc};
use std::thread;

use tokio::sync::oneshot;

type Task = Box<dyn FnOnce() + Send>;

/// A thread of its own, which starts with the first task and ends when nobody can ask it any more.
#[derive(Debug, Default)]
pub struct Turns(OnceLock<mpsc::Sender<Task>>);

impl Turns {
    /// The way to the thread.
    fn thread(&self) -> &mpsc::Sender<Task> {
        self.0.get_or_init(|| {
            let (sender, tasks) = mpsc::channel::<Task>();
            thread::spawn(move || {
                for task in tasks {
                    // A panic has been printed, and whoever waits for the task learns of it.
                    let _ = catch_unwind(AssertUnwindSafe(task));
                }
            });
            sender
        })
    }

    /// What a task gives in its turn; nothing where it panics. It is not begun when nobody waits for it any more.
    ///
    /// # Panics
    /// When the system gives no thread for the first task.
    pub async fn take<T: Send + 'static>(&self, task: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (sender, result) = oneshot::channel();
        let task = move || {
            if !sender.is_closed() {
                // An error means that nobody waits any more.
                let _ = sender.send(task());
            }
        };
        self.thread().send(Box::new(task)).ok()?;
        result.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_leaves_the_thread_to_the_others() {
        let turns = Turns::default();
        let first = turns.take(|| thread::current().id()).await.expect("it runs");
        assert_eq!(turns.take(|| assert_eq!(1, 2, "on purpose")).await, None);
        assert_eq!(turns.take(|| thread::current().id()).await, Some(first));
    }

    #[tokio::test]
    async fn a_task_that_nobody_waits_for_is_not_begun() {
        let (turns, begun) = (Turns::default(), Arc::new(AtomicBool::new(false)));
        let (go, wait) = mpsc::channel::<()>();
        let mut held = Box::pin(turns.take(move || wait.recv()));
        assert!(futures::poll!(&mut held).is_pending());
        let mut given_up = Box::pin(turns.take({
            let begun = Arc::clone(&begun);
            move || begun.store(true, Ordering::SeqCst)
        }));
        assert!(futures::poll!(&mut given_up).is_pending());
        drop(given_up);
        go.send(()).expect("the first task waits");
        assert_eq!(held.await, Some(Ok(())));
        turns.take(|| ()).await.expect("it runs");
        assert!(!begun.load(Ordering::SeqCst));
    }
}
