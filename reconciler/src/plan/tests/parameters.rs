//! Groups of parameters: made and filled before an instance gets one, and taken up by a restart in the window.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::rules::EngineVersion;

use super::{
    CLUSTER, Concern, Plan, Request, World, accepted, blocked, cloud_steps, create, empty_world, now, on_instance,
    pinned, plan, planned, refused, settled_world, target, waits,
};
use crate::plan::instance::{group, wanted};
use crate::plan::world::Seen;
use crate::providers::{
    Allowed, Applied, CreateGroup, ErrorClass, FillGroup, Group, Modify, Parameter, Reboot, Settings, Values,
    WantedGroup,
};
use crate::subject::{Fence, Target};

/// The wish of [`super::orders`], with these parameters.
fn asks(parameters: &Value, besides: &Value) -> Target {
    let mut spec = json!({
        "size": "20Gi", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]},
        "parameters": parameters,
    });
    let (Some(map), Some(besides)) = (spec.as_object_mut(), besides.as_object()) else { unreachable!("both are maps") };
    map.extend(besides.clone());
    target(&spec)
}

fn values(pairs: &[(&str, &str)]) -> Values {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn of_twelve(tls: bool, pairs: &[(&str, &str)]) -> WantedGroup {
    WantedGroup::of(CLUSTER, "postgres12", tls, values(pairs))
}

/// The group as it is, or nothing.
fn with_group(world: &mut World, wanted: &WantedGroup, held: Option<&[(&str, &str)]>) {
    let seen = held.map_or(Seen::Absent, |held| {
        let (name, family) = (wanted.name.clone(), wanted.family.clone());
        Seen::Known(Group { name, family, cluster: Some(CLUSTER.into()), values: values(held) })
    });
    world.groups.insert(wanted.name.clone(), seen);
}

fn offered() -> BTreeMap<String, Seen<Arc<crate::providers::Offered>>> {
    let one = |modifiable, allowed| Parameter { modifiable, allowed };
    let mut all: crate::providers::Offered =
        (0..50).map(|number| (format!("p{number:02}"), one(true, Allowed::Any))).collect();
    all.insert("work_mem".into(), one(true, Allowed::Range(64.0, 2_147_483_647.0)));
    all.insert("fsync".into(), one(false, Allowed::Words(vec!["0".into(), "1".into()], false)));
    ["postgres12", "postgres13"].map(|family| (family.to_owned(), Seen::Known(Arc::new(all.clone())))).into()
}

fn unborn() -> World {
    World {
        pinned: Some(pinned(None)),
        secrets: settled_world().secrets,
        offered: offered(),
        groups: BTreeMap::new(),
        ..empty_world()
    }
}

/// An instance that runs with this group.
fn running(group: &str, parameters: Applied) -> World {
    let mut world = World { offered: offered(), groups: BTreeMap::new(), ..settled_world() };
    on_instance(&mut world, |instance| {
        instance.running.parameter_group = Some(group.into());
        instance.parameters = parameters;
    });
    world
}

fn told(plan: &Plan) -> &str {
    plan.outcome(Concern::Parameters).map_or("", |outcome| outcome.message())
}

const DEFAULT: &str = "default.postgres12";

/// A group is made, filled a call at a time, read back, and only then an instance gets it: killed anywhere, what is there tells what is left.
#[test]
fn i11_a_group_is_whole_before_an_instance_gets_it() {
    let many: serde_json::Map<_, _> = (0..25).map(|number| (format!("p{number:02}"), json!(number))).collect();
    let target = asks(&Value::Object(many), &json!({}));
    let mut held: Vec<(String, String)> = (0..25).map(|number| (format!("p{number:02}"), number.to_string())).collect();
    held.push(("rds.force_ssl".into(), "1".into()));
    let pairs: Vec<(&str, &str)> = held.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let wanted = of_twelve(true, &pairs);
    let fill =
        |part: &[(&str, &str)]| Request::FillGroup(FillGroup { name: wanted.name.clone(), values: values(part) });
    let mut world = unborn();
    assert_eq!(waits(&planned(&target, &world), Concern::Instance), "CloudUnavailable", "nobody has looked yet");
    with_group(&mut world, &wanted, None);
    let made = Request::CreateGroup(CreateGroup {
        name: wanted.name.clone(),
        family: "postgres12".into(),
        cluster: CLUSTER.into(),
    });
    assert_eq!(cloud_steps(&planned(&target, &world)), [&made]);
    for (there, next) in [(&pairs[..0], &pairs[..20]), (&pairs[..20], &pairs[20..]), (&pairs[..7], &pairs[7..])] {
        with_group(&mut world, &wanted, Some(there));
        let next = if next.len() > 20 { &next[..20] } else { next };
        assert_eq!(cloud_steps(&planned(&target, &world)), [&fill(next)]);
    }
    with_group(&mut world, &wanted, Some(&pairs));
    let request = create(&target, &world);
    let Request::Create(asked) = &request else { unreachable!("it is a birth") };
    assert_eq!(asked.settings.parameter_group.as_ref(), Some(&wanted.name));
    assert_eq!(cloud_steps(&planned(&target, &world)), [&request]);
}

#[test]
#[allow(clippy::useless_vec, reason = "worlds are too large for the stack")]
fn a_new_instance_lets_nobody_in_without_tls_and_one_that_is_there_keeps_its_clients() {
    let plain = || asks(&json!({}), &json!({}));
    let word = || asks(&json!({"work_mem": 65_536}), &json!({}));
    let forced = || asks(&json!({"rds.force_ssl": 1}), &json!({}));
    let open = || asks(&json!({"rds.force_ssl": 0}), &json!({}));
    let version = EngineVersion::parse(shared::rules::Engine::Postgresql, "12").expect("it is one");
    let held = |tls, pairs: &[(&str, &str)]| Some(of_twelve(tls, pairs));
    let ours = of_twelve(true, &[("rds.force_ssl", "1")]).name;
    let without = of_twelve(false, &[("work_mem", "1024")]).name;
    for (asked, world, expected, why) in vec![
        (plain(), unborn(), held(true, &[("rds.force_ssl", "1")]), "a new one"),
        (open(), unborn(), held(true, &[("rds.force_ssl", "0")]), "in so many words"),
        (plain(), running(DEFAULT, Applied::Whole), None, "one that is there"),
        (plain(), running("somebodys-own", Applied::AtRestart), None, "what is chosen at the console is no drift"),
        (word(), running(DEFAULT, Applied::Whole), held(false, &[("work_mem", "65536")]), "it asks for something else"),
        (forced(), running(DEFAULT, Applied::Whole), held(false, &[("rds.force_ssl", "1")]), "its own word"),
        (
            word(),
            running(&ours, Applied::Whole),
            held(true, &[("rds.force_ssl", "1"), ("work_mem", "65536")]),
            "what was forced stays so",
        ),
        (plain(), running(&without, Applied::Whole), held(false, &[]), "nothing is asked for any more"),
    ] {
        assert_eq!(wanted(&asked, &world, version), expected, "{why}");
    }
}

#[test]
fn i5_a_server_with_its_group_is_left_alone() {
    let ours = of_twelve(true, &[("rds.force_ssl", "1")]).name;
    for group in [DEFAULT, "somebodys-own", &ours] {
        let plan = planned(&asks(&json!({}), &json!({})), &running(group, Applied::Whole));
        assert_eq!(plan.steps, [], "{group}");
    }
}

#[test]
fn another_group_is_given_at_once_and_nothing_else_is() {
    let target = asks(&json!({"work_mem": 65_536}), &json!({}));
    let wanted = of_twelve(false, &[("work_mem", "65536")]);
    let mut world = running(DEFAULT, Applied::Whole);
    with_group(&mut world, &wanted, Some(&[("work_mem", "65536")]));
    let change = Settings { parameter_group: Some(wanted.name.clone()), ..Settings::default() };
    let identifier = world.identifier.to_string();
    let given = Request::Modify(Modify { identifier, change, at_once: false, major: false });
    assert_eq!(cloud_steps(&planned(&target, &world)), [&given]);
    refused(&mut world, given, ErrorClass::WrongState);
    assert_eq!(waits(&planned(&target, &world), Concern::Parameters), "InstanceBusy");
}

#[test]
fn i7_what_the_provider_has_not_is_told_with_what_it_has() {
    for (parameters, said) in [
        (json!({"work_memory": 1}), "spec.parameters[work_memory]: postgres12 has no parameter of this name"),
        (json!({"work_mem": 1}), "spec.parameters[work_mem]: 1 is not offered: write 64 to 2147483647"),
        (json!({"fsync": false}), "spec.parameters[fsync]: RDS lets nobody set it"),
    ] {
        let target = asks(&parameters, &json!({}));
        for (world, concern) in [(unborn(), Concern::Instance), (running(DEFAULT, Applied::Whole), Concern::Parameters)]
        {
            let plan = planned(&target, &world);
            let (reason, message) = blocked(&plan, concern);
            assert_eq!((reason, cloud_steps(&plan).len()), ("NotOffered", 0));
            assert!(message.starts_with(said), "{message}");
        }
    }
    let unseen = World { offered: BTreeMap::new(), ..running(DEFAULT, Applied::Whole) };
    let target = asks(&json!({"work_mem": 1}), &json!({}));
    assert_eq!(waits(&planned(&target, &unseen), Concern::Parameters), "CloudUnavailable");
}

#[test]
fn i10_a_group_that_somebody_made_or_changed_is_given_to_nobody() {
    let target = asks(&json!({"work_mem": 65_536}), &json!({}));
    let wanted = of_twelve(false, &[("work_mem", "65536")]);
    let whole = Group {
        name: wanted.name.clone(),
        family: "postgres12".into(),
        cluster: Some(CLUSTER.into()),
        values: wanted.values.clone(),
    };
    for (group, said) in [
        (Group { cluster: None, ..whole.clone() }, "is not marked as this cluster's"),
        (Group { cluster: Some("another".into()), ..whole.clone() }, "is not marked as this cluster's"),
        (Group { family: "postgres13".into(), ..whole.clone() }, "is for postgres13"),
        (
            Group { values: values(&[("work_mem", "64")]), ..whole.clone() },
            "it says 64 for work_mem, and 65536 is right",
        ),
        (
            Group { values: values(&[("work_mem", "65536"), ("p01", "1")]), ..whole.clone() },
            "it says 1 for p01, and nothing is right",
        ),
    ] {
        let mut world = running(DEFAULT, Applied::Whole);
        world.groups.insert(wanted.name.clone(), Seen::Known(group));
        let plan = planned(&target, &world);
        let (reason, message) = blocked(&plan, Concern::Parameters);
        assert_eq!((reason, cloud_steps(&plan).len()), ("ParameterGroupNotOurs", 0));
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn i10_parameters_stand_within_the_fence() {
    let class = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "standard"},
        "spec": {"allowedParameters": ["work_mem", "log_*"], "parameters": {"p01": 7}},
    });
    let class: shared::api::RDSDatabaseClass = serde_json::from_value(class).expect("the fixture is a class");
    let fenced = |parameters: Value| {
        let mut target = asks(&parameters, &json!({}));
        target.fence = Fence::of(&class, &BTreeMap::new());
        target.class.parameters = values(&[("p01", "7")]);
        target
    };
    let outside = fenced(json!({"p02": 1}));
    for (world, concern) in [(unborn(), Concern::Instance), (running(DEFAULT, Applied::Whole), Concern::Parameters)] {
        let (reason, message) = blocked(&planned(&outside, &world), concern);
        assert_eq!(reason, "ClassNotPermitted");
        assert!(message.contains("spec.parameters[p02]") && message.contains("work_mem, log_*"), "{message}");
    }
    // What the class says itself is the platform's, and what the object says goes first.
    let inside = fenced(json!({"work_mem": 65_536}));
    let version = inside.desired.version;
    let both = of_twelve(false, &[("p01", "7"), ("work_mem", "65536")]);
    assert_eq!(wanted(&inside, &running(DEFAULT, Applied::Whole), version), Some(both));
}

