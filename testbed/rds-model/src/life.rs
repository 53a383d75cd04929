//! Whole lives without a server: time passes by `advance` alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::advance::{advance, next_moment};
use crate::params::Params;
use crate::state::{Activity, FailedUpgrade, Instance, Phase, SnapshotKind, State};
use crate::testing::{Counted, account};
use crate::timetable::Timetable;
use crate::{actions, order, upgrade};

struct World {
    account: Account,
    state: State,
    fresh: Counted,
    now: Timestamp,
}

impl World {
    /// An account as slow as RDS, on a Sunday before the maintenance window, with an instance that is being created.
    fn creating(id: &str) -> Self {
        Self::creating_version(id, "18.6")
    }

    fn creating_version(id: &str, version: &str) -> Self {
        let now = "2026-03-01T04:00:00Z".parse().unwrap();
        let mut world = Self { account: account(), state: State::default(), fresh: Counted::default(), now };
        world.create_version(id, version);
        world
    }

    fn create(&mut self, id: &str) {
        self.create_version(id, "18.6");
    }

    fn create_version(&mut self, id: &str, version: &str) {
        let params = Params::from_iter([
            ("DBInstanceIdentifier", id),
            ("DBInstanceClass", "db.t4g.micro"),
            ("Engine", "postgres"),
            ("EngineVersion", version),
            ("AllocatedStorage", "20"),
            ("MasterUsername", "sysadmin"),
            ("MasterUserPassword", "correct-horse"),
        ]);
        actions::create_instance(&self.account, &mut self.state, &params, self.now, &mut self.fresh).unwrap();
    }

    fn modify(&mut self, changes: &[(&str, &str)]) {
        let params = [("DBInstanceIdentifier", "orders")].iter().chain(changes).copied().collect();
        actions::modify_instance(&self.account, &mut self.state, &params, self.now, &mut self.fresh).unwrap();
    }

    /// Sets a parameter of the group `mine`, which is made where there is none.
    fn set(&mut self, name: &str, value: &str, method: &str) {
        let made = Params::parse("DBParameterGroupName=mine&DBParameterGroupFamily=postgres18&Description=mine");
        if !self.state.parameter_groups.contains_key("mine") {
            actions::create_parameter_group(&self.account, &mut self.state, &made).unwrap();
        }
        let params = Params::from_iter([
            ("DBParameterGroupName", "mine"),
            ("Parameters.Parameter.1.ParameterName", name),
            ("Parameters.Parameter.1.ParameterValue", value),
            ("Parameters.Parameter.1.ApplyMethod", method),
        ]);
        actions::modify_parameter_group(&mut self.state, &params, self.now).unwrap();
    }

    fn reboot(&mut self) {
        let params = Params::from_iter([("DBInstanceIdentifier", "orders")]);
        actions::reboot_instance(&self.account, &mut self.state, &params, self.now).unwrap();
    }

    /// The `ParameterApplyStatus`, and a value that the server runs with.
    fn parameter(&self, name: &str) -> (&'static str, Option<&str>) {
        let running = &self.orders().running;
        (running.status(), running.values.get(name).map(String::as_str))
    }

    fn delete(&mut self, last: &str) {
        let params = Params::from_iter([("DBInstanceIdentifier", "orders"), ("FinalDBSnapshotIdentifier", last)]);
        actions::delete_instance(&self.account, &mut self.state, &params, self.now).unwrap();
    }

    fn pass(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
        advance(&self.account, &mut self.state, self.now);
    }

    /// The status that Describe shows; none where the instance is gone.
    fn status(&self) -> Option<&str> {
        let named = Params::from_iter([("DBInstanceIdentifier", "orders")]);
        let page = actions::describe_instances(&self.account, &self.state, &named).ok()?;
        page.items.first().map(|instance| self.account.status(instance, self.now))
    }

    fn orders(&self) -> &Instance {
        &self.state.instances["orders"]
    }

    /// How far a snapshot is, among all that Describe lists.
    fn snapshot(&self, id: &str) -> Option<&'static str> {
        let page = actions::describe_snapshots(&self.account, &self.state, &Params::default(), self.now).unwrap();
        page.items.iter().find(|snapshot| snapshot.id == id).map(|snapshot| snapshot.status.name())
    }
}

