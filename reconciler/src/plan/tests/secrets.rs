//! What Secrets say, and that an application is never led elsewhere by what others add.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::api::{Binding, RDSDatabaseStatus};

use super::{AUTHORITIES, blocked, now, on_instance, orders, plan, planned, settled_world, target, version, waits};
use crate::authorities::{Authorities, tests::root};
use crate::binding::SecretData;
use crate::clock::Moment;
use crate::plan::ledger::Cause;
use crate::plan::outcome::{Concern, Outcome};
use crate::plan::reason::Reason;
use crate::plan::secrets::needs_renewal;
use crate::plan::step::{ClusterStep, Step};
use crate::plan::world::{SecretFact, Seen, World};
use crate::status;
use crate::subject::{Subject, Target};

fn data<'a>(world: &'a mut World, secret: &str) -> &'a mut SecretData {
    match world.secrets.get_mut(secret) {
        Some(Seen::Known(SecretFact::Ours { data, .. })) => data,
        other => unreachable!("{secret} is {other:?}"),
    }
}

/// The Secrets that are written at `now`, with their data.
fn written(target: &Target, world: &World, now: Moment) -> BTreeMap<String, SecretData> {
    let steps = plan(target, world, now).steps;
    let data = steps.into_iter().filter_map(|step| match step {
        Step::Cluster(ClusterStep::UpdateSecret { secret, data, .. }) => Some((secret, data)),
        _ => None,
    });
    data.collect()
}

/// [`settled_world`] after everything that its Secrets need for `target` was written.
fn with(target: &Target, mut world: World) -> World {
    for (secret, wanted) in written(target, &world, now()) {
        *data(&mut world, &secret) = wanted;
    }
    world
}

/// The Secrets say what v0.1.0 said.
fn written_by_v0_1_0() -> World {
    let mut world = settled_world();
    for secret in ["orders.rds.master", "orders.rds.app", "orders.rds.report"] {
        let data = data(&mut world, secret);
        for later in ["sslmode", "sslrootcert", "root.crt", "jdbc-url", "uri-orders"] {
            data.0.remove(later);
        }
    }
    let master = data(&mut world, "orders.rds.master");
    let uri = master.text("uri").expect("the fixture has one").replace("/postgres?", "/orders?");
    master.0.extend([("database".into(), b"orders".to_vec()), ("uri".into(), uri.into_bytes())]);
    world
}

