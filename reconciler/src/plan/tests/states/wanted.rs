//! Objects that are wanted: on their way to Ready, ready, and held up.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::api::RDSDatabaseStatus;

use super::super::origins::whole;
use super::super::{
    CLUSTER, RESOURCE, create, empty_world, endpoint, instance, now, on_instance, orders, pinned, plan, secret, target,
    version,
};
use super::{
    CURRENT, FAILED, IN_PROGRESS, PAUSED, State, Verdict, changing, inside, json_of, lived_in, moment, orders_spec,
    ready, served,
};
use crate::clock::Moment;
use crate::observe::visit_inputs;
use crate::plan::ledger::Cause;
use crate::plan::step::Step;
use crate::plan::world::{SecretFact, Seen, ServiceFact, World};
use crate::providers::{
    Allowed, Applied, Backup, ErrorClass, Group, Marks, Parameter, Request, Snapshot, SnapshotKind, WantedGroup,
};
use crate::status;
use crate::subject::{Subject, Target};

pub(super) fn states() -> Vec<State> {
    let mut states = births();
    states.extend(lives());
    states.extend(changing::copies());
    states.extend(losses());
    states.extend(changing::changes());
    states.extend(neighbours());
    states.extend(inside::visits());
    states
}

pub(super) fn state(name: &'static str, verdict: Verdict, spec: &Value, world: &World) -> State {
    // What was once seen is in the status already.
    let lived = world.pinned.as_ref().is_some_and(|pinned| pinned.resource_id.is_some());
    let before = if lived { ready() } else { RDSDatabaseStatus::default() };
    let target = target(spec);
    wanted(name, verdict, spec, &target, world, &before)
}

pub(super) fn wanted(
    name: &'static str,
    verdict: Verdict,
    spec: &Value,
    target: &Target,
    world: &World,
    before: &RDSDatabaseStatus,
) -> State {
    let world = World { visit_inputs: visit_inputs(target, world).map(Arc::new), ..world.clone() };
    let plan = plan(target, &world, now());
    let status = status::of(before, Some(1), &Subject::Living(target.clone()), &world, &plan, moment());
    State { name, verdict, object: served(spec, &world, 1, &json_of(&status)) }
}

/// An object that has no instance yet.
pub(super) fn young(name: &'static str, verdict: Verdict, change: impl FnOnce(&mut World)) -> State {
    let mut world = World { pinned: Some(pinned(None)), ..empty_world() };
    change(&mut world);
    state(name, verdict, &orders_spec(), &world)
}

/// An object that is to be made of a snapshot.
pub(super) fn made_of(name: &'static str, verdict: Verdict, backups: Seen<Vec<Backup>>) -> State {
    let mut world = World { pinned: Some(pinned(None)), backups, ..empty_world() };
    with_secrets(&mut world);
    let mut spec = orders_spec();
    spec["restoreFrom"] = json!({"snapshot": "orders-before"});
    state(name, verdict, &spec, &world)
}

/// An object whose database has served.
pub(super) fn grown(name: &'static str, verdict: Verdict, change: impl FnOnce(&mut World)) -> State {
    with_spec(name, verdict, &orders_spec(), change)
}

pub(super) fn with_spec(name: &'static str, verdict: Verdict, spec: &Value, change: impl FnOnce(&mut World)) -> State {
    let mut world = lived_in();
    change(&mut world);
    state(name, verdict, spec, &world)
}

pub(super) fn in_cloud_state(world: &mut World, word: &str) {
    on_instance(world, |instance| instance.status = crate::providers::aws::state(word));
}

pub(super) fn accept(world: &mut World, request: &Request, times: u32, at: Moment) {
    (0..times).for_each(|_| world.ledger.done(&Step::Cloud(request.clone()), at));
}

pub(super) fn refuse(world: &mut World, request: Request, class: ErrorClass, message: &str) {
    world.ledger.refused(&Step::Cloud(request), Cause::Cloud(class), message.into(), now(), 0.0);
}

/// What would be asked of the cloud now.
pub(super) fn asked(target: &Target, world: &World) -> Request {
    let plan = plan(target, world, now());
    let step =
        plan.steps.into_iter().find_map(|step| if let Step::Cloud(request) = step { Some(request) } else { None });
    step.expect("the fixture asks for something")
}

pub(super) fn with_secrets(world: &mut World) {
    let secrets = ["sysadmin", "app", "report"].map(|user| {
        let name = if user == "sysadmin" { "orders.rds.master".into() } else { format!("orders.rds.{user}") };
        (name, secret(user, &["orders"], None))
    });
    world.secrets = secrets.into();
}