#[test]
fn a_life_takes_its_time_and_ends_with_a_snapshot() {
    let mut world = World::creating("orders");
    for (seconds, status) in [(299, "creating"), (1, "backing-up"), (59, "backing-up"), (1, "available")] {
        world.pass(seconds);
        assert_eq!(world.status(), Some(status), "at {}", world.now);
    }
    assert_eq!(world.orders().restorable_since, Some(world.now));

    world.modify(&[("AllocatedStorage", "30"), ("ApplyImmediately", "true")]);
    for (seconds, status) in
        [(9, "available"), (1, "modifying"), (109, "modifying"), (1, "storage-optimization"), (1800, "available")]
    {
        world.pass(seconds);
        assert_eq!(world.status(), Some(status), "at {}", world.now);
    }
    assert_eq!(world.orders().allocated_storage, 30);

    world.delete("last");
    assert_eq!((world.status(), world.snapshot("last")), (Some("deleting"), Some("creating")));
    world.pass(90);
    assert_eq!((world.status(), world.snapshot("last")), (Some("deleting"), Some("available")));
    world.pass(90);
    assert_eq!((world.status(), world.snapshot("last")), (None, Some("available")));
    assert!(world.state.snapshots.values().all(|snapshot| snapshot.kind == SnapshotKind::Manual));
    assert_eq!(next_moment(&world.account, &world.state, world.now), None);
}

#[test]
fn one_leap_ends_where_many_steps_do() {
    let (mut leap, mut steps) = (World::creating("orders"), World::creating("orders"));
    for world in [&mut leap, &mut steps] {
        world.create("shop");
        let slow = Timetable { creation: Duration::from_secs(77), ..Timetable::scaled(0.5, 1.0) };
        let shop = world.state.instances["shop"].resource_id.clone();
        world.account.timetables.insert(shop, slow);
    }
    let mut moments = Vec::new();
    while let Some(at) = next_moment(&steps.account, &steps.state, steps.now) {
        moments.push(at.duration_since(leap.now).as_secs());
        steps.now = at;
        steps.pass(0);
    }
    // The work is due at once; then each keeps its own time.
    assert_eq!(moments, [0, 77, 107, 300, 360]);
    leap.pass(360);
    let told = |world: &World| serde_json::to_value(&world.state).unwrap();
    assert_eq!(told(&leap), told(&steps));
    assert!(leap.state.events.is_sorted_by_key(|event| event.at));
}

#[test]
fn what_waits_begins_when_its_window_opens_and_not_before_it_was_asked_for() {
    let mut world = World::creating("orders");
    // Sunday's window has been over for half an hour.
    world.pass(2 * 3600);
    world.modify(&[("DBInstanceClass", "db.t4g.small")]);
    let opens = "2026-03-08T05:00:00Z".parse().unwrap();
    assert_eq!(next_moment(&world.account, &world.state, world.now), Some(opens));
    world.pass(8 * 24 * 3600);
    let applied = Phase { activity: Activity::Available, since: opens + SignedDuration::from_secs(120), worked: true };
    assert_eq!((world.orders().class.as_str(), &world.orders().phase), ("db.t4g.small", &applied));
}

#[test]
fn another_group_waits_for_a_reboot_and_dynamic_parameters_come_by_themselves_afterwards() {
    let mut world = World::creating("orders");
    world.pass(360);
    world.set("work_mem", "8192", "immediate");
    assert_eq!(world.parameter("work_mem"), ("in-sync", None), "the group is nobody's");
    world.modify(&[("DBParameterGroupName", "mine")]);
    world.pass(24 * 3600);
    assert_eq!((world.status(), world.parameter("work_mem")), (Some("available"), ("pending-reboot", None)));

    world.reboot();
    assert_eq!(world.parameter("work_mem"), ("pending-reboot", Some("8192")), "it is told when the reboot is over");
    world.pass(60);
    assert_eq!(world.parameter("work_mem"), ("in-sync", Some("8192")));

    world.set("work_mem", "4096", "immediate");
    assert_eq!(world.parameter("work_mem"), ("applying", Some("8192")));
    world.pass(20);
    assert_eq!((world.status(), world.parameter("work_mem")), (Some("available"), ("in-sync", Some("4096"))));
    world.set("max_connections", "50", "pending-reboot");
    world.set("work_mem", "2048", "immediate");
    world.pass(20);
    assert_eq!(world.parameter("work_mem"), ("pending-reboot", Some("2048")), "the static one waits alone");
    assert_eq!(world.parameter("max_connections").1, None);
    // A window does not reboot for parameters, but what restarts the server brings them.
    world.pass(8 * 24 * 3600);
    assert_eq!(world.parameter("max_connections"), ("pending-reboot", None));
    world.modify(&[("DBInstanceClass", "db.t4g.small"), ("ApplyImmediately", "true")]);
    world.pass(120);
    assert_eq!(world.parameter("max_connections"), ("in-sync", Some("50")));
}

