//! A class that is edited: what follows it on a running instance, and what stays as at birth.

use std::collections::BTreeSet;

use serde_json::json;
use shared::api::labels::UID_TAG;
use std::time::Duration;

use super::{
    accepted, blocked, cloud_steps, instance, modify, now, orders, plan, planned, refused, settled_world, target, waits,
};
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::world::Seen;
use crate::plan::world::World;
use crate::providers::{ErrorClass, Instance, MarkInstance, Request, Settings};
use crate::subject::Target;

fn with_tags(tags: &[(&str, &str)]) -> Target {
    let mut target = orders();
    target.class.tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    target
}

fn with_groups(groups: &[&str]) -> Target {
    let mut target = orders();
    target.class.security_groups = groups.iter().map(|&group| group.to_owned()).collect();
    target
}

fn groups(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn tags_of(target: &Target) -> Request {
    let resource = instance("available").resource_name.expect("the fixture has one");
    Request::Mark(MarkInstance { resource, tags: target.class.tags.clone(), ..MarkInstance::default() })
}

fn world(change: impl FnOnce(&mut Instance)) -> World {
    let mut instance = instance("available");
    change(&mut instance);
    World { instance: Seen::Known(instance), ..settled_world() }
}

fn said(target: &Target, world: &World) -> String {
    match planned(target, world).outcome(Concern::Settings) {
        Some(Outcome::Done { message }) => message.clone(),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_tag_of_the_class_reaches_a_running_instance() {
    let target = with_tags(&[("team", "shop"), ("cost-center", "7"), (UID_TAG, "another")]);
    let world = world(|instance| {
        instance.tags.insert("cost-center".into(), "6".into());
        instance.tags.insert("team".into(), "shop".into());
        instance.tags.insert("left-the-class".into(), "kept".into());
    });
    let plan = planned(&target, &world);
    let [Request::Mark(MarkInstance { tags, owner: None, .. })] = cloud_steps(&plan)[..] else {
        unreachable!("{:?}", plan.steps)
    };
    let tags: Vec<_> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(tags, [("cost-center", "7")], "i1: marks of ownership are never the class's");
}

#[test]
fn a_tag_that_left_the_class_stays_and_is_told() {
    let mut target = with_tags(&[("team", "shop")]);
    target.class.name = Some("gold".into());
    let world = world(|instance| {
        for key in ["team", "left-the-class", "aws:cloudformation:stack-name"] {
            instance.tags.insert(key.into(), "shop".into());
        }
    });
    assert_eq!(planned(&target, &world).steps, []);
    assert_eq!(
        said(&target, &world),
        "the instance is as declared; tags that neither the class nor the object names stay: left-the-class"
    );
}

#[test]
fn i5_an_instance_as_its_class_says_is_left_alone() {
    let mut target = with_tags(&[("team", "shop")]);
    target.class.security_groups = vec!["sg-1".into(), "sg-2".into()];
    let world = world(|instance| {
        instance.tags.insert("team".into(), "shop".into());
        instance.running.security_groups = Some(groups(&["sg-2", "sg-1"]));
    });
    assert_eq!(planned(&target, &world).steps, []);
    assert_eq!(said(&target, &world), "the instance is as declared");
}

#[test]
fn security_groups_of_the_class_reach_a_running_instance() {
    for (have, class, asked) in [
        (vec!["sg-1"], vec!["sg-2"], Some(vec!["sg-2"])),
        (vec!["sg-1"], vec!["sg-1", "sg-2"], Some(vec!["sg-1", "sg-2"])),
        (vec![], vec!["sg-1"], Some(vec!["sg-1"])),
        (vec!["sg-1"], vec![], None),
    ] {
        let world = world(|instance| instance.running.security_groups = Some(groups(&have)));
        let plan = planned(&with_groups(&class), &world);
        let changed = cloud_steps(&plan).first().and_then(|step| match step {
            Request::Modify(request) => request.change.security_groups.clone(),
            _ => None,
        });
        assert_eq!(changed, asked.map(|asked| groups(&asked)), "{have:?} {class:?}");
    }
}

#[test]
fn i5_what_stays_as_at_birth_is_told_and_not_changed() {
    let mut target = orders();
    target.class.instance_class = "db.t4g.large".into();
    target.class.storage_type = "gp2".into();
    target.class.subnet_group = Some("Databases".into());
    target.class.kms_key = Some("alias/unknown-here".into());
    let world = world(|instance| {
        instance.running.subnet_group = Some("databases".into());
        instance.running.kms_key = Some("arn:aws:kms:eu-central-1:123456789012:key/1234".into());
    });
    assert_eq!(planned(&target, &world).steps, []);
    let told = "the instance is as declared; the class says db.t4g.large, gp2 for new databases; this one stays \
                db.t4g.micro, gp3";
    assert_eq!(said(&target, &world), told);

    for (key, told) in [("1234", false), ("arn:aws:kms:eu-central-1:123456789012:key/1234", false), ("5678", true)] {
        target.class.kms_key = Some(key.into());
        assert_eq!(said(&target, &world).contains("key/1234"), told, "{key}");
    }
}

/// The class's instance class is of no concern to an object that names its own.
#[test]
fn what_the_object_names_itself_is_not_the_classs() {
    let mut target = target(&json!({"instanceClass": "db.t4g.micro"}));
    target.class.instance_class = "db.t4g.large".into();
    assert_eq!(said(&target, &settled_world()), "the instance is as declared");
}

#[test]
fn one_change_a_pass_and_a_refused_one_holds_no_other() {
    let mut target = with_groups(&["sg-2"]);
    target.class.tags.insert("team".into(), "shop".into());
    let mut world = settled_world();
    assert!(matches!(cloud_steps(&planned(&target, &world))[..], [Request::Modify(_)]));
    let request = modify(Settings { security_groups: Some(groups(&["sg-2"])), ..Settings::default() });
    refused(&mut world, request, ErrorClass::Refused);
    assert!(matches!(cloud_steps(&planned(&target, &world))[..], [Request::Mark(_)]));
    refused(&mut world, tags_of(&target), ErrorClass::Unauthorized);
    let plan = planned(&target, &world);
    assert_eq!(plan.steps, [], "i9: two refused changes do not take turns");
    assert_eq!(blocked(&plan, Concern::Settings).0, "RefusedByCloud");
}

#[test]
fn i13_tags_without_effect_are_not_sent_for_ever() {
    let target = with_tags(&[("team", "shop")]);
    let mut world = settled_world();
    accepted(&mut world, &tags_of(&target), 3, now());
    assert_eq!(waits(&planned(&target, &world), Concern::Settings), "ChangeAccepted");
    let later = plan(&target, &world, now() + Duration::from_secs(61));
    assert_eq!(blocked(&later, Concern::Settings).0, "ChangeHasNoEffect");
    let other = with_tags(&[("team", "other")]);
    assert_eq!(cloud_steps(&planned(&other, &world)), [&tags_of(&other)], "another value is another request");
}
