//! The pipeline of one object: read, resolve, observe, plan, apply, tell.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::{Resource, ResourceExt};
use rand::RngExt as _;
use shared::api::{DeletionPolicy, RDSDatabase, RDSDatabaseClass, RDSDatabaseStatus};
use thiserror::Error;
use tokio::time::Instant;

use crate::apply::{ApplyError, Scene, apply};
use crate::cluster::{ClusterError, NamespaceFacts, Notice};
use crate::context::Context;
use crate::observe::observe;
use crate::plan::{
    ClusterStep, Concern, Departure, Effect, NOT_SCHEDULED, Outcome, Plan, RESYNC, Setback, Step, plan, plan_deletion,
};
use crate::providers::Access;
use crate::status;
use crate::target::{GuardedClass, Refusal, permit_policy, resolve, resolved, select};

/// The first list of the classes takes milliseconds.
const CLASSES_PATIENCE: Duration = Duration::from_secs(10);
/// A step that Kubernetes has refused is tried again after this long, doubling up to the last.
const FIRST_SETBACK: Duration = Duration::from_secs(5);
const LAST_SETBACK: Duration = Duration::from_secs(300);

/// Why a pass ended early: it is repeated with back-off.
#[derive(Debug, Error)]
pub enum PassError {
    /// Kubernetes refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A step failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The classes cannot be listed.
    #[error("the RDSDatabaseClasses are not known yet")]
    ClassesUnknown,
}

/// One pass over an object.
pub async fn reconcile(
    guarded: Arc<DeserializeGuard<RDSDatabase>>,
    context: Arc<Context>,
) -> Result<Action, PassError> {
    let began = Instant::now();
    let (namespace, name) = (guarded.namespace().unwrap_or_default(), guarded.name_any());
    let result = match &guarded.0 {
        Ok(_) => pass(&context, &namespace, &name).await,
        Err(invalid) => {
            report_undecodable(&context, &namespace, &name, guarded.meta().generation, &invalid.error).await
        }
    };
    context.metrics.pass(if result.is_ok() { "ok" } else { "error" }, began.elapsed().as_secs_f64());
    result
}

/// After a pass that failed. A conflict only means that the world was faster: look again at once.
pub fn on_error(_: Arc<DeserializeGuard<RDSDatabase>>, error: &PassError, _: Arc<Context>) -> Action {
    match error {
        PassError::Cluster(ClusterError::Conflict(_))
        | PassError::Apply(ApplyError::Cluster(ClusterError::Conflict(_))) => {
            tracing::debug!(%error, "the world was faster");
            Action::requeue(jittered(Duration::from_millis(200)))
        }
        _ => {
            tracing::warn!(%error, "a pass failed");
            Action::requeue(jittered(Duration::from_secs(5)))
        }
    }
}

async fn pass(context: &Context, namespace: &str, name: &str) -> Result<Action, PassError> {
    let Some(object) = context.cluster.database(namespace, name).await? else {
        return Ok(Action::await_change());
    };
    let facts = context.cluster.namespace(namespace).await?;
    if object.metadata.deletion_timestamp.is_some() {
        return leave(context, &object, &facts).await;
    }
    let classes = classes(context).await?;
    match resolve(&object, &classes, &facts.labels) {
        Ok(target) => {
            let observation = observe(context, &object, &facts, Ok(&target.class.access), Some(&target)).await?;
            let now = (context.clock)();
            let plan = plan(&target, &observation.world, now);
            let status =
                status::working(&before(&object), object.metadata.generation, &target, &observation.world, &plan, now);
            settle_asked(context, &observation.world.object.uid, &plan);
            let scene = Scene { context, object: &object, target: Some(&target), observation: &observation };
            carry_out(&scene, &plan, &status).await
        }
        Err(refusal) => refuse(context, &object, &refusal).await,
    }
}

/// The classes. Without having seen them all, none is taken for the default one: an object would be pinned to the wrong account for good.
async fn classes(context: &Context) -> Result<Vec<Arc<GuardedClass>>, PassError> {
    match tokio::time::timeout(CLASSES_PATIENCE, context.classes.wait_until_ready()).await {
        Ok(Ok(())) => Ok(context.classes.state()),
        Ok(Err(_)) | Err(_) => Err(PassError::ClassesUnknown),
    }
}

