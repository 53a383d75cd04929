//! The pipeline of one object: read, resolve, observe, plan, apply, tell.

use std::time::Duration;

use kube::ResourceExt;
use serde::Deserialize as _;
use serde_json::{Value, json};
use shared::api::{RDSDatabase, RDSDatabaseStatus};

use crate::again::{Again, PassError};
use crate::apply::{ApplyError, Scene, apply, write_status};
use crate::cluster::{ClusterError, Version};
use crate::context::Context;
use crate::observe::observe;
use crate::plan::{Cause, ClusterStep, Concern, Outcome, Plan, RESYNC, Seen, Step, plan};
use crate::subject::{Refusal, Subject};
use crate::turns::Key;
use crate::{status, tell};

/// An object that waits for its turn is called; a call that it missed is repeated by then.
const MISSED_CALL: Duration = Duration::from_secs(30);

/// One pass over an object. What fails is told where it is known, and tried again later.
pub async fn reconcile(context: &Context, object: &Key) -> Again {
    let Key { namespace, name } = object;
    let began = context.now();
    let result = pass(context, object).await;
    if let Err(error @ PassError::Crowded(_)) = &result {
        return context.after(error.pause(1));
    }
    context.metrics.pass(result.as_ref().map_or_else(PassError::result, |_| "ok"), context.now().since(began));
    match result {
        Ok(again) => {
            context.memory.succeeded(object);
            again
        }
        Err(error) => {
            let failures = context.memory.failed(object);
            if error.conflict() {
                tracing::debug!(namespace, name, %error, "the world was faster");
            } else {
                tracing::warn!(namespace, name, %error, failures, "a pass failed");
            }
            context.after(error.pause(failures))
        }
    }
}

async fn pass(context: &Context, key: &Key) -> Result<Again, PassError> {
    let Some(raw) = context.cluster.database(&key.namespace, &key.name).await? else {
        return Ok(Again::OnChange);
    };
    let object = match RDSDatabase::deserialize(&raw) {
        Ok(object) => object,
        Err(error) => return leave_alone(context, key, &raw, &error.to_string()).await,
    };
    let facts = context.cluster.namespace(&key.namespace).await?;
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    context.memory.update(uid, |recollection| recollection.told.begin(conditions));
    // Without having seen them all, none is taken for the default one: an object would be pinned to the wrong account for good.
    let classes = context.views.classes().await.ok_or(PassError::ClassesUnknown)?;
    let (required, versions) = (context.settings.require_class, context.settings.default_versions);
    let subject = match Subject::of(&object, &classes, required, &facts.labels, versions) {
        Ok(subject) => subject,
        Err(refusal) => return refuse(context, &object, &refusal).await,
    };
    let observation = observe(context, &object, &facts, &subject).await?;
    let plan = plan(&subject, &observation.world, context.now());
    let (generation, now) = (object.metadata.generation, context.clock.wall());
    let status = status::of(&before(&object), generation, &subject, &observation.world, &plan, now);
    context.memory.update(&observation.world.object.uid, |recollection| recollection.ledger.settle(&plan));
    let scene = Scene { context, object: &object, subject: &subject, observation: &observation };
    carry_out(&scene, &plan, &status).await
}

async fn carry_out(scene: &Scene<'_>, plan: &Plan, status: &RDSDatabaseStatus) -> Result<Again, PassError> {
    let touches_finalizer =
        |step: &Step| matches!(step, Step::Cluster(ClusterStep::AddFinalizer | ClusterStep::RemoveFinalizer));
    // The status goes first: what it pins must be there before anything is created. The finalizer and the status are written on the
    // version that was read, so a pass writes one of them.
    if !plan.steps.iter().any(touches_finalizer) && write_status(scene, status).await? {
        time_to_ready(scene, status);
        tell(scene, plan).await;
    }
    let facts = &scene.observation.world.object;
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
                scene.context.memory.update(&facts.uid, |recollection| recollection.ledger.done(step, now));
            }
            // What came of a call to the cloud was remembered where it was made.
            Ok(()) => {}
            // The world was faster: all that was planned is planned anew.
            Err(error @ ApplyError::Cluster(ClusterError::Conflict(_))) => return Err(error.into()),
            // What one step meets stops no other: the next plan holds it back and says why.
            Err(ApplyError::Cluster(error)) => set_back(scene, step, &error),
            Err(ApplyError::NotItsTurn) => return Ok(scene.context.after(MISSED_CALL)),
            Err(error) => return Err(error.into()),
        }
        if matches!(step, Step::Cluster(ClusterStep::RemoveFinalizer)) {
            farewell(scene, plan).await;
        }
    }
    Ok(match plan.again {
        Duration::ZERO => Again::After(Duration::from_millis(1)),
        again => scene.context.after(again),
    })
}