/// The one parameter that the fixtures ask for, and its group as it is seen.
pub(super) fn parameters(world: &mut World, seen: Seen<Group>) {
    let offered = [("work_mem".to_owned(), Parameter { modifiable: true, allowed: Allowed::Any })].into();
    world.offered = [("postgres12".to_owned(), Seen::Known(Arc::new(offered)))].into();
    on_instance(world, |instance| instance.running.parameter_group = Some("default.postgres12".into()));
    let values = [("work_mem".to_owned(), "65536".to_owned())].into();
    world.groups.insert(WantedGroup::of(CLUSTER, "postgres12", false, values).name, seen);
}

/// Made with a group of ours, of which its server runs with so much.
pub(super) fn runs_with(world: &mut World, applied: Applied) {
    let values = [("rds.force_ssl".to_owned(), "1".to_owned())].into();
    let group = WantedGroup::of(CLUSTER, "postgres12", true, values).name;
    on_instance(world, |instance| {
        (instance.running.parameter_group, instance.parameters) = (Some(group), applied);
    });
}

fn births() -> Vec<State> {
    let mut unborn = empty_world();
    unborn.object.finalizer = false;
    let cloud_says = |name, verdict, class, message: &'static str| {
        young(name, verdict, |world| {
            with_secrets(world);
            let request = create(&orders(), world);
            refuse(world, request, class, message);
        })
    };
    vec![
        // The default that the CRD gives the status of a new object.
        State {
            name: "admitted",
            verdict: IN_PROGRESS,
            object: served(&orders_spec(), &unborn, 1, &json!({"observedGeneration": -1})),
        },
        young("pinning", IN_PROGRESS, |world| world.pinned = None),
        young("writing-secrets", IN_PROGRESS, |_| {}),
        young("no-credentials", IN_PROGRESS, |world| {
            with_secrets(world);
            world.account = Err("no AWS credentials were found in the environment".into());
        }),
        young("namespace-terminating", IN_PROGRESS, |world| world.object.namespace_terminating = true),
        young("secrets-unreadable", IN_PROGRESS, |world| {
            world.secrets.insert("orders.rds.app".into(), Seen::Unknown("timeout".into()));
        }),
        young("creating", IN_PROGRESS, with_secrets),
        made_of("restoring", IN_PROGRESS, Seen::Known(vec![whole()])),
        made_of(
            "waiting-for-backup",
            IN_PROGRESS,
            Seen::Known(vec![Backup { complete: false, status: "creating".into(), ..whole() }]),
        ),
        made_of("not-restorable", FAILED, Seen::Known(vec![Backup { engine_version: Some("17.4".into()), ..whole() }])),
        made_of("snapshot-not-permitted", FAILED, Seen::Absent),
        young("creation-accepted", IN_PROGRESS, |world| {
            with_secrets(world);
            let request = create(&orders(), world);
            accept(world, &request, 1, now());
        }),
        cloud_says("creation-not-seen-yet", IN_PROGRESS, ErrorClass::AlreadyExists, "DBInstanceAlreadyExists"),
        cloud_says("creation-refused", FAILED, ErrorClass::Refused, "InvalidParameterValue: db.t4g.micro has no gp3"),
        cloud_says("not-authorized", FAILED, ErrorClass::Unauthorized, "AccessDenied: rds:CreateDBInstance"),
        cloud_says("quota-exhausted", IN_PROGRESS, ErrorClass::Exhausted, "InstanceQuotaExceeded"),
        cloud_says("cloud-unavailable", IN_PROGRESS, ErrorClass::Unreachable, "timeout"),
        young("being-created", IN_PROGRESS, |world| {
            with_secrets(world);
            world.instance = Seen::Known(instance("creating"));
        }),
        young("creating-service", IN_PROGRESS, |world| {
            world.secrets = lived_in().secrets;
            world.instance = Seen::Known(instance("backing-up"));
        }),
        young("waiting-for-secrets", IN_PROGRESS, |world| {
            world.instance = Seen::Known(instance("available"));
            world.service = lived_in().service;
        }),
    ]
}

fn lives() -> Vec<State> {
    let mut paused = orders_spec();
    paused["paused"] = json!(true);
    let mut rehearsed = paused.clone();
    rehearsed["size"] = json!("100GB");
    let ready = || json_of(&ready());
    vec![
        grown("ready", CURRENT, |_| {}),
        grown("ready-backing-up", CURRENT, |world| in_cloud_state(world, "backing-up")),
        grown("ready-with-predecessors-snapshot", CURRENT, |world| {
            let snapshot = Snapshot {
                identifier: format!("{}-final-aaaaaaaa", world.identifier),
                kind: SnapshotKind::Manual,
                status: "available".into(),
                created: None,
                resource_id: Some("db-BEFORE".into()),
                marks: Marks::default(),
            };
            world.snapshots = Seen::Known(vec![snapshot]);
        }),
        grown("ready-without-alias", CURRENT, |world| {
            let owner = "the RDSDatabase orders in namespace other".into();
            world.alias = Some(Seen::Known(ServiceFact::Foreign { owner }));
        }),
        // The spec was edited, and nobody has looked at it yet.
        State { name: "edited", verdict: IN_PROGRESS, object: served(&orders_spec(), &lived_in(), 2, &ready()) },
        with_spec("paused", PAUSED, &paused, |_| {}),
        with_spec("paused-before-a-growth", PAUSED, &rehearsed, |_| {}),
    ]
}

