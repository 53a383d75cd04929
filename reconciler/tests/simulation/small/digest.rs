//! Which moments of a small world count as the same: what of them can make a difference.
//!
//! Left out are versions, UIDs of Secrets, what people were told, and how long ago something was where nothing asks for that any more. Times count
//! from now, in seconds. An unreduced search leaves out less, and has to come to the same rests.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reconciler::clock::Moment;
use reconciler::memory::Recollection;
use reconciler::providers::Instance;
use reconciler::turns::Key;
use serde_json::Value;

use super::node::{Before, Budget, Node};
use crate::cloud::state::CloudState;
use crate::cluster;
use crate::server;
use crate::watching::ALIASES;

/// What was longer ago makes no difference any more: the longest pause is shorter.
const LONG: i64 = 660;
/// The effects that a process may have forgotten are waited for as long (`LAG` of the ledger); what was accepted before is not held back.
const LAG: i64 = 61;
/// A visit is good for ten minutes (`RESYNC`).
const VISIT: i64 = 600;
/// A visit that is under way is begun anew after a break of five (`LONGEST_BREAK`).
const ERRAND: i64 = 300;
/// The readings of a clock within a moment, in seconds.
const INSTANT: f64 = 0.001;
/// What changes with every write, or with time alone.
const IDLE: [&str; 3] = ["resourceVersion", "lastTransitionTime", "creationTimestamp"];

/// The numbers of what there is outside of the process: each is taken anew where something has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Numbers {
    objects: u64,
    children: u64,
    clouds: u64,
    servers: u64,
}

impl Numbers {
    pub(super) fn of(kubernetes: &cluster::State, clouds: &[CloudState], servers: &server::State) -> Self {
        Self {
            objects: objects_digest(kubernetes),
            children: children_digest(kubernetes, None),
            clouds: clouds_digest(clouds),
            servers: servers.digest(),
        }
    }

    /// Those of what has become of `earlier`.
    pub(super) fn after(earlier: &Node, next: &Node) -> Self {
        let (was, is) = (&earlier.kubernetes, &next.kubernetes);
        let kept = earlier.numbers;
        Self {
            objects: if same(&was.databases, &is.databases) { kept.objects } else { objects_digest(is) },
            children: if same(&was.secrets, &is.secrets) && same(&was.services, &is.services) {
                kept.children
            } else {
                children_digest(is, None)
            },
            clouds: if Arc::ptr_eq(&earlier.clouds, &next.clouds) { kept.clouds } else { clouds_digest(&next.clouds) },
            servers: if Arc::ptr_eq(&earlier.servers, &next.servers) { kept.servers } else { next.servers.digest() },
        }
    }
}

type Stored<T> = std::collections::BTreeMap<Key, Arc<T>>;

fn same<T>(some: &Stored<T>, others: &Stored<T>) -> bool {
    let pairs = some.iter().zip(others);
    some.len() == others.len() && pairs.into_iter().all(|((a, x), (b, y))| Arc::ptr_eq(x, y) && a == b)
}

/// The number of a moment.
pub(super) fn digest(node: &Node, reduced: bool) -> u64 {
    let Node {
        at,
        kubernetes,
        clouds,
        servers: _,
        process,
        left,
        before,
        dies_as_before: _,
        numbers,
        minted: _,
        past: _,
    } = node;
    let mut hasher = DefaultHasher::new();
    numbers.hash(&mut hasher);
    for kept in clouds.iter().flat_map(|cloud| &cloud.view().snapshots) {
        // The final one is known by its being younger than the deletion.
        let deleted = kubernetes.databases.values().map(|object| stamp(&object["metadata"]["deletionTimestamp"]));
        deleted
            .map(|deleted| (deleted.is_some(), kept.snapshot.created >= deleted))
            .for_each(|of| of.hash(&mut hasher));
    }
    let now = Moment::START + *at;
    let since = ago(process.since, now, if reduced { LAG } else { LONG });
    (!kubernetes.databases.is_empty()).then_some(since).hash(&mut hasher);
    for (uid, recollection) in &process.objects {
        if reduced {
            remembered(recollection, now).map(|number| (uid, number)).hash(&mut hasher);
        } else {
            let told = Recollection::default().told;
            (uid, relative(&text(&Recollection { told, ..recollection.clone() }), now, LONG)).hash(&mut hasher);
        }
    }
    process.failures.hash(&mut hasher);
    for (key, due) in &process.queue {
        (key, seconds(due.saturating_sub(*at).as_secs_f64(), LONG)).hash(&mut hasher);
    }
    left_over(kubernetes, *left).hash(&mut hasher);
    for (key, Before { object, children, inventory }) in before {
        let object = object.as_ref().map(|before| before.1);
        let children = children.as_ref().map(|before| before.1);
        (key, object, children, inventory.as_ref().map(|before| before.1)).hash(&mut hasher);
    }
    hasher.finish()
}

