//! Each fault is noticed in random lives; the shipped core is never accused there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{
    ALIAS_TAKEN, DATABASE_ANEW, EMPTY_SWEEP, LET_GO_EARLY, MARK_COPIED, Mutant, NAMESAKES_SNAPSHOT, NO_FINAL_SNAPSHOT,
    NO_LEDGER, OLD_SNAPSHOT, PIN_LOST, SECRET_FIRST, SECRET_OVERWRITTEN, STATUS_RESTLESS, TWO_CREATIONS,
    UNKNOWN_IS_ABSENT, UNREADABLE_IS_ABSENT,
};
use crate::life::live_with;
use crate::oracle::Violation;
use crate::schedule::Schedule;

pub(super) static MUTANTS: [Mutant; 16] = [
    NAMESAKES_SNAPSHOT,
    OLD_SNAPSHOT,
    PIN_LOST,
    EMPTY_SWEEP,
    SECRET_OVERWRITTEN,
    MARK_COPIED,
    DATABASE_ANEW,
    NO_LEDGER,
    LET_GO_EARLY,
    UNKNOWN_IS_ABSENT,
    ALIAS_TAKEN,
    SECRET_FIRST,
    STATUS_RESTLESS,
    NO_FINAL_SNAPSHOT,
    TWO_CREATIONS,
    UNREADABLE_IS_ABSENT,
];

/// Each is looked for from so many seeds on.
const BASES: u64 = 5;
/// Seeds of one base are apart by this.
const APART: u64 = 1_000_000;
/// Lives of a base; `MUTANT_LIVES` says otherwise.
const LIVES: u64 = 300;

fn asked(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// The first life from a base on in which something is noticed: how many it took, and what it was.
fn first(mutant: &'static Mutant, base: u64, lives: u64) -> Option<(u64, Violation)> {
    (1..=lives).find_map(|nth| {
        let violation = live_with(&Schedule::of(base * APART + nth), mutant).violation?;
        Some((nth, violation))
    })
}

#[test]
#[ignore = "takes minutes, and not every fault is noticed yet: -- --ignored"]
fn every_fault_is_noticed_in_lives() {
    let lives = asked("MUTANT_LIVES", LIVES);
    let hunts: Vec<(usize, u64)> =
        (1..=BASES).flat_map(|base| (0..MUTANTS.len()).map(move |nth| (nth, base))).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((nth, base)) = hunts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = first(&MUTANTS[*nth], *base, lives);
                    found.lock().unwrap_or_else(PoisonError::into_inner).insert((*nth, *base), caught);
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut missed = Vec::new();
    for (nth, mutant) in MUTANTS.iter().enumerate() {
        let mut took: Vec<u64> =
            (1..=BASES).map(|base| found[&(nth, base)].as_ref().map_or(u64::MAX, |(lives, _)| *lives)).collect();
        took.sort_unstable();
        let median = took[took.len() / 2];
        let shown = (1..=BASES).find_map(|base| found[&(nth, base)].as_ref());
        let shown = shown.map_or_else(|| "nothing".to_owned(), |(_, violation)| violation.to_string());
        println!("{}: {took:?} lives; {}", mutant.name, shown.chars().take(160).collect::<String>());
        if median == u64::MAX {
            missed.push(format!("{} ({})", mutant.name, mutant.without));
        }
    }
    assert_eq!(missed, Vec::<String>::new(), "not noticed in {lives} lives");
}
