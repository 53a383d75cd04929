//! What the plan sees of a visit that is under way.

use std::time::Duration;

use crate::clock::Moment;
use crate::plan::step::Part;

/// What was looked at longer ago than this is looked at again before anything is done.
const LONGEST_BREAK: Duration = Duration::from_mins(5);

/// How far a visit is that is under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The digest of its [`VisitInputs`](super::inputs::VisitInputs).
    pub(crate) inputs: String,
    /// When something was last done.
    pub(crate) at: Moment,
    /// What it does next.
    pub part: Part,
    /// How far it is, for a condition.
    pub message: String,
}

impl Progress {
    /// Whether it is about what is wanted now, and not too old.
    pub fn goes_on(&self, inputs: &str, now: Moment) -> bool {
        inputs == self.inputs && now.since(self.at) < LONGEST_BREAK
    }
}