async fn leave(context: &Context, object: &RDSDatabase, namespace: &NamespaceFacts) -> Result<Action, PassError> {
    let classes = classes(context).await?;
    let pinned = object.status.as_ref().and_then(|status| status.instance.as_ref());
    let named = object.spec.0.as_ref().and_then(|fields| fields.class_name.as_deref());
    let class = select(pinned.is_none().then_some(named).flatten(), pinned, &classes);
    let access: Result<Access, String> =
        class.as_ref().map(|class| resolved(*class).access).map_err(ToString::to_string);
    let observation = observe(context, object, namespace, access.as_ref().map_err(Clone::clone), None).await?;
    let now = (context.clock)();
    let plan = plan_deletion(&departure(object, class.ok().flatten()), &observation.world, now);
    let status = status::leaving(&before(object), object.metadata.generation, &observation.world, &plan, now);
    let scene = Scene { context, object, target: None, observation: &observation };
    carry_out(&scene, &plan, &status).await
}

/// What the spec says of the end, also where the rest of it is invalid. A policy that cannot be read is the careful one.
fn departure(object: &RDSDatabase, class: Option<&RDSDatabaseClass>) -> Departure {
    let fields = object.spec.0.as_ref();
    let policy = match fields.and_then(|fields| fields.deletion_policy.as_deref()) {
        Some(text) => text.parse().unwrap_or(DeletionPolicy::Snapshot),
        None => class.and_then(|class| class.spec.default_deletion_policy).unwrap_or_default(),
    };
    Departure {
        policy: class.map_or(Ok(policy), |class| permit_policy(class, policy)).map_err(|refusal| refusal.to_string()),
        protection: fields.and_then(|fields| fields.deletion_protection),
        paused: fields.and_then(|fields| fields.paused).unwrap_or(false),
    }
}

async fn carry_out(scene: &Scene<'_>, plan: &Plan, status: &RDSDatabaseStatus) -> Result<Action, PassError> {
    let touches_finalizer =
        |step: &Step| matches!(step, Step::Cluster(ClusterStep::AddFinalizer | ClusterStep::RemoveFinalizer));
    // The status goes first: what it pins must be there before anything is created. The finalizer and the status are written on the
    // version that was read, so a pass writes one of them.
    if !plan.steps.iter().any(touches_finalizer) && before(scene.object) != *status {
        scene.context.cluster.write_status(scene.object, status).await?;
        tell(scene, plan).await;
    }
    let facts = &scene.observation.world.object;
    for step in &plan.steps {
        let generation = scene.object.metadata.generation;
        tracing::info!(namespace = facts.namespace, name = facts.name, generation, %step, "step");
        match apply(scene, step).await {
            Ok(()) => scene.context.memory.update(&facts.uid, |recollection| {
                recollection.setbacks.remove(&step.to_string());
            }),
            // The world was faster: all that was planned is planned anew.
            Err(error @ ApplyError::Cluster(ClusterError::Conflict(_))) => return Err(error.into()),
            // What one step meets stops no other: the next plan holds it back and says why.
            Err(ApplyError::Cluster(error)) => set_back(scene, step, &error),
            Err(error) => return Err(error.into()),
        }
        if matches!(step, Step::Cluster(ClusterStep::RemoveFinalizer)) {
            farewell(scene, plan).await;
        }
    }
    Ok(match plan.again {
        Duration::ZERO => Action::requeue(Duration::from_millis(1)),
        again => Action::requeue(jittered(again)),
    })
}

