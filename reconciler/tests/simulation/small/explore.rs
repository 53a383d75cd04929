//! The search: breadth first over all that can happen, and then the way of every moment, undisturbed, to its rest.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::digest::digest;
use super::node::Node;
use super::play::{Played, SmallWorld};
use super::step::Step;
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
    /// Whether that is all there is.
    pub(crate) whole: bool,
    pub(crate) took: Duration,
    pub(crate) found: Option<Counterexample>,
}

/// How something goes wrong, from the beginning on: the fewest steps that lead there.
#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) violation: Violation,
    lines: Vec<String>,
}

/// A moment, without what it holds.
struct Record {
    /// The moment before, and what happened there. The beginning has none.
    from: Option<(usize, Step)>,
    depth: usize,
    /// What follows undisturbed.
    calm: Calm,
    settled: bool,
    amiss: Option<Violation>,
}

/// What follows undisturbed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Calm {
    /// It was not looked at.
    Unknown,
    /// Nothing ever.
    End,
    To {
        moment: usize,
        /// Effects of the operator's on the way there.
        effects: u32,
        /// Whether time passes on the way.
        waits: bool,
    },
}

/// A moment that follows.
struct Next {
    step: Step,
    is_calm: bool,
    digest: u64,
    played: Played,
}

struct Search<'a> {
    small: &'a SmallWorld,
    records: Vec<Record>,
    known: HashMap<u64, usize>,
    steps: usize,
}

impl SmallWorld {
    /// Looks at all moments, or at so many.
    pub(crate) fn explore(&self, most: usize) -> Explored {
        let began = Instant::now();
        let mut search = Search { small: self, records: Vec::new(), known: HashMap::new(), steps: 0 };
        let root = on_a_stopped_clock(async { self.begin() });
        search.known.insert(digest(&root), 0);
        search.records.push(Record { from: None, depth: 0, calm: Calm::Unknown, settled: false, amiss: None });
        let mut frontier = vec![(0, root)];
        let mut found = None;
        while !frontier.is_empty() && found.is_none() && search.records.len() < most {
            let followed = search.follow(&frontier);
            frontier.clear();
            for (index, calm, nexts) in followed {
                found = found.or_else(|| search.enter(index, calm, nexts, &mut frontier));
            }
        }
        let rests = if found.is_none() { search.rests() } else { Ok(0) };
        Explored {
            moments: search.records.len(),
            steps: search.steps,
            depth: search.records.iter().map(|record| record.depth).max().unwrap_or_default(),
            whole: frontier.is_empty() && found.is_none(),
            took: began.elapsed(),
            rests: *rests.as_ref().unwrap_or(&0),
            found: found.or(rests.err()),
        }
    }
}