fn rebooted(world: &World, group: &str) -> Request {
    Request::Reboot(Reboot { identifier: world.identifier.to_string(), group: group.to_owned() })
}

#[test]
fn a_restart_waits_for_the_window_and_is_made_once() {
    let wanted = of_twelve(true, &[("rds.force_ssl", "1")]);
    let name = wanted.name.as_str();
    let plain = || asks(&json!({}), &json!({}));
    let sunday = 6 * 24 * 60;
    // The window is sun:04:00-sun:05:00.
    for (minute, open) in [
        (12 * 60, false),
        (sunday + 239, false),
        (sunday + 240, true),
        (sunday + 295, true),
        (sunday + 296, false),
        (sunday + 300, false),
    ] {
        let world = World { minute, ..running(name, Applied::AtRestart) };
        let plan = planned(&plain(), &world);
        if open {
            assert_eq!(cloud_steps(&plan), [&rebooted(&world, name)], "{minute}");
            assert!(told(&plan).contains("an outage"), "{}", told(&plan));
        } else {
            assert_eq!(waits(&plan, Concern::Parameters), "WaitingForWindow", "{minute}");
            assert!(told(&plan).contains("sun:04:00-sun:05:00 UTC"), "{}", told(&plan));
        }
    }
    let before = World { minute: sunday + 239, ..running(name, Applied::AtRestart) };
    assert_eq!(planned(&plain(), &before).again, Duration::from_secs(60), "it is looked at when the window opens");
    // Asked for once: accepted, it is never repeated for the same group, and a lost answer is given its time.
    let mut world = World { minute: sunday + 250, ..running(name, Applied::AtRestart) };
    let asked = rebooted(&world, name);
    accepted(&mut world, &asked, 1, now());
    assert_eq!(waits(&planned(&plain(), &world), Concern::Parameters), "ChangeAccepted");
    let later = plan(&plain(), &world, now() + Duration::from_secs(61));
    assert_eq!(blocked(&later, Concern::Parameters).0, "ChangeHasNoEffect");
    let mut world = World { minute: sunday + 250, ..running(name, Applied::AtRestart) };
    refused(&mut world, asked, ErrorClass::Unreachable);
    assert!(cloud_steps(&plan(&plain(), &world, now() + Duration::from_secs(59))).is_empty());
}

