//! Leader election by a Lease: of all replicas, one acts.
//!
//! kube-leader-election pins an older kube, and the decision is small: `evaluate` is pure, `run` reads, writes and keeps time.

mod evaluate;
mod fence;
mod run;

pub use fence::{Fence, Fenced};
pub(crate) use run::Election;
pub use run::LeaseError;
