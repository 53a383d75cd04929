//! What must be proved is proved here: on values, without a clock or a client.

mod changes;
mod children;
mod instance;
mod lifecycle;
mod simulation;
mod states;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use shared::api::labels::{CLUSTER_TAG, NAME_TAG, NAMESPACE_TAG, UID_TAG};
use shared::api::{InstanceRef, RDSDatabase};
use shared::names::InstanceIdentifier;

use super::{
    AccountFacts, Answer, Asked, CloudStep, Concern, Effect, ObjectFacts, Outcome, Plan, SecretFact, Seen, ServiceFact,
    SqlReport, SqlVisit, Step, World, plan,
};
use crate::binding::{Binding, secret_data};
use crate::engine::Password;
use crate::providers::{Endpoint, ErrorClass, Instance, InstanceState};
use crate::target::{Target, resolve};

const CLUSTER: &str = "cluster-uid";
const NAMESPACE: &str = "shop";
const NAME: &str = "orders";
const UID: &str = "0f3c9a6e-1111-2222-3333-444455556666";
const RESOURCE: &str = "db-ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn object(spec: &serde_json::Value) -> RDSDatabase {
    let object = json!({
        "apiVersion": "matrixmind.cloud/v1",
        "kind": "RDSDatabase",
        "metadata": {"name": NAME, "namespace": NAMESPACE, "uid": UID},
        "spec": spec,
    });
    serde_json::from_value(object).expect("the fixture is an RDSDatabase")
}

fn target(spec: &serde_json::Value) -> Target {
    resolve(&object(spec), &[], &BTreeMap::new()).expect("the fixture is valid")
}

/// The example of the README: two users, one database.
fn orders() -> Target {
    target(
        &json!({"size": "10GB", "users": {"app": ["createdb"], "report": []}, "databases": {"orders": ["app", "report"]}}),
    )
}

/// Just admitted: nothing is there.
fn empty_world() -> World {
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
        account: Ok(AccountFacts { account: "123456789012".into(), region: "eu-central-1".into() }),
        pinned: None,
        instance: Seen::Absent,
        snapshots: Seen::Absent,
        secrets: BTreeMap::new(),
        service: Seen::Absent,
        alias: Some(Seen::Absent),
        visit: None,
        visit_inputs: None,
        asked: BTreeMap::new(),
        setbacks: BTreeMap::new(),
        acting_since: Timestamp::MIN,
        endpoint_suffixes: vec!["rds.amazonaws.com".into()],
    }
}

fn endpoint() -> Endpoint {
    Endpoint { host: "orders.abc.eu-central-1.rds.amazonaws.com".into(), port: 5432 }
}

fn instance(status: &str) -> Instance {
    Instance {
        identifier: InstanceIdentifier::derive(CLUSTER, NAMESPACE, NAME).to_string(),
        resource_id: Some(RESOURCE.into()),
        arn: Some("arn:aws:rds:eu-central-1:123456789012:db:orders".into()),
        status: InstanceState::new(status),
        endpoint: (status != "creating").then(endpoint),
        engine_version: Some("12.22".into()),
        allocated_gib: Some(20),
        pending_allocated_gib: None,
        instance_class: Some("db.t4g.micro".into()),
        pending_instance_class: None,
        pending_engine_version: None,
        auto_minor_version_upgrade: true,
        backup_retention_days: Some(7),
        pending_backup_retention_days: None,
        backup_window: None,
        deletion_protection: false,
        tags: [(CLUSTER_TAG, CLUSTER), (NAMESPACE_TAG, NAMESPACE), (NAME_TAG, NAME), (UID_TAG, UID)]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

fn pinned(resource: Option<&str>) -> InstanceRef {
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
    let data = secret_data(Binding { user, endpoint, databases: &databases }, &password);
    Seen::Known(SecretFact::Ours { data, uid: format!("uid-of-{user}") })
}

fn service() -> Seen<ServiceFact> {
    Seen::Known(ServiceFact::Ours { external_name: endpoint().host, port: Some(5432), uid: "uid-of-service".into() })
}

/// All is as [`orders`] wants it.
fn settled_world() -> World {
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
        visit_inputs: Some("inputs".into()),
        visit: Some(SqlVisit { inputs: "inputs".into(), at: now(), result: Ok(SqlReport::default()) }),
        ..empty_world()
    }
}

fn planned(target: &Target, world: &World) -> Plan {
    plan(target, world, now())
}

fn cloud_steps(plan: &Plan) -> Vec<&CloudStep> {
    plan.steps.iter().filter_map(|step| if let Step::Cloud(step) = step { Some(step) } else { None }).collect()
}

#[track_caller]
fn blocked(plan: &Plan, concern: Concern) -> (&'static str, String) {
    match plan.outcome(concern) {
        Some(Outcome::Blocked { reason, message, .. }) => (reason, message.clone()),
        other => unreachable!("{concern:?} is {other:?}"),
    }
}

#[track_caller]
fn waits(plan: &Plan, concern: Concern) -> &'static str {
    match plan.outcome(concern) {
        Some(Outcome::Wait { reason, .. }) => reason,
        other => unreachable!("{concern:?} is {other:?}"),
    }
}

fn refused(world: &mut World, effect: Effect, request: &str, class: ErrorClass, retry_at: Timestamp) {
    let answer = Answer::Refused { class, message: "refused".into(), retry_at, attempts: 1 };
    world.asked.insert(effect, Asked { request: request.into(), at: now(), answer });
}

fn accepted(world: &mut World, effect: Effect, request: &str, times: u32, at: Timestamp) {
    world.asked.insert(effect, Asked { request: request.into(), at, answer: Answer::Accepted { times } });
}
