//! Where it all ends: the undisturbed way from every moment, to a rest that is one.

use std::collections::BTreeSet;
use std::time::Duration;

use super::counterexample::Counterexample;
use super::explore::{Calm, Search};
use super::step::Step;
use crate::oracle::Violation;

/// No way to a rest has as many steps.
pub(super) const LONGEST_WAY: usize = 300;

impl Search<'_> {
    /// Follows every moment undisturbed to its end: in how many ways all comes to rest, and where it waits then.
    ///
    /// # Errors
    /// The first that does not, or not as it should.
    pub(super) fn rests(&self) -> Result<(usize, BTreeSet<u64>), Counterexample> {
        let mut seen = vec![usize::MAX; self.records.len()];
        let (mut rests, mut resting) = (0, BTreeSet::new());
        for start in 0..self.records.len() {
            let (mut at, mut way) = (start, Vec::new());
            while seen[at] == usize::MAX {
                seen[at] = start;
                way.push(at);
                match &self.records[at].calm {
                    Calm::To { moment, .. } => at = *moment,
                    Calm::Unknown if way.len() >= LONGEST_WAY => {
                        let what = format!("in {LONGEST_WAY} undisturbed steps it comes to no rest");
                        let violation = Violation { invariant: "I5", what, when: Duration::ZERO };
                        return Err(self.counterexample(violation, at, Vec::new()));
                    }
                    Calm::Unknown => break,
                    Calm::End => {
                        rests += 1;
                        resting.insert(self.records[at].number);
                        break;
                    }
                }
            }
            // The way leads back to itself: what it does then it does for ever.
            if seen[at] == start && matches!(self.records[at].calm, Calm::To { .. }) {
                let round: Vec<usize> = way.iter().copied().skip_while(|moment| *moment != at).collect();
                self.rest(&round)?;
                rests += 1;
                let waits = round.iter().filter(|moment| self.waits(**moment));
                resting.extend(waits.map(|moment| self.records[*moment].number));
            }
        }
        Ok((rests, resting))
    }

    /// Whether time passes next.
    fn waits(&self, moment: usize) -> bool {
        matches!(self.records[moment].calm, Calm::To { step: Step::Wait, .. })
    }

    /// Whether what goes on for ever is a rest.
    fn rest(&self, round: &[usize]) -> Result<(), Counterexample> {
        let wrong = |invariant, what: &str| Violation { invariant, what: what.into(), when: Duration::ZERO };
        let restless = |moment: &usize| matches!(self.records[*moment].calm, Calm::To { effects, .. } if effects > 0);
        let violation = if round.iter().any(restless) {
            Some(wrong("I5", "it does the same for ever"))
        } else if !round.iter().any(|moment| self.waits(*moment)) {
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
                let mut at = first;
                let mut steps = Vec::new();
                for _ in round {
                    if let Calm::To { moment, step, .. } = &self.records[at].calm {
                        steps.push(step.clone());
                        at = *moment;
                    }
                }
                Err(self.counterexample(violation, first, steps))
            }
        }
    }
}