fn losses() -> Vec<State> {
    vec![
        grown("instance-lost", FAILED, |world| world.instance = Seen::Absent),
        grown("instance-replaced", FAILED, |world| {
            on_instance(world, |instance| instance.resource_id = Some("db-RESTORED".into()));
        }),
        grown("instance-switched-over", FAILED, |world| {
            on_instance(world, |instance| instance.resource_id = Some("db-GREEN".into()));
            world.moved_to = Some(format!("{}-old1", world.identifier));
        }),
        young("instance-of-predecessor", FAILED, |world| {
            with_secrets(world);
            let mut kept = instance("available");
            kept.marks.uid = Some("before".into());
            world.instance = Seen::Known(kept);
        }),
        young("instance-not-ours", FAILED, |world| {
            with_secrets(world);
            let mut theirs = instance("available");
            theirs.marks = Marks::default();
            world.instance = Seen::Known(theirs);
        }),
        grown("taking-up", IN_PROGRESS, |world| {
            world.object.accept_instance = Some(RESOURCE.into());
            on_instance(world, |instance| {
                instance.marks.uid = Some("before".into());
            });
        }),
        grown("tags-missing", FAILED, |world| {
            on_instance(world, |instance| instance.marks = Marks::default());
        }),
        grown("master-user-differs", FAILED, |world| {
            on_instance(world, |instance| instance.master_user = Some("boss".into()));
        }),
        grown("upgrade-failed", FAILED, |world| in_cloud_state(world, "upgrade-failed")),
        grown("instance-renamed", FAILED, |world| {
            on_instance(world, |instance| instance.identifier = "old-orders".into());
        }),
        grown("other-region", FAILED, |world| {
            world.account.as_mut().expect("the fixture has one").region = "us-east-1".into();
        }),
        grown("other-account", FAILED, |world| {
            world.account.as_mut().expect("the fixture has one").account = "999999999999".into();
        }),
        grown("deleted-elsewhere", IN_PROGRESS, |world| in_cloud_state(world, "deleting")),
        grown("storage-full", FAILED, |world| in_cloud_state(world, "storage-full")),
        grown("rebooting", IN_PROGRESS, |world| in_cloud_state(world, "rebooting")),
        grown("state-of-the-future", IN_PROGRESS, |world| in_cloud_state(world, "performing-a-state-of-the-future")),
        grown("endpoint-not-trusted", FAILED, |world| {
            on_instance(world, |instance| {
                instance.endpoint.as_mut().expect("the fixture has one").host = "db.example.org".into();
            });
        }),
        grown("cloud-throttled", IN_PROGRESS, |world| world.instance = Seen::Unknown("Throttling".into())),
    ]
}

/// Secrets and Services.
fn neighbours() -> Vec<State> {
    vec![
        grown("secret-not-ours", FAILED, |world| {
            let why = "it is not marked as this object's".into();
            world.secrets.insert("orders.rds.app".into(), Seen::Known(SecretFact::Foreign { why }));
        }),
        grown("service-not-ours", FAILED, |world| {
            world.service = Seen::Known(ServiceFact::Foreign { owner: "somebody else".into() });
        }),
        grown("secret-unreadable", IN_PROGRESS, |world| {
            world.secrets.insert("orders.rds.app".into(), Seen::Unknown("secrets is forbidden".into()));
        }),
        grown("renewing-secrets", CURRENT, |world| {
            let Some(Seen::Known(SecretFact::Ours { data, .. })) = world.secrets.get_mut("orders.rds.app") else {
                unreachable!("the fixture has one")
            };
            data.0.remove("root.crt");
            world.renewal = Some(now() + Duration::from_secs(60));
        }),
        grown("authorities-missing", CURRENT, |world| world.authorities = Arc::default()),
        grown("updating-service", IN_PROGRESS, |world| {
            let external_name = format!("before.{}", endpoint().host);
            world.service =
                Seen::Known(ServiceFact::Ours { external_name, port: Some(5432), version: version("service") });
        }),
        grown("cluster-refused", IN_PROGRESS, |world| {
            world.service = Seen::Absent;
            let steps = plan(&orders(), world, now()).steps;
            let step = steps.iter().find(|step| matches!(step, Step::Cluster(_))).expect("the Service is missing");
            let message = format!("Kubernetes refused to {step}: exceeded quota: services");
            world.ledger.refused(step, Cause::Kubernetes, message, now(), 0.0);
        }),
    ]
}
