//! What goes at once, what waits for the maintenance window, and what is never applied unasked.

use serde_json::{Value, json};
use shared::rules::Impact;

use super::{
    Concern, Plan, Request, Settings, World, accepted, blocked, cloud_steps, now, on_instance, plan, planned,
    settled_world, target, waits,
};
use crate::plan::Seen;
use crate::providers::{Maintenance, Modify};
use crate::subject::Target;

/// The wish of [`super::orders`], with this besides.
pub(super) fn wish(besides: &Value) -> Target {
    let mut spec = json!({"size": "20Gi", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}});
    let (Some(spec), Some(besides)) = (spec.as_object_mut(), besides.as_object()) else {
        unreachable!("both are maps")
    };
    spec.extend(besides.clone());
    target(&json!(spec))
}

/// What is sent, and whether at once.
fn sent(plan: &Plan) -> Option<(Settings, bool)> {
    match cloud_steps(plan)[..] {
        [] => None,
        [Request::Modify(Modify { change, at_once, .. })] => Some((change.clone(), *at_once)),
        ref other => unreachable!("{other:?}"),
    }
}

pub(super) fn class(name: &str) -> Settings {
    Settings { instance_class: Some(name.into()), ..Settings::default() }
}

/// An instance for which this waits.
pub(super) fn waiting(pending: Settings) -> World {
    let mut world = settled_world();
    on_instance(&mut world, |instance| instance.pending = pending);
    world
}

/// Each row of the table of what RDS applies when, with nothing waiting.
#[test]
fn what_nobody_notices_goes_at_once_and_an_outage_waits() {
    let one = Settings::default;
    let full = |gib| Settings { allocated_gib: Some(gib), ..one() };
    for (besides, change, at_once) in [
        (json!({"instanceClass": "db.t4g.small"}), class("db.t4g.small"), false),
        (
            json!({"version": "12.23"}),
            Settings { engine_version: Some("12.23".into()), auto_minor_version_upgrade: Some(false), ..one() },
            false,
        ),
        (json!({"multiAZ": true}), Settings { multi_az: Some(true), ..one() }, true),
        (json!({"size": "40Gi"}), full(40), true),
        (
            json!({"storage": {"type": "gp2"}}),
            Settings { allocated_gib: Some(20), storage_type: Some("gp2".into()), ..one() },
            true,
        ),
        (
            json!({"storage": {"autoscaling": {"maxSize": "100Gi"}}}),
            Settings { max_allocated_gib: Some(100), ..one() },
            false,
        ),
        (
            json!({"size": "40Gi", "storage": {"autoscaling": {"maxSize": "100Gi"}}}),
            Settings { max_allocated_gib: Some(100), ..full(40) },
            true,
        ),
        (json!({"backup": {"retention": "14d"}}), Settings { backup_retention_days: Some(14), ..one() }, false),
        (
            json!({"backup": {"window": "03:00-03:30"}}),
            Settings { backup_window: Some("03:00-03:30".into()), ..one() },
            false,
        ),
        (
            json!({"maintenanceWindow": "mon:01:00-mon:02:00"}),
            Settings { maintenance_window: Some("mon:01:00-mon:02:00".into()), ..one() },
            false,
        ),
        (
            json!({"engineLifecycleSupport": "open-source-rds-extended-support-disabled"}),
            Settings { extended_support: Some(false), ..one() },
            false,
        ),
        (json!({"deletionProtection": true}), Settings { deletion_protection: Some(true), ..one() }, false),
    ] {
        assert_eq!(sent(&planned(&wish(&besides), &settled_world())), Some((change.clone(), at_once)), "{besides}");
        let Value::Object(mut fields) = besides else { unreachable!("it is a map") };
        fields.insert("applyImmediately".into(), true.into());
        assert_eq!(sent(&planned(&wish(&json!(fields)), &settled_world())), Some((change, true)), "{fields:?}");
    }
    for nothing in [
        json!({}),
        json!({"multiAZ": false}),
        json!({"engineLifecycleSupport": "open-source-rds-extended-support"}),
        json!({"storage": {"type": "gp3", "autoscaling": {}}}),
        json!({"applyImmediately": true}),
    ] {
        assert_eq!(sent(&planned(&wish(&nothing), &settled_world())), None, "{nothing}");
    }
}

