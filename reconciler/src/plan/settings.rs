//! The difference between what the spec declares and what the instance is, and only that: an automatic minor upgrade, autoscaled
//! storage or a field that the spec leaves out are no drift.

use shared::rules::{EngineVersion, Gibibytes, Interval};

use super::ground::{Ownership, ownership, usable};
use super::outcome::Outcome;
use super::platform;
use super::reason::Reason;
use super::step::Step;
use super::world::World;
use crate::providers::{Instance, MarkInstance, Modify, Request, Settings, days};
use crate::subject::{Refusal, Target};

const NOT_YET: &str = "waiting for the instance";

pub(super) fn storage(target: &Target, world: &World) -> Outcome {
    let allocated = usable(world).and_then(|instance| Some((instance, instance.running.allocated_gib?)));
    let Some((instance, allocated)) = allocated else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let wanted = world.offer.allocate(target.desired.size);
    let underway = instance.pending.allocated_gib.unwrap_or(0);
    if wanted.get() <= allocated {
        return Outcome::done(format!("{allocated} GiB are allocated"));
    }
    if wanted.get() <= underway {
        return Outcome::wait(Reason::Growing, format!("the storage is growing from {allocated} to {underway} GiB"));
    }
    let grown = world.offer.grow(Gibibytes::new(allocated), wanted);
    let permitted = target.fence.storage(target.desired.size, grown);
    if let Err(refusal) = target.fence.change().and(permitted) {
        return refusal.into();
    }
    if !instance.status.storage_modifiable() {
        return busy(world, instance, &format!("the storage grows to {} GiB", grown.get()));
    }
    change(instance, Settings { allocated_gib: Some(grown.get()), ..Settings::default() })
}

pub(super) fn backups(target: &Target, world: &World) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let kept = u32::from(target.desired.backup.retention_days);
    let wanted = Settings { backup_retention_days: Some(kept), ..Settings::default() };
    let left = wanted.beyond(&instance.running, &instance.pending);
    if !left.is_empty() {
        let permitted = target.fence.retention(target.desired.backup.retention_days);
        if let Err(refusal) = target.fence.change().and(permitted) {
            return refusal.into();
        }
        if !instance.status.modifiable() {
            return busy(world, instance, &format!("backups are kept for {}", days(kept)));
        }
        return change(instance, left);
    }
    if let Some(why) = not_scheduled(target, world) {
        return Outcome::Blocked { reason: Reason::NotScheduled, message: why, until: None };
    }
    Outcome::done(format!("daily backups are kept for {}", days(kept)))
}

/// Why backups are not made as often as asked, where that is so.
pub(crate) fn not_scheduled(target: &Target, world: &World) -> Option<String> {
    let (every, service) = (&target.desired.backup.every, world.offer.service());
    (*every != Interval::DAY)
        .then(|| format!("spec.backup.every: {every} is not scheduled yet; {service} backs up daily"))
}

pub(super) fn others(target: &Target, world: &World) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    if let (Ownership::Predecessor, Some(resource)) = (ownership(world, instance), instance.resource_name.clone()) {
        let retained = instance.marks.retained.map(|_| false);
        let request = MarkInstance { resource, owner: Some(world.owner()), retained, ..MarkInstance::default() };
        let step = Step::Cloud(Request::Mark(request));
        return Outcome::act(Reason::TakingUp, "the accepted instance is being marked as this object's", step);
    }
    let read = |version: &Option<String>| EngineVersion::read(target.desired.engine, version.as_deref()?);
    let (running, pending) = (read(&instance.running.engine_version), read(&instance.pending.engine_version));
    let wanted = target.desired.version;
    if let Some(running) = running.filter(|running| running.major() != wanted.major()) {
        let message = format!(
            "spec.version asks for {wanted} and {} runs {running}: a change of the major version is not offered yet; set spec.version: \"{}\"",
            world.offer.service(),
            running.major()
        );
        return Outcome::blocked(Reason::MajorUpgradeNotOffered, message);
    }
    // One change a pass. What holds one of them back does not hold the other.
    let tags = platform::tags(target, world, instance).map(|request| {
        let request = Request::Mark(request);
        Outcome::act(Reason::Tagging, request.to_string(), Step::Cloud(request))
    });
    match (modification(target, world, instance, pending.or(running)), tags) {
        (None, None) => Outcome::done(as_declared(target, world, instance)),
        (Some(Outcome::Act { reason, message, steps }), Some(Outcome::Act { steps: tags, .. })) => {
            Outcome::Act { reason, message, steps: steps.into_iter().chain(tags).collect() }
        }
        (Some(change @ Outcome::Act { .. }), _) | (Some(change), None) => change,
        (_, Some(tags)) => tags,
    }
}

