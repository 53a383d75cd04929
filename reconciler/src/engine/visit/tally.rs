//! What people are told of a visit: each kind of change is one Event.

use std::collections::BTreeMap;

use crate::engine::kind::Kind;
use crate::engine::port::Change;

/// Examples that an Event gives of each kind.
const EXAMPLES: usize = 5;
const LONGEST_EXAMPLE: usize = 150;

/// How much was done, by kind, with examples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Kind, (usize, Vec<String>)>);

impl Tally {
    pub(super) fn add(&mut self, step: &impl Change) {
        let (count, examples) = self.0.entry(step.kind()).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(step.to_string().chars().take(LONGEST_EXAMPLE).collect());
        }
    }

    /// A note for each kind.
    pub fn told(&self) -> impl Iterator<Item = (Kind, String)> {
        let note = |count: usize, examples: &[String]| match count - examples.len() {
            0 => examples.join("; "),
            more => format!("{}; and {more} more", examples.join("; ")),
        };
        self.0.iter().map(move |(kind, (count, examples))| (*kind, note(*count, examples)))
    }
}
