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
        iops: desired.iops,
        throughput: desired.throughput,
        storage_type: Some(class.storage_type.clone()),
        backup_retention_days: Some(u32::from(desired.backup.retention_days)),
        deletion_protection: Some(desired.deletion_protection),
        // Where the class names none, the provider's stay.
        security_groups: (!groups.is_empty()).then(|| groups.iter().cloned().collect()),
        subnet_group: class.subnet_group.clone(),
        kms_key: class.kms_key.clone(),
    }
}

/// What is told where the provider does not offer an instance with such settings.
pub(super) fn not_offered(target: &Target, world: &World, settings: &Settings) -> Option<Outcome> {
    let offered = world.offer.offers(target.desired.engine, settings);
    offered.err().map(|why| Outcome::blocked(Reason::NotOffered, why))
}

pub(super) fn storage(target: &Target, world: &World) -> Outcome {
    let allocated = usable(world).and_then(|instance| Some((instance, instance.running.allocated_gib?)));
    let Some((instance, allocated)) = allocated else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    // Storage is changed by one request: a provider may take no other one for hours.
    let Settings { allocated_gib, iops, throughput, .. } = wanted(target, world);
    let growth = allocated_gib.filter(|wanted| *wanted > allocated);
    let wanted = Settings { allocated_gib: growth, iops, throughput, ..Settings::default() };
    let missing = wanted.clone().beyond(&instance.running, &Settings::default());
    if missing.is_empty() {
        return Outcome::done(format!("{allocated} GiB are allocated"));
    }
    let underway = instance.pending.allocated_gib;
    let growth = missing.allocated_gib.filter(|wanted| Some(*wanted) > underway);
    let grown = growth.map(|wanted| world.offer.grow(Gibibytes::new(allocated), Gibibytes::new(wanted)).get());
    let left = Settings { allocated_gib: grown, ..missing.clone().beyond(&Settings::default(), &instance.pending) };
    if left.is_empty() {
        let coming = Settings { allocated_gib: missing.allocated_gib.and(underway), ..missing };
        let message = format!("the storage is being changed: {}", coming.from(&instance.running));
        return Outcome::wait(Reason::Growing, message);
    }
    // A provider may take what the storage does only together with its size.
    let whole = Settings { allocated_gib: left.allocated_gib.or(underway).or(Some(allocated)), ..wanted };
    match target.fence.change(&target.desired, &left) {
        Ok(()) => change(target, world, instance, whole, instance.status.storage_modifiable()),
        Err(refusal) => refusal.into(),
    }
}

pub(super) fn backups(target: &Target, world: &World) -> Outcome {
    let Some(instance) = usable(world) else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let Settings { backup_retention_days, .. } = wanted(target, world);
    let wanted = Settings { backup_retention_days, ..Settings::default() };
    let left = wanted.beyond(&instance.running, &instance.pending);
    if !left.is_empty() {
        return match target.fence.change(&target.desired, &left) {
            Ok(()) => change(target, world, instance, left, instance.status.modifiable()),
            Err(refusal) => refusal.into(),
        };
    }
    if let Some(why) = not_scheduled(target, world) {
        return Outcome::Blocked { reason: Reason::NotScheduled, message: why, until: None };
    }
    Outcome::done(format!("daily backups are kept for {}", days(u32::from(target.desired.backup.retention_days))))
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
    let (wanted, refused) = declared(target, world, instance, have);
    let left = wanted.beyond(&instance.running, &instance.pending);
    if left.is_empty() {
        return refused.map(Outcome::from);
    }
    Some(change(target, world, instance, left, instance.status.modifiable()))
}

