//! What must be proved is proved here: on values, without a clock or a client.

mod ahead;
mod changes;
mod children;
mod copies;
mod fences;
mod instance;
mod largest;
mod lifecycle;
mod origins;
mod parameters;
mod paused;
mod peers;
mod platform;
mod secrets;
mod simulation;
mod states;
mod upgrades;
mod windows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use serde_json::json;
use shared::api::{DeletionPolicy, InstanceRef, RDSDatabase};
use shared::names::{self, InstanceIdentifier};
use shared::rules::DefaultVersions;

use super::inside::VisitInputs;
use super::ledger::{Cause, Ledger};
use super::merge::Plan;
use super::outcome::{Concern, Outcome};
use super::step::{Part, Step};
use super::world::{AccountFacts, ObjectFacts, SecretFact, Seen, ServiceFact, SqlReport, SqlVisit, World};
use crate::authorities::{Authorities, tests::root};
use crate::binding::{Binding, Trust, secret_data};
use crate::clock::Moment;
use crate::cluster::Version;
use crate::engine::paper::servers;
use crate::engine::postgres::DIALECT;
use crate::engine::{Login, Mark, Password, Passwords};
use crate::providers::aws::state;
use crate::providers::{
    Applied, Endpoint, ErrorClass, Group, Instance, Marks, MasterPassword, Modify, Owner, ProviderConfig, Request,
    Settings, WantedGroup, offer,
};
use crate::subject::{Departure, Subject, Target, resolve};

pub(crate) const CLUSTER: &str = "cluster-uid";
pub(crate) const NAMESPACE: &str = "shop";
pub(crate) const NAME: &str = "orders";
const UID: &str = "0f3c9a6e-1111-2222-3333-444455556666";
pub(crate) const RESOURCE: &str = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ";

pub(crate) fn now() -> Moment {
    Moment::START
}

/// By the clock on the wall.
pub(crate) fn at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("it is one")
}

pub(super) fn object(spec: &serde_json::Value) -> RDSDatabase {
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1",
        "kind": "RDSDatabase",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "uid": UID},
        "spec": spec,
    });
    serde_json::from_value(object).expect("the fixture is an RDSDatabase")
}

pub(crate) fn target(spec: &serde_json::Value) -> Target {
    resolve(&object(spec), &[], false, &BTreeMap::new(), DefaultVersions::BUILT_IN, &servers())
        .expect("the fixture is valid")
}

/// The example of the README: two users, one database.
pub(super) fn orders() -> Target {
    target(
        &json!({"size": "10GB", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}}),
    )
}

/// Just admitted: nothing is there.
pub(crate) fn empty_world() -> World {
    World {
        object: ObjectFacts {
            namespace: NAMESPACE.into(),
            name: NAME.into(),
            uid: UID.into(),
            finalizer: true,
            ..ObjectFacts::default()
        },
        cluster: CLUSTER.into(),
        identifier: InstanceIdentifier::derive(CLUSTER, NAMESPACE, NAME),
        offer: offer(None),
        account: Ok(AccountFacts { account: "123456789012".into(), region: "eu-central-1".into() }),
        pinned: None,
        instance: Seen::Absent,
        snapshots: Seen::Absent,
        absent_since: Some(Moment::LONG_AGO),
        estranged_at: None,
        moved_to: None,
        backups: Seen::Absent,
        groups: groups(),
        offered: BTreeMap::new(),
        copies: None,
        maintenance: Seen::Absent,
        at: at(),
        // Monday noon.
        minute: 12 * 60,
        passage: None,
        adopts: None,
        secrets: BTreeMap::new(),
        service: Seen::Absent,
        alias: Some(Seen::Absent),
        visit: None,
        errand: None,
        logins: BTreeMap::new(),
        known_databases: BTreeMap::new(),
        visit_inputs: None,
        ledger: Ledger::default(),
        acting_since: Moment::LONG_AGO,
        endpoint_suffixes: vec!["rds.amazonaws.com".into()],
        authorities: AUTHORITIES.clone(),
        renewal: None,
    }
}

/// Those that let nobody in without TLS, and say nothing else: of every family.
fn groups() -> BTreeMap<String, Seen<Group>> {
    let whole = |major: u32| {
        let values = [("rds.force_ssl".to_owned(), "1".to_owned())].into();
        let WantedGroup { name, family, values } = WantedGroup::of(CLUSTER, &format!("postgres{major}"), true, values);
        (name.clone(), Seen::Known(Group { name, family, cluster: Some(CLUSTER.into()), values }))
    };
    (12..=18).map(whole).collect()
}