#[test]
fn what_nobody_notices_goes_before_the_outage_that_would_hold_it_up() {
    let both = wish(&json!({"multiAZ": true, "instanceClass": "db.t4g.small", "deletionProtection": true}));
    let first = Settings { multi_az: Some(true), deletion_protection: Some(true), ..Settings::default() };
    assert_eq!(sent(&planned(&both, &settled_world())), Some((first, true)));
}

#[test]
fn an_outage_waits_for_its_window_and_the_object_is_ready_meanwhile() {
    let wish = wish(&json!({"instanceClass": "db.t4g.small"}));
    let plan = planned(&wish, &waiting(class("db.t4g.small")));
    assert_eq!(sent(&plan), None);
    assert_eq!(waits(&plan, Concern::Settings), "WaitingForWindow");
    let told = plan.outcome(Concern::Settings).unwrap().message();
    assert_eq!(
        told,
        "instance class db.t4g.micro to db.t4g.small, an outage, waits for the maintenance window sun:04:00-sun:05:00 UTC; \
         spec.applyImmediately: true makes it at once"
    );
}

#[test]
fn while_an_outage_waits_nothing_is_applied_at_once_that_would_bring_it() {
    let besides =
        json!({"instanceClass": "db.t4g.small", "size": "40Gi", "multiAZ": true, "backup": {"retention": "14d"}});
    let world = waiting(class("db.t4g.small"));
    let plan = planned(&wish(&besides), &world);
    assert_eq!(sent(&plan).map(|(_, at_once)| at_once), Some(false), "{:?}", plan.steps);
    // What nobody of ours asked for counts as well.
    let mut foreign = settled_world();
    on_instance(&mut foreign, |instance| instance.pending_else = vec!["certificate authority rds-ca-ecc384-g1".into()]);
    let grown = Settings { allocated_gib: Some(40), ..Settings::default() };
    assert_eq!(sent(&planned(&wish(&json!({"size": "40Gi"})), &foreign)), Some((grown, false)));
}

#[test]
fn a_full_storage_grows_at_once_whatever_waits_and_says_so_first() {
    let mut world = waiting(class("db.t4g.small"));
    on_instance(&mut world, |instance| instance.status = crate::providers::aws::state("storage-full"));
    let plan = planned(&wish(&json!({"instanceClass": "db.t4g.small", "size": "40Gi"})), &world);
    let grown = Settings { allocated_gib: Some(40), ..Settings::default() };
    assert_eq!(sent(&plan), Some((grown, true)));
    let told = plan.outcome(Concern::Storage).unwrap().message();
    assert!(told.ends_with("with it goes what waits for the maintenance window sun:04:00-sun:05:00 UTC: instance class db.t4g.micro to db.t4g.small"), "{told}");
}

#[test]
fn at_once_applies_what_waits_already() {
    let plan = planned(
        &wish(&json!({"instanceClass": "db.t4g.small", "applyImmediately": true})),
        &waiting(class("db.t4g.small")),
    );
    assert_eq!(sent(&plan), Some((class("db.t4g.small"), true)));
    let told = plan.outcome(Concern::Settings).unwrap().message();
    assert_eq!(told, "instance class db.t4g.micro to db.t4g.small; an outage, now");
}

#[test]
fn a_wish_is_taken_back_only_where_nothing_else_is_applied_by_that() {
    let back = json!({"instanceClass": "db.t4g.micro"});
    let alone = waiting(class("db.t4g.small"));
    assert_eq!(sent(&planned(&wish(&back), &alone)), Some((class("db.t4g.micro"), true)));

    let beside = waiting(Settings { engine_version: Some("12.23".into()), ..class("db.t4g.small") });
    let plan = planned(&wish(&back), &beside);
    assert_eq!(sent(&plan), None);
    let (reason, message) = blocked(&plan, Concern::Settings);
    assert_eq!(reason, "WithdrawalAppliesOthers");
    assert!(
        message.contains("instance class db.t4g.small to db.t4g.micro is taken back only by applying at once")
            && message.contains("engine version 12.22 to 12.23"),
        "{message}"
    );

    let said = json!({"instanceClass": "db.t4g.micro", "applyImmediately": true});
    assert_eq!(sent(&planned(&wish(&said), &beside)), Some((class("db.t4g.micro"), true)));
}