/// The number of what a process remembers of an object; `None` of nothing.
fn remembered(recollection: &Recollection, now: Moment) -> Option<u64> {
    // Each pass sweeps, so every sweep is later than the last effect; and a small world has fewer logins than a visit tries anew, whenever they
    // were tried last. That an object was observed is counted, and decides nothing.
    let Recollection {
        last_effect: _,
        observed: _,
        snapshots,
        copies,
        absent_since,
        estranged_at,
        ledger,
        visit,
        databases,
        errand,
        logins,
        renewal,
        pace,
        too_large,
        told: _,
    } = recollection;
    let logins: Vec<_> =
        logins.iter().map(|(door, known)| (door, &known.fingerprint, &known.fault, known.passing)).collect();
    let nothing = Recollection::default();
    if *ledger == nothing.ledger
        && snapshots.is_none()
        && copies.is_none()
        && absent_since.is_none()
        && estranged_at.is_none()
        && visit.is_none()
        && errand.is_none()
        && logins.is_empty()
        && *pace == nothing.pace
    {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    relative(&text(ledger), now, LAG).hash(&mut hasher);
    relative(&text(snapshots), now, LAG).hash(&mut hasher);
    relative(&text(copies), now, LONG).hash(&mut hasher);
    relative(&text(absent_since), now, LAG).hash(&mut hasher);
    relative(&text(estranged_at), now, LAG).hash(&mut hasher);
    relative(&text(visit), now, VISIT).hash(&mut hasher);
    relative(&text(errand), now, ERRAND).hash(&mut hasher);
    relative(&text(renewal), now, LONG).hash(&mut hasher);
    (logins, databases, text(pace), too_large).hash(&mut hasher);
    Some(hasher.finish())
}

/// What may still happen: nobody changes or deletes what is being deleted, and where all are gone nothing happens at all.
fn left_over(kubernetes: &cluster::State, left: Budget) -> Budget {
    if kubernetes.databases.is_empty() {
        return Budget::NONE;
    }
    let stays = |object: &Arc<Value>| object["metadata"].get("deletionTimestamp").is_none();
    if kubernetes.databases.values().any(stays) { left } else { Budget { edits: 0, deletions: 0, ..left } }
}

fn stamp(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

fn clouds_digest(clouds: &[CloudState]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for cloud in clouds {
        cloud.number_from_now().hash(&mut hasher);
    }
    hasher.finish()
}

/// The number of what a list of instances shows.
pub(super) fn instances_digest(instances: &[Instance]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text(&instances).hash(&mut hasher);
    hasher.finish()
}

/// The number of the objects.
fn objects_digest(state: &cluster::State) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.databases.keys().for_each(|key| (key, object_digest(state, key)).hash(&mut hasher));
    hasher.finish()
}

/// The number of one object.
pub(super) fn object_digest(state: &cluster::State, object: &Key) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(object) = state.databases.get(object) {
        value(object, &mut hasher);
    }
    hasher.finish()
}

/// The number of the Secrets and Services: of all, or of one namespace and of the aliases.
pub(super) fn children_digest(state: &cluster::State, namespace: Option<&str>) -> u64 {
    let counts = |key: &Key| namespace.is_none_or(|only| key.namespace == only || key.namespace == ALIASES);
    let mut hasher = DefaultHasher::new();
    for (key, secret) in state.secrets.iter().filter(|(key, _)| counts(key)) {
        let Secret { metadata, data, type_, .. } = &**secret;
        (key, type_).hash(&mut hasher);
        marks(metadata, &mut hasher);
        for (key, value) in data.iter().flatten() {
            (key, &value.0).hash(&mut hasher);
        }
    }
    for (key, service) in state.services.iter().filter(|(key, _)| counts(key)) {
        let Service { metadata, spec, .. } = &**service;
        key.hash(&mut hasher);
        marks(metadata, &mut hasher);
        let spec = spec.as_ref();
        spec.and_then(|spec| spec.external_name.as_ref()).hash(&mut hasher);
        spec.and_then(|spec| spec.ports.as_ref()?.first()).map(|port| port.port).hash(&mut hasher);
    }
    hasher.finish()
}

fn marks(metadata: &ObjectMeta, hasher: &mut impl Hasher) {
    (&metadata.labels, &metadata.annotations).hash(hasher);
}

fn value(value_: &Value, hasher: &mut impl Hasher) {
    match value_ {
        Value::Null => 0.hash(hasher),
        Value::Bool(truth) => truth.hash(hasher),
        Value::Number(number) => number.hash(hasher),
        // One that is being deleted is so since then or since another moment.
        Value::String(text) if text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T') => 1.hash(hasher),
        Value::String(text) => text.hash(hasher),
        Value::Array(values) => {
            values.len().hash(hasher);
            for inner in values {
                value(inner, hasher);
            }
        }
        Value::Object(fields) => {
            for (key, inner) in fields.iter().filter(|(key, _)| !IDLE.contains(&key.as_str())) {
                key.hash(hasher);
                value(inner, hasher);
            }
        }
    }
}

fn text(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// How many seconds ago that was, where it was not longer ago.
fn ago(then: Moment, now: Moment, longest: i64) -> i64 {
    let (since, until) = (now.since(then), now.until(then).unwrap_or(Duration::ZERO));
    seconds(until.as_secs_f64() - since.as_secs_f64(), longest)
}

/// A text in which moments count from now.
fn relative(text: &str, now: Moment, longest: i64) -> String {
    const MOMENT: &str = "Moment(";
    let mut parts = text.split(MOMENT);
    let mut told = parts.next().unwrap_or_default().to_owned();
    let now = now.since(Moment::LONG_AGO).as_secs_f64();
    for part in parts {
        told.push_str(&seconds(parsed(part) - now, longest).to_string());
        told.push_str(part.split_once(')').map_or("", |(_, rest)| rest));
    }
    told
}

/// The seconds that a text begins with.
fn parsed(text: &str) -> f64 {
    let digits = text.find(|sign: char| !sign.is_ascii_digit() && sign != '.').unwrap_or(text.len());
    text[..digits].parse().unwrap_or_default()
}

/// What is yet to come is never now; what has just been is.
#[allow(clippy::cast_possible_truncation, reason = "a simulation lasts hours")]
fn seconds(from_now: f64, longest: i64) -> i64 {
    let whole = if from_now > INSTANT { from_now.ceil() } else { from_now.round() };
    (whole as i64).max(-longest)
}
