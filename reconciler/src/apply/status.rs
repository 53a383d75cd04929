//! Writing a status: the whole of it, or what Kubernetes can store of it.

use std::borrow::Cow;

use serde_json::json;
use shared::api::RDSDatabaseStatus;

use super::Scene;
use crate::cluster::{ClusterError, Version};
use crate::plan::Reason;
use crate::{status, tell};

/// Writes a status, where it differs from the one that was read, and says whether it did. People are told once of one that cannot be written
/// whole, or not at all.
pub async fn write(scene: &Scene<'_>, whole: &RDSDatabaseStatus) -> Result<bool, ClusterError> {
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
