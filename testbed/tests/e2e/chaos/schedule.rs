//! What is done to everybody, and when: a value, made of a seed alone.

use std::{collections::BTreeSet, fmt, ops::Range, time::Duration};

use anyhow::{Result, ensure};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use super::{
    Form, SHORT,
    wanted::{Edit, Wanted},
};

/// From the first objects to the first mischief: what happens to databases that serve is more interesting.
const CALM: Duration = Duration::from_secs(8);

/// Longer than a Lease holds: when the leader wakes, another one leads.
const LONGER_THAN_A_LEASE: Range<u64> = 18_000..23_000;

/// A while that everybody is to sit out, in milliseconds.
const WHILE: Range<u64> = 1000..6000;

/// The calls that go wrong.
const CALLS: [&str; 6] = [
    "CreateDBInstance",
    "ModifyDBInstance",
    "DeleteDBInstance",
    "DescribeDBInstances",
    "DescribeDBSnapshots",
    "AddTagsToResource",
];

/// All acts in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    pub(crate) acts: Vec<(Duration, Act)>,
}

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Somebody writes an object, new or edited, or takes it away.
    Want { object: usize, wanted: Option<Wanted> },
    /// A replica of the reconciler is killed; it is started again at once.
    KillReplica { leading: bool },
    /// A replica of the reconciler stands still and wakes again.
    FreezeReplica { leading: bool, lasting: Duration },
    /// A part is killed and stays away.
    KillPart { part: Away, lasting: Duration },
    /// The postmaster of a database is killed.
    KillServer { object: usize },
    /// All processes of a database stand still and wake again.
    FreezeServer { object: usize, lasting: Duration },
    /// Calls of the cloud go wrong.
    FailCalls { action: &'static str, fault: Fault, times: u32 },
    /// Somebody at the console does something to an instance.
    Console { object: usize, deed: Deed },
}

/// What can be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    ApiServer,
    Webhook,
    /// The whole cloud, every database with it.
    Cloud,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Throttled,
    Refused,
    /// It was carried out, and the answer is lost.
    AnswerLost,
}

/// What somebody does at the console; what has to be undone is, after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Stop(Duration),
    Reboot,
    TakeTag(Duration),
    Modify,
    Snapshot,
}

/// One card of the deck: every kind comes up as often as it is in it.
#[derive(Clone, Copy)]
enum Card {
    Edit,
    Delete,
    KillReplica,
    FreezeReplica,
    Kill(Away),
    KillServer,
    FreezeServer,
    Fail(Fault),
    Stop,
    Reboot,
    TakeTag,
    Modify,
    Snapshot,
}

const DECK: [Card; 26] = [
    Card::Edit,
    Card::Edit,
    Card::Edit,
    Card::Edit,
    Card::Delete,
    Card::Delete,
    Card::Delete,
    Card::KillReplica,
    Card::KillReplica,
    Card::FreezeReplica,
    Card::Kill(Away::ApiServer),
    Card::Kill(Away::Webhook),
    Card::Kill(Away::Cloud),
    Card::KillServer,
    Card::KillServer,
    Card::FreezeServer,
    Card::FreezeServer,
    Card::Fail(Fault::Throttled),
    Card::Fail(Fault::Refused),
    Card::Fail(Fault::AnswerLost),
    Card::Fail(Fault::AnswerLost),
    Card::Stop,
    Card::Reboot,
    Card::TakeTag,
    Card::Modify,
    Card::Snapshot,
];

impl Schedule {
    /// The same for the same arguments, always: a run can be repeated, as far as machines repeat themselves.
    pub(crate) fn new(form: &Form) -> Self {
        let (rng, wanted) = (StdRng::seed_from_u64(form.seed), vec![None; form.objects]);
        let mut dealer = Dealer { rng, deck: Vec::new(), wanted, lives: 0 };
        let mut acts: Vec<_> = (0..form.objects).map(|object| (Duration::ZERO, dealer.first(object))).collect();
        let mut now = CALM;
        while now < form.length {
            let (act, then) = dealer.deal();
            acts.push((now, act));
            acts.extend(then.map(|(later, act)| (now + later, act)));
            now += dealer.between(form.pause.0..form.pause.1);
        }
        acts.sort_by_key(|(at, _)| *at);
        Self { acts }
    }
}

struct Dealer {
    rng: StdRng,
    deck: Vec<Card>,
    /// What is wanted of each object at the time of the last act; of one that is to come again, what is wanted then.
    wanted: Vec<Option<Wanted>>,
    lives: u32,
}

