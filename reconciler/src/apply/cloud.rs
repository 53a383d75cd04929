//! Effects on the cloud. Each is sent once; what came of it is remembered for the next plan.

use super::scene::Scene;
use crate::observe::Crowded;
use crate::plan::{Cause, Step, concern};
use crate::providers::{CloudError, ErrorClass, Request};
use crate::tell;

/// Asks for a change.
///
/// # Errors
/// When nothing was sent, because others' calls to the account come first: that is no effect and no refusal.
pub(super) async fn apply(scene: &Scene<'_>, request: &Request) -> Result<(), Crowded> {
    let (context, object) = (scene.context, &scene.observation.world.object);
    let answer = match &scene.observation.account {
        Ok(account) => {
            let answer = account.cloud.carry_out(request).await;
            if let Some(again) = answer.as_ref().err().and_then(|error| error.crowded) {
                return Err(Crowded(again));
            }
            // Whatever the answer, even none at all, it may have had its effect: only a later sweep tells.
            account.sweeper.expect_change();
            if let Request::Snapshot(_) = request {
                account.snapshot_quota.forget().await;
            }
            // It is shared: another object may have asked for it in the same moment. What it holds is read before it is used.
            match (request, answer) {
                (Request::CreateGroup(_), Err(error)) if error.class == ErrorClass::AlreadyExists => Ok(()),
                // It is gone already, as it is to be.
                (Request::DeleteSnapshot(_), Err(error)) if error.class == ErrorClass::NotFound => Ok(()),
                (_, answer) => answer,
            }
        }
        Err(why) => Err(CloudError::no_way(why.clone())),
    };
    let (step, now, jitter) = (Step::Cloud(request.clone()), context.now(), context.entropy.fraction());
    let refusal = answer.err().map(|error| (error.class, error.with_remedy()));
    let mut attempts = 0;
    context.memory.update(&object.uid, |recollection| {
        recollection.last_effect = Some(now);
        if let Request::ResetMaster(_) = request {
            // The refused visit is answered: the next one finds the new password.
            recollection.visit = None;
        }
        match &refusal {
            None => recollection.ledger.done(&step, now),
            Some((class, message)) => {
                attempts = recollection.ledger.refused(&step, Cause::Cloud(*class), message.clone(), now, jitter);
            }
        }
    });
    match refusal {
        None => context.cluster.notify(scene.object, tell::accepted(request)).await,
        Some((_, message)) => {
            tracing::warn!(
                namespace = object.namespace,
                name = object.name,
                error = message,
                attempts,
                "the cloud refused"
            );
            if attempts == 1 {
                let about = concern(request).condition();
                tell::once(context, scene.object, about, tell::refused(request, message)).await;
            }
        }
    }
    Ok(())
}