#[test]
fn a_major_upgrade_shows_its_version_when_it_is_done_between_two_snapshots() {
    let mut world = World::creating_version("orders", "16.15");
    world.pass(360);
    let modify = |world: &mut World, changes: &[(&str, &str)]| {
        let params = [("DBInstanceIdentifier", "orders")].iter().chain(changes).copied().collect();
        actions::modify_instance(&world.account, &mut world.state, &params, world.now, &mut world.fresh)
            .map(drop)
            .map_err(|error| error.message)
    };
    let upgrade = [("EngineVersion", "18.6"), ("AllowMajorVersionUpgrade", "true")];
    assert!(modify(&mut world, &upgrade[..1]).unwrap_err().contains("AllowMajorVersionUpgrade flag"));
    world.set("work_mem", "8192", "immediate");
    let other = [upgrade[0], upgrade[1], ("DBParameterGroupName", "default.postgres16")];
    assert!(modify(&mut world, &other).unwrap_err().contains("Please use a Parameter Group with"));
    // It waits for its window, with the group that comes with it.
    modify(&mut world, &[upgrade[0], upgrade[1], ("DBParameterGroupName", "mine")]).unwrap();
    assert_eq!(world.orders().parameter_group, "default.postgres16");
    modify(&mut world, &[("ApplyImmediately", "true")]).unwrap();
    world.pass(599);
    assert_eq!((world.status(), world.orders().engine_version.major), (Some("upgrading"), 16));
    let before = "rds:preupgrade-orders-16-15-to-18-6-2026-03-01-04-06";
    assert_eq!(world.snapshot(before), Some("creating"));
    world.pass(1);
    assert_eq!((world.status(), world.orders().engine_version.major), (Some("backing-up"), 18));
    assert_eq!(world.snapshot(before), Some("available"));
    assert_eq!(world.state.snapshots[before].source.engine_version.major, 16);
    assert_eq!(world.parameter("work_mem"), ("in-sync", Some("8192")));
    world.pass(60);
    assert_eq!((world.status(), world.state.snapshots.len()), (Some("available"), 3));
    let said: Vec<_> = world.state.events.iter().map(|event| event.message.as_str()).collect();
    let upgrade = said.iter().position(|message| message.starts_with("The pre-check started")).unwrap();
    assert_eq!(
        said[upgrade..][..5],
        [
            "The pre-check started for the DB engine version upgrade.",
            "The pre-check finished for the DB engine version upgrade.",
            "The downtime started for the DB instance.",
            "The engine version upgrade started.",
            "Creating automated snapshot",
        ]
    );
    assert!(said.contains(&"The engine version upgrade finished."));

    // From a custom group it takes another one of the caller's choice.
    let mut world = World::creating_version("orders", "16.15");
    world.pass(360);
    let params = Params::parse("DBParameterGroupName=old&DBParameterGroupFamily=postgres16&Description=old");
    actions::create_parameter_group(&world.account, &mut world.state, &params).unwrap();
    world.modify(&[("DBParameterGroupName", "old")]);
    let bare = [("EngineVersion", "18.6"), ("AllowMajorVersionUpgrade", "true"), ("ApplyImmediately", "true")];
    assert!(modify(&mut world, &bare).unwrap_err().starts_with("Current Parameter Group (old) is non-default."));
}

