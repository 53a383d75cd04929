//! The difference between what the spec declares and what the instance is, and only that: an automatic minor upgrade, autoscaled
//! storage or a field that the spec leaves out are no drift.

use jiff::Timestamp;

use shared::rules::{Engine, EngineVersion, Gibibytes, Interval};

use super::guard::hold;
use super::instance::{Ownership, ownership, usable};
use super::{CloudStep, Effect, Outcome, Step, World};
use crate::providers::{Instance, ModifyInstance};
use crate::target::Target;

/// New marks of ownership, as retries and breaker know them.
pub(crate) const TAG_REQUEST: &str = "AddTagsToResource (marks of ownership)";
/// The reason of a wish for another schedule than RDS has.
pub(crate) const NOT_SCHEDULED: &str = "NotScheduled";
const NOT_YET: &str = "waiting for the instance";

pub(super) fn storage(target: &Target, world: &World, now: Timestamp) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait("WaitingForInstance", NOT_YET);
    };
    let Some(allocated) = instance.allocated_gib else {
        return Outcome::wait("WaitingForInstance", NOT_YET);
    };
    let wanted = target.desired.size.allocated().get();
    let underway = instance.pending_allocated_gib.unwrap_or(0);
    if wanted <= allocated {
        return Outcome::done(format!("{allocated} GiB are allocated"));
    }
    if wanted <= underway {
        return Outcome::wait("Growing", format!("the storage is growing from {allocated} to {underway} GiB"));
    }
    let target_gib = Gibibytes::new(allocated).grown_to(Gibibytes::new(wanted)).get();
    let request = ModifyInstance {
        identifier: instance.identifier.clone(),
        allocated_gib: Some(target_gib),
        ..ModifyInstance::default()
    };
    if !instance.status.storage_modifiable() {
        return Outcome::wait(
            "InstanceBusy",
            format!("RDS reports {}; then the storage grows to {target_gib} GiB", instance.status),
        );
    }
    change(world, Effect::Storage, request, format!("AllocatedStorage {allocated} to {target_gib} GiB"), now)
}

pub(super) fn backups(target: &Target, world: &World, now: Timestamp) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait("WaitingForInstance", NOT_YET);
    };
    let wanted = u32::from(target.desired.backup.retention_days);
    let have = instance.pending_backup_retention_days.or(instance.backup_retention_days);
    if have != Some(wanted) {
        let request = ModifyInstance {
            identifier: instance.identifier.clone(),
            backup_retention_days: Some(wanted),
            ..ModifyInstance::default()
        };
        if !instance.status.modifiable() {
            return Outcome::wait(
                "InstanceBusy",
                format!("RDS reports {}; then backups are kept for {wanted} days", instance.status),
            );
        }
        let what = format!("BackupRetentionPeriod {} to {wanted} days", have.unwrap_or(0));
        return change(world, Effect::Backups, request, what, now);
    }
    if let Some(why) = not_scheduled(target) {
        return Outcome::Blocked { reason: NOT_SCHEDULED, message: why, until: None };
    }
    Outcome::done(format!("daily backups are kept for {wanted} days"))
}

/// Why backups are not made as often as asked, where that is so.
pub(crate) fn not_scheduled(target: &Target) -> Option<String> {
    let every = &target.desired.backup.every;
    (*every != Interval::DAY).then(|| format!("spec.backup.every: {every} is not scheduled yet; RDS backs up daily"))
}

pub(super) fn others(target: &Target, world: &World, now: Timestamp) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait("WaitingForInstance", NOT_YET);
    };
    if let (Ownership::Predecessor, Some(arn)) = (ownership(world, instance), &instance.arn) {
        let step = Step::Cloud(CloudStep::Tag { arn: arn.clone() });
        return hold(world, Effect::Tags, TAG_REQUEST, now).unwrap_or_else(|| {
            Outcome::act("TakingUp", "the accepted instance is being marked as this object's", step)
        });
    }
    let running = instance.engine_version.as_deref().and_then(|text| EngineVersion::read(Engine::Postgresql, text));
    let wanted = target.desired.version;
    if let Some(running) = running.filter(|running| running.major() != wanted.major()) {
        let message = format!(
            "spec.version asks for {wanted} and RDS runs {running}: a change of the major version is not offered yet; set spec.version: \"{}\"",
            running.major()
        );
        return Outcome::blocked("MajorUpgradeNotOffered", message);
    }
    let (request, what) = differences(target, instance, running);
    if what.is_empty() {
        return Outcome::done("the instance is as declared");
    }
    let what = what.join(", ");
    if !instance.status.modifiable() {
        return Outcome::wait("InstanceBusy", format!("RDS reports {}; then: {what}", instance.status));
    }
    change(world, Effect::Settings, request, what, now)
}

fn differences(target: &Target, instance: &Instance, running: Option<EngineVersion>) -> (ModifyInstance, Vec<String>) {
    let desired = &target.desired;
    let mut request = ModifyInstance { identifier: instance.identifier.clone(), ..ModifyInstance::default() };
    let mut what = Vec::new();
    let have = instance.pending_instance_class.as_ref().or(instance.instance_class.as_ref());
    if let Some(wanted) = &desired.instance_class
        && have != Some(wanted)
    {
        what.push(format!("DBInstanceClass {} to {wanted}", have.map_or("?", String::as_str)));
        request.instance_class = Some(wanted.clone());
    }
    // Only an exact version above the running one is an upgrade: RDS upgrades minor versions by itself, and takes none back.
    let pending =
        instance.pending_engine_version.as_deref().and_then(|text| EngineVersion::read(Engine::Postgresql, text));
    if let Some(have) = pending.or(running)
        && desired.version.minor().is_some()
        && !desired.version.covers(have)
        && desired.version > have
    {
        what.push(format!("EngineVersion {have} to {}", desired.version));
        request.engine_version = Some(desired.version.to_string());
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
    (request, what)
}

fn change(world: &World, effect: Effect, request: ModifyInstance, what: String, now: Timestamp) -> Outcome {
    hold(world, effect, &describe(&request), now)
        .unwrap_or_else(|| Outcome::act("Modifying", what, Step::Cloud(CloudStep::Modify { effect, request })))
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
    format!("ModifyDBInstance {}", fields.join(" "))
}
