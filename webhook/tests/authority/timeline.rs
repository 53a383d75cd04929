//! Three replicas through several lives of authorities, with stalls, restarts, outages and losses in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use jiff::SignedDuration;
use proptest::prelude::*;
use webhook::authority::lifetimes::Lifetimes;
use webhook::authority::plan::SETTLED;

use crate::replica::{LAG, Replica, SECOND, Verified, accepted, now, pass};
use crate::support::clock;
use crate::support::cluster::Simulated;

/// What happens beside the rotations.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// This replica does nothing for so many ticks.
    Stall(usize, u16),
    /// This replica is replaced by a new one.
    Restart(usize),
    /// The Secret is emptied.
    Lose,
    /// The API server refuses everything for so many ticks.
    Outage(u16),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..3_usize, 1..700_u16).prop_map(|(replica, seconds)| Event::Stall(replica, seconds)),
        2 => (0..3_usize).prop_map(Event::Restart),
        1 => Just(Event::Lose),
        2 => (1..90_u16).prop_map(Event::Outage),
    ]
}

/// A step of [`timeline`].
const TICK: SignedDuration = SignedDuration::from_secs(5);

/// Lives of so many ticks as [`lives`] has seconds: clocks that differ by minutes leave something of the overlap.
fn long_lives() -> Lifetimes {
    let seconds = Duration::from_secs;
    Lifetimes::new(seconds(1800 * 5), seconds(300 * 5), seconds(120 * 5), seconds(50)).expect("they fit")
}

/// Three replicas, whose clocks are so many seconds ahead, look every 5 to 15 ticks, in any interleaving, through more than three lives of
/// authorities.
fn timeline(events: &[(u16, Event)], turns: &[u8], clocks: [i64; 3], lag: SignedDuration) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let cluster = Simulated::new(clock());
        let start = |ahead: i64| Replica::with(&cluster, long_lives(), SECOND * i32::try_from(ahead).expect("small"));
        let mut replicas = clocks.map(start);
        let (mut next, mut attended) = ([0_u32; 3], [None; 3]);
        let mut verified = Verified::new();
        // From when on somebody has to be ready.
        let (mut outage, mut calm) = (0_u32, 0_u32);
        let mut chance = turns.iter().copied().cycle();
        for tick in 0..6_000_u32 {
            for (_, event) in events.iter().filter(|(at, _)| u32::from(*at) == tick) {
                match *event {
                    Event::Stall(replica, ticks) => next[replica] = tick + u32::from(ticks),
                    Event::Restart(replica) => {
                        replicas[replica] = start(clocks[replica]);
                        (next[replica], attended[replica]) = (tick, None);
                    }
                    Event::Lose => {
                        cluster.replace_secret(BTreeMap::new());
                        calm = calm.max(tick + 200);
                    }
                    Event::Outage(ticks) => outage = tick + u32::from(ticks),
                }
            }
            cluster.with(|state| {
                (state.no_secret, state.no_registrations) = (tick < outage, tick < outage);
                state.turns = chance.by_ref().take(64).collect();
            });
            let each = replicas.iter_mut().zip(&mut next).zip(&mut attended);
            let looks: Vec<_> = each
                .filter(|((_, next), _)| **next <= tick)
                .map(|((replica, next), attended)| {
                    *next = tick + 5 + u32::from(chance.next().unwrap_or_default() % 11);
                    async {
                        if replica.look(&cluster).await.problems.is_empty() {
                            *attended = Some(tick);
                        }
                    }
                })
                .collect();
            join_all(looks).await;
            accepted(&cluster, &replicas, lag, &mut verified)?;
            // Who looked a moment ago is ready. Where nobody could look for long, they get some time to come back.
            if !attended.iter().flatten().any(|last| tick - last < 40) {
                calm = calm.max(tick + 60);
            }
            if tick >= calm && !replicas.iter().any(|replica| replica.ready(now(&cluster))) {
                return Err(format!("nobody is ready in tick {tick}"));
            }
            pass(&cluster, TICK);
        }
        // Whatever happened, once it is over it comes to rest with everyone ready.
        cluster.with(|state| (state.no_secret, state.no_registrations) = (false, false));
        for _ in 0..20 {
            for replica in &mut replicas {
                replica.settle(&cluster).await;
            }
            pass(&cluster, SECOND * 10);
        }
        if replicas.iter().all(|replica| replica.ready(now(&cluster))) { Ok(()) } else { Err("not ready".into()) }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_leaf_is_served_that_an_api_server_refuses(
        stalls in prop::collection::vec((0..6_000_u16, (0..3_usize, 1..700_u16)), 0..8),
        outages in prop::collection::vec((0..6_000_u16, 1..90_u16), 0..4),
        turns in prop::collection::vec(any::<u8>(), 97..98),
        clocks in [-240..=240_i64, -240..=240_i64, -240..=240_i64],
    ) {
        let stalls = stalls.into_iter().map(|(at, (replica, seconds))| (at, Event::Stall(replica, seconds)));
        let outages = outages.into_iter().map(|(at, seconds)| (at, Event::Outage(seconds)));
        let judged = timeline(&stalls.chain(outages).collect::<Vec<_>>(), &turns, clocks, LAG);
        prop_assert!(judged.is_ok(), "{judged:?}");
    }

    // Where the Secret is lost, a replica that starts has nothing to sign with that every API server knows for long: it waits for as long as
    // one takes to be told, not for the overlap.
    #[test]
    fn losses_and_restarts_cost_no_request_either(
        events in prop::collection::vec((0..6_000_u16, event()), 0..10),
        turns in prop::collection::vec(any::<u8>(), 97..98),
    ) {
        let lag = SignedDuration::try_from(SETTLED).expect("short") - SECOND;
        let judged = timeline(&events, &turns, [0; 3], lag);
        prop_assert!(judged.is_ok(), "{judged:?}");
    }
}