fn orders_and(users: &Value, databases: &Value) -> Target {
    let mut spec = json!({"users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}});
    for (key, added) in [("users", users), ("databases", databases)] {
        let added = added.as_object().cloned().unwrap_or_default();
        spec[key].as_object_mut().expect("the fixture has it").extend(added);
    }
    target(&spec)
}

#[test]
fn adding_what_sorts_first_changes_nothing_that_an_application_reads() {
    let more = orders_and(&json!({"aaa": []}), &json!({"archive": ["aaa", "app", "report"]}));
    let (mut before, mut after) = (settled_world(), with(&more, settled_world()));
    for secret in ["orders.rds.master", "orders.rds.app", "orders.rds.report"] {
        let (before, after) = (data(&mut before, secret).clone(), data(&mut after, secret).clone());
        for (key, value) in &before.0 {
            assert_eq!(after.0.get(key), Some(value), "{key} of {secret}");
        }
        assert!(after.text("uri-archive").is_some_and(|uri| uri.contains("/archive?")), "{secret}");
    }
    let status = |before: &RDSDatabaseStatus, target: &Target| {
        let world = settled_world();
        let (subject, plan) = (Subject::Living(target.clone()), planned(target, &world));
        status::of(before, Some(1), &subject, &world, &plan, Timestamp::UNIX_EPOCH)
    };
    let first = status(&RDSDatabaseStatus::default(), &orders());
    assert_eq!(first.binding, Some(Binding { name: "orders.rds.app".into() }));
    assert_eq!(status(&first, &more).binding, first.binding);
}

#[test]
fn a_database_that_is_taken_away_is_led_to_no_longer() {
    let moved = target(&json!({"users": {"app": ["createdb"], "report": []}, "databases": {"other": ["app"]}}));
    let written = written(&moved, &settled_world(), now());
    let app = &written["orders.rds.app"];
    assert_eq!(app.text("database"), Some("other"));
    assert_eq!((app.text("uri-orders"), app.text("uri-other")), (None, app.text("uri")));
    let report = &written["orders.rds.report"];
    for key in ["database", "uri", "uri-orders", "jdbc-url"] {
        assert_eq!(report.text(key), None, "{key} of a plain user without databases");
    }
}

#[test]
fn i4_a_lost_password_takes_no_application_elsewhere() {
    let more = orders_and(&json!({}), &json!({"archive": ["app"]}));
    let mut world = with(&more, settled_world());
    data(&mut world, "orders.rds.app").0.remove("password");
    let repair = planned(&more, &world).steps.into_iter().find_map(|step| match step {
        Step::Cluster(ClusterStep::RepairPassword { database, .. }) => Some(database),
        _ => None,
    });
    assert_eq!(repair, Some(Some("orders".into())));
}

#[test]
fn secrets_of_v0_1_0_lead_where_they_led() {
    let mut world = written_by_v0_1_0();
    assert!(needs_renewal(&orders(), &world));
    world.renewal = Some(now());
    let written = written(&orders(), &world, now());
    assert_eq!(written.len(), 3);
    for (secret, after) in &written {
        let before = data(&mut world, secret).clone();
        assert!(before.0.iter().all(|(key, value)| after.0.get(key) == Some(value)), "{secret}");
        for key in ["sslmode", "sslrootcert", "root.crt", "jdbc-url", "uri-orders"] {
            assert!(after.text(key).is_some(), "{key} of {secret}");
        }
    }
}

/// A new bundle, with authorities of one kind only.
fn new_bundle() -> Arc<Authorities> {
    let bundle = root("Amazon RDS eu-central-1 Root CA RSA2048 G1");
    Arc::new(Authorities::parse(bundle.as_bytes()).expect("the fixture is a bundle"))
}

#[test]
fn i13_what_works_as_it_is_waits_for_its_turn() {
    let mut world = settled_world();
    world.authorities = new_bundle();
    let turn = now() + Duration::from_secs(60);
    world.renewal = Some(turn);
    let early = planned(&orders(), &world);
    assert_eq!((early.steps.as_slice(), early.again), (&[][..], Duration::from_secs(60)));
    assert_eq!(waits(&early, Concern::Secrets), "RenewingSecrets");
    assert_eq!(written(&orders(), &world, turn).len(), 3);
}

#[test]
fn i8_a_secret_that_cannot_be_renewed_holds_up_no_other_and_leaves_the_object_ready() {
    let mut world = settled_world();
    (world.authorities, world.renewal) = (new_bundle(), Some(now()));
    let refused = |step: &&Step| step.to_string().contains("orders.rds.app");
    let step = plan(&orders(), &world, now()).steps.iter().find(refused).expect("it is to be renewed").clone();
    for _ in 0..3 {
        world.ledger.refused(&step, Cause::Kubernetes, "immutable".into(), now(), 0.0);
    }
    assert_eq!(written(&orders(), &world, now()).len(), 2);

    let mut world = with(&orders(), world);
    world.renewal = Some(now());
    let held = planned(&orders(), &world);
    let Some(Outcome::Wait { reason: Reason::RenewingSecrets, message, .. }) = held.outcome(Concern::Secrets) else {
        unreachable!("{:?}", held.outcome(Concern::Secrets))
    };
    assert!(message.contains("immutable"), "{message}");
    assert_eq!((held.steps.as_slice(), held.again), (&[][..], Duration::from_secs(20)));
}

#[test]
fn a_slip_in_a_secrets_database_moves_nobody() {
    let many = orders_and(&json!({}), &json!({"archive": ["app"], "billing": ["app"]}));
    let led = |database: Option<&str>, world: World| {
        let mut world = with(&many, world);
        match database {
            Some(name) => data(&mut world, "orders.rds.app").0.insert("database".into(), name.into()),
            None => data(&mut world, "orders.rds.app").0.remove("database"),
        };
        let written = written(&many, &world, now());
        written["orders.rds.app"].text("database").map(str::to_owned)
    };
    for slip in [Some("billing\n"), Some("biling"), Some(""), None] {
        assert_eq!(led(slip, settled_world()).as_deref(), Some("orders"), "{slip:?}");
    }
    assert_eq!(led(Some("billing"), settled_world()).as_deref(), Some("billing"), "that is how one is moved");
}

#[test]
fn i13_many_secrets_of_one_object_take_more_than_one_turn() {
    let users: serde_json::Map<_, _> = (0..50).map(|number| (format!("u{number}"), json!([]))).collect();
    let crowd = orders_and(&Value::Object(users.clone()), &json!({}));
    let mut world = settled_world();
    for user in users.keys() {
        let seen = super::secret(user, &[], Some(&super::endpoint()));
        world.secrets.insert(format!("orders.rds.{user}"), seen);
    }
    assert_eq!(written(&crowd, &world, now()).len(), 0);
    (world.authorities, world.renewal) = (new_bundle(), Some(now()));
    assert_eq!(written(&crowd, &world, now()).len(), 20);
}

#[test]
fn what_an_application_cannot_do_without_waits_for_nobody() {
    let more = orders_and(&json!({}), &json!({"archive": ["app"]}));
    let mut world = settled_world();
    world.authorities = new_bundle();
    world.renewal = Some(now() + Duration::from_hours(1));
    let written = written(&more, &world, now());
    assert_eq!(written.keys().collect::<Vec<_>>(), ["orders.rds.app", "orders.rds.master"]);
    assert!(written["orders.rds.app"].text("uri-archive").is_some());
}

#[test]
fn nobody_to_trust_is_told_and_takes_nothing_away() {
    let mut world = settled_world();
    world.authorities = Arc::default();
    let plan = planned(&orders(), &world);
    assert_eq!(plan.steps, [], "the Secrets keep whom they trust");
    let (reason, message) = blocked(&plan, Concern::Secrets);
    assert_eq!(reason, "AuthoritiesMissing");
    for said in ["eu-central-1", "--rds-ca-bundle"] {
        assert!(message.contains(said), "{message}");
    }
    // A new Secret has the rest.
    let app = data(&mut world, "orders.rds.app");
    app.0.retain(|key, _| ["type", "provider", "username", "password"].contains(&key.as_str()));
    let app = &written(&orders(), &world, now())["orders.rds.app"];
    assert!(app.text("uri").is_some());
    for key in ["sslmode", "sslrootcert", "root.crt", "jdbc-url"] {
        assert_eq!(app.text(key), None, "{key}");
    }
}

#[test]
fn the_authorities_are_those_of_the_endpoint() {
    let mut world = settled_world();
    let regional = |region: &str| AUTHORITIES.of(region).expect("the fixture has it").pem();
    on_instance(&mut world, |instance| {
        let endpoint = instance.endpoint.as_mut().expect("the fixture has one");
        endpoint.host = "orders.abc.us-east-1.rds.amazonaws.com".into();
    });
    let app = &written(&orders(), &world, now())["orders.rds.app"];
    assert_eq!(app.text("root.crt"), Some(regional("us-east-1").as_str()));
    // One that names no region is where the instance was made.
    world.endpoint_suffixes = vec!["127.0.0.1".into()];
    on_instance(&mut world, |instance| {
        instance.endpoint.as_mut().expect("the fixture has one").host = "127.0.0.1".into();
    });
    let app = &written(&orders(), &world, now())["orders.rds.app"];
    assert_eq!(app.text("root.crt"), Some(regional("eu-central-1").as_str()));
}

#[test]
fn an_authority_that_is_not_in_the_bundle_is_told() {
    let mut world = settled_world();
    on_instance(&mut world, |instance| instance.authority = Some("rds-ca-rsa2048-g2".into()));
    world.renewal = Some(now());
    let world = with(&orders(), world);
    let (reason, message) = blocked(&planned(&orders(), &world), Concern::Secrets);
    assert!(reason == "AuthoritiesMissing" && message.contains("rds-ca-rsa2048-g2"), "{message}");
}

#[test]
fn i4_a_secret_is_changed_as_it_was_read() {
    let without = target(&json!({"users": {"app": ["createdb"]}, "databases": {"orders": ["app"]}}));
    let mut world = settled_world();
    if let Some(Seen::Known(SecretFact::Ours { version, .. })) = world.secrets.get_mut("orders.rds.report") {
        version.resource = "4711".into();
    }
    let deleted = planned(&without, &world).steps.into_iter().find_map(|step| match step {
        Step::Cluster(ClusterStep::DeleteSecret { version, .. }) => Some(version),
        _ => None,
    });
    assert_eq!(deleted.map(|found| (found.uid, found.resource)), Some((version("report").uid, "4711".into())));
}

#[test]
fn i5_a_renewed_secret_is_at_rest() {
    let mut world = written_by_v0_1_0();
    world.renewal = Some(now());
    let world = with(&orders(), world);
    assert!(!needs_renewal(&orders(), &world));
    assert!(matches!(planned(&orders(), &world).outcome(Concern::Secrets), Some(Outcome::Done { .. })));
}
