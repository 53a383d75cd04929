//! Each fault is noticed in a small world, by the fewest steps that show it.

use super::{
    ALIAS_TAKEN, EMPTY_SWEEP, LET_GO_EARLY, Mutant, NO_FINAL_SNAPSHOT, NO_LEDGER, SECRET_OVERWRITTEN, TWO_CREATIONS,
};
use crate::small::{Budget, SmallWorld, alone, careless, rivals};

/// Moments of a small world that are looked at for a fault.
const MOMENTS: usize = 5_000;

#[test]
#[ignore = "takes minutes, and not every fault is noticed yet: -- --ignored"]
fn faults_are_noticed_in_small_worlds() {
    type World = fn(Budget, &'static Mutant) -> SmallWorld;
    let worlds: [(&'static Mutant, World, Budget); 7] = [
        (&NO_FINAL_SNAPSHOT, alone, Budget { deletions: 1, ..Budget::NONE }),
        (&LET_GO_EARLY, alone, Budget { deletions: 1, ..Budget::NONE }),
        (&EMPTY_SWEEP, careless, Budget { deletions: 1, stale: 1, ..Budget::NONE }),
        (&SECRET_OVERWRITTEN, alone, Budget { stale: 1, ..Budget::NONE }),
        (&TWO_CREATIONS, alone, Budget { kills: 1, ..Budget::NONE }),
        (&NO_LEDGER, alone, Budget { edits: 1, ..Budget::NONE }),
        (&ALIAS_TAKEN, rivals, Budget::NONE),
    ];
    for (mutant, world, budget) in worlds {
        let explored = world(budget, mutant).explore(MOMENTS);
        let found = explored.found.as_ref().map(|found| &found.violation);
        let shown = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        println!("{}: {} moments, {} steps; {shown}", mutant.name, explored.moments, explored.steps);
        assert!(found.is_some(), "not noticed: {} ({}): {explored}", mutant.name, mutant.without);
    }
}
