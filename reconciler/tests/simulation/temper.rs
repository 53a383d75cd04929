//! The temper of a life: in each, other kinds of things go wrong and the rest goes well, so that what is rare meets what is rare.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;

/// A kind of thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ill {
    /// Calls fail, get lost, or are answered with what was.
    Calls,
    /// Processes die, stand still, or act beside each other.
    Processes,
    /// Watches lag, break off or repeat themselves; a clock is set.
    Watches,
    /// People at the console of the cloud.
    Console,
    /// Tenants and masters on the server.
    Statements,
    /// People at the Secrets and Services.
    Bindings,
    /// People at the objects and what holds them: annotations, finalizers, classes, namespaces, etcd.
    Platform,
}

/// Each kind, and how often it is drawn where nothing is out of the ordinary.
const ILLS: [(Ill, u32); 7] = [
    (Ill::Calls, 14),
    (Ill::Processes, 9),
    (Ill::Watches, 4),
    (Ill::Console, 6),
    (Ill::Statements, 5),
    (Ill::Bindings, 3),
    (Ill::Platform, 3),
];

/// What a life is prone to.
#[derive(Clone, Debug)]
pub(crate) struct Temper {
    ills: Vec<(Ill, u32)>,
    /// How many things go wrong.
    pub(crate) faults: usize,
    /// How many intrigues are played.
    pub(crate) plots: usize,
}

impl Temper {
    /// Half of all kinds do not happen at all in most lives.
    pub(crate) fn any(rng: &mut StdRng) -> Self {
        let swarm = rng.random_range(0..4) > 0;
        let mut ills = ILLS.to_vec();
        if swarm {
            ills.retain(|_| rng.random());
        }
        if ills.is_empty() {
            ills = ILLS.to_vec();
        }
        let plots = *[0, 1, 2, 2].choose(rng).unwrap_or(&0);
        Self { ills, faults: rng.random_range(1..6), plots }
    }

    /// What goes wrong next.
    pub(crate) fn ill(&self, rng: &mut StdRng) -> Ill {
        let drawn = self.ills.choose_weighted(rng, |(_, often)| *often);
        drawn.map_or(Ill::Calls, |(ill, _)| *ill)
    }
}
