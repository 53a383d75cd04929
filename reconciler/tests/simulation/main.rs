//! The whole core over simulated ports, on a clock that is stopped: a seed is a run, and a run can be repeated to the byte.
//!
//! `cargo test --workspace --test simulation -- --nocapture lives` lives for a while; `SIMULATION_SEED=7` repeats a life.

mod assembly;
mod author;
mod chance;
mod classes;
// A schedule does not call all of it.
#[allow(dead_code)]
mod cloud;
#[path = "cloud/tests.rs"]
mod cloud_tests;
mod cluster;
mod console;
mod faults;
mod figures;
mod gate;
mod gated;
mod history;
mod life;
mod moment;
mod mutants;
mod oracle;
mod plots;
mod process;
mod rebirth;
mod runs;
mod schedule;
mod server;
mod small;
mod temper;
mod watching;
mod weather;
mod wish;
mod witness;
mod world;

/// A third of what a life costs with the allocator of the system is memory that is asked for and given back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use std::sync::Arc;

use life::{Life, in_stopped_time, live};
use mutants::SHIPPED;
use schedule::Schedule;

#[test]
fn a_seed_is_a_run() {
    for seed in [1, 1_000, 1_000_000] {
        let schedule = Schedule::of(seed);
        let (once, again) = (live(&schedule).log, live(&schedule).log);
        assert!(once.len() > 20, "{once:#?}");
        for (line, same) in once.iter().zip(&again) {
            assert_eq!(line, same, "seed {seed}");
        }
        assert_eq!(once.len(), again.len(), "seed {seed}");
    }
    assert_ne!(live(&Schedule::of(1)).log, live(&Schedule::of(2)).log, "another seed is another run");
}

/// A million lives fit into the memory of one.
#[test]
fn a_life_leaves_nothing_behind() {
    let kubernetes = in_stopped_time(async {
        let mut life = Life::begin(1, &SHIPPED);
        let lived = life.play(&Schedule::of(1)).await;
        assert!(lived.is_ok(), "{lived:?}");
        Arc::downgrade(&life.world.kubernetes)
    });
    assert_eq!(kubernetes.strong_count(), 0, "whoever knows the cluster is still there");
}