fn set_back(scene: &Scene<'_>, step: &Step, error: &ClusterError) {
    let facts = &scene.observation.world.object;
    tracing::warn!(namespace = facts.namespace, name = facts.name, %step, %error, "a step failed");
    let name = step.to_string();
    let attempts = scene.observation.world.setbacks.get(&name).map_or(1, |before| before.attempts + 1);
    let pause = FIRST_SETBACK.saturating_mul(2_u32.saturating_pow(attempts - 1)).min(LAST_SETBACK);
    let pause = SignedDuration::try_from(jittered(pause)).unwrap_or(SignedDuration::from_secs(300));
    let retry_at = (scene.context.clock)().saturating_add(pause).unwrap_or(Timestamp::MAX);
    let setback = Setback { message: format!("Kubernetes refused to {name}: {error}"), retry_at, attempts };
    scene.context.memory.update(&facts.uid, |recollection| {
        recollection.setbacks.insert(name, setback);
    });
}

/// The object is gone with this: an Event says what became of the instance.
async fn farewell(scene: &Scene<'_>, plan: &Plan) {
    let Some(Outcome::Act { message, .. }) = plan.outcome(Concern::Deletion) else { return };
    let notice = Notice { warning: false, reason: "Released".into(), action: "Delete".into(), note: message.clone() };
    scene.context.cluster.notify(scene.object, notice).await;
}

/// What a person must do is also an Event, once.
async fn tell(scene: &Scene<'_>, plan: &Plan) {
    let uid = &scene.observation.world.object.uid;
    let told = scene.context.memory.recall(uid).told;
    for (concern, outcome) in &plan.outcomes {
        let condition = concern.condition();
        match outcome {
            Outcome::Blocked { reason, message, .. } if told.get(condition) != Some(message) => {
                let notice = Notice {
                    warning: true,
                    reason: (*reason).into(),
                    action: "Reconcile".into(),
                    note: message.clone(),
                };
                scene.context.cluster.notify(scene.object, notice).await;
                scene.context.memory.update(uid, |recollection| {
                    recollection.told.insert(condition, message.clone());
                });
            }
            Outcome::Done { .. } if told.contains_key(condition) => scene.context.memory.update(uid, |recollection| {
                recollection.told.remove(condition);
            }),
            _ => {}
        }
    }
}

async fn refuse(context: &Context, object: &RDSDatabase, refusal: &Refusal) -> Result<Action, PassError> {
    let status = status::refused(&before(object), object.metadata.generation, refusal, (context.clock)());
    if before(object) != status {
        context.cluster.write_status(object, &status).await?;
        let notice = Notice {
            warning: true,
            reason: refusal.reason().into(),
            action: "Reconcile".into(),
            note: refusal.to_string(),
        };
        context.cluster.notify(object, notice).await;
    }
    // A class or a label may change without an event of this object's; the watches on both see most of it.
    Ok(Action::requeue(jittered(Duration::from_secs(60))))
}

async fn report_undecodable(
    context: &Context,
    namespace: &str,
    name: &str,
    generation: Option<i64>,
    error: &str,
) -> Result<Action, PassError> {
    tracing::warn!(namespace, name, error, "an object cannot be read and is left alone");
    context.cluster.report_undecodable(namespace, name, generation, error, (context.clock)()).await?;
    Ok(Action::requeue(jittered(RESYNC)))
}

/// A wish that the world fulfils has been answered: the same wish later starts counting anew.
fn settle_asked(context: &Context, uid: &str, plan: &Plan) {
    let fulfilled = |concern| match plan.outcome(concern) {
        Some(Outcome::Done { .. }) => true,
        Some(Outcome::Blocked { reason, .. }) => concern == Concern::Backups && *reason == NOT_SCHEDULED,
        _ => false,
    };
    context.memory.update(uid, |recollection| {
        recollection.asked.retain(|effect, _| match effect {
            Effect::Create => !fulfilled(Concern::Instance),
            Effect::Storage => !fulfilled(Concern::Storage),
            Effect::Backups => !fulfilled(Concern::Backups),
            Effect::Settings | Effect::Tags => !fulfilled(Concern::Settings),
            Effect::Protection | Effect::Password | Effect::Delete => true,
        });
    });
}

fn before(object: &RDSDatabase) -> RDSDatabaseStatus {
    object.status.clone().unwrap_or_default()
}

fn jittered(pause: Duration) -> Duration {
    pause + pause.mul_f64(rand::rng().random_range(0.0..0.1))
}
