//! Small worlds, explored whole: one object, or two that want the same alias, and every order in which a pass, a change of the specification,
//! a deletion, a death of the process and a stale truth can come. Breadth first, over the same ports as random lives, so that what is found is
//! the shortest way there.

mod ample;
mod counterexample;
mod deeds;
mod digest;
mod explore;
mod here;
mod node;
mod pass;
mod play;
mod rests;
mod stale;
mod step;
mod tests;
mod whole;
mod worlds;

pub(crate) use node::Budget;
pub(crate) use play::SmallWorld;
pub(crate) use worlds::*;
