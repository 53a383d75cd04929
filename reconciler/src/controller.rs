//! The journey of one object: read, subject, observe, plan, status, apply, again. Each room decides for itself; nothing is decided here.

use std::time::Duration;

use serde::Deserialize as _;
use shared::api::RDSDatabase;

use crate::again::{Again, PassError};
use crate::apply::{Scene, carry_out, leave_alone, refuse, report};
use crate::context::Context;
use crate::observe::observe;
use crate::plan::RESYNC;
use crate::subject::Subject;
use crate::turns::Key;
use crate::{status, tell};

/// A class or a label may change without an event of the object's; the watches on both see most of it.
const REFUSED: Duration = Duration::from_secs(60);

/// One pass over an object. What fails is told where it is known, and tried again later.
pub async fn reconcile(context: &Context, object: &Key) -> Again {
    let Key { namespace, name } = object;
    let began = context.now();
    let result = pass(context, object).await;
    if let Err(error) = &result
        && error.crowded()
    {
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
        Err(error) => {
            leave_alone(context, key, &raw, &error.to_string()).await?;
            return Ok(context.after(RESYNC));
        }
    };
    let namespace = context.cluster.namespace(&key.namespace).await?;
    tell::begin(context, &object);
    // Without having seen them all, none is taken for the default one: an object would be pinned to the wrong account for good.
    let classes = context.views.classes().await.ok_or(PassError::ClassesUnknown)?;
    let (required, versions) = (context.settings.require_class, context.settings.default_versions);
    let subject = match Subject::of(&object, &classes, required, &namespace.labels, versions, &context.servers) {
        Ok(subject) => subject,
        Err(refusal) => {
            refuse(context, &object, &refusal).await?;
            return Ok(context.after(REFUSED));
        }
    };
    let observation = observe(context, &object, &namespace, &subject).await?;
    let plan = (context.plan)(&subject, &observation.world, context.now());
    if let Ok(account) = &observation.account {
        account.sweeper.note(observation.world.identifier.as_str(), plan.content());
    }
    let before = object.status.clone().unwrap_or_default();
    let (generation, now) = (object.metadata.generation, context.clock.wall());
    let status = status::of(&before, generation, &subject, &observation.world, &plan, now);
    let scene = Scene { context, object: &object, observation: &observation };
    report(&scene, &plan, &status).await?;
    Ok(context.after(carry_out(&scene, &plan).await?))
}
