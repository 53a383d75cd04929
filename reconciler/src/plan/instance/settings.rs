//! The difference between what the spec declares and what the instance is, and only that: an automatic minor upgrade, autoscaled
//! storage or a field that the spec leaves out are no drift.

use shared::rules::EngineVersion;

use super::queue::{Ask, NOT_YET, Standing, ask};
use super::{parameters, platform, upgrade};
use crate::clock::Moment;
use crate::plan::ground::{Ownership, ownership, usable};
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::step::Step;
use crate::plan::world::World;
use crate::providers::{Instance, MarkInstance, Request, Settings};
use crate::subject::{Refusal, Target};

/// What is wanted of the settings: all of it at a birth. Of an instance that runs, what its object declares, and what its class decides at any
/// time; the concerns take their part.
pub(super) fn wanted(target: &Target, world: &World) -> Settings {
    let (desired, class) = (&target.desired, &target.class);
    let groups = &class.security_groups;
    Settings {
        engine_version: Some(desired.version.to_string()),
        auto_minor_version_upgrade: Some(desired.version.minor().is_none()),
        instance_class: Some(target.instance_class().to_owned()),
        allocated_gib: Some(world.offer.allocate(desired.size).get()),
        iops: desired.storage.iops,
        throughput: desired.storage.throughput,
        storage_type: Some(desired.storage.kind.as_ref().unwrap_or(&class.storage_type).clone()),
        max_allocated_gib: desired.storage.max_size().map(|most| most.gibibytes().get()),
        multi_az: Some(desired.multi_az.unwrap_or(class.multi_az)),
        extended_support: desired.extended_support.or(class.extended_support),
        backup_retention_days: Some(u32::from(desired.backup.automated_days())),
        backup_window: written(desired.backup.window.as_ref()).or(class.backup_window.clone()),
        maintenance_window: written(desired.maintenance_window.as_ref()).or(class.maintenance_window.clone()),
        deletion_protection: Some(desired.deletion_protection),
        // Where the class names none, the provider's stay.
        security_groups: (!groups.is_empty()).then(|| groups.iter().cloned().collect()),
        subnet_group: class.subnet_group.clone(),
        kms_key: class.kms_key.clone(),
        parameter_group: parameters::wanted(target, world, desired.version).map(|group| group.name),
    }
}

fn written(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

/// What is told where the class does not permit a change, or the provider does not offer `whole`, which is the change with all that goes with it.
pub(super) fn refused(target: &Target, world: &World, change: &Settings, whole: &Settings) -> Option<Outcome> {
    let permitted = target.fence.change(&target.desired, change);
    permitted.err().map(Outcome::from).or_else(|| not_offered(target, world, whole))
}

/// A change of one window, with the other one: both are judged together.
pub(super) fn with_windows(change: &Settings, instance: &Instance) -> Settings {
    if change.backup_window.is_none() && change.maintenance_window.is_none() {
        return change.clone();
    }
    let Settings { backup_window, maintenance_window, .. } = instance.running.clone();
    change.clone().or(Settings { backup_window, maintenance_window, ..Settings::default() })
}

/// What is told where the provider does not offer an instance with such settings.
pub(super) fn not_offered(target: &Target, world: &World, settings: &Settings) -> Option<Outcome> {
    let offered = world.offer.offers(target.desired.engine, settings);
    offered.err().map(|why| Outcome::blocked(Reason::NotOffered, why))
}

pub(crate) fn plan(target: &Target, world: &World, now: Moment) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    if let (Ownership::Predecessor | Ownership::Offered, Some(resource)) =
        (ownership(world, instance), instance.resource_name.clone())
    {
        let retained = instance.marks.retained.map(|_| false);
        let request = MarkInstance { resource, owner: Some(world.owner()), retained, ..MarkInstance::default() };
        let step = Step::Cloud(Request::Mark(request));
        return Outcome::act(Reason::TakingUp, "the accepted instance is being marked as this object's", step);
    }
    let read = |version: &Option<String>| EngineVersion::read(target.desired.engine, version.as_deref()?);
    let (running, pending) = (read(&instance.running.engine_version), read(&instance.pending.engine_version));
    let wanted = target.desired.version;
    let other_major = running.filter(|running| running.major() != wanted.major());
    let upgrade = other_major.map(|running| upgrade::plan(target, world, instance, running, now));
    // One change a pass. What holds one of them back does not hold the others.
    if let Some(upgrade @ Outcome::Act { .. }) = upgrade {
        return upgrade;
    }
    let tags = platform::tags(target, world, instance).map(|request| {
        let request = Request::Mark(request);
        Outcome::act(Reason::Tagging, request.to_string(), Step::Cloud(request))
    });
    match (modification(target, world, instance, (running, pending), now), tags) {
        (None, None) => upgrade.unwrap_or_else(|| Outcome::done(as_declared(target, world, instance))),
        (Some(Outcome::Act { reason, message, steps }), Some(Outcome::Act { steps: tags, .. })) => {
            Outcome::Act { reason, message, steps: steps.into_iter().chain(tags).collect() }
        }
        (Some(change @ Outcome::Act { .. }), _) => change,
        // What needs somebody is told before what waits.
        (Some(change), None) => match upgrade {
            Some(upgrade @ Outcome::Wait { .. }) if !matches!(change, Outcome::Blocked { .. }) => upgrade,
            Some(upgrade @ (Outcome::Blocked { .. } | Outcome::Done { .. })) => upgrade,
            _ => change,
        },
        (_, Some(tags)) => tags,
    }
}

