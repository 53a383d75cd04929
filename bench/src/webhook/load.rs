//! Load, open or closed loop, on as many threads as there are connections.
//!
//! Threads that block, not an async runtime: its timers are only as fine as a millisecond, which is more than an answer takes.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use nix::sys::prctl;

/// One request and its answer, on a connection of its own.
pub(super) trait Exchange: Send {
    /// Asks with the given number and waits for the answer.
    fn exchange(&mut self, number: u32) -> Result<()>;
}

/// What was measured.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Of every request, in no order.
    pub(super) latencies: Vec<Duration>,
    /// From the first request to the last answer.
    pub(super) elapsed: Duration,
}

/// Sends `total` requests. With a gap, request n is due n gaps after the start and taken by whichever connection is free; its latency counts
/// from when it was due, so that an answer that holds up others also counts in theirs (no coordinated omission). Without a gap each
/// connection asks as soon as it has its answer, and latencies count from then.
///
/// # Errors
/// The first that an exchange gives; the others then end too.
pub(super) fn run<E: Exchange>(exchanges: &mut [E], total: u32, gap: Option<Duration>) -> Result<Outcome> {
    let next = AtomicU32::new(0);
    // All threads are there by then.
    let start = Instant::now() + Duration::from_millis(10);
    let asked: Vec<Result<Vec<Duration>>> = thread::scope(|scope| {
        let asking: Vec<_> = exchanges
            .iter_mut()
            .map(|exchange| {
                let next = &next;
                scope.spawn(move || {
                    let asked = ask(exchange, next, total, start, gap);
                    if asked.is_err() {
                        next.store(total, Ordering::Relaxed);
                    }
                    asked
                })
            })
            .collect();
        asking.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a connection's thread panicked"))?).collect()
    });
    let elapsed = start.elapsed();
    let latencies = asked.into_iter().collect::<Result<Vec<_>>>()?.concat();
    Ok(Outcome { latencies, elapsed })
}

fn ask<E: Exchange>(
    exchange: &mut E,
    next: &AtomicU32,
    total: u32,
    start: Instant,
    gap: Option<Duration>,
) -> Result<Vec<Duration>> {
    // Sleeps end up to 50 µs late otherwise, and that would count as latency.
    prctl::set_timerslack(1)?;
    let mut latencies = Vec::new();
    sleep_until(start);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= total {
            return Ok(latencies);
        }
        let due = match gap {
            Some(gap) => start + gap * number,
            None => Instant::now(),
        };
        sleep_until(due);
        exchange.exchange(number)?;
        latencies.push(due.elapsed());
    }
}

fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use anyhow::ensure;

    use super::*;

    /// Answers at once, but for one request.
    struct Slow<'a> {
        on: u32,
        by: Duration,
        seen: &'a Mutex<Vec<u32>>,
    }

    impl Exchange for Slow<'_> {
        fn exchange(&mut self, number: u32) -> Result<()> {
            self.seen.lock().unwrap().push(number);
            if number == self.on {
                thread::sleep(self.by);
            }
            Ok(())
        }
    }

    #[test]
    fn a_late_answer_counts_in_those_it_holds_up() {
        let (seen, by) = (Mutex::new(Vec::new()), Duration::from_millis(50));
        let gap = Some(Duration::from_millis(1));
        let outcome = run(&mut [Slow { on: 10, by, seen: &seen }], 60, gap).unwrap();
        assert_eq!(*seen.lock().unwrap(), (0..60).collect::<Vec<_>>());
        // Requests 10 to 34 were due within the first half of the stall.
        let late = outcome.latencies.iter().filter(|&&latency| latency > by / 2).count();
        assert!(late >= 24, "only {late} of {} are late", outcome.latencies.len());
        assert!(outcome.elapsed >= Duration::from_millis(59), "{:?}", outcome.elapsed);
    }

    #[test]
    fn a_second_connection_takes_what_the_first_cannot() {
        let (seen, by) = (Mutex::new(Vec::new()), Duration::from_millis(100));
        let slow = || Slow { on: 0, by, seen: &seen };
        let outcome = run(&mut [slow(), slow()], 50, Some(Duration::from_millis(1))).unwrap();
        let late = outcome.latencies.iter().filter(|&&latency| latency >= by).count();
        // Alone, the first connection would make nearly all of them late.
        assert!(outcome.latencies.len() == 50 && (1..25).contains(&late), "{late} are late");
    }

    #[test]
    fn an_error_ends_the_run() {
        struct Failing;
        impl Exchange for Failing {
            fn exchange(&mut self, number: u32) -> Result<()> {
                ensure!(number < 3, "request {number}");
                Ok(())
            }
        }
        let error = run(&mut [Failing, Failing], u32::MAX, None).unwrap_err();
        assert!(error.to_string().starts_with("request "), "{error}");
    }
}
