//! What happens in a life, and when: a value that follows from a seed, and can be printed, replayed and shortened.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use reconciler::plan::{ACCEPT_ANNOTATION, RECREATE_ANNOTATION};
use reconciler::turns::Key;
use serde_json::Value;

use crate::cluster::{Kind, key};
use crate::console::{self, Console};
use crate::faults::{Fault, Port};
use crate::gate::Death;
use crate::server::postgres::Act as Statement;
use crate::weather::Spell;
use crate::wish::Wish;

/// A life of one or two objects.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Schedule {
    pub(crate) seed: u64,
    /// What happens from the births on.
    pub(crate) acts: Vec<Timed>,
    /// What happens when all is at rest after that, from then on: the end.
    pub(crate) farewell: Vec<Timed>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Timed {
    pub(crate) at: Duration,
    pub(crate) act: Act,
}

/// Something that people do, or that happens to processes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// Somebody applies an object, through the webhook or while it is away.
    Apply {
        object: Key,
        spec: Value,
        webhook: bool,
    },
    Delete {
        object: Key,
        webhook: bool,
    },
    Annotate {
        object: Key,
        annotation: &'static str,
    },
    /// The finalizer is taken away by force.
    Release {
        object: Key,
    },
    Secret {
        of: Key,
        deed: Deed,
    },
    Service {
        of: Key,
        deed: Deed,
    },
    /// The process dies, and another one begins after this long.
    Kill {
        rest: Duration,
    },
    /// It dies by one of its next effects.
    Die {
        death: Death,
        rest: Duration,
    },
    /// It stands still for so long, and after half of that another one leads.
    Freeze {
        lasting: Duration,
    },
    /// Another one acts beside it for so long.
    Rival {
        lasting: Duration,
    },
    SetClock {
        seconds: i64,
    },
    HoldWatch {
        kind: Kind,
        lasting: Duration,
    },
    BreakWatch {
        kind: Kind,
    },
    RepeatWatch {
        kind: Kind,
        changes: usize,
    },
    Spoil(Spell),
    Class {
        name: &'static str,
        spec: Option<Value>,
        default: bool,
    },
    /// Somebody does something to the instance of an object.
    Console {
        object: Key,
        deed: Console,
    },
    /// Somebody says something to its server.
    Statement {
        object: Key,
        statement: Statement,
    },
    /// Somebody allows another instance in place of a lost one, or accepts the one that is there.
    Allow {
        object: Key,
        annotation: &'static str,
    },
    /// Somebody deletes a namespace.
    Terminate {
        namespace: String,
    },
    /// Etcd is put back to what it held so many acts ago.
    RestoreEtcd {
        acts: usize,
    },
}

/// What somebody does to a Secret or a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Delete,
    /// It loses what makes it ours.
    Unmark,
    /// It leads elsewhere, or has lost its password.
    Spoil,
}

const GUESTS: &str = "market";
const HOME: &str = "shop";
pub(crate) const NAMESPACES: [&str; 2] = [HOME, GUESTS];

impl Schedule {
    /// The life of a seed: births, at least three edits, at least one fault, and deletions.
    pub(crate) fn of(seed: u64) -> Self {
        let mut author = Author { rng: StdRng::seed_from_u64(seed), wishes: Vec::new(), now: Duration::ZERO };
        let mut acts = author.births();
        let edits = author.rng.random_range(3..7);
        let faults = author.rng.random_range(1..6);
        let mut left = [vec![true; edits], vec![false; faults]].concat();
        while !left.is_empty() {
            let is_edit = left.swap_remove(author.rng.random_range(0..left.len()));
            author.pause();
            let act = if is_edit { author.edit() } else { author.fault() };
            acts.push(Timed { at: author.now, act });
        }
        author.now = Duration::ZERO;
        let farewell = author.farewell();
        Self { seed, acts, farewell }
    }
}

impl Schedule {
    /// How many acts it has.
    pub(crate) fn len(&self) -> usize {
        self.acts.len() + self.farewell.len()
    }

    /// Without so many acts from this one on.
    pub(crate) fn without(&self, from: usize, many: usize) -> Self {
        let left = |acts: &[Timed], before: usize| {
            let kept = acts.iter().enumerate().filter(|(index, _)| !(from..from + many).contains(&(index + before)));
            kept.map(|(_, timed)| timed.clone()).collect()
        };
        Self { seed: self.seed, acts: left(&self.acts, 0), farewell: left(&self.farewell, self.acts.len()) }
    }
}

struct Author {
    rng: StdRng,
    wishes: Vec<(Key, Wish)>,
    now: Duration,
}