/// What of the other settings is not as declared.
fn modification(
    target: &Target,
    world: &World,
    instance: &Instance,
    versions: (Option<EngineVersion>, Option<EngineVersion>),
    now: Moment,
) -> Option<Outcome> {
    let (wanted, refused) = declared(target, world, instance, versions);
    let standing = Standing::of(target, world, instance, now, instance.status.modifiable());
    match ask(&standing, &wanted, |part| part, |change| not_offered(target, world, &with_windows(change, instance))) {
        Ask::Say(outcome) => Some(outcome),
        Ask::UnderWay(coming, until) => {
            Some(Outcome::Wait { reason: Reason::Modifying, message: told(instance, &coming), until })
        }
        Ask::Nothing => refused.map(Outcome::from),
    }
}

/// What is wanted of the other settings, as far as the class permits it; and the first of what it does not.
fn declared(
    target: &Target,
    world: &World,
    instance: &Instance,
    (running, pending): (Option<EngineVersion>, Option<EngineVersion>),
) -> (Settings, Option<Refusal>) {
    let (desired, fence) = (&target.desired, &target.fence);
    let wanted = wanted(target, world);
    let mut refused = None;
    let mut permitted =
        |judged: Result<(), Refusal>| judged.map_err(|refusal| refused.get_or_insert(refusal).clone()).is_ok();
    // What the platform decides reaches the instance whatever the object may ask for.
    let of_platform = Settings { security_groups: wanted.security_groups, ..Settings::default() };
    let class = desired.instance_class.clone().filter(|class| {
        let have = instance.pending.instance_class.as_ref().or(instance.running.instance_class.as_ref());
        have == Some(class) || permitted(fence.instance_class(class, true))
    });
    // Only an exact version above the one that runs is an upgrade: minor versions come by themselves, and none is taken back.
    let exact = desired.version.minor().is_some();
    let same_major = |have: EngineVersion| have.major() == desired.version.major();
    let above =
        |have: EngineVersion| exact && same_major(have) && !desired.version.covers(have) && desired.version > have;
    let version = pending.or(running).is_some_and(above) && permitted(fence.version(desired));
    let rises = running.is_some_and(|running| running.major() < desired.version.major());
    // Another major version that waits, and is not wanted (any more), is taken back.
    let back = running.is_some_and(same_major) && pending.is_some_and(|pending| !same_major(pending));
    let engine_version =
        if back { instance.running.engine_version.clone() } else { wanted.engine_version.filter(|_| version) };
    let own = Settings {
        engine_version,
        // A minor version that is written down is one to stay at; without one, the provider's own setting stands.
        auto_minor_version_upgrade: wanted.auto_minor_version_upgrade.filter(|by_itself| !by_itself),
        instance_class: class,
        deletion_protection: wanted.deletion_protection.filter(|protected| *protected),
        multi_az: desired.multi_az,
        // Who leaves the paid support by an upgrade leaves it after that: before, the provider would upgrade by itself, at its own time.
        extended_support: desired.extended_support.filter(|extended| *extended || !rises),
        maintenance_window: written(desired.maintenance_window.as_ref()),
        ..Settings::default()
    };
    let left = own.clone().beyond(&instance.running, &instance.pending);
    if !left.is_empty()
        && let Err(refusal) = fence.change(desired, &left)
    {
        return (of_platform, Some(refusal));
    }
    (own.or(of_platform), refused)
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

/// A change in words: from what is, or is about to be.
pub(super) fn told(instance: &Instance, change: &Settings) -> String {
    change.from(&instance.running)
}