/// Those of two regions, of two kinds each.
static AUTHORITIES: LazyLock<Arc<Authorities>> = LazyLock::new(|| {
    let names = ["eu-central-1", "us-east-1"].map(|region| {
        ["RSA2048", "ECC384"].map(|kind| root(&format!("Amazon RDS {region} Root CA {kind} G1"))).concat()
    });
    Arc::new(Authorities::parse(names.concat().as_bytes()).expect("the fixture is a bundle"))
});

/// Whom the Secrets of [`settled_world`] tell to trust.
fn trust() -> Trust {
    let region = AUTHORITIES.of("eu-central-1").expect("the fixture has it");
    Trust { authorities: region.pem(), signer: region.signer(Some("rds-ca-rsa2048-g1")).map(str::to_owned) }
}

/// Something of ours as it was read.
fn version(of: &str) -> Version {
    Version { uid: format!("uid-of-{of}"), resource: "1".into() }
}

fn endpoint() -> Endpoint {
    Endpoint { host: "orders.abc.eu-central-1.rds.amazonaws.com".into(), port: 5432 }
}

fn owner() -> Owner {
    Owner { cluster: CLUSTER.into(), namespace: NAMESPACE.into(), name: NAME.into(), uid: UID.into() }
}

pub(crate) fn instance(status: &str) -> Instance {
    Instance {
        identifier: InstanceIdentifier::derive(CLUSTER, NAMESPACE, NAME).to_string(),
        resource_id: Some(RESOURCE.into()),
        resource_name: Some("arn:aws:rds:eu-central-1:123456789012:db:orders".into()),
        status: state(status),
        endpoint: (status != "creating").then(endpoint),
        running: Settings {
            engine_version: Some("12.22".into()),
            auto_minor_version_upgrade: Some(true),
            instance_class: Some("db.t4g.micro".into()),
            allocated_gib: Some(20),
            storage_type: Some("gp3".into()),
            multi_az: Some(false),
            extended_support: Some(true),
            max_allocated_gib: Some(20),
            backup_retention_days: Some(7),
            backup_window: Some("02:00-02:30".into()),
            maintenance_window: Some("sun:04:00-sun:05:00".into()),
            deletion_protection: Some(false),
            security_groups: Some(BTreeSet::new()),
            ..Settings::default()
        },
        pending: Settings::default(),
        parameters: Applied::Whole,
        pending_else: Vec::new(),
        replicas: Vec::new(),
        master_user: Some("sysadmin".into()),
        restorable: None,
        authority: Some("rds-ca-rsa2048-g1".into()),
        marks: Marks::from(&owner()),
        tags: BTreeMap::new(),
    }
}

pub(super) fn on_instance(world: &mut World, change: impl FnOnce(&mut Instance)) {
    let Seen::Known(instance) = &mut world.instance else { unreachable!("the fixture has one") };
    change(instance);
}

pub(super) fn pinned(resource: Option<&str>) -> InstanceRef {
    InstanceRef {
        identifier: InstanceIdentifier::derive(CLUSTER, NAMESPACE, NAME).to_string(),
        resource_id: resource.map(str::to_owned),
        account: Some("123456789012".into()),
        region: Some("eu-central-1".into()),
        created: resource.is_some(),
        ..InstanceRef::default()
    }
}

fn secret(user: &str, databases: &[&str], endpoint: Option<&Endpoint>) -> Seen<SecretFact> {
    let databases: Vec<String> = databases.iter().map(|&name| name.to_owned()).collect();
    let password = Password::from(format!("password-of-{user}"));
    let first = if user == "sysadmin" { Some("postgres") } else { databases.first().map(String::as_str) };
    let (database, trust) = (first.filter(|_| endpoint.is_some()), trust());
    let binding = Binding { user, endpoint, databases: &databases, database, trust: Some(&trust) };
    Seen::Known(SecretFact::Ours { data: secret_data(DIALECT, binding, &password), version: version(user) })
}

fn service() -> Seen<ServiceFact> {
    Seen::Known(ServiceFact::Ours { external_name: endpoint().host, port: Some(5432), version: version("service") })
}

