//! The storage: it grows, and is never made less; what it is and does.

use shared::rules::{Autoscaling, Gibibytes};

use super::queue::{Ask, NOT_YET, Standing, ask};
use super::settings::{refused, told, wanted};
use crate::clock::Moment;
use crate::plan::ground::usable;
use crate::plan::outcome::Outcome;
use crate::plan::reason::Reason;
use crate::plan::world::World;
use crate::providers::{Instance, Settings};
use crate::subject::Target;

pub(crate) fn plan(target: &Target, world: &World, now: Moment) -> Outcome {
    let allocated = usable(world).and_then(|instance| Some((instance, instance.running.allocated_gib?)));
    let Some((instance, allocated)) = allocated else {
        return Outcome::wait(Reason::WaitingForInstance, NOT_YET);
    };
    let declared = declared(target, world, instance, allocated);
    let asked = |standing: &Standing<'_>, declared: &Settings| {
        ask(
            standing,
            declared,
            |part| whole(part, declared, instance, allocated),
            |change| {
                // What a volume can be depends on its type, which may stay.
                let storage_type = declared.storage_type.clone().or(instance.running.storage_type.clone());
                let whole = whole(change.clone(), declared, instance, allocated);
                refused(target, world, change, &Settings { storage_type, ..whole })
            },
        )
    };
    let standing = Standing::of(target, world, instance, now, instance.status.storage_modifiable());
    let outcome = match standing.full().then(|| asked(&standing, &room(&declared, instance))) {
        None => asked(&standing, &declared),
        Some(Ask::Nothing) => asked(&standing.later(), &declared),
        Some(room) => room,
    };
    match outcome {
        Ask::Nothing => Outcome::done(format!("{allocated} GiB are allocated")),
        Ask::UnderWay(coming, until) => {
            let message = format!("the storage is being changed: {}", told(instance, &coming));
            Outcome::Wait { reason: Reason::Growing, message, until }
        }
        Ask::Say(outcome) => outcome,
    }
}

/// What is to be of the storage of an instance that runs: it grows by what the provider takes, and stays where it is larger.
fn declared(target: &Target, world: &World, instance: &Instance, allocated: u32) -> Settings {
    let Settings { allocated_gib, iops, throughput, .. } = wanted(target, world);
    let storage = &target.desired.storage;
    let growth = allocated_gib.filter(|wanted| *wanted > allocated);
    // What is on its way may be more than is asked for.
    let underway = instance.pending.allocated_gib.filter(|underway| growth.is_some_and(|wanted| *underway >= wanted));
    let grown = growth.map(|wanted| world.offer.grow(Gibibytes::new(allocated), Gibibytes::new(wanted)).get());
    let allocated_gib = underway.or(grown);
    Settings {
        allocated_gib,
        iops,
        throughput,
        storage_type: storage.kind.clone(),
        max_allocated_gib: storage.autoscaling.map(|autoscaling| match autoscaling {
            Autoscaling::Off => allocated_gib.unwrap_or(allocated),
            Autoscaling::To(most) => most.gibibytes().get(),
        }),
        ..Settings::default()
    }
}

/// What of that gives room to one that is full, and nothing else: a provider refuses the rest until there is some, and all with it.
fn room(declared: &Settings, instance: &Instance) -> Settings {
    let Settings { allocated_gib, iops, max_allocated_gib, storage_type, .. } = declared.clone();
    let other = storage_type.is_some() && storage_type != instance.running.storage_type;
    let iops = iops.filter(|_| allocated_gib.is_some() && !other);
    Settings { allocated_gib, iops, max_allocated_gib, ..Settings::default() }
}

/// A provider takes one change of all that in hours, and what the storage does only together with its size.
fn whole(part: Settings, declared: &Settings, instance: &Instance, allocated: u32) -> Settings {
    if (Settings { max_allocated_gib: None, ..part.clone() }).is_empty() {
        return part;
    }
    let Settings { iops, throughput, storage_type, .. } = declared.clone();
    let said = Settings { iops, throughput, storage_type, ..Settings::default() };
    let allocated_gib = part.allocated_gib.or(instance.pending.allocated_gib).or(Some(allocated));
    Settings { allocated_gib, ..part.or(said) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value, json};
    use shared::api::RDSDatabaseClass;

    use super::*;
    use crate::plan::outcome::Concern;
    use crate::plan::tests::{
        blocked, cloud_steps, create, empty_world, modify, on_instance, pinned, planned, refused, settled_world,
        target, waits,
    };
    use crate::providers::aws::state;
    use crate::providers::{ErrorClass, Request};
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
    fn i5_a_full_storage_is_asked_for_room_and_for_nothing_else_before() {
        let mut world = running(500, 12_000, 500);
        on_instance(&mut world, |instance| instance.status = state("storage-full"));
        for storage in [json!({"iops": 13_000}), json!({"throughput": 600}), json!({"iops": 13_000, "throughput": 600})]
        {
            let plan = planned(&asks("500Gi", &storage), &world);
            assert_eq!(cloud_steps(&plan), Vec::<&Request>::new(), "{storage}");
            assert_eq!(waits(&plan, Concern::Storage), "InstanceBusy", "{storage}");
            let told = plan.outcome(Concern::Storage).map_or("", Outcome::message);
            assert!(told.starts_with("RDS reports storage-full; then: "), "{told}");
        }
        for (storage, iops) in [
            (json!({"throughput": 600}), None),
            (json!({"iops": 13_000, "throughput": 600}), Some(13_000)),
            (json!({"type": "io2", "iops": 13_000}), None),
        ] {
            let grown = Settings { allocated_gib: Some(600), iops, ..Settings::default() };
            let plan = planned(&asks("600Gi", &storage), &world);
            assert_eq!(cloud_steps(&plan), [&modify(grown)], "{storage}");
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
        on_instance(&mut world, |instance| {
            instance.pending.iops = Some(13_000);
            instance.status = state("modifying");
        });
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
