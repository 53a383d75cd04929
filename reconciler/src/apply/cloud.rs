//! Effects on the cloud. Each is sent once; what came of it is remembered for the next plan.

use std::time::Duration;

use shared::names;

use super::{ApplyError, Scene};
use crate::plan::{Answer, Asked, CloudStep, Effect, describe, describe_delete, describe_tags, reset_request};
use crate::providers::accounts::Account;
use crate::providers::{CloudError, ErrorClass, ModifyInstance};
use crate::tell;

pub(super) async fn apply(scene: &Scene<'_>, step: &CloudStep) -> Result<(), ApplyError> {
    let world = &scene.observation.world;
    let account = scene.observation.account.as_deref().ok_or(ApplyError::Inconsistent("a change of the cloud"))?;
    let (request, note, answer) = match step {
        CloudStep::Create(request) => {
            let password =
                world.password(&request.master_secret).ok_or(ApplyError::Inconsistent("CreateDBInstance"))?;
            let note = format!(
                "instance {} asked for: {} {}, {} GiB, {}",
                request.identifier,
                request.engine,
                request.engine_version,
                request.allocated_gib,
                request.instance_class
            );
            (request.to_string(), note, send(scene, account, account.cloud.create(request, &password)).await)
        }
        CloudStep::Modify { request, .. } => {
            let text = describe(request);
            (text.clone(), text, send(scene, account, account.cloud.modify(request)).await)
        }
        CloudStep::Tag { arn, tags, .. } => {
            let text = describe_tags(tags);
            (text.clone(), text, send(scene, account, account.cloud.tag(arn, tags)).await)
        }
        CloudStep::ResetMasterPassword => {
            let master_password = world.password(&names::master_secret_name(&world.object.name));
            let request = ModifyInstance {
                identifier: world.identifier.to_string(),
                master_password: Some(master_password.ok_or(ApplyError::Inconsistent("a new master password"))?),
                ..ModifyInstance::default()
            };
            let note = "the master user is given the password that its Secret holds".to_owned();
            (reset_request(world), note, send(scene, account, account.cloud.modify(&request)).await)
        }
        CloudStep::Delete(request) => {
            let text = describe_delete(request);
            (text.clone(), text, send(scene, account, account.cloud.delete(request)).await)
        }
    };
    settle(scene, step.effect(), request, note, answer).await;
    Ok(())
}

/// Makes a call. Whatever the answer, even none at all, it may have had its effect: only a later sweep tells.
async fn send(
    scene: &Scene<'_>,
    account: &Account,
    call: impl Future<Output = Result<(), CloudError>>,
) -> Result<(), CloudError> {
    let answer = call.await;
    let uid = &scene.observation.world.object.uid;
    let now = scene.context.now();
    scene.context.memory.update(uid, |recollection| recollection.last_effect = Some(now));
    account.sweeper.expect_change();
    answer
}

async fn settle(scene: &Scene<'_>, effect: Effect, request: String, note: String, answer: Result<(), CloudError>) {
    let object = &scene.observation.world.object;
    let at = scene.context.now();
    let before = scene.observation.world.asked.get(&effect).filter(|asked| asked.request == request);
    let (answer, told) = match answer {
        Ok(()) => {
            let times = before.map_or(0, |asked| if let Answer::Accepted { times } = asked.answer { times } else { 0 });
            (Answer::Accepted { times: times + 1 }, Some(tell::accepted(effect, note)))
        }
        Err(error) => {
            let attempts = 1 + before
                .map_or(0, |asked| if let Answer::Refused { attempts, .. } = asked.answer { attempts } else { 0 });
            let retry_at = at + back_off(effect, error.class, attempts, scene.context.entropy.fraction());
            let message = format!("{error}; {}", error.remedy());
            tracing::warn!(namespace = object.namespace, name = object.name, %error, attempts, "the cloud refused");
            let told = (attempts == 1).then(|| tell::refused(effect, message.clone()));
            (Answer::Refused { class: error.class, message, retry_at, attempts }, told)
        }
    };
    scene.context.memory.update(&object.uid, |recollection| {
        if effect == Effect::Password {
            // The refused visit is answered: the next one finds the new password.
            recollection.visit = None;
        }
        recollection.asked.insert(effect, Asked { request, at, answer });
    });
    match told {
        Some(notice) if notice.warning => {
            tell::once(scene.context, scene.object, tell::concern(effect).condition(), notice).await;
        }
        Some(notice) => scene.context.cluster.notify(scene.object, notice).await,
        None => {}
    }
}

/// The pause before the next try: doubling from a start to an end that fit the class, with up to a quarter of jitter.
fn back_off(effect: Effect, class: ErrorClass, attempts: u32, jitter: f64) -> Duration {
    let (first, last) = match class {
        // A creation whose answer was lost may still appear: it is not asked for again before it would.
        ErrorClass::Unreachable if effect == Effect::Create => (60, 120),
        // An AlreadyExists is most often our own creation that a killed process did not see answered: the next sweep shows it.
        ErrorClass::Transient | ErrorClass::Unreachable | ErrorClass::AlreadyExists => (2, 120),
        ErrorClass::WrongState | ErrorClass::NotFound => (5, 60),
        ErrorClass::StorageCooldown => (600, 3600),
        ErrorClass::Exhausted => (60, 1800),
        ErrorClass::Refused | ErrorClass::Unauthorized => (30, 600),
    };
    let pause = Duration::from_secs(2_u64.saturating_pow(attempts.saturating_sub(1)).saturating_mul(first).min(last));
    pause + pause.mul_f64(jitter / 4.0)
}
