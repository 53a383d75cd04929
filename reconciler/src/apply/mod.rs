//! Carries out the steps of a plan: each is one effect, safe to repeat, and what came of it is remembered.

mod cloud;
mod cluster;
mod status;
mod visit;

use std::time::Duration;

use shared::api::RDSDatabase;
use thiserror::Error;

use crate::cluster::ClusterError;
use crate::context::Context;
use crate::engine::Dialect;
use crate::lease::Fenced;
use crate::observe::Observation;
use crate::plan::{Cause, ClusterStep, Plan, Step};
use crate::subject::Subject;
use crate::tell;

pub(crate) use status::{leave_alone, refuse, report};
pub use visit::{LOGINS_AT_ONCE, SLICE};

/// An object that waits for its turn is called; a call that it missed is repeated by then.
const MISSED_CALL: Duration = Duration::from_secs(30);
/// A pass that has done something is followed by another.
const AT_ONCE: Duration = Duration::from_millis(1);

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
pub(crate) struct Scene<'a> {
    /// Ports, memory and settings.
    pub context: &'a Context,
    /// The object as it was read.
    pub object: &'a RDSDatabase,
    /// What it is worked for.
    pub subject: &'a Subject,
    /// What was observed.
    pub observation: &'a Observation,
}

impl Scene<'_> {
    /// How the engine of a wanted object is spoken of.
    fn dialect(&self) -> Result<&'static dyn Dialect, ApplyError> {
        match self.subject {
            Subject::Living(target) => Ok(target.dialect),
            Subject::Leaving(_) => Err(ApplyError::Inconsistent("of a Secret or a Service")),
        }
    }
}

/// Takes the steps of a plan, and gives how long until the next look.
///
/// # Errors
/// What ends the pass. What Kubernetes refuses of one step stops no other: the next plan holds it back and says why.
pub(crate) async fn carry_out(scene: &Scene<'_>, plan: &Plan) -> Result<Duration, ApplyError> {
    let (memory, facts) = (&scene.context.memory, &scene.observation.world.object);
    memory.update(&facts.uid, |recollection| recollection.ledger.settle(plan));
    for step in &plan.steps {
        let generation = scene.object.metadata.generation;
        // A part of a visit is tried until it is the object's turn; what comes of a visit has Events.
        if step.is_inside() {
            tracing::debug!(namespace = facts.namespace, name = facts.name, generation, %step, "step");
        } else {
            tracing::info!(namespace = facts.namespace, name = facts.name, generation, %step, "step");
        }
        match apply(scene, step).await {
            Ok(()) if matches!(step, Step::Cluster(_)) => {
                let now = scene.context.now();
                memory.update(&facts.uid, |recollection| recollection.ledger.done(step, now));
            }
            // What came of a call to the cloud was remembered where it was made.
            Ok(()) => {}
            // The world was faster: all that was planned is planned anew.
            Err(error @ ApplyError::Cluster(ClusterError::Conflict(_))) => return Err(error),
            Err(ApplyError::Cluster(error)) => set_back(scene, step, &error),
            Err(ApplyError::NotItsTurn) => return Ok(MISSED_CALL),
            Err(error) => return Err(error),
        }
        if *step == Step::Cluster(ClusterStep::RemoveFinalizer) {
            tell::farewell(scene.context, scene.object, plan).await;
        }
    }
    Ok(plan.again.max(AT_ONCE))
}

/// Kubernetes refused a step: it is not tried again before its time.
fn set_back(scene: &Scene<'_>, step: &Step, error: &ClusterError) {
    let facts = &scene.observation.world.object;
    tracing::warn!(namespace = facts.namespace, name = facts.name, %step, %error, "a step failed");
    let (now, jitter) = (scene.context.now(), scene.context.entropy.fraction());
    let message = format!("Kubernetes refused to {step}: {error}");
    scene.context.memory.update(&facts.uid, |recollection| {
        recollection.ledger.refused(step, Cause::Kubernetes, message, now, jitter);
    });
}

async fn apply(scene: &Scene<'_>, step: &Step) -> Result<(), ApplyError> {
    scene.context.fence.check()?;
    match step {
        Step::Cluster(step) => cluster::apply(scene, step).await,
        Step::Cloud(request) => {
            cloud::apply(scene, request).await;
            Ok(())
        }
        Step::Look | Step::Work | Step::LogIn => visit::apply(scene, step).await,
    }
}
