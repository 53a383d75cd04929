//! The difference between what the spec declares and what the instance is, and only that: an automatic minor upgrade, autoscaled
//! storage or a field that the spec leaves out are no drift.

use std::collections::BTreeMap;

use shared::api::labels::RETAINED_TAG;
use shared::number::counted;
use shared::rules::{Engine, EngineVersion, Gibibytes, Interval};

use super::ground::{Ownership, marks, ownership, usable};
use super::guard::hold;
use super::{CloudStep, Effect, Moment, Outcome, Reason, Step, World, platform};
use crate::providers::{Instance, ModifyInstance};
use crate::subject::{Refusal, Target};

const NOT_YET: &str = "waiting for the instance";

pub(super) fn storage(target: &Target, world: &World, now: Moment) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let Some(allocated) = instance.allocated_gib else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let wanted = target.desired.size.allocated().get();
    let underway = instance.pending_allocated_gib.unwrap_or(0);
    if wanted <= allocated {
        return Outcome::done(format!("{allocated} GiB are allocated"));
    }
    if wanted <= underway {
        return Outcome::wait(Reason::Growing, format!("the storage is growing from {allocated} to {underway} GiB"));
    }
    let target_gib = Gibibytes::new(allocated).grown_to(Gibibytes::new(wanted)).get();
    let permitted = target.fence.storage(target.desired.size, Gibibytes::new(target_gib));
    if let Err(refusal) = target.fence.change().and(permitted) {
        return refusal.into();
    }
    let request = ModifyInstance {
        identifier: instance.identifier.clone(),
        allocated_gib: Some(target_gib),
        ..ModifyInstance::default()
    };
    if !instance.status.storage_modifiable() {
        return Outcome::wait(
            Reason::InstanceBusy,
            format!("RDS reports {}; then the storage grows to {target_gib} GiB", instance.status),
        );
    }
    change(world, Effect::Storage, request, format!("AllocatedStorage {allocated} to {target_gib} GiB"), now)
}

pub(super) fn backups(target: &Target, world: &World, now: Moment) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let wanted = u32::from(target.desired.backup.retention_days);
    let have = instance.pending_backup_retention_days.or(instance.backup_retention_days);
    if have != Some(wanted) {
        let permitted = target.fence.retention(target.desired.backup.retention_days);
        if let Err(refusal) = target.fence.change().and(permitted) {
            return refusal.into();
        }
        let request = ModifyInstance {
            identifier: instance.identifier.clone(),
            backup_retention_days: Some(wanted),
            ..ModifyInstance::default()
        };
        if !instance.status.modifiable() {
            return Outcome::wait(
                Reason::InstanceBusy,
                format!("RDS reports {}; then backups are kept for {}", instance.status, days(wanted)),
            );
        }
        let what = format!("BackupRetentionPeriod {} to {}", have.unwrap_or(0), days(wanted));
        return change(world, Effect::Backups, request, what, now);
    }
    if let Some(why) = not_scheduled(target) {
        return Outcome::Blocked { reason: Reason::NotScheduled, message: why, until: None };
    }
    Outcome::done(format!("daily backups are kept for {}", days(wanted)))
}

fn days(number: u32) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "day")
}

/// Why backups are not made as often as asked, where that is so.
pub(crate) fn not_scheduled(target: &Target) -> Option<String> {
    let every = &target.desired.backup.every;
    (*every != Interval::DAY).then(|| format!("spec.backup.every: {every} is not scheduled yet; RDS backs up daily"))
}

pub(super) fn others(target: &Target, world: &World, now: Moment) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    if let (Ownership::Predecessor, Some(arn)) = (ownership(world, instance), &instance.arn) {
        let mut tags: BTreeMap<String, String> =
            marks(world).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        if instance.tags.contains_key(RETAINED_TAG) {
            tags.insert(RETAINED_TAG.to_owned(), "false".to_owned());
        }
        return hold(world, Effect::Tags, &platform::describe_tags(&tags), now).unwrap_or_else(|| {
            let step = Step::Cloud(CloudStep::Tag { effect: Effect::Tags, arn: arn.clone(), tags });
            Outcome::act(Reason::TakingUp, "the accepted instance is being marked as this object's", step)
        });
    }
    let running = instance.engine_version.as_deref().and_then(|text| EngineVersion::read(Engine::Postgresql, text));
    let wanted = target.desired.version;
    if let Some(running) = running.filter(|running| running.major() != wanted.major()) {
        let message = format!(
            "spec.version asks for {wanted} and RDS runs {running}: a change of the major version is not offered yet; set spec.version: \"{}\"",
            running.major()
        );
        return Outcome::blocked(Reason::MajorUpgradeNotOffered, message);
    }
    // One change a pass. What holds one of them back does not hold the other.
    match (modification(target, world, instance, running, now), platform::tags(target, world, instance, now)) {
        (None, None) => Outcome::done(as_declared(target, instance)),
        (Some(change @ Outcome::Act { .. }), _) | (Some(change), None) => change,
        (Some(_), Some(tags @ Outcome::Act { .. })) | (None, Some(tags)) => tags,
        (Some(held), Some(_)) => held,
    }
}

