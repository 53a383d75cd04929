//! Many lives: as many as fit, on all cores. Of one that breaks an invariant the schedule is shortened, and printed with its seed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::figures;
use crate::life::{Outcome, live};
use crate::oracle::Violation;
use crate::schedule::Schedule;

/// Seconds of lives, where nothing else is asked for.
const SECONDS: u64 = 60;
/// The fewest lives then, however long they take.
const FEWEST: u64 = 2_000;
/// What takes long is told of this often.
const PROGRESS: Duration = Duration::from_secs(60);
/// Lines of a log that are printed.
const TAIL: usize = 60;
/// Characters of a line that are printed.
const WIDTH: usize = 400;

fn clipped(line: &str) -> String {
    line.chars().take(WIDTH).collect()
}

fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|value| value.parse().ok())
}

/// A run of hours is not waited for to hear what broke.
#[allow(clippy::print_stderr, reason = "progress is for a person")]
fn tell(seed: u64, violation: &Violation) {
    eprintln!("seed {seed}: {}", clipped(&violation.to_string()));
}

/// What was lived.
#[derive(Debug, Default)]
struct Tally {
    lives: u64,
    passes: u64,
    effects: u64,
    simulated: Duration,
    /// When the progress is told next, since the beginning.
    next: Duration,
}

/// `SIMULATION_SEED` lives that one; else as many as `SIMULATION_LIVES` says, or as fit into `SIMULATION_SECONDS`.
#[test]
fn lives() {
    if let Some(seed) = asked("SIMULATION_SEED") {
        let outcome = live(&Schedule::of(seed));
        println!("{}{}", Schedule::of(seed), outcome.log.join("\n"));
        assert_eq!(outcome.violation, None);
        return;
    }
    let began = Instant::now();
    let (seconds, fewest) = asked("SIMULATION_SECONDS").map_or((SECONDS, FEWEST), |seconds| (seconds, 0));
    let budget = Duration::from_secs(seconds);
    let (first, most) = (asked("SIMULATION_FIRST").unwrap_or(1), asked("SIMULATION_LIVES"));
    let next = AtomicU64::new(first);
    let (tally, broken) = (Mutex::new(Tally::default()), Mutex::new(BTreeSet::new()));
    let more = |seed: u64| match most {
        Some(most) => seed < first + most,
        None => began.elapsed() < budget || seed < first + fewest,
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if !more(seed) {
                        break;
                    }
                    let outcome = live(&Schedule::of(seed));
                    tally.lock().unwrap_or_else(PoisonError::into_inner).add(&outcome, began.elapsed(), most);
                    if let Some(violation) = outcome.violation {
                        tell(seed, &violation);
                        broken.lock().unwrap_or_else(PoisonError::into_inner).insert(seed);
                    }
                }
            });
        }
    });
    tally.into_inner().unwrap_or_else(PoisonError::into_inner).tell(began.elapsed());
    let broken = broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(seed) = broken.first() {
        panic!("{} lives broke something; the first of them:\n{}", broken.len(), report(*seed));
    }
}

impl Tally {
    /// Adds a life that has ended after so long; of so many, where that is known.
    #[allow(clippy::print_stderr, reason = "progress is for a person")]
    fn add(&mut self, outcome: &Outcome, after: Duration, most: Option<u64>) {
        self.lives += 1;
        self.passes += outcome.passes;
        self.effects += outcome.effects;
        self.simulated += outcome.simulated;
        self.next = self.next.max(PROGRESS);
        if after >= self.next {
            self.next = after + PROGRESS;
            let of = most.map_or(String::new(), |most| format!(" of {most}"));
            eprintln!("{}{of} lives after {} min", self.lives, after.as_secs() / 60);
        }
    }

    fn tell(&self, took: Duration) {
        let Self { lives, passes, effects, simulated, .. } = self;
        let each = |all: &u64| (all / (*lives).max(1)).to_string();
        let row = [
            ("lives", lives.to_string()),
            ("passes a life", each(passes)),
            ("effects a life", each(effects)),
            ("simulated hours", (simulated.as_secs() / 3600).to_string()),
            ("seconds", format!("{:.1}", took.as_secs_f64())),
        ];
        figures::tell("Lives", &row);
    }
}

/// What broke, by the shortest schedule that still breaks it.
fn report(seed: u64) -> String {
    let invariant = |schedule: &Schedule| live(schedule).violation.map(|violation| violation.invariant);
    let schedule = Schedule::of(seed);
    let broken = invariant(&schedule);
    let schedule = shortened(schedule, |shorter| invariant(shorter) == broken);
    let Outcome { violation, log, .. } = live(&schedule);
    let mut text = format!("seed {seed}: ");
    if let Some(violation) = violation {
        let _ = writeln!(text, "{violation}");
    }
    let tail: Vec<_> = log[log.len().saturating_sub(TAIL)..].iter().map(|line| clipped(line)).collect();
    let _ = writeln!(text, "{schedule}\n{}", tail.join("\n"));
    text
}

/// Without the acts that are not needed for what makes it interesting: larger parts are tried first.
fn shortened(schedule: Schedule, interesting: impl Fn(&Schedule) -> bool) -> Schedule {
    let mut shortest = schedule;
    let mut part = shortest.len();
    while part > 0 {
        let mut from = 0;
        while from < shortest.len() {
            let shorter = shortest.without(from, part);
            if interesting(&shorter) {
                shortest = shorter;
            } else {
                from += part;
            }
        }
        part /= 2;
    }
    shortest
}

#[test]
fn a_schedule_is_shortened_to_what_matters() {
    let schedule = Schedule::of(7);
    let matters = [&schedule.acts[2], &schedule.acts[schedule.acts.len() - 1]].map(Clone::clone);
    let interesting = |shorter: &Schedule| matters.iter().all(|act| shorter.acts.contains(act));
    let shortest = shortened(schedule.clone(), interesting);
    assert_eq!((shortest.acts, shortest.farewell.len()), (matters.to_vec(), 0));
}