/// What is wanted of the other settings, as far as the class permits it; and the first of what it does not.
fn declared(
    target: &Target,
    world: &World,
    instance: &Instance,
    have: Option<EngineVersion>,
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
    let above = |have: EngineVersion| exact && !desired.version.covers(have) && desired.version > have;
    let version = have.is_some_and(above) && permitted(fence.version(desired));
    let own = Settings {
        engine_version: wanted.engine_version.filter(|_| version),
        // A minor version that is written down is one to stay at; without one, the provider's own setting stands.
        auto_minor_version_upgrade: wanted.auto_minor_version_upgrade.filter(|by_itself| !by_itself),
        instance_class: class,
        deletion_protection: wanted.deletion_protection.filter(|protected| *protected),
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

/// Asks for a change that the class permits, where the provider offers it, and as soon as it takes one.
fn change(target: &Target, world: &World, instance: &Instance, change: Settings, free: bool) -> Outcome {
    // What a volume can be depends on its type, which stays.
    let storage_type = change.allocated_gib.and(instance.running.storage_type.clone());
    if let Some(blocked) = not_offered(target, world, &Settings { storage_type, ..change.clone() }) {
        return blocked;
    }
    let what = told(instance, &change);
    if !free {
        let message = format!("{} reports {}; then: {what}", world.offer.service(), instance.status);
        return Outcome::wait(Reason::InstanceBusy, message);
    }
    let request = Request::Modify(Modify { identifier: instance.identifier.clone(), change });
    Outcome::act(Reason::Modifying, what, Step::Cloud(request))
}

/// A change in words: from what is, or is about to be.
fn told(instance: &Instance, change: &Settings) -> String {
    change.from(&instance.pending.clone().or(instance.running.clone()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use shared::api::RDSDatabaseClass;

    use super::super::outcome::Concern;
    use super::super::tests::{
        blocked, cloud_steps, create, empty_world, modify, on_instance, pinned, planned, refused, settled_world,
        target, waits,
    };
    use super::*;
    use crate::providers::ErrorClass;
    use crate::subject::Fence;

    fn asks(size: &str, storage: &Value) -> Target {
        target(&json!({
            "size": size, "storage": storage, "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
        }))
    }

    /// A volume as it is, or is about to be.
    fn volume(gib: u32, iops: u32, throughput: u32) -> Settings {
        Settings { allocated_gib: Some(gib), iops: Some(iops), throughput: Some(throughput), ..Settings::default() }
    }

    fn running(gib: u32, iops: u32, throughput: u32) -> World {
        let mut world = settled_world();
        on_instance(&mut world, |instance| {
            instance.running = volume(gib, iops, throughput).or(instance.running.clone());
        });
        world
    }

    #[test]
    fn the_storage_is_changed_by_one_request() {
        let world = running(500, 12_000, 500);
        let said = |iops, throughput| Settings { allocated_gib: Some(500), iops, throughput, ..Settings::default() };
        for (size, storage, sent) in [
            ("500Gi", json!({}), None),
            ("20Gi", json!({"iops": 12_000, "throughput": 500}), None),
            ("500Gi", json!({"iops": 13_000}), Some(said(Some(13_000), None))),
            ("500Gi", json!({"throughput": 600}), Some(said(None, Some(600)))),
            ("500Gi", json!({"iops": 12_000, "throughput": 600}), Some(said(Some(12_000), Some(600)))),
            ("600Gi", json!({"iops": 13_000, "throughput": 600}), Some(volume(600, 13_000, 600))),
        ] {
            let plan = planned(&asks(size, &storage), &world);
            let sent: Vec<Request> = sent.into_iter().map(modify).collect();
            assert_eq!(cloud_steps(&plan), sent.iter().collect::<Vec<_>>(), "{size} {storage}");
        }
    }

    #[test]
    fn what_is_chosen_at_the_console_is_no_drift() {
        let world = running(500, 20_000, 1_000);
        assert_eq!(planned(&asks("500Gi", &json!(null)), &world).steps, []);
    }

    #[test]
    fn a_change_of_the_storage_is_waited_for_and_the_next_one_too() {
        let wish = asks("500Gi", &json!({"iops": 13_000}));
        let mut world = running(500, 12_000, 500);
        let sent = Settings { allocated_gib: Some(500), iops: Some(13_000), ..Settings::default() };
        refused(&mut world, modify(sent), ErrorClass::StorageCooldown);
        assert_eq!(waits(&planned(&wish, &world), Concern::Storage), "StorageCooldown");

        let mut world = running(500, 12_000, 500);
        on_instance(&mut world, |instance| instance.pending.iops = Some(13_000));
        let plan = planned(&wish, &world);
        assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
        assert_eq!(waits(&plan, Concern::Storage), "Growing");
        let told = plan.outcome(Concern::Storage).map(Outcome::message);
        assert_eq!(told, Some("the storage is being changed: IOPS 12000 to 13000"));
    }

    #[test]
    fn i7_what_the_size_does_not_allow_is_told_at_birth_and_at_a_change() {
        let unborn = World { pinned: Some(pinned(None)), secrets: settled_world().secrets, ..empty_world() };
        let small = asks("100Gi", &json!({"iops": 13_000}));
        for (world, concern) in [(&unborn, Concern::Instance), (&running(100, 3_000, 125), Concern::Storage)] {
            let plan = planned(&small, world);
            assert_eq!(cloud_steps(&plan), Vec::<&Request>::new());
            let (reason, message) = blocked(&plan, concern);
            assert_eq!(reason, "NotOffered");
            assert!(message.starts_with("spec.storage.iops: 13000 is not offered for 100 GiB"), "{message}");
        }
        // Once it is large enough, both go out together.
        let large = asks("500Gi", &json!({"iops": 13_000}));
        assert_eq!(cloud_steps(&planned(&large, &unborn)), [&create(&large, &unborn)]);
        let grown = Settings { allocated_gib: Some(500), iops: Some(13_000), ..Settings::default() };
        assert_eq!(cloud_steps(&planned(&large, &running(100, 3_000, 125))), [&modify(grown)]);
    }

    #[test]
    fn i10_iops_stand_within_the_fence() {
        let class = json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "standard"}, "spec": {"maxIops": 16_000},
        });
        let class: RDSDatabaseClass = serde_json::from_value(class).expect("the fixture is a class");
        let fenced = |size: &str, iops: u32| Target {
            fence: Fence::of(&class, &BTreeMap::new()),
            ..asks(size, &json!({"iops": iops}))
        };
        let unborn = World { pinned: Some(pinned(None)), secrets: settled_world().secrets, ..empty_world() };
        let beyond = "spec.storage.iops: 20000 is more than its maxIops of 16000";
        for (world, concern) in [(&unborn, Concern::Instance), (&running(500, 12_000, 500), Concern::Storage)] {
            let (reason, message) = blocked(&planned(&fenced("500Gi", 20_000), world), concern);
            assert_eq!(reason, "ClassNotPermitted");
            assert!(message.contains(beyond), "{message}");
            assert_eq!(cloud_steps(&planned(&fenced("500Gi", 16_000), world)).len(), 1);
        }
        // What runs outside stays, and may grow.
        let plan = planned(&fenced("600Gi", 20_000), &running(500, 20_000, 500));
        let grown = Settings { allocated_gib: Some(600), iops: Some(20_000), ..Settings::default() };
        assert_eq!(cloud_steps(&plan), [&modify(grown)]);
    }
}
