//! Admission without I/O: bytes of a review in, a decision out.

mod answer;
mod decide;
mod patch;
mod raw;
mod refusal;
mod review;
mod warnings;
mod weight;

pub use answer::render;
pub use decide::{Decision, Endpoint, decide};
pub use patch::patch;
pub use review::{Malformed, Object, Operation, Request, Review, parse};
pub use weight::{TooHeavy, weight};
