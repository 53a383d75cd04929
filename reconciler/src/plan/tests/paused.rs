//! A pause: all is planned and told as if nothing held it, and nothing is done.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::api::{DeletionPolicy, RDSDatabaseStatus};

use super::{
    RESOURCE, accepted, cloud_steps, departure, empty_world, instance, leave, now, on_instance, pinned, planned,
    refused, settled_world, target,
};
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::world::{Seen, World};
use crate::providers::ErrorClass;
use crate::providers::aws::state;
use crate::status;
use crate::subject::{Departure, Subject, Target};

/// A growth, a user more and another compute size than [`settled_world`] has.
pub(super) fn wanted(paused: bool) -> Target {
    target(&json!({
        "size": "100GB", "users": {"app": [], "report": [], "new": []}, "databases": {"orders": ["app", "report"]},
        "instanceClass": "db.t4g.large", "paused": paused,
    }))
}

/// Worlds in which something is to be done, waited for or mended.
pub(super) fn worlds() -> Vec<World> {
    let mut worlds = vec![
        World { pinned: Some(pinned(None)), ..empty_world() },
        World { pinned: Some(pinned(None)), secrets: settled_world().secrets, ..empty_world() },
        settled_world(),
        World { alias: Some(Seen::Absent), visit: None, ..settled_world() },
        World { instance: Seen::Absent, ..settled_world() },
        World { instance: Seen::Unknown("throttled".into()), ..settled_world() },
        World { account: Err("no credentials".into()), ..settled_world() },
    ];
    let growth = cloud_steps(&planned(&wanted(false), &settled_world())).into_iter().next().cloned();
    let growth = growth.expect("the instance is too small");
    let (mut answered_no, mut answered_yes) = (settled_world(), settled_world());
    refused(&mut answered_no, growth.clone(), ErrorClass::Refused);
    accepted(&mut answered_yes, &growth, 1, now());
    worlds.extend([answered_no, answered_yes]);
    for word in ["modifying", "storage-full", "incompatible-restore", "deleting"] {
        let mut world = settled_world();
        on_instance(&mut world, |instance| instance.status = state(word));
        worlds.push(world);
    }
    worlds
}

#[test]
fn a_pause_tells_all_that_would_be_done_and_does_nothing() {
    let mut held_back = 0;
    for world in worlds() {
        let (free, held) = (planned(&wanted(false), &world), planned(&wanted(true), &world));
        assert_eq!(held.steps, []);
        assert_eq!(held.pin, world.pinned);
        assert_eq!(held.outcomes.len(), free.outcomes.len());
        for (concern, would) in free.outcomes.into_iter().filter(|(concern, _)| *concern != Concern::Accepted) {
            let told = match would {
                Outcome::Act { reason, message, steps } => {
                    held_back += steps.len();
                    Outcome::Act { reason, message: format!("held by spec.paused: {message}"), steps }
                }
                as_it_is => as_it_is,
            };
            assert_eq!(held.outcome(concern), Some(&told));
        }
    }
    assert!(held_back > 10, "{held_back} steps were held back: these worlds are too quiet");
}

#[test]
fn i13_a_paused_object_is_not_looked_at_without_end() {
    let mut worlds = worlds();
    // Nothing is pinned, so the pin itself is what would come first.
    worlds.extend([empty_world(), World { secrets: settled_world().secrets, ..empty_world() }]);
    for mut world in worlds {
        for finalizer in [true, false] {
            world.object.finalizer = finalizer;
            let plan = planned(&wanted(true), &world);
            assert_eq!((plan.steps, plan.pin), (vec![], world.pinned.clone()));
            assert!(plan.again >= Duration::from_secs(1), "{:?}: {:?}", plan.again, plan.outcomes);
        }
    }
}

#[test]
fn before_anything_is_pinned_a_pause_tells_what_would_follow() {
    let world = World { secrets: settled_world().secrets, ..empty_world() };
    match planned(&wanted(true), &world).outcome(Concern::Instance) {
        Some(Outcome::Act { message, .. }) => assert!(message.ends_with("is being asked for"), "{message}"),
        other => unreachable!("{other:?}"),
    }
}

fn conditions(subject: &Subject, world: &World) -> impl Fn(&str) -> (String, String) + use<> {
    let plan = super::super::plan(subject, world, now());
    let before = RDSDatabaseStatus::default();
    let status = status::of(&before, Some(1), subject, world, &plan, Timestamp::UNIX_EPOCH);
    move |kind| {
        let found = status.conditions.iter().find(|condition| condition.type_ == kind).expect("it is said");
        (found.status.clone(), found.reason.clone())
    }
}

#[test]
fn a_paused_object_waits_for_its_user_whatever_else_is_wrong_with_it() {
    for world in worlds() {
        let said = conditions(&Subject::Living(wanted(true)), &world);
        for (kind, status) in [("Accepted", "False"), ("Ready", "False"), ("Reconciling", "True"), ("Stalled", "False")]
        {
            assert_eq!(said(kind), (status.to_owned(), "Paused".to_owned()), "{kind}");
        }
    }
    let lost = World { instance: Seen::Absent, ..settled_world() };
    let said = conditions(&Subject::Living(wanted(true)), &lost)("InstanceReady");
    assert_eq!(said, ("False".to_owned(), "InstanceLost".to_owned()));
}

#[test]
fn i2_a_pause_counts_no_word_of_replacement() {
    let mut lost = World { instance: Seen::Absent, ..settled_world() };
    lost.object.recreate_lost = Some(RESOURCE.into());
    let plan = planned(&wanted(true), &lost);
    assert_eq!((&plan.pin, plan.steps.len()), (&lost.pinned, 0));
    assert!(matches!(plan.outcome(Concern::Instance), Some(Outcome::Act { .. })), "it would be made anew");
}

#[test]
fn i3_a_paused_deletion_tells_what_would_go_and_lets_nothing_go() {
    let paused = Departure { paused: true, ..departure(DeletionPolicy::Delete) };
    let mut leaving = settled_world();
    leaving.object.deleting = true;
    let mut protected = instance("available");
    protected.running.deletion_protection = Some(true);
    let bare = World { service: Seen::Absent, alias: None, ..leaving.clone() };
    let mut answered_no = bare.clone();
    let free = Departure { paused: false, ..paused.clone() };
    let deletion = cloud_steps(&leave(&free, &bare)).into_iter().next().cloned().expect("it would be deleted");
    refused(&mut answered_no, deletion, ErrorClass::WrongState);
    for (world, would) in [
        (answered_no, "refused"),
        (leaving, "the Services go first"),
        (World { instance: Seen::Known(protected), ..bare.clone() }, "RDS protects the instance"),
        (World { instance: Seen::Absent, ..bare.clone() }, "the instance is gone"),
        (bare, "the instance is being deleted without a snapshot"),
    ] {
        let plan = leave(&paused, &world);
        assert_eq!(
            (&plan.steps, plan.pin.as_ref().and_then(|pin| pin.resource_id.as_deref())),
            (&vec![], Some(RESOURCE))
        );
        let message = plan.outcome(Concern::Deletion).map(Outcome::message).unwrap_or_default();
        assert!(message.starts_with("spec.paused: ") && message.contains(&format!("without it: {would}")), "{message}");
        let said = conditions(&Subject::Leaving(paused.clone()), &world);
        for (kind, status) in [("Deleted", "False"), ("Reconciling", "True"), ("Stalled", "False")] {
            assert_eq!(said(kind), (status.to_owned(), "Paused".to_owned()), "{kind}");
        }
    }
}
