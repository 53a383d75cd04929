//! The loads that are put on whoever is measured.

use anyhow::Result;

use super::review::{self, Request};

/// What is asked for, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// So many requests a second, sent when they are due, whether or not the ones before were answered.
    Rate(u32),
    /// So many requests in all, the next one on each connection as soon as the last is answered.
    Closed(u32),
}

/// One kind of load.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Its name in the tables.
    pub(super) name: String,
    /// What is asked, in turn.
    pub(super) requests: Vec<Request>,
    /// How often.
    pub(super) pace: Pace,
    /// Whether each request has a connection of its own.
    pub(super) new_connections: bool,
}

/// Reviews of the documentation's example, each connection as fast as it gets answers.
pub(super) const SMALL_CLOSED: &str = "small, closed loop";
/// The same, each on a connection of its own.
pub(super) const SMALL_NEW: &str = "small, new connections, closed loop";
/// The same at a rate that the absolute target speaks of.
pub(super) const SMALL_1000: &str = "small, 1,000/s";
/// The same at rates at which latencies are compared.
pub(super) const SMALL_RATES: [&str; 2] = ["small, 500/s", "small, 2,000/s"];

/// Whether the objects of a load are the large ones.
pub(super) fn is_large(name: &str) -> bool {
    name.starts_with("100 KB")
}

/// Whether a load has small objects, and no handshakes.
pub(super) fn is_small_on_kept_connections(name: &str) -> bool {
    !is_large(name) && name != SMALL_NEW
}

/// All of them, in the order of the tables.
pub(super) fn all() -> Result<Vec<Load>> {
    let (small, large) = (review::small()?, review::large()?);
    let load = |name: &str, requests: &[Request], pace| Load {
        name: name.to_owned(),
        requests: requests.to_vec(),
        pace,
        new_connections: false,
    };
    let [slow, fast] = SMALL_RATES;
    Ok(vec![
        load(SMALL_CLOSED, &small, Pace::Closed(50_000)),
        load(slow, &small, Pace::Rate(500)),
        load(SMALL_1000, &small, Pace::Rate(1000)),
        load(fast, &small, Pace::Rate(2000)),
        Load { new_connections: true, ..load(SMALL_NEW, &small, Pace::Closed(4000)) },
        load("100 KB, 50/s", &large, Pace::Rate(50)),
        load("100 KB, closed loop", &large, Pace::Closed(1500)),
    ])
}

/// What a start is timed with.
pub(super) fn small() -> Result<Load> {
    let requests = review::small()?.to_vec();
    Ok(Load { name: "start".to_owned(), requests, pace: Pace::Closed(1), new_connections: true })
}