impl Author {
    fn seconds(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(from * 1000..to * 1000))
    }

    fn one_in(&mut self, many: u32) -> bool {
        self.rng.random_range(0..many) == 0
    }

    /// People do several things in a moment, or nothing for long.
    fn pause(&mut self) {
        let pause = match self.rng.random_range(0..10) {
            0..=3 => self.seconds(0, 5),
            4..=7 => self.seconds(5, 120),
            _ => self.seconds(120, 900),
        };
        self.now += pause;
    }

    fn births(&mut self) -> Vec<Timed> {
        let mut acts: Vec<_> = crate::wish::CLASSES
            .into_iter()
            .map(|name| Act::Class { name, spec: Some(serde_json::json!({})), default: false })
            .collect();
        let objects = if self.one_in(6) { vec![HOME, GUESTS] } else { vec![HOME] };
        for namespace in objects {
            let (object, wish) = (key(namespace, "orders"), Wish::any(&mut self.rng));
            acts.push(Act::Apply { object: object.clone(), spec: wish.spec(), webhook: true });
            self.wishes.push((object, wish));
        }
        acts.into_iter().map(|act| Timed { at: Duration::ZERO, act }).collect()
    }

    fn object(&mut self) -> Key {
        let index = self.rng.random_range(0..self.wishes.len());
        self.wishes[index].0.clone()
    }

    fn edit(&mut self) -> Act {
        let index = self.rng.random_range(0..self.wishes.len());
        if self.one_in(12) {
            let object = self.object();
            return Act::Delete { object, webhook: true };
        }
        let (object, wish) = &mut self.wishes[index];
        wish.edit(&mut self.rng);
        let (object, spec) = (object.clone(), wish.spec());
        Act::Apply { object, spec, webhook: !self.one_in(3) }
    }

    fn fault(&mut self) -> Act {
        let kind = *Kind::ALL.choose(&mut self.rng).unwrap_or(&Kind::Databases);
        match self.rng.random_range(0..42) {
            22..=26 => Act::Console { object: self.object(), deed: Console::any(&mut self.rng) },
            27..=31 => Act::Statement { object: self.object(), statement: console::statement(&mut self.rng) },
            32 => {
                let annotation = if self.one_in(2) { RECREATE_ANNOTATION } else { ACCEPT_ANNOTATION };
                Act::Allow { object: self.object(), annotation }
            }
            20 => Act::RestoreEtcd { acts: self.rng.random_range(1..4) },
            21 => match self.rng.random_range(0..4) {
                0 => Act::Terminate { namespace: self.object().namespace },
                1 => Act::Annotate { object: self.object(), annotation: "touched" },
                2 => Act::Release { object: self.object() },
                _ => Act::Class { name: "gold", spec: None, default: false },
            },
            0..=1 => Act::Kill { rest: self.seconds(0, 30) },
            2..=6 => {
                let death = Death { after: self.rng.random_range(1..12), made: self.one_in(2) };
                Act::Die { death, rest: self.seconds(0, 30) }
            }
            7 => Act::Freeze { lasting: self.seconds(12, 120) },
            8 => Act::Rival { lasting: self.seconds(20, 300) },
            9 => Act::SetClock { seconds: *[3600, -3600, 86_400].choose(&mut self.rng).unwrap_or(&60) },
            10 => Act::HoldWatch { kind, lasting: self.seconds(10, 300) },
            11 => Act::BreakWatch { kind },
            12 => Act::RepeatWatch { kind, changes: self.rng.random_range(1..10) },
            13..=17 | 33..=41 => Act::Spoil(self.spell()),
            18 => {
                let Key { namespace, name } = self.object();
                let secret = ["master", "app", "report"].choose(&mut self.rng).copied().unwrap_or("master");
                let deed = *[Deed::Delete, Deed::Unmark, Deed::Spoil].choose(&mut self.rng).unwrap_or(&Deed::Delete);
                Act::Secret { of: key(&namespace, &format!("{name}.rds.{secret}")), deed }
            }
            _ => {
                let Key { namespace, name } = self.object();
                let of = if self.one_in(2) { key(&namespace, &format!("{name}-rds")) } else { key("rds", &name) };
                let deed = *[Deed::Delete, Deed::Unmark, Deed::Spoil].choose(&mut self.rng).unwrap_or(&Deed::Delete);
                Act::Service { of, deed }
            }
        }
    }

    fn spell(&mut self) -> Spell {
        let ports = [Port::Cluster, Port::Cloud, Port::Cloud, Port::Server];
        let port = *ports.choose(&mut self.rng).unwrap_or(&Port::Cloud);
        let late = self.seconds(1, 120);
        let faults = [
            Fault::Throttled,
            Fault::Broken,
            Fault::Forbidden,
            Fault::Lost,
            Fault::AnswerLost,
            Fault::Late(late),
            Fault::Stale,
            Fault::Partial,
        ];
        Spell {
            port,
            action: None,
            fault: *faults.choose(&mut self.rng).unwrap_or(&Fault::Lost),
            calls: self.rng.random_range(1..40),
            odds: self.rng.random_range(20..=100),
        }
    }

    fn farewell(&mut self) -> Vec<Timed> {
        let mut acts = Vec::new();
        let early = self.rng.random_range(0..3);
        for (object, wish) in std::mem::take(&mut self.wishes) {
            if wish.protected {
                let mut wish = wish.clone();
                wish.protected = false;
                let spec = wish.spec();
                acts.push(Timed { at: self.now, act: Act::Apply { object: object.clone(), spec, webhook: false } });
                self.pause();
            }
            acts.push(Timed { at: self.now, act: Act::Delete { object: object.clone(), webhook: false } });
            self.wishes.push((object, wish));
        }
        for _ in 0..early {
            let later = self.seconds(0, 60);
            self.now += later;
            let act = self.fault();
            acts.push(Timed { at: self.now, act });
        }
        acts
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apply { object, spec, webhook } => {
                write!(f, "apply {object}{}: {spec}", if *webhook { "" } else { " while the webhook is away" })
            }
            Self::Delete { object, webhook } => {
                write!(f, "delete {object}{}", if *webhook { "" } else { " while the webhook is away" })
            }
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, acts) in [("life", &self.acts), ("end", &self.farewell)] {
            for Timed { at, act } in acts {
                writeln!(f, "{title} {:>9.3} {act}", at.as_secs_f64())?;
            }
        }
        Ok(())
    }
}