fn modification(
    target: &Target,
    world: &World,
    instance: &Instance,
    running: Option<EngineVersion>,
    now: Moment,
) -> Option<Outcome> {
    let Differences { request, what, refused } = differences(target, instance, running);
    if what.is_empty() {
        return refused.map(Outcome::from);
    }
    let what = what.join(", ");
    Some(match instance.status.modifiable() {
        true => change(world, Effect::Settings, request, what, now),
        false => Outcome::wait(Reason::InstanceBusy, format!("RDS reports {}; then: {what}", instance.status)),
    })
}

/// What of an instance is not as declared.
struct Differences {
    /// The change that is allowed.
    request: ModifyInstance,
    /// The same in words.
    what: Vec<String>,
    /// What the class keeps from being changed, the first of it.
    refused: Option<Refusal>,
}

/// One that stands outside a fence that was narrowed after its birth stays as it is, and says so.
fn as_declared(target: &Target, instance: &Instance) -> String {
    let outside = target.birth().err();
    let outside = outside.map(|refusal| format!("it stays as it is, and a new one would be refused: {refusal}"));
    let declared = Some("the instance is as declared".to_owned());
    let told = [declared, platform::otherwise(target, instance), platform::left_over(target, instance), outside];
    told.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn differences(target: &Target, instance: &Instance, running: Option<EngineVersion>) -> Differences {
    let desired = &target.desired;
    let mut request = ModifyInstance { identifier: instance.identifier.clone(), ..ModifyInstance::default() };
    let (mut what, mut refused) = (Vec::new(), None);
    let have = instance.pending_instance_class.as_ref().or(instance.instance_class.as_ref());
    if let Some(wanted) = &desired.instance_class
        && have != Some(wanted)
    {
        match target.fence.instance_class(wanted, true) {
            Ok(()) => {
                what.push(format!("DBInstanceClass {} to {wanted}", have.map_or("?", String::as_str)));
                request.instance_class = Some(wanted.clone());
            }
            Err(refusal) => refused = Some(refusal),
        }
    }
    // Only an exact version above the running one is an upgrade: RDS upgrades minor versions by itself, and takes none back.
    let pending =
        instance.pending_engine_version.as_deref().and_then(|text| EngineVersion::read(Engine::Postgresql, text));
    if let Some(have) = pending.or(running)
        && desired.version.minor().is_some()
        && !desired.version.covers(have)
        && desired.version > have
    {
        match target.fence.version(desired.version) {
            Ok(()) => {
                what.push(format!("EngineVersion {have} to {}", desired.version));
                request.engine_version = Some(desired.version.to_string());
            }
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    // A minor version that is written down is one to stay at; without one, RDS's own setting stands.
    if desired.version.minor().is_some() && instance.auto_minor_version_upgrade {
        what.push("AutoMinorVersionUpgrade off".to_owned());
        request.auto_minor_version_upgrade = Some(false);
    }
    if desired.deletion_protection && !instance.deletion_protection {
        what.push("DeletionProtection on".to_owned());
        request.deletion_protection = Some(true);
    }
    // What the platform decides reaches the instance whatever the object may ask for.
    if !what.is_empty()
        && let Err(refusal) = target.fence.change()
    {
        what.clear();
        request = ModifyInstance { identifier: instance.identifier.clone(), ..ModifyInstance::default() };
        refused = Some(refusal);
    }
    if let Some(groups) = platform::security_groups(target, instance) {
        what.push(format!("VpcSecurityGroupIds {} to {}", instance.security_groups.join(","), groups.join(",")));
        request.security_groups = Some(groups);
    }
    Differences { request, what, refused }
}

fn change(world: &World, effect: Effect, request: ModifyInstance, what: String, now: Moment) -> Outcome {
    hold(world, effect, &describe(&request), now)
        .unwrap_or_else(|| Outcome::act(Reason::Modifying, what, Step::Cloud(CloudStep::Modify { effect, request })))
}

/// A change as the retries and the breaker know it.
pub(crate) fn describe(request: &ModifyInstance) -> String {
    let mut fields = Vec::new();
    if let Some(gib) = request.allocated_gib {
        fields.push(format!("AllocatedStorage={gib}"));
    }
    if let Some(class) = &request.instance_class {
        fields.push(format!("DBInstanceClass={class}"));
    }
    if let Some(version) = &request.engine_version {
        fields.push(format!("EngineVersion={version}"));
    }
    if let Some(days) = request.backup_retention_days {
        fields.push(format!("BackupRetentionPeriod={days}"));
    }
    if let Some(automatic) = request.auto_minor_version_upgrade {
        fields.push(format!("AutoMinorVersionUpgrade={automatic}"));
    }
    if let Some(protection) = request.deletion_protection {
        fields.push(format!("DeletionProtection={protection}"));
    }
    if let Some(groups) = &request.security_groups {
        fields.push(format!("VpcSecurityGroupIds={}", groups.join(",")));
    }
    format!("ModifyDBInstance {}", fields.join(" "))
}