/// What a visit would be made with; another digest is other inputs.
fn inputs(digest: &str) -> Arc<VisitInputs> {
    let (Target { desired, server, .. }, Endpoint { host, port }) = (orders(), endpoint());
    let (user, password) = (desired.master_user.to_string(), Password::from("password-of-sysadmin".to_owned()));
    let database = server.dialect().maintenance_database().to_owned();
    Arc::new(VisitInputs {
        digest: digest.into(),
        server,
        instance: instance("available"),
        mark: Mark::new("orders"),
        master: Login { host, port, user, password, database, version: None },
        passwords: Passwords::new(),
        desired,
    })
}

/// The step that looks at the database.
fn look(world: &World) -> Step {
    Step::Inside(Part::Look, world.visit_inputs.clone().expect("nothing is missing for a visit"))
}

/// All is as [`orders`] wants it.
pub(super) fn settled_world() -> World {
    let endpoint = endpoint();
    World {
        pinned: Some(pinned(Some(RESOURCE))),
        instance: Seen::Known(instance("available")),
        secrets: [
            ("orders.rds.master", secret("sysadmin", &["orders"], Some(&endpoint))),
            ("orders.rds.app", secret("app", &["orders"], Some(&endpoint))),
            ("orders.rds.report", secret("report", &["orders"], Some(&endpoint))),
        ]
        .map(|(name, seen)| (name.to_owned(), seen))
        .into(),
        service: service(),
        alias: Some(service()),
        visit_inputs: Some(inputs("inputs")),
        visit: Some(SqlVisit { inputs: "inputs".into(), at: now(), result: Ok(SqlReport::default()) }),
        ..empty_world()
    }
}

/// The name that the final snapshot gets first.
fn final_name(world: &World) -> String {
    names::final_snapshots(&world.identifier, UID, RESOURCE).next().expect("there is no end of names")
}

pub(super) fn create(target: &Target, world: &World) -> Request {
    let secret = names::master_secret_name(NAME);
    let password = world.password(&secret).expect("the fixture has its Secret");
    Request::Create(super::instance::creation(target, world, MasterPassword { secret, password }))
}

pub(crate) fn departure(policy: DeletionPolicy) -> Departure {
    Departure {
        provider: Ok(ProviderConfig::default()),
        policy: Ok(policy),
        allowed: DeletionPolicy::ALL.to_vec(),
        protection: None,
        paused: false,
    }
}

pub(crate) fn plan(target: &Target, world: &World, now: Moment) -> Plan {
    super::plan(&Subject::Living(target.clone()), world, now)
}

pub(crate) fn leave(departure: &Departure, world: &World) -> Plan {
    super::plan(&Subject::Leaving(departure.clone()), world, now())
}

pub(super) fn planned(target: &Target, world: &World) -> Plan {
    plan(target, world, now())
}

pub(super) fn cloud_steps(plan: &Plan) -> Vec<&Request> {
    plan.steps.iter().filter_map(|step| if let Step::Cloud(step) = step { Some(step) } else { None }).collect()
}

#[track_caller]
pub(super) fn blocked(plan: &Plan, concern: Concern) -> (&'static str, String) {
    match plan.outcome(concern) {
        Some(Outcome::Blocked { reason, message, .. }) => (reason.as_str(), message.clone()),
        other => unreachable!("{concern:?} is {other:?}"),
    }
}

#[track_caller]
pub(super) fn waits(plan: &Plan, concern: Concern) -> &'static str {
    match plan.outcome(concern) {
        Some(Outcome::Wait { reason, .. }) => reason.as_str(),
        other => unreachable!("{concern:?} is {other:?}"),
    }
}

/// What is asked for now was refused just now.
pub(super) fn refused(world: &mut World, request: Request, class: ErrorClass) {
    world.ledger.refused(&Step::Cloud(request), Cause::Cloud(class), "refused".into(), now(), 0.0);
}

/// It was accepted so often, the last time at `at`.
fn accepted(world: &mut World, request: &Request, times: u32, at: Moment) {
    (0..times).for_each(|_| world.ledger.done(&Step::Cloud(request.clone()), at));
}

/// As it goes out while nothing waits: what nobody notices at once.
pub(super) fn modify(change: Settings) -> Request {
    let instance = instance("available");
    let at_once = !offer(None).impact(&change, &instance.running).quiet.is_empty();
    Request::Modify(Modify { identifier: instance.identifier, change, at_once, major: false })
}

fn kept_for(days: u32) -> Settings {
    Settings { backup_retention_days: Some(days), ..Settings::default() }
}

fn gib(allocated: u32) -> Settings {
    Settings { allocated_gib: Some(allocated), ..Settings::default() }
}
