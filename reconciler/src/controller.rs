//! The pipeline of one object: read, resolve, observe, plan, apply, tell.

use std::sync::Arc;
use std::time::Duration;

use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use shared::api::{RDSDatabase, RDSDatabaseStatus};
use thiserror::Error;

use crate::apply::{ApplyError, Scene, apply, write_status};
use crate::cluster::ClusterError;
use crate::context::Context;
use crate::observe::{Crowded, observe};
use crate::plan::{ClusterStep, Concern, Effect, Outcome, Plan, RESYNC, Reason, Seen, Setback, Step, plan};
use crate::subject::{GuardedClass, Refusal, Subject};
use crate::{status, tell};

/// The first list of the classes takes milliseconds.
const CLASSES_PATIENCE: Duration = Duration::from_secs(10);
/// A step that Kubernetes has refused is tried again after this long, doubling up to the last.
const FIRST_SETBACK: Duration = Duration::from_secs(5);
const LAST_SETBACK: Duration = Duration::from_secs(300);
/// The first pause after a conflict.
const FIRST_CONFLICT: Duration = Duration::from_millis(200);
/// An account that many wait for is asked for again after this long.
const SOON: Duration = Duration::from_secs(2);
/// An object that waits for its turn is called; a call that it missed is repeated by then.
const MISSED_CALL: Duration = Duration::from_secs(30);

