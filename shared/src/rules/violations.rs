//! Violations as they are found: the first of them one by one, the others as a number.

use super::{Refusal, Rule, Violation};

/// Most violations that are told one by one: nobody reads more, and an answer has to stay small.
const TOLD_LIMIT: usize = 100;

/// Everything that stands in the way of one object.
#[derive(Debug, Default)]
pub(super) struct Violations {
    told: Vec<Violation>,
    /// How many there are past the limit.
    untold: usize,
}

impl Violations {
    pub(super) fn push(&mut self, violation: Violation) {
        if self.full() {
            self.untold += 1;
        } else {
            self.told.push(violation);
        }
    }

    /// Whether further violations are only counted, so that looking for what was meant is a waste.
    pub(super) const fn full(&self) -> bool {
        self.told.len() >= TOLD_LIMIT
    }

    /// Counts one more, of which nothing is said.
    pub(super) fn count(&mut self) {
        self.untold += 1;
    }

    pub(super) fn append(&mut self, others: Self) {
        others.told.into_iter().for_each(|violation| self.push(violation));
        self.untold += others.untold;
    }

    /// Takes out those that `old` has as well. An equal number of untold ones counts as the same.
    pub(super) fn take_known(&mut self, old: &Self) -> Vec<Violation> {
        if self.untold == old.untold {
            self.untold = 0;
        }
        self.told.extract_if(.., |violation| old.told.contains(violation)).collect()
    }

    pub(super) fn told_mut(&mut self) -> impl Iterator<Item = &mut Violation> {
        self.told.iter_mut()
    }

    /// In the order they were met; the last one counts the rest.
    pub(super) fn finish(self) -> Vec<Violation> {
        let mut violations = self.told;
        if self.untold > 0 {
            violations.push(Refusal::new(Rule::MoreMistakes, format!("has {} more mistakes", self.untold)).at("spec"));
        }
        violations
    }
}
