//! Carries out the steps of a plan: each is one effect, safe to repeat, and what came of it is remembered.

mod cloud;
mod cluster;
mod scene;
mod status;
mod visit;

use std::time::Duration;

use crate::cluster::ClusterError;
use crate::plan::{Cause, ClusterStep, Plan, Step};
use crate::providers::Request;
use crate::tell;

pub use scene::ApplyError;
pub(crate) use scene::Scene;
pub(crate) use status::{leave_alone, refuse, report};
pub use visit::{LOGINS_AT_ONCE, SLICE};

/// An object that waits for its turn is called; a call that it missed is repeated by then.
const MISSED_CALL: Duration = Duration::from_secs(30);
/// A pass that has done something is followed by another.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Takes the steps of a plan, and gives how long until the next look.
///
/// # Errors
/// What ends the pass. What Kubernetes refuses of one step stops no other: the next plan holds it back and says why.
pub(crate) async fn carry_out(scene: &Scene<'_>, plan: &Plan) -> Result<Duration, ApplyError> {
    let (memory, facts) = (&scene.context.memory, &scene.observation.world.object);
    let now = scene.context.now();
    memory.update(&facts.uid, |recollection| recollection.ledger.settle(&plan.outcomes, now));
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

/// What cannot be taken back follows from what is wanted now: people may have changed their mind while the cloud was looked at.
async fn still_wanted(scene: &Scene<'_>) -> Result<(), ApplyError> {
    let (facts, read) = (&scene.observation.world.object, &scene.object.metadata);
    let now = scene.context.cluster.database(&facts.namespace, &facts.name).await?;
    let metadata = now.as_ref().map(|now| &now["metadata"]);
    let same = metadata
        .is_some_and(|now| now["uid"].as_str() == read.uid.as_deref() && now["generation"].as_i64() == read.generation);
    if same { Ok(()) } else { Err(ClusterError::Conflict(format!("RDSDatabase {}", facts.name)).into()) }
}

async fn apply(scene: &Scene<'_>, step: &Step) -> Result<(), ApplyError> {
    scene.context.fence.check()?;
    match step {
        Step::Cluster(step) => cluster::apply(scene, step).await,
        Step::Cloud(request) => {
            if let Request::Delete(_) = request {
                still_wanted(scene).await?;
            }
            Ok(cloud::apply(scene, request).await?)
        }
        Step::Inside(part, inputs) => visit::apply(scene, *part, inputs).await,
    }
}
