//! Effects on the cloud. Each is sent once; what came of it is remembered for the next plan.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use shared::names;
use tokio::time::Instant;

use super::{ApplyError, Scene};
use crate::cluster::Notice;
use crate::plan::{
    Answer, Asked, CloudStep, Effect, TAG_REQUEST, World, create_request, describe, describe_delete, marks,
    reset_request,
};
use crate::providers::accounts::Account;
use crate::providers::{CloudError, CreateInstance, ErrorClass, ModifyInstance};
use crate::target::Target;

/// RDS's name of the engine.
const ENGINE: &str = "postgres";

pub(super) async fn apply(scene: &Scene<'_>, step: &CloudStep) -> Result<(), ApplyError> {
    let world = &scene.observation.world;
    let account = scene.observation.account.as_deref().ok_or(ApplyError::Inconsistent("a change of the cloud"))?;
    let (request, note, answer) = match step {
        CloudStep::Create => {
            let target = scene.target.ok_or(ApplyError::Inconsistent("CreateDBInstance"))?;
            let create = creation(target, world).ok_or(ApplyError::Inconsistent("CreateDBInstance"))?;
            let note = format!(
                "instance {} asked for: {} {}, {} GiB, {}",
                create.identifier, create.engine, create.engine_version, create.allocated_gib, create.instance_class
            );
            (create_request(target, world), note, send(scene, account, account.cloud.create(&create)).await)
        }
        CloudStep::Modify { request, .. } => {
            let text = describe(request);
            (text.clone(), text, send(scene, account, account.cloud.modify(request)).await)
        }
        CloudStep::Tag { arn } => {
            let tags = marks(world).map(|(key, value)| (key.to_owned(), value.clone())).into();
            let note = format!("the instance {} is marked as this object's", world.identifier);
            (TAG_REQUEST.to_owned(), note, send(scene, account, account.cloud.tag(arn, &tags)).await)
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
    scene.context.memory.update(uid, |recollection| recollection.last_effect = Some(Instant::now()));
    account.sweeper.expect_change();
    answer
}

async fn settle(scene: &Scene<'_>, effect: Effect, request: String, note: String, answer: Result<(), CloudError>) {
    let object = &scene.observation.world.object;
    let at = (scene.context.clock)();
    let before = scene.observation.world.asked.get(&effect).filter(|asked| asked.request == request);
    let (answer, notice) = match answer {
        Ok(()) => {
            let times = before.map_or(0, |asked| if let Answer::Accepted { times } = asked.answer { times } else { 0 });
            let notice = Notice { warning: false, reason: reason(effect).into(), action: reason(effect).into(), note };
            (Answer::Accepted { times: times + 1 }, Some(notice))
        }
        Err(error) => {
            let attempts = 1 + before
                .map_or(0, |asked| if let Answer::Refused { attempts, .. } = asked.answer { attempts } else { 0 });
            let pause = SignedDuration::try_from(back_off(effect, error.class, attempts));
            let retry_at = at.saturating_add(pause.unwrap_or(SignedDuration::from_secs(60))).unwrap_or(Timestamp::MAX);
            let message = format!("{error}; {}", error.remedy());
            tracing::warn!(namespace = object.namespace, name = object.name, %error, attempts, "the cloud refused");
            let notice = (attempts == 1).then(|| Notice {
                warning: true,
                reason: "CloudRefused".into(),
                action: reason(effect).into(),
                note: message.clone(),
            });
            (Answer::Refused { class: error.class, message, retry_at, attempts }, notice)
        }
    };
    scene.context.memory.update(&object.uid, |recollection| {
        if effect == Effect::Password {
            // The refused visit is answered: the next one finds the new password.
            recollection.visit = None;
        }
        recollection.asked.insert(effect, Asked { request, at, answer });
    });
    if let Some(notice) = notice {
        scene.context.cluster.notify(scene.object, notice).await;
    }
}

fn reason(effect: Effect) -> &'static str {
    match effect {
        Effect::Create => "CreateInstance",
        Effect::Storage => "GrowStorage",
        Effect::Backups | Effect::Settings | Effect::Protection => "ModifyInstance",
        Effect::Tags => "TakeUpInstance",
        Effect::Password => "ResetMasterPassword",
        Effect::Delete => "DeleteInstance",
    }
}

/// The pause before the next try: doubling from a start to an end that fit the class, with up to a quarter of jitter.
fn back_off(effect: Effect, class: ErrorClass, attempts: u32) -> Duration {
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
    let seconds = 2_u64.saturating_pow(attempts.saturating_sub(1)).saturating_mul(first).min(last);
    Duration::from_millis(seconds * 1000 + rand::rng().random_range(0..=seconds * 250))
}

fn creation(target: &Target, world: &World) -> Option<CreateInstance> {
    let (desired, class) = (&target.desired, &target.class);
    Some(CreateInstance {
        identifier: world.identifier.to_string(),
        engine: ENGINE,
        engine_version: desired.version.to_string(),
        auto_minor_version_upgrade: desired.version.minor().is_none(),
        instance_class: desired.instance_class.clone().unwrap_or_else(|| class.instance_class.clone()),
        allocated_gib: desired.size.allocated().get(),
        storage_type: class.storage_type.clone(),
        master_user: desired.master_user.to_string(),
        master_password: world.password(&names::master_secret_name(&world.object.name))?,
        backup_retention_days: u32::from(desired.backup.retention_days),
        deletion_protection: desired.deletion_protection,
        subnet_group: class.subnet_group.clone(),
        security_groups: class.security_groups.clone(),
        kms_key: class.kms_key.clone(),
        tags: tags(target, world),
    })
}

/// The platform's tags, and over them the marks of ownership.
fn tags(target: &Target, world: &World) -> BTreeMap<String, String> {
    let mut tags = target.class.tags.clone();
    tags.extend(marks(world).map(|(key, value)| (key.to_owned(), value.clone())));
    tags
}