/// What of the other settings is not as declared.
fn modification(target: &Target, world: &World, instance: &Instance, have: Option<EngineVersion>) -> Option<Outcome> {
    let (wanted, refused) = declared(target, instance, have);
    let left = wanted.beyond(&instance.running, &instance.pending);
    if left.is_empty() {
        return refused.map(Outcome::from);
    }
    Some(match instance.status.modifiable() {
        true => change(instance, left),
        false => busy(world, instance, &told(instance, &left)),
    })
}

/// What is wanted of the other settings, as far as the class permits it; and the first of what it does not.
fn declared(target: &Target, instance: &Instance, have: Option<EngineVersion>) -> (Settings, Option<Refusal>) {
    let (desired, fence) = (&target.desired, &target.fence);
    let of_platform = platform::settings(target);
    let mut refused = None;
    let mut permitted =
        |judged: Result<(), Refusal>| judged.map_err(|refusal| refused.get_or_insert(refusal).clone()).is_ok();
    let class = desired.instance_class.clone().filter(|class| {
        let have = instance.pending.instance_class.as_ref().or(instance.running.instance_class.as_ref());
        have == Some(class) || permitted(fence.instance_class(class, true))
    });
    // Only an exact version above the one that runs is an upgrade: minor versions come by themselves, and none is taken back.
    let exact = desired.version.minor().is_some();
    let above = |have: EngineVersion| exact && !desired.version.covers(have) && desired.version > have;
    let version = have.is_some_and(above) && permitted(fence.version(desired));
    let wanted = Settings {
        engine_version: version.then(|| desired.version.to_string()),
        // A minor version that is written down is one to stay at; without one, the provider's own setting stands.
        auto_minor_version_upgrade: exact.then_some(false),
        instance_class: class,
        deletion_protection: desired.deletion_protection.then_some(true),
        ..Settings::default()
    };
    // What the platform decides reaches the instance whatever the object may ask for.
    let own = wanted.clone().beyond(&instance.running, &instance.pending);
    if !own.is_empty()
        && let Err(refusal) = fence.change()
    {
        return (of_platform, Some(refusal));
    }
    (Settings { security_groups: of_platform.security_groups, ..wanted }, refused)
}

/// One that stands outside a fence that was narrowed after its birth stays as it is, and says so.
fn as_declared(target: &Target, world: &World, instance: &Instance) -> String {
    let outside = target.birth().err();
    let outside = outside.map(|refusal| format!("it stays as it is, and a new one would be refused: {refusal}"));
    let declared = Some("the instance is as declared".to_owned());
    let (otherwise, left) =
        (platform::otherwise(target, world, instance), platform::left_over(target, world, instance));
    [declared, otherwise, left, outside].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn busy(world: &World, instance: &Instance, then: &str) -> Outcome {
    let message = format!("{} reports {}; then: {then}", world.offer.service(), instance.status);
    Outcome::wait(Reason::InstanceBusy, message)
}

fn change(instance: &Instance, change: Settings) -> Outcome {
    let what = told(instance, &change);
    let request = Request::Modify(Modify { identifier: instance.identifier.clone(), change });
    Outcome::act(Reason::Modifying, what, Step::Cloud(request))
}

/// A change in words: from what is, or is about to be.
fn told(instance: &Instance, change: &Settings) -> String {
    change.from(&instance.pending.clone().or(instance.running.clone()))
}