impl Search<'_> {
    /// Everything that can follow on these moments, in their order.
    fn follow(&self, frontier: &[(usize, Node)]) -> Vec<(usize, Calm, Vec<Next>)> {
        let (next, followed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from).min(frontier.len()) {
                scope.spawn(|| {
                    on_a_stopped_clock(async {
                        while let Some((index, node)) = frontier.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let nexts = successors(self.small, node).await;
                            let end = if nexts.is_empty() { Calm::End } else { Calm::Unknown };
                            followed.lock().unwrap_or_else(PoisonError::into_inner).push((*index, end, nexts));
                        }
                    });
                });
            }
        });
        let mut followed = followed.into_inner().unwrap_or_else(PoisonError::into_inner);
        followed.sort_by_key(|(index, ..)| *index);
        followed
    }

    /// Takes in what follows on a moment; what is new is to be followed.
    fn enter(
        &mut self,
        index: usize,
        end: Calm,
        nexts: Vec<Next>,
        frontier: &mut Vec<(usize, Node)>,
    ) -> Option<Counterexample> {
        self.records[index].calm = end;
        for Next { step, is_calm, digest, played } in nexts {
            self.steps += 1;
            if let Some(violation) = played.violation {
                return Some(self.counterexample(violation, index, Some(step), 0));
            }
            let waits = step == Step::Wait;
            #[allow(clippy::single_match_else, reason = "what is new is the longer story")]
            let moment = match self.known.get(&digest) {
                Some(known) => *known,
                None => {
                    let depth = self.records[index].depth + 1;
                    let Played { settled, amiss, node, .. } = played;
                    let from = Some((index, step));
                    self.records.push(Record { from, depth, calm: Calm::Unknown, settled, amiss });
                    let new = self.records.len() - 1;
                    self.known.insert(digest, new);
                    frontier.push((new, node));
                    new
                }
            };
            if is_calm {
                self.records[index].calm = Calm::To { moment, effects: played.effects, waits };
            }
        }
        None
    }

    /// Follows every moment undisturbed to its end: in how many ways all comes to rest.
    ///
    /// # Errors
    /// The first that does not, or not as it should.
    fn rests(&self) -> Result<usize, Counterexample> {
        let mut seen = vec![usize::MAX; self.records.len()];
        let mut rests = 0;
        for start in 0..self.records.len() {
            let (mut at, mut way) = (start, Vec::new());
            while seen[at] == usize::MAX {
                seen[at] = start;
                way.push(at);
                match self.records[at].calm {
                    Calm::To { moment, .. } => at = moment,
                    Calm::Unknown => break,
                    Calm::End => {
                        rests += 1;
                        break;
                    }
                }
            }
            // The way leads back to itself: what it does then it does for ever.
            if seen[at] == start && matches!(self.records[at].calm, Calm::To { .. }) {
                let round: Vec<usize> = way.iter().copied().skip_while(|moment| *moment != at).collect();
                self.rest(&round)?;
                rests += 1;
            }
        }
        Ok(rests)
    }

    /// Whether what goes on for ever is a rest.
    fn rest(&self, round: &[usize]) -> Result<(), Counterexample> {
        let wrong = |invariant, what: &str| Violation { invariant, what: what.into(), when: Duration::ZERO };
        let calm = |moment: &usize| self.records[*moment].calm;
        let restless = |moment: &usize| matches!(calm(moment), Calm::To { effects, .. } if effects > 0);
        let waits = |moment: &usize| matches!(calm(moment), Calm::To { waits: true, .. });
        let violation = if round.iter().any(restless) {
            Some(wrong("I5", "it does the same for ever"))
        } else if !round.iter().any(waits) {
            Some(wrong("I9", "it looks again and again without a pause"))
        } else if !round.iter().all(|moment| self.records[*moment].settled) {
            Some(wrong("I7", "it waits for ever, and nobody is told what to do"))
        } else {
            round.iter().find_map(|moment| self.records[*moment].amiss.clone())
        };
        match violation {
            None => Ok(()),
            Some(violation) => {
                let first = round.iter().copied().min().unwrap_or_default();
                Err(self.counterexample(violation, first, None, round.len()))
            }
        }
    }

    /// The steps from the beginning to a moment, then this one or so many without a disturbance, with what happened in each.
    fn counterexample(&self, violation: Violation, last: usize, then: Option<Step>, calm: usize) -> Counterexample {
        let from = |moment: &usize| self.records[*moment].from.as_ref();
        let way = std::iter::successors(Some(last), |moment| from(moment).map(|(from, _)| *from));
        let mut steps: Vec<Step> = way.filter_map(|moment| from(&moment).map(|(_, step)| step.clone())).collect();
        steps.reverse();
        steps.extend(then);
        let lines = on_a_stopped_clock(async {
            let (mut node, mut lines, mut steps, mut calm) =
                (self.small.begin(), Vec::new(), steps.into_iter(), 0..calm);
            while let Some(step) = steps.next().or_else(|| calm.next().and_then(|_| Step::calm(&node))) {
                let played = self.small.play(&node, &step).await;
                lines.push(format!("{:>9.3} ** {step}", node.at.as_secs_f64()));
                lines.extend(played.log.iter().map(|line| line.chars().take(WIDTH).collect()));
                node = played.node;
            }
            lines
        });
        Counterexample { violation, lines }
    }
}

/// Characters of a line that are printed.
const WIDTH: usize = 400;

/// Everything that can follow on a moment; what follows undisturbed comes first.
async fn successors(small: &SmallWorld, node: &Node) -> Vec<Next> {
    let mut nexts = Vec::new();
    let Some(calm) = Step::calm(node) else { return nexts };
    let steps = std::iter::once((calm, true));
    let steps = steps.chain(Step::disturbances(node, small.wishes.len()).into_iter().map(|step| (step, false)));
    for (step, is_calm) in steps {
        let played = small.play(node, &step).await;
        let effects = if node.left.kills > 0 { played.effects } else { 0 };
        nexts.push(Next { digest: digest(&played.node), step: step.clone(), is_calm, played });
        let Step::Pass { object, truth, killed: None } = step else { continue };
        for after in 1..=effects {
            let step = Step::Pass { object: object.clone(), truth, killed: Some(after) };
            let played = small.play(node, &step).await;
            nexts.push(Next { digest: digest(&played.node), step, is_calm: false, played });
        }
    }
    nexts
}

fn on_a_stopped_clock<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime can be built").block_on(future)
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { moments, steps, depth, rests, whole, took, found } = self;
        let extent = if *whole { "the whole" } else { "a part" };
        let seconds = took.as_secs_f64();
        write!(f, "{extent}: {moments} moments, {steps} steps, depth {depth}, {rests} rests in {seconds:.1} s")?;
        found.as_ref().map_or(Ok(()), |found| write!(f, "\n{found}"))
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.violation, self.lines.join("\n"))
    }
}