#[test]
fn a_restart_is_made_at_once_by_the_objects_word_and_in_no_other_state() {
    let wanted = of_twelve(true, &[("rds.force_ssl", "1")]);
    let name = wanted.name.as_str();
    let at_once = asks(&json!({}), &json!({"applyImmediately": true}));
    let world = running(name, Applied::AtRestart);
    assert_eq!(cloud_steps(&planned(&at_once, &world)), [&rebooted(&world, name)]);
    let mut busy = world.clone();
    on_instance(&mut busy, |instance| instance.status = crate::providers::aws::state("modifying"));
    assert_eq!(waits(&planned(&at_once, &busy), Concern::Parameters), "InstanceBusy");
    // Another process may have asked for it a moment ago.
    let young = World { acting_since: now(), ..world };
    assert_eq!(waits(&planned(&at_once, &young), Concern::Parameters), "Restarting");
    // A group that is nobody's of ours is nobody's to restart for.
    assert_eq!(planned(&at_once, &running("somebodys-own", Applied::AtRestart)).steps, []);
}

/// What an upgrade asks: the group of another family than the one that runs.
#[test]
fn the_group_of_another_version_is_made_ready_before_it_is_named() {
    let target = asks(&json!({"work_mem": 65_536}), &json!({}));
    let thirteen = EngineVersion::parse(target.desired.engine, "13").expect("it is one");
    let ours = of_twelve(true, &[("rds.force_ssl", "1"), ("work_mem", "65536")]);
    let mut world = running(&ours.name, Applied::Whole);
    let next = wanted(&target, &world, thirteen).expect("one of ours is followed by one of ours");
    assert_eq!((next.family.as_str(), &next.values), ("postgres13", &ours.values));
    with_group(&mut world, &next, None);
    let first = group(&target, &world, thirteen).expect_err("it is not there");
    assert!(matches!(first, crate::plan::Outcome::Act { .. }), "{first:?}");
    with_group(&mut world, &next, Some(&[("rds.force_ssl", "1"), ("work_mem", "65536")]));
    assert_eq!(group(&target, &world, thirteen), Ok(Some(next.name)));
    assert_eq!(group(&asks(&json!({}), &json!({})), &running(DEFAULT, Applied::Whole), thirteen), Ok(None));
}