/// How long people have waited for their database.
fn time_to_ready(scene: &Scene<'_>, status: &RDSDatabaseStatus) {
    let created = scene.object.metadata.creation_timestamp.as_ref();
    if let Some(created) = created.filter(|_| status::first_ready(scene.object.status.as_ref(), status)) {
        let waited = scene.context.clock.wall().duration_since(created.0);
        scene.context.metrics.ready_seconds.observe(waited.as_secs_f64().max(0.0));
    }
}

fn set_back(scene: &Scene<'_>, step: &Step, error: &ClusterError) {
    let facts = &scene.observation.world.object;
    tracing::warn!(namespace = facts.namespace, name = facts.name, %step, %error, "a step failed");
    let (now, jitter) = (scene.context.now(), scene.context.entropy.fraction());
    let message = format!("Kubernetes refused to {step}: {error}");
    scene.context.memory.update(&facts.uid, |recollection| {
        recollection.ledger.refused(step, Cause::Kubernetes, message, now, jitter);
    });
}

/// The object is gone with this: an Event says what became of the instance.
async fn farewell(scene: &Scene<'_>, plan: &Plan) {
    let Some(Outcome::Act { message, .. }) = plan.outcome(Concern::Deletion) else { return };
    scene.context.cluster.notify(scene.object, tell::released(message.clone())).await;
}

/// What a person must do is also an Event, once.
async fn tell(scene: &Scene<'_>, plan: &Plan) {
    let uid = &scene.observation.world.object.uid;
    for (concern, outcome) in &plan.outcomes {
        let about = concern.condition();
        match outcome {
            Outcome::Blocked { reason, message, .. } => {
                tell::once(scene.context, scene.object, about, tell::blocked(*reason, message.clone())).await;
            }
            // What cannot be seen has not passed.
            Outcome::Done { .. } if !matches!(scene.observation.world.instance, Seen::Unknown(_)) => {
                scene.context.memory.update(uid, |recollection| recollection.told.forget(about));
            }
            _ => {}
        }
    }
}

async fn refuse(context: &Context, object: &RDSDatabase, refusal: &Refusal) -> Result<Again, PassError> {
    let status = status::refused(&before(object), object.metadata.generation, refusal, context.clock.wall());
    if before(object) != status {
        let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
        context.cluster.write_status(&namespace, &name, &Version::of(&object.metadata), &json!(status)).await?;
        let notice = tell::blocked(refusal.reason(), refusal.to_string());
        tell::once(context, object, Concern::Accepted.condition(), notice).await;
    }
    // A class or a label may change without an event of this object's; the watches on both see most of it.
    Ok(context.after(Duration::from_secs(60)))
}

/// An object that cannot be read as what it should be: its status says so, and nothing else is done.
async fn leave_alone(context: &Context, object: &Key, raw: &Value, error: &str) -> Result<Again, PassError> {
    let Key { namespace, name } = object;
    tracing::warn!(namespace, name, error, "an object cannot be read and is left alone");
    if let Some(status) = status::undecodable(raw, error, context.clock.wall()) {
        context.cluster.write_status(namespace, name, &Version::in_json(raw), &status).await?;
    }
    Ok(context.after(RESYNC))
}

fn before(object: &RDSDatabase) -> RDSDatabaseStatus {
    object.status.clone().unwrap_or_default()
}