#[test]
fn storage_of_provisioned_iops_stops_growing_by_itself() {
    let mut world = settled_world();
    on_instance(&mut world, |instance| {
        let volume = Settings {
            storage_type: Some("io2".into()),
            iops: Some(3_000),
            max_allocated_gib: Some(500),
            ..Settings::default()
        };
        instance.running = volume.or(instance.running.clone());
    });
    let off = Settings { max_allocated_gib: Some(20), ..Settings::default() };
    let besides = json!({"storage": {"type": "io2", "iops": 3000, "autoscaling": {}}});
    assert_eq!(sent(&planned(&wish(&besides), &world)), Some((off, false)));
}

#[test]
fn what_was_sent_at_once_is_on_its_way_and_waits_for_no_window() {
    let grown = Settings { allocated_gib: Some(40), ..Settings::default() };
    let mut world = waiting(grown.clone());
    accepted(&mut world, &super::modify(grown), 1, now());
    let larger = wish(&json!({"size": "40Gi"}));
    assert_eq!(waits(&plan(&larger, &world, now()), Concern::Storage), "Growing");
}

fn pending(what: &str, with_changes: bool) -> Seen<Vec<Maintenance>> {
    let at = Some("2026-05-03T04:00:00Z".parse().expect("a time"));
    Seen::Known(vec![Maintenance { what: what.into(), at, with_changes }])
}

#[test]
fn a_change_that_nobody_notices_does_not_bring_the_providers_own_upgrade_forward() {
    let larger = wish(&json!({"size": "40Gi"}));
    let grown = || Settings { allocated_gib: Some(40), ..Settings::default() };
    let unknown = Seen::Unknown("DescribePendingMaintenanceActions: AccessDenied".into());
    for (maintenance, at_once) in [
        (pending("db-upgrade", true), false),
        (unknown, false),
        (pending("os-upgrade", false), true),
        (Seen::Absent, true),
    ] {
        let world = World { maintenance, ..settled_world() };
        assert_eq!(sent(&planned(&larger, &world)), Some((grown(), at_once)), "{:?}", world.maintenance);
    }
    let mut world = World { maintenance: pending("db-upgrade", true), ..settled_world() };
    on_instance(&mut world, |instance| instance.pending = grown());
    let told = planned(&larger, &world).outcome(Concern::Storage).unwrap().message().to_owned();
    assert_eq!(
        told,
        "storage 20 GiB to 40 GiB waits for the maintenance window sun:04:00-sun:05:00 UTC, behind what else waits for it: \
         maintenance by RDS: db-upgrade; spec.applyImmediately: true makes it at once"
    );
    // It has been made, or taken back: nothing is waited for any more.
    world.maintenance = Seen::Absent;
    assert_eq!(sent(&planned(&larger, &world)), Some((grown(), true)));
}

#[test]
fn what_the_provider_does_by_itself_is_in_the_plan() {
    let mut world = World { maintenance: pending("os-upgrade (a newer kernel)", false), ..settled_world() };
    let plan = |world: &World| planned(&wish(&json!({})), world).ahead;
    let [step] = &plan(&world)[..] else { panic!("{:?}", plan(&world)) };
    let words = (step.step.as_str(), step.impact.as_slice(), step.when.as_str());
    assert_eq!(
        words,
        ("maintenance by RDS: os-upgrade (a newer kernel)", &[Impact::Outage][..], "on 2026-05-03T04:00:00Z")
    );
    let Seen::Known(optional) = &mut world.maintenance else { panic!("it is known") };
    optional[0].at = None;
    assert_eq!(plan(&world), [], "it waits until somebody opts in");
}
