//! The search: breadth first over all that can happen, and then the way of every moment, undisturbed, to its rest.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::ample;
use super::counterexample::Counterexample;
use super::digest::digest;
use super::node::Node;
use super::play::{Played, SmallWorld};
use super::rests::LONGEST_WAY;
use super::step::{Step, Truth};
use crate::oracle::Violation;

/// What came of a search.
#[derive(Debug)]
pub(crate) struct Explored {
    /// Moments that count as different.
    pub(crate) moments: usize,
    /// Steps that were taken, from all of them.
    pub(crate) steps: usize,
    /// The most steps from the beginning to a moment.
    pub(crate) depth: usize,
    /// Ways in which all comes to rest.
    pub(crate) rests: usize,
    /// The moments in which it waits where it comes to rest, by their numbers, and those in which all is gone.
    pub(crate) resting: BTreeSet<u64>,
    /// Whether that is all there is.
    pub(crate) whole: bool,
    pub(crate) took: Duration,
    pub(crate) found: Option<Counterexample>,
}

/// Moments that are followed at a time: what follows on them is held in memory.
const AT_A_TIME: usize = 256;

/// A moment, without what it holds.
pub(super) struct Record {
    /// The moment before, and what happened there. The beginning has none.
    pub(super) from: Option<(usize, Step)>,
    pub(super) depth: usize,
    pub(super) number: u64,
    /// What follows undisturbed.
    pub(super) calm: Calm,
    pub(super) settled: bool,
    pub(super) amiss: Option<Violation>,
}

/// What follows undisturbed.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Calm {
    /// It was not looked at.
    Unknown,
    /// Nothing ever.
    End,
    To {
        moment: usize,
        step: Step,
        /// Effects of the operator's on the way there.
        effects: u32,
    },
}

/// A moment that follows.
struct Next {
    step: Step,
    is_calm: bool,
    digest: u64,
    /// The same in an unreduced search, where the digest is not.
    number: u64,
    effects: u32,
    settled: bool,
    amiss: Option<Violation>,
    violation: Option<Violation>,
    /// Whether another object than this one finds the alias changed.
    alias_stays: bool,
    /// All of it, where it was not known before.
    node: Option<Node>,
}

pub(super) struct Search<'a> {
    pub(super) small: &'a SmallWorld,
    pub(super) records: Vec<Record>,
    known: HashMap<u64, usize>,
    steps: usize,
}

impl SmallWorld {
    /// Looks at all moments, or at so many.
    pub(crate) fn explore(&self, most: usize) -> Explored {
        let began = Instant::now();
        let mut search = Search { small: self, records: Vec::new(), known: HashMap::new(), steps: 0 };
        let root = on_a_stopped_clock(self.begin());
        search.known.insert(digest(&root, self.reduced), 0);
        let number = digest(&root, true);
        search.records.push(Record { from: None, depth: 0, number, calm: Calm::Unknown, settled: false, amiss: None });
        let mut frontier = VecDeque::from([(0, root)]);
        let mut found = None;
        let goes_on =
            |records: &[Record]| records.len() < most && records.last().is_none_or(|last| last.depth <= LONGEST_WAY);
        while !frontier.is_empty() && found.is_none() && goes_on(&search.records) {
            let some: Vec<_> = frontier.drain(..frontier.len().min(AT_A_TIME)).collect();
            for (index, calm, nexts) in search.follow(some) {
                found = found.or_else(|| search.enter(index, calm, nexts, &mut frontier));
            }
        }
        let rests = if found.is_none() { search.rests() } else { Ok((0, BTreeSet::new())) };
        Explored {
            moments: search.records.len(),
            steps: search.steps,
            depth: search.records.iter().map(|record| record.depth).max().unwrap_or_default(),
            whole: frontier.is_empty() && found.is_none(),
            took: began.elapsed(),
            rests: rests.as_ref().map_or(0, |(rests, _)| *rests),
            resting: rests.as_ref().map_or_else(|_| BTreeSet::new(), |(_, resting)| resting.clone()),
            found: found.or(rests.err()),
        }
    }
}

