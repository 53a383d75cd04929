//! What happens in a life, and when: a value that follows from a seed, and can be printed, replayed and shortened.

use std::fmt;
use std::time::Duration;

use reconciler::turns::Key;
use serde_json::Value;

use crate::cluster::{Kind, Planted};
use crate::console::Console;
use crate::gate::Death;
use crate::moment::Moment;
use crate::server::postgres::Act as Statement;
use crate::weather::Spell;

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
    /// What it waits for when its time has come; all that follows comes later by as much.
    pub(crate) when: Option<Moment>,
    pub(crate) act: Act,
}

impl Timed {
    /// At a time, whatever is then.
    pub(crate) fn at(at: Duration, act: Act) -> Self {
        Self { at, when: None, act }
    }
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
    /// Somebody makes a Secret or a Service of a name that the operator's would have.
    Plant {
        of: Key,
        what: Planted,
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

pub(crate) const GUESTS: &str = "market";
pub(crate) const HOME: &str = "shop";
pub(crate) const NAMESPACES: [&str; 2] = [HOME, GUESTS];

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
            for Timed { at, when, act } in acts {
                let when = when.as_ref().map_or_else(String::new, |moment| format!("{moment:?}: "));
                writeln!(f, "{title} {:>9.3} {when}{act}", at.as_secs_f64())?;
            }
        }
        Ok(())
    }
}
