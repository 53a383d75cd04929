//! Violations as they are found: the first of them one by one, the others as a number.

use super::{Refusal, Rule, Violation};

/// Most violations that are told one by one: nobody reads more, and an answer has to stay small.
const TOLD_LIMIT: usize = 100;

/// Everything that stands in the way of one object.
#[derive(Debug, Default)]
pub(super) struct Violations {
    told: Vec<Told>,
    /// How many there are past the limit.
    untold: usize,
}

/// A violation, and what its message ends with: not a part of what is wrong, so two of them are the same with and without it.
#[derive(Debug)]
struct Told {
    violation: Violation,
    hint: String,
}

impl Told {
    fn finish(self) -> Violation {
        let Self { mut violation, hint } = self;
        violation.message.push_str(&hint);
        violation
    }
}

impl Violations {
    pub(super) fn push(&mut self, violation: Violation) {
        self.push_hinted(violation, String::new());
    }

    /// Like [`Self::push`], with an end of the message that may be missing from the same violation elsewhere.
    pub(super) fn push_hinted(&mut self, violation: Violation, hint: String) {
        if self.full() {
            self.untold += 1;
        } else {
            self.told.push(Told { violation, hint });
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
        others.told.into_iter().for_each(|Told { violation, hint }| self.push_hinted(violation, hint));
        self.untold += others.untold;
    }

    /// Takes out those that `old` has as well. An equal number of untold ones counts as the same.
    pub(super) fn take_known(&mut self, old: &Self) -> Vec<Violation> {
        if self.untold == old.untold {
            self.untold = 0;
        }
        let known = |told: &mut Told| old.told.iter().any(|old| old.violation == told.violation);
        self.told.extract_if(.., known).map(Told::finish).collect()
    }

    /// In the order they were met; the last one counts the rest.
    pub(super) fn finish(self) -> Vec<Violation> {
        let mut violations: Vec<Violation> = self.told.into_iter().map(Told::finish).collect();
        if self.untold > 0 {
            violations.push(Refusal::new(Rule::MoreMistakes, format!("has {} more mistakes", self.untold)).at("spec"));
        }
        violations
    }
}