impl Search<'_> {
    /// Everything that can follow on these moments, in their order.
    fn follow(&self, moments: Vec<(usize, Node)>) -> Vec<(usize, Calm, Vec<Next>)> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(moments.len());
        let (moments, followed) = (Mutex::new(moments.into_iter()), Mutex::new(Vec::new()));
        let next = || moments.lock().unwrap_or_else(PoisonError::into_inner).next();
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    on_a_stopped_clock(async {
                        while let Some((index, node)) = next() {
                            let nexts = self.successors(&node).await;
                            let end = if nexts.is_empty() { Calm::End } else { Calm::Unknown };
                            followed.lock().unwrap_or_else(PoisonError::into_inner).push((index, end, nexts));
                        }
                    });
                });
            }
        });
        let mut followed = followed.into_inner().unwrap_or_else(PoisonError::into_inner);
        followed.sort_by_key(|(index, ..)| *index);
        followed
    }

    /// Everything that can follow on a moment and makes a difference; what follows undisturbed comes first.
    async fn successors(&self, node: &Node) -> Vec<Next> {
        let Some(calm) = Step::calm(node) else { return Vec::new() };
        let disturbances = Step::disturbances(node, self.small);
        let all = || std::iter::once(&calm).chain(&disturbances);
        if let Some(object) = ample::first_alone(node).filter(|_| self.small.reduced) {
            let pass = Step::Pass { object: object.clone(), truth: Truth::Now, killed: None };
            let own = all().filter(|step| step.about() == Some(object) && **step != pass);
            let nexts = self.play(node, std::iter::once(&pass).chain(own)).await;
            if nexts.iter().all(|next| next.alias_stays) {
                return nexts;
            }
        }
        self.play(node, all()).await
    }

    /// What comes of these steps, of which the first is the undisturbed one.
    async fn play(&self, node: &Node, steps: impl Iterator<Item = &Step>) -> Vec<Next> {
        let mut nexts = Vec::new();
        for (nth, step) in steps.enumerate() {
            let played = self.small.play(node, step).await;
            let effects = if node.left.kills > 0 { played.effects } else { 0 };
            nexts.push(self.next(node, step, nth == 0, played));
            let Step::Pass { object, truth, killed: None } = step else { continue };
            // What follows the last effect is memory: a death after it is one between two passes.
            let deaths = if self.small.reduced { 1..effects } else { 1..effects + 1 };
            for after in deaths {
                let step = Step::Pass { object: object.clone(), truth: *truth, killed: Some(after) };
                let played = self.small.play(node, &step).await;
                nexts.push(self.next(node, &step, false, played));
            }
        }
        nexts
    }

    fn next(&self, before: &Node, step: &Step, is_calm: bool, played: Played) -> Next {
        let Played { node, effects, settled, amiss, violation, log: _ } = played;
        let number = digest(&node, true);
        let digest = if self.small.reduced { number } else { digest(&node, false) };
        let alias_stays = step.about().is_none_or(|object| ample::alias_stays(before, &node, object));
        let node = (!self.known.contains_key(&digest)).then_some(node);
        Next { step: step.clone(), is_calm, digest, number, effects, settled, amiss, violation, alias_stays, node }
    }

    /// Takes in what follows on a moment; what is new is to be followed.
    fn enter(
        &mut self,
        index: usize,
        end: Calm,
        nexts: Vec<Next>,
        frontier: &mut VecDeque<(usize, Node)>,
    ) -> Option<Counterexample> {
        self.records[index].calm = end;
        for Next { step, is_calm, digest, number, effects, settled, amiss, violation, node, .. } in nexts {
            self.steps += 1;
            if let Some(violation) = violation {
                return Some(self.counterexample(violation, index, vec![step]));
            }
            let moment = match (self.known.get(&digest), node) {
                (None, Some(node)) => {
                    let depth = self.records[index].depth + 1;
                    let from = Some((index, step.clone()));
                    self.records.push(Record { from, depth, number, calm: Calm::Unknown, settled, amiss });
                    let new = self.records.len() - 1;
                    self.known.insert(digest, new);
                    frontier.push_back((new, node));
                    new
                }
                (known, _) => known.copied().unwrap_or_default(),
            };
            if is_calm {
                self.records[index].calm = Calm::To { moment, step, effects };
            }
        }
        None
    }
}

pub(super) fn on_a_stopped_clock<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be built").block_on(future)
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { moments, steps, depth, rests, resting: _, whole, took, found } = self;
        let extent = if *whole { "the whole" } else { "a part" };
        let seconds = took.as_secs_f64();
        write!(f, "{extent}: {moments} moments, {steps} steps, depth {depth}, {rests} rests in {seconds:.1} s")?;
        found.as_ref().map_or(Ok(()), |found| write!(f, "\n{found}"))
    }
}