impl Dealer {
    fn between(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.rng.random_range(range))
    }

    /// A new object, or one that comes back with the data of the one before.
    fn first(&mut self, object: usize) -> Act {
        self.lives += 1;
        let before = self.wanted[object].take().filter(|_| self.rng.random_range(0..2) == 0);
        let wanted = before.map_or_else(|| Wanted::new(self.lives), |before| before.returned(self.lives));
        self.wanted[object] = Some(wanted.clone());
        Act::Want { object, wanted: Some(wanted) }
    }

    /// The next act, and what belongs to it but happens later.
    fn deal(&mut self) -> (Act, Option<(Duration, Act)>) {
        if self.deck.is_empty() {
            self.deck.extend(DECK);
            self.deck.shuffle(&mut self.rng);
        }
        let card = self.deck.pop().unwrap_or(Card::Edit);
        let object = self.rng.random_range(0..self.wanted.len());
        let leading = self.rng.random_range(0..2) == 0;
        let act = match card {
            Card::Edit => return (self.edit(object), None),
            Card::Delete => {
                let later = self.between(1000..12_000);
                return (Act::Want { object, wanted: None }, Some((later, self.first(object))));
            }
            Card::KillReplica => Act::KillReplica { leading },
            Card::FreezeReplica => Act::FreezeReplica { leading, lasting: self.between(LONGER_THAN_A_LEASE) },
            Card::Kill(part) => Act::KillPart { part, lasting: self.between(WHILE) },
            Card::KillServer => Act::KillServer { object },
            Card::FreezeServer => Act::FreezeServer { object, lasting: self.between(WHILE) },
            Card::Fail(fault) => {
                let action = CALLS[self.rng.random_range(0..CALLS.len())];
                Act::FailCalls { action, fault, times: self.rng.random_range(1..5) }
            }
            Card::Stop => Act::Console { object, deed: Deed::Stop(self.between(WHILE)) },
            Card::Reboot => Act::Console { object, deed: Deed::Reboot },
            Card::TakeTag => Act::Console { object, deed: Deed::TakeTag(self.between(WHILE)) },
            Card::Modify => Act::Console { object, deed: Deed::Modify },
            Card::Snapshot => Act::Console { object, deed: Deed::Snapshot },
        };
        (act, None)
    }

    fn edit(&mut self, object: usize) -> Act {
        let edit = match self.rng.random_range(0..6) {
            0 => Edit::Grow,
            5 => Edit::Upgrade,
            1 | 2 => Edit::User(self.rng.random_range(0..3)),
            _ => Edit::Database(self.rng.random_range(0..3)),
        };
        if let Some(wanted) = &mut self.wanted[object] {
            wanted.edit(edit);
        }
        Act::Want { object, wanted: self.wanted[object].clone() }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replica =
            |leading: &bool| if *leading { "the leading reconciler" } else { "the reconciler that stands by" };
        match self {
            Self::Want { object, wanted: None } => write!(f, "delete {}", name(*object)),
            Self::Want { object, wanted: Some(wanted) } => write!(f, "apply {}, {wanted}", name(*object)),
            Self::KillReplica { leading } => write!(f, "kill -9 {}", replica(leading)),
            Self::FreezeReplica { leading, lasting } => write!(f, "freeze {} for {lasting:?}", replica(leading)),
            Self::KillPart { part, lasting } => write!(f, "kill -9 the {part:?}, back after {lasting:?}"),
            Self::KillServer { object } => write!(f, "kill -9 the postmaster of {}", name(*object)),
            Self::FreezeServer { object, lasting } => {
                write!(f, "freeze PostgreSQL of {} for {lasting:?}", name(*object))
            }
            Self::FailCalls { action, fault, times } => write!(f, "{times} × {action}: {fault:?}"),
            Self::Console { object, deed } => write!(f, "at the console, {}: {deed:?}", name(*object)),
        }
    }
}

impl Act {
    /// In the words of a summary.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Want { wanted: Some(_), .. } => "objects applied",
            Self::Want { wanted: None, .. } => "objects deleted",
            Self::KillReplica { .. } => "reconcilers killed",
            Self::FreezeReplica { .. } => "reconcilers frozen",
            Self::KillPart { part: Away::ApiServer, .. } => "API servers killed",
            Self::KillPart { part: Away::Webhook, .. } => "webhooks killed",
            Self::KillPart { part: Away::Cloud, .. } => "clouds killed",
            Self::KillServer { .. } => "postmasters killed",
            Self::FreezeServer { .. } => "servers frozen",
            Self::FailCalls { .. } => "series of calls spoilt",
            Self::Console { .. } => "deeds at the console",
        }
    }
}

/// The name of an object.
pub(crate) fn name(object: usize) -> String {
    format!("db{object}")
}

/// The same seed is the same schedule, and everything in the deck comes up in the short form.
pub(crate) fn is_a_function_of_its_seed() -> Result<()> {
    let made = |seed| Schedule::new(&Form { seed, ..SHORT });
    ensure!(made(7) == made(7), "one seed, two schedules");
    ensure!(made(7) != made(8), "two seeds, one schedule");
    let kinds = |acts: &[(Duration, Act)]| acts.iter().map(|(_, act)| act.kind()).collect::<BTreeSet<_>>();
    for seed in 0..200 {
        let acts = made(seed).acts;
        ensure!(kinds(&acts).len() >= 10, "seed {seed} has only {:?}", kinds(&acts));
        ensure!(acts.is_sorted_by_key(|(at, _)| *at), "seed {seed} is not in order");
    }
    ensure!(kinds(&made(SHORT.seed).acts).len() == 11, "the seed of the short form is a dull one");
    Ok(())
}
