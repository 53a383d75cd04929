//! Writing a status: the whole of it, or what Kubernetes can store of it.

use std::borrow::Cow;

use kube::ResourceExt as _;
use serde_json::{Value, json};
use shared::api::{RDSDatabase, RDSDatabaseStatus};

use super::scene::Scene;
use crate::cluster::{ClusterError, Version};
use crate::context::Context;
use crate::plan::{Concern, Plan, Reason};
use crate::subject::Refusal;
use crate::turns::Key;
use crate::{status, tell};

/// Writes the status of a plan, and tells people of what it says. It goes before the steps: what it pins must be there before anything is
/// created.
///
/// # Errors
/// What Kubernetes says to it.
pub(crate) async fn report(scene: &Scene<'_>, plan: &Plan, status: &RDSDatabaseStatus) -> Result<(), ClusterError> {
    if !plan.moves_finalizer() && write(scene, status).await? {
        time_to_ready(scene, status);
        tell::planned(scene.context, scene.object, &scene.observation.world, plan).await;
    }
    Ok(())
}

/// How long people have waited for their database.
fn time_to_ready(scene: &Scene<'_>, status: &RDSDatabaseStatus) {
    let created = scene.object.metadata.creation_timestamp.as_ref();
    if let Some(created) = created.filter(|_| status::first_ready(scene.object.status.as_ref(), status)) {
        let waited = scene.context.clock.wall().duration_since(created.0);
        scene.context.metrics.ready_seconds.observe(waited.as_secs_f64().max(0.0));
    }
}

/// Writes why an object is not worked on, and tells people of it.
///
/// # Errors
/// What Kubernetes says to it.
pub(crate) async fn refuse(context: &Context, object: &RDSDatabase, refusal: &Refusal) -> Result<(), ClusterError> {
    let before = object.status.clone().unwrap_or_default();
    let status = status::refused(&before, object.metadata.generation, refusal, context.clock.wall());
    if before != status {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        context.cluster.write_status(&namespace, &name, &Version::of(&object.metadata), &json!(status)).await?;
        let notice = tell::blocked(refusal.reason(), refusal.to_string());
        tell::once(context, object, Concern::Accepted.condition(), notice).await;
    }
    Ok(())
}

/// Writes of an object that cannot be read as what it should be that it cannot, where its status does not say so yet. `error` is the decoder's.
///
/// # Errors
/// What Kubernetes says to it.
pub(crate) async fn leave_alone(context: &Context, object: &Key, raw: &Value, error: &str) -> Result<(), ClusterError> {
    let Key { namespace, name } = object;
    tracing::warn!(namespace, name, error, "an object cannot be read and is left alone");
    if let Some(status) = status::undecodable(raw, error, context.clock.wall()) {
        context.cluster.write_status(namespace, name, &Version::in_json(raw), &status).await?;
    }
    Ok(())
}

/// Writes a status, where it differs from the one that was read, and says whether it did. People are told once of one that cannot be written
/// whole, or not at all.
async fn write(scene: &Scene<'_>, whole: &RDSDatabaseStatus) -> Result<bool, ClusterError> {
    let before = scene.object.status.clone().unwrap_or_default();
    if before == *whole {
        return Ok(false);
    }
    let (cluster, memory) = (&scene.context.cluster, &scene.context.memory);
    let uid = &scene.observation.world.object.uid;
    let generation = scene.object.metadata.generation;
    let short = || status::shortened(whole, &before, scene.context.clock.wall());
    // What was too large for this API server is so until the specification is another one.
    let fits = memory.part(uid, |recollection| recollection.too_large) != Some(generation)
        && status::fits(scene.object, whole);
    let mut status = if fits { Cow::Borrowed(whole) } else { Cow::Owned(short()) };
    if before == *status {
        return Ok(false);
    }
    let facts = &scene.observation.world.object;
    let read = Version::of(&scene.object.metadata);
    let mut outcome = cluster.write_status(&facts.namespace, &facts.name, &read, &json!(status)).await;
    if fits && matches!(outcome, Err(ClusterError::TooLarge(_))) {
        memory.update(uid, |recollection| recollection.too_large = Some(generation));
        status = Cow::Owned(short());
        outcome = cluster.write_status(&facts.namespace, &facts.name, &read, &json!(status)).await;
    }
    let note = status::why_shortened(&status).filter(|_| status::why_shortened(&before).is_none());
    if let Some(note) = note.filter(|_| matches!(outcome, Ok(()) | Err(ClusterError::TooLarge(_)))) {
        let notice = tell::blocked(Reason::StatusTooLarge, note.to_owned());
        tell::once(scene.context, scene.object, status::SHORTENED, notice).await;
    }
    outcome.map(|()| true)
}