#[test]
fn a_major_upgrade_that_is_refused_or_fails_leaves_the_version_and_says_so() {
    for (failure, seconds, said) in [
        (FailedUpgrade::Refused("it has reg* columns".into()), 120, "cannot be upgraded: it has reg* columns"),
        (FailedUpgrade::RolledBack, 600, "The engine version upgrade rollback succeeded."),
    ] {
        let mut world = World::creating_version("orders", "16.15");
        world.pass(360);
        world.modify(&[("EngineVersion", "18.6"), ("AllowMajorVersionUpgrade", "true"), ("ApplyImmediately", "true")]);
        let id = world.orders().resource_id.clone();
        if failure == FailedUpgrade::RolledBack {
            assert!(upgrade::begun(&mut world.state, &id, world.now).is_some());
        }
        upgrade::failed(&mut world.state, &id, failure, world.now);
        world.pass(seconds - 1);
        assert_eq!(world.status(), Some("upgrading"));
        world.pass(1);
        assert_eq!((world.status(), world.orders().engine_version.major), (Some("available"), 16));
        assert!(world.state.events.last().unwrap().message.ends_with(said), "{:?}", world.state.events.last());
        assert!(world.state.snapshots.values().all(crate::state::Snapshot::available));
        assert_eq!(world.orders().failed_upgrade, None);
    }
}

#[test]
fn maintenance_comes_when_it_is_wanted_in_its_window_or_by_force_and_some_with_what_is_applied_at_once() {
    let pending = |dates: &str| {
        let mut world = World::creating_version("orders", "17.10");
        world.pass(360);
        let order = format!(r#"{{"instance":"orders","maintenance":{{"action":"db-upgrade"{dates}}}}}"#);
        serde_json::from_str::<order::InstanceFault>(&order).unwrap().order(&mut world.state).unwrap();
        world
    };
    let version = |world: &World| (world.orders().maintenance.len(), world.orders().engine_version.minor);
    let optional = pending("");
    assert_eq!(next_moment(&optional.account, &optional.state, optional.now), None, "nobody has asked for it");

    let mut wanted = pending("");
    let arn = wanted.account.arn("db", "orders");
    let params = [("ResourceIdentifier", arn.as_str()), ("ApplyAction", "db-upgrade"), ("OptInType", "immediate")];
    let params = params.into_iter().collect();
    actions::apply_maintenance(&wanted.account, &mut wanted.state, &params, wanted.now).unwrap();
    wanted.pass(10);
    assert_eq!((wanted.status(), version(&wanted)), (Some("upgrading"), (1, 10)));
    wanted.pass(110);
    assert_eq!((wanted.status(), version(&wanted)), (Some("available"), (0, 11)));
    let said: Vec<_> = wanted.state.events.iter().rev().take(2).map(|event| event.message.as_str()).collect();
    assert_eq!(said, ["Finished applying off-line patches to DB instance", "Database instance patched"]);

    // The window opens at five, an hour after the beginning.
    let mut required = pending(r#","auto_applied_after":"2026-03-01T00:00:00Z""#);
    required.pass(3600 - 361);
    assert_eq!(version(&required), (1, 10));
    required.pass(180);
    assert_eq!(version(&required), (0, 11));

    let mut forced = pending(r#","forced_apply":"2026-03-01T04:30:00Z""#);
    forced.modify(&[("DBInstanceClass", "db.t4g.small")]);
    forced.pass(1800);
    assert_eq!(version(&forced), (0, 11));
    assert_eq!(forced.orders().class, "db.t4g.micro", "that waits for the window");

    for (dates, flushed) in [("", (1, 10)), (r#","forced_apply":"2027-01-01T00:00:00Z""#, (0, 11))] {
        let mut world = pending(dates);
        world.modify(&[("DBInstanceClass", "db.t4g.small"), ("ApplyImmediately", "true")]);
        world.pass(120);
        assert_eq!(version(&world), flushed, "{dates}");
    }
}

#[test]
fn an_ordered_failure_comes_where_its_time_has_come() {
    let mut world = World::creating("orders");
    world.pass(360);
    order::drop_change(&mut world.state, "orders", "Unable to modify").unwrap();
    world.modify(&[("DBInstanceClass", "db.t4g.small"), ("ApplyImmediately", "true")]);
    world.pass(120);
    assert_eq!((world.status(), world.orders().class.as_str()), (Some("available"), "db.t4g.micro"));

    order::fail_snapshot(&mut world.state, "orders").unwrap();
    world.delete("last");
    world.pass(90);
    assert_eq!((world.status(), world.snapshot("last")), (Some("starting"), Some("failed")));
    world.pass(150);
    assert_eq!(world.status(), Some("available"), "its data stay");

    let mut world = World::creating("orders");
    order::fail_creation(&mut world.state, "orders", "no capacity", world.now).unwrap();
    world.pass(3600);
    assert_eq!(world.status(), Some("failed"));
}
