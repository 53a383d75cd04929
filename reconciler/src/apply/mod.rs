//! Carries out the steps of a plan: each is one effect, safe to repeat, and what came of it is remembered.

mod cloud;
mod cluster;
mod status;
mod visit;

use shared::api::RDSDatabase;
use thiserror::Error;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::lease::Fenced;
use crate::observe::Observation;
use crate::plan::Step;
use crate::subject::Subject;

pub use status::write as write_status;
pub use visit::{LOGINS_AT_ONCE, SLICE};

/// Why a pass ends before its plan is carried out.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// Kubernetes refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Others visit their databases now: this object is called when its turn has come.
    #[error("others visit their databases first")]
    NotItsTurn,
    /// This process may not act any more.
    #[error(transparent)]
    Fenced(#[from] Fenced),
    /// A step that needs an account or a target was planned without one: a bug, said instead of a panic.
    #[error("the step {0} was planned without what it needs")]
    Inconsistent(&'static str),
}

/// What a pass works on.
pub struct Scene<'a> {
    /// Ports, memory and settings.
    pub context: &'a Context,
    /// The object as it was read.
    pub object: &'a RDSDatabase,
    /// What it is worked for.
    pub subject: &'a Subject,
    /// What was observed.
    pub observation: &'a Observation,
}

/// Carries out one step.
pub async fn apply(scene: &Scene<'_>, step: &Step) -> Result<(), ApplyError> {
    scene.context.fence.check()?;
    match step {
        Step::Cluster(step) => cluster::apply(scene, step).await,
        Step::Cloud(step) => cloud::apply(scene, step).await,
        Step::Look | Step::Work | Step::LogIn => visit::apply(scene, step).await,
    }
}
