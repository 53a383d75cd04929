//! Each fault is noticed in random lives, and soon.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{
    ALIAS_TAKEN, DATABASE_ANEW, EMPTY_SWEEP, GROUP_UNREAD, LET_GO_EARLY, MARK_COPIED, Mutant, NAMESAKES_SNAPSHOT,
    NO_CONSENT, NO_FINAL_SNAPSHOT, NO_LEDGER, OLD_SNAPSHOT, PASSWORD_FIRST, PAUSE_UNHEEDED, PIN_LOST, PRUNED_EARLY,
    RESTART_UNASKED, SECRET_FIRST, SECRET_OVERWRITTEN, STATUS_OVERWRITTEN, STATUS_RESTLESS, TWO_CREATIONS, UNHELD,
    UNKNOWN_IS_ABSENT, UNREADABLE_IS_ABSENT, UNSAVED, UNTOLD, UPGRADE_UNSEEN,
};
use crate::figures;
use crate::life::live_with;
use crate::oracle::Violation;
use crate::schedule::Schedule;

pub(super) static MUTANTS: [Mutant; 27] = [
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
    STATUS_OVERWRITTEN,
    UNHELD,
    PASSWORD_FIRST,
    NO_CONSENT,
    RESTART_UNASKED,
    GROUP_UNREAD,
    UNSAVED,
    PRUNED_EARLY,
    UNTOLD,
    PAUSE_UNHEEDED,
    UPGRADE_UNSEEN,
];

/// Each is looked for from so many seeds on; `MUTANT_BASES` says otherwise.
const BASES: usize = 1;
/// Seeds of one base are apart by this.
const APART: u64 = 1_000_000;
/// Lives of a base; `MUTANT_LIVES` says otherwise.
const LIVES: u64 = 100;

fn asked<T: FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok()?.parse().ok()
}

/// What a hunt came to: how many lives it took, and what was noticed in the last one.
type Catch = (u64, Option<Violation>);

/// Lives from a base on until something is noticed.
fn hunt(mutant: &'static Mutant, base: usize, lives: u64) -> Catch {
    let noticed = (1..=lives).find_map(|nth| {
        let violation = live_with(&Schedule::of(base as u64 * APART + nth), mutant).violation?;
        Some((nth, Some(violation)))
    });
    noticed.unwrap_or((lives, None))
}

/// What came of all hunts for one of the mutants.
struct Row<'a> {
    mutant: &'a Mutant,
    catches: Vec<&'a Catch>,
}

impl Row<'_> {
    fn missed(&self) -> bool {
        self.catches.iter().any(|(_, noticed)| noticed.is_none())
    }

    fn median(&self) -> u64 {
        let mut took: Vec<u64> = self.catches.iter().map(|(lives, _)| *lives).collect();
        took.sort_unstable();
        took[took.len() / 2]
    }
}

impl Row<'_> {
    fn tell(&self) {
        let took: Vec<String> = self.catches.iter().map(|(lives, _)| lives.to_string()).collect();
        let noticed = self.catches.iter().find_map(|(_, noticed)| noticed.as_ref());
        let noticed = noticed.map_or("nothing", |violation| violation.invariant);
        let row = [
            ("median of lives", self.median().to_string()),
            ("each", took.join(", ")),
            ("fault", self.mutant.name.to_owned()),
            ("noticed by", noticed.to_owned()),
        ];
        figures::tell("planted faults in lives", &row);
    }
}

#[test]
fn every_fault_is_noticed_in_lives() {
    let (lives, bases) = (asked("MUTANT_LIVES").unwrap_or(LIVES), asked("MUTANT_BASES").unwrap_or(BASES));
    let hunts: Vec<(usize, usize)> =
        (1..=bases).flat_map(|base| (0..MUTANTS.len()).map(move |nth| (nth, base))).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(&(nth, base)) = hunts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let catch = hunt(&MUTANTS[nth], base, lives);
                    found.lock().unwrap_or_else(PoisonError::into_inner).insert((nth, base), catch);
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    let rows: Vec<Row<'_>> = (MUTANTS.iter().enumerate())
        .map(|(nth, mutant)| Row { mutant, catches: (1..=bases).map(|base| &found[&(nth, base)]).collect() })
        .collect();
    rows.iter().for_each(Row::tell);
    let missed = rows.iter().filter(|row| row.missed());
    let missed: Vec<String> = missed.map(|row| format!("{} ({})", row.mutant.name, row.mutant.without)).collect();
    assert_eq!(missed, Vec::<String>::new(), "not noticed in {lives} lives");
}
