//! The pipeline of one object: read, resolve, observe, plan, apply, tell.

use std::sync::Arc;
use std::time::Duration;

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
use crate::plan::{Concern, Departure, Outcome, Plan, RESYNC, plan, plan_deletion};
use crate::providers::Access;
use crate::status;
use crate::target::{Refusal, permit_policy, resolve, resolved, select};

/// Why a pass ended early: it is repeated with back-off.
#[derive(Debug, Error)]
pub enum PassError {
    /// Kubernetes refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A step failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
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
    let classes: Vec<_> = context.classes.state().iter().map(|class| class.as_ref().clone()).collect();
    match resolve(&object, &classes, &facts.labels) {
        Ok(target) => {
            let observation = observe(context, &object, &facts, Ok(&target.class.access), Some(&target)).await?;
            let now = (context.clock)();
            let plan = plan(&target, &observation.world, now);
            let status =
                status::working(&before(&object), object.metadata.generation, &target, &observation.world, &plan, now);
            settle_repeats(context, &observation.world.object.uid, &plan);
            let scene = Scene { context, object: &object, target: Some(&target), observation: &observation };
            carry_out(&scene, &plan, &status).await
        }
        Err(refusal) => refuse(context, &object, &refusal).await,
    }
}

async fn leave(context: &Context, object: &RDSDatabase, namespace: &NamespaceFacts) -> Result<Action, PassError> {
    let classes: Vec<_> = context.classes.state().iter().map(|class| class.as_ref().clone()).collect();
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
    let releasing = plan
        .steps
        .iter()
        .any(|step| matches!(step, crate::plan::Step::Cluster(crate::plan::ClusterStep::RemoveFinalizer)));
    let changed = before(scene.object) != *status;
    let finalizing = !scene.observation.world.object.finalizer;
    // The status goes first: what it pins must be there before anything is created. The finalizer and the status are written on the
    // version that was read, so a pass writes one of them.
    if changed && !releasing && !finalizing {
        scene.context.cluster.write_status(scene.object, status).await?;
        tell(scene, plan).await;
    }
    let facts = &scene.observation.world.object;
    for step in &plan.steps {
        let generation = scene.object.metadata.generation;
        tracing::info!(namespace = facts.namespace, name = facts.name, generation, %step, "step");
        apply(scene, step).await?;
    }
    Ok(match plan.again {
        Duration::ZERO => Action::requeue(Duration::from_millis(1)),
        again if again == RESYNC => Action::requeue(jittered(RESYNC)),
        again => Action::requeue(jittered(again)),
    })
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

/// A change that was seen to take effect starts counting anew.
fn settle_repeats(context: &Context, uid: &str, plan: &Plan) {
    let settled = |concern| matches!(plan.outcome(concern), Some(Outcome::Done { .. }));
    if settled(Concern::Storage) && settled(Concern::Backups) && settled(Concern::Settings) {
        context.memory.update(uid, |recollection| {
            recollection.repeats.retain(|request, _| request.contains("MasterUserPassword"));
        });
    }
}

fn before(object: &RDSDatabase) -> RDSDatabaseStatus {
    object.status.clone().unwrap_or_default()
}

fn jittered(pause: Duration) -> Duration {
    pause + pause.mul_f64(rand::rng().random_range(0.0..0.1))
}
