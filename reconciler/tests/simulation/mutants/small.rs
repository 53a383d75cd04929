//! Each fault is noticed in a small world, by the fewest steps that show it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::caught::MUTANTS;
use super::*;
use crate::small::{
    Budget, SmallWorld, after_a_namesake, alone, alone_in_fog, beside_a_copy, careless, careless_in_fog, leaving_user,
    pausing, rivals, with_a_dropped_database, with_an_old_snapshot,
};

type World = fn(Budget, &'static Mutant) -> SmallWorld;

const NONE: Budget = Budget::NONE;
const DELETION: Budget = Budget { deletions: 1, ..NONE };
const EDIT: Budget = Budget { edits: 1, ..NONE };
const STALE: Budget = Budget { stale: 1, ..NONE };

/// Where each is noticed.
static HUNTS: [(&Mutant, World, Budget); 20] = [
    (&NAMESAKES_SNAPSHOT, after_a_namesake, DELETION),
    (&OLD_SNAPSHOT, with_an_old_snapshot, DELETION),
    (&PIN_LOST, pausing, EDIT),
    (&EMPTY_SWEEP, careless, Budget { deletions: 1, ..STALE }),
    (&SECRET_OVERWRITTEN, alone, STALE),
    (&MARK_COPIED, beside_a_copy, DELETION),
    (&DATABASE_ANEW, with_a_dropped_database, NONE),
    (&NO_LEDGER, alone, STALE),
    (&LET_GO_EARLY, alone, DELETION),
    (&UNKNOWN_IS_ABSENT, careless_in_fog, Budget { deletions: 1, ..STALE }),
    (&ALIAS_TAKEN, rivals, NONE),
    (&SECRET_FIRST, leaving_user, EDIT),
    (&STATUS_RESTLESS, alone, NONE),
    (&NO_FINAL_SNAPSHOT, alone, DELETION),
    (&TWO_CREATIONS, alone, Budget { kills: 1, ..NONE }),
    (&UNREADABLE_IS_ABSENT, alone_in_fog, STALE),
    (&UNHELD, alone, NONE),
    (&PASSWORD_FIRST, alone, NONE),
    (&GROUP_UNREAD, alone, NONE),
    (&PAUSE_UNHEEDED, pausing, EDIT),
];

/// Those that need a larger world, and why.
static LARGER: [(&Mutant, &str); 7] = [
    (&STATUS_OVERWRITTEN, "a pass is one step here: nobody writes between its look and its status"),
    (&RESTART_UNASKED, "nobody in a small world asks for other parameters"),
    (&NO_CONSENT, "a small world has no snapshot of another namespace's"),
    (&UNTOLD, "nobody in a small world asks for what waits for a window"),
    (&UPGRADE_UNSEEN, "nobody in a small world is told of maintenance"),
    (&UNSAVED, "no edit of a small world asks for another major version"),
    (&PRUNED_EARLY, "no edit of a small world asks for copies"),
];

/// Moments of a small world that are looked at for a fault.
const MOMENTS: usize = 20_000;

#[test]
fn each_fault_is_noticed_in_a_small_world() {
    for mutant in &MUTANTS {
        let hunted = HUNTS.iter().any(|(found, ..)| found.name == mutant.name);
        let larger = LARGER.iter().any(|(found, _)| found.name == mutant.name);
        assert!(hunted != larger, "no small world is looked at for it, or said to be too small: {}", mutant.name);
    }
    for (mutant, why) in LARGER {
        println!("{}: needs a larger world: {why}", mutant.name);
    }
    let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(hunted) = HUNTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (noticed, told) = hunt(hunted);
                    found.lock().unwrap_or_else(PoisonError::into_inner).insert(hunted.0.name, (noticed, told));
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (_, told) in found.values() {
        println!("{}", told.chars().take(200).collect::<String>());
    }
    let missed: Vec<_> = found.values().filter(|(noticed, _)| !noticed).map(|(_, told)| told).collect();
    assert!(missed.is_empty(), "not noticed: {missed:#?}");
}

/// Whether a fault is noticed, and what was seen. As many moments of the shipped core show nothing.
fn hunt((mutant, world, budget): &(&'static Mutant, World, Budget)) -> (bool, String) {
    let explored = world(*budget, mutant).explore(MOMENTS);
    let shown = explored.found.as_ref().map_or_else(|| "nothing".to_owned(), |found| found.violation.to_string());
    let seconds = explored.took.as_secs_f64();
    let told =
        format!("{}: {} moments, {} steps in {seconds:.1} s; {shown}", mutant.name, explored.moments, explored.steps);
    if explored.found.is_none() {
        return (false, format!("{told}: {} ({explored})", mutant.without));
    }
    match world(*budget, &SHIPPED).explore(explored.moments).found {
        None => (true, told),
        Some(accused) => (false, format!("{}: the shipped core is accused: {accused}", mutant.name)),
    }
}
