//! How something goes wrong: steps that can be taken again, and what happens in each.

use std::fmt;

use super::explore::{Search, on_a_stopped_clock};
use super::node::Node;
use super::play::{Played, SmallWorld};
use super::step::Step;
use crate::oracle::Violation;

/// Characters of a line that are printed.
const WIDTH: usize = 400;

/// How something goes wrong, from the beginning on: the fewest steps that lead there.
#[derive(Debug)]
pub(crate) struct Counterexample {
    pub(crate) violation: Violation,
    pub(super) steps: Vec<Step>,
    lines: Vec<String>,
}

impl Search<'_> {
    /// The steps from the beginning to a moment, then these, with what happened in each.
    pub(super) fn counterexample(&self, violation: Violation, last: usize, then: Vec<Step>) -> Counterexample {
        let from = |moment: &usize| self.records[*moment].from.as_ref();
        let way = std::iter::successors(Some(last), |moment| from(moment).map(|(from, _)| *from));
        let mut steps: Vec<Step> = way.filter_map(|moment| from(&moment).map(|(_, step)| step.clone())).collect();
        steps.reverse();
        steps.extend(then);
        let mut lines = Vec::new();
        self.small.replay(&steps, |node, step, played| {
            lines.push(format!("{:>9.3} ** {step}", node.at.as_secs_f64()));
            lines.extend(played.log.iter().map(|line| line.chars().take(WIDTH).collect()));
        });
        Counterexample { violation, steps, lines }
    }
}

impl SmallWorld {
    /// Does these steps, from the beginning on.
    pub(super) fn replay(&self, steps: &[Step], mut each: impl FnMut(&Node, &Step, &Played)) {
        on_a_stopped_clock(async {
            let mut node = self.begin().await;
            for step in steps {
                let played = self.play(&node, step).await;
                each(&node, step, &played);
                node = played.node;
            }
        });
    }
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.violation, self.lines.join("\n"))
    }
}