/// Why a pass ended early: it is repeated with back-off.
#[derive(Debug, Error)]
pub enum PassError {
    /// Kubernetes refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A step failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// Others come first.
    #[error(transparent)]
    Crowded(#[from] Crowded),
    /// The classes cannot be listed.
    #[error("the RDSDatabaseClasses are not known yet")]
    ClassesUnknown,
}

/// One pass over an object.
pub async fn reconcile(
    guarded: Arc<DeserializeGuard<RDSDatabase>>,
    context: Arc<Context>,
) -> Result<Action, PassError> {
    let began = context.now();
    let (namespace, name) = (guarded.namespace().unwrap_or_default(), guarded.name_any());
    let result = match &guarded.0 {
        Ok(_) => pass(&context, &namespace, &name).await,
        Err(invalid) => {
            report_undecodable(&context, &namespace, &name, guarded.meta().generation, &invalid.error).await
        }
    };
    let result = match result {
        Err(PassError::Crowded(_)) => return Ok(Action::requeue(context.entropy.jittered(SOON))),
        result => result,
    };
    let how = match &result {
        Ok(_) => "ok",
        // Its owner has made the object too large: no fault of the operator's or of Kubernetes'.
        Err(PassError::Cluster(ClusterError::TooLarge(_))) => "too_large",
        Err(_) => "error",
    };
    context.metrics.pass(how, context.now().since(began).as_secs_f64());
    if result.is_ok() {
        let uid = guarded.meta().uid.as_deref().unwrap_or_default();
        context.memory.update(uid, |recollection| recollection.failures = 0);
    }
    result
}

/// After a pass that failed: the pause doubles with each in a row. A conflict only means that the world was faster: look again at once.
#[allow(clippy::needless_pass_by_value, reason = "kube hands both over")]
pub fn on_error(guarded: Arc<DeserializeGuard<RDSDatabase>>, error: &PassError, context: Arc<Context>) -> Action {
    let (namespace, name) = (guarded.namespace().unwrap_or_default(), guarded.name_any());
    let mut failures = 0;
    context.memory.update(guarded.meta().uid.as_deref().unwrap_or_default(), |recollection| {
        recollection.failures = recollection.failures.saturating_add(1);
        failures = recollection.failures;
    });
    let first = match error {
        PassError::Cluster(ClusterError::Conflict(_))
        | PassError::Apply(ApplyError::Cluster(ClusterError::Conflict(_))) => {
            tracing::debug!(namespace, name, %error, "the world was faster");
            FIRST_CONFLICT
        }
        // Nothing but an edit of the object helps, and that is an event.
        PassError::Cluster(ClusterError::TooLarge(_)) => {
            tracing::warn!(namespace, name, %error, "a pass failed");
            return Action::requeue(context.entropy.jittered(RESYNC));
        }
        _ => {
            tracing::warn!(namespace, name, %error, failures, "a pass failed");
            FIRST_SETBACK
        }
    };
    Action::requeue(context.entropy.jittered(doubled(first, failures)))
}

/// The pause after so many failures in a row.
fn doubled(first: Duration, failures: u32) -> Duration {
    first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(LAST_SETBACK)
}

async fn pass(context: &Context, namespace: &str, name: &str) -> Result<Action, PassError> {
    let Some(object) = context.cluster.database(namespace, name).await? else {
        return Ok(Action::await_change());
    };
    let facts = context.cluster.namespace(namespace).await?;
    let uid = object.metadata.uid.as_deref().unwrap_or_default();
    let conditions = object.status.iter().flat_map(|status| &status.conditions);
    context.memory.update(uid, |recollection| recollection.told.begin(conditions));
    let classes = classes(context).await?;
    let (required, versions) = (context.settings.require_class, context.settings.default_versions);
    let subject = match Subject::of(&object, &classes, required, &facts.labels, versions) {
        Ok(subject) => subject,
        Err(refusal) => return refuse(context, &object, &refusal).await,
    };
    let observation = observe(context, &object, &facts, &subject).await?;
    let plan = plan(&subject, &observation.world, context.now());
    let (generation, now) = (object.metadata.generation, context.clock.wall());
    let status = status::of(&before(&object), generation, &subject, &observation.world, &plan, now);
    settle_asked(context, &observation.world.object.uid, &plan);
    let scene = Scene { context, object: &object, subject: &subject, observation: &observation };
    carry_out(&scene, &plan, &status).await
}

/// The classes. Without having seen them all, none is taken for the default one: an object would be pinned to the wrong account for good.
async fn classes(context: &Context) -> Result<Vec<Arc<GuardedClass>>, PassError> {
    match tokio::time::timeout(CLASSES_PATIENCE, context.classes.wait_until_ready()).await {
        Ok(Ok(())) => Ok(context.classes.state()),
        Ok(Err(_)) | Err(_) => Err(PassError::ClassesUnknown),
    }
}

async fn carry_out(scene: &Scene<'_>, plan: &Plan, status: &RDSDatabaseStatus) -> Result<Action, PassError> {
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
            Ok(()) => scene.context.memory.update(&facts.uid, |recollection| {
                recollection.setbacks.remove(&step.to_string());
            }),
            // The world was faster: all that was planned is planned anew.
            Err(error @ ApplyError::Cluster(ClusterError::Conflict(_))) => return Err(error.into()),
            // What one step meets stops no other: the next plan holds it back and says why.
            Err(ApplyError::Cluster(error)) => set_back(scene, step, &error),
            Err(ApplyError::NotItsTurn) => return Ok(Action::requeue(scene.context.entropy.jittered(MISSED_CALL))),
            Err(error) => return Err(error.into()),
        }
        if matches!(step, Step::Cluster(ClusterStep::RemoveFinalizer)) {
            farewell(scene, plan).await;
        }
    }
    Ok(match plan.again {
        Duration::ZERO => Action::requeue(Duration::from_millis(1)),
        again => Action::requeue(scene.context.entropy.jittered(again)),
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
    let name = step.to_string();
    let attempts = scene.observation.world.setbacks.get(&name).map_or(1, |before| before.attempts + 1);
    let retry_at = scene.context.now() + scene.context.entropy.jittered(doubled(FIRST_SETBACK, attempts));
    let setback = Setback { message: format!("Kubernetes refused to {name}: {error}"), retry_at, attempts };
    scene.context.memory.update(&facts.uid, |recollection| {
        recollection.setbacks.insert(name, setback);
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

async fn refuse(context: &Context, object: &RDSDatabase, refusal: &Refusal) -> Result<Action, PassError> {
    let status = status::refused(&before(object), object.metadata.generation, refusal, context.clock.wall());
    if before(object) != status {
        context.cluster.write_status(object, &status).await?;
        let notice = tell::blocked(refusal.reason(), refusal.to_string());
        tell::once(context, object, Concern::Accepted.condition(), notice).await;
    }
    // A class or a label may change without an event of this object's; the watches on both see most of it.
    Ok(Action::requeue(context.entropy.jittered(Duration::from_secs(60))))
}

async fn report_undecodable(
    context: &Context,
    namespace: &str,
    name: &str,
    generation: Option<i64>,
    error: &str,
) -> Result<Action, PassError> {
    tracing::warn!(namespace, name, error, "an object cannot be read and is left alone");
    context.cluster.report_undecodable(namespace, name, generation, error, context.clock.wall()).await?;
    Ok(Action::requeue(context.entropy.jittered(RESYNC)))
}

/// A wish that the world fulfils has been answered: the same wish later starts counting anew.
fn settle_asked(context: &Context, uid: &str, plan: &Plan) {
    let fulfilled = |concern| match plan.outcome(concern) {
        Some(Outcome::Done { .. }) => true,
        Some(Outcome::Blocked { reason, .. }) => concern == Concern::Backups && *reason == Reason::NotScheduled,
        _ => false,
    };
    context.memory.update(uid, |recollection| {
        recollection.asked.retain(|effect, _| match effect {
            Effect::Create => !fulfilled(Concern::Instance),
            Effect::Storage => !fulfilled(Concern::Storage),
            Effect::Backups => !fulfilled(Concern::Backups),
            Effect::Settings | Effect::Tags | Effect::OtherTags => !fulfilled(Concern::Settings),
            Effect::Protection | Effect::Password | Effect::Delete => true,
        });
    });
}

fn before(object: &RDSDatabase) -> RDSDatabaseStatus {
    object.status.clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i13_what_fails_again_and_again_comes_back_less_and_less_often() {
        let pauses: Vec<u64> = [1, 2, 3, 7, 100].map(|failures| doubled(FIRST_SETBACK, failures).as_secs()).into();
        assert_eq!(pauses, [5, 10, 20, 300, 300]);
        assert_eq!(doubled(FIRST_CONFLICT, 1), FIRST_CONFLICT, "a conflict is looked at at once");
    }
}
