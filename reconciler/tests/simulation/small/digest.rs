//! Which moments of a small world count as the same: what of them can make a difference.
//!
//! Left out are versions, UIDs of Secrets, what people were told, and how long ago what is past the longest pause was. Times count from now,
//! in seconds. Of the cloud counts what it shows and when it changes next.

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash as _, Hasher};

use k8s_openapi::api::core::v1::{Secret, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reconciler::clock::Moment;
use reconciler::memory::Recollection;
use reconciler::providers::Instance;
use serde_json::Value;

use super::node::Node;
use crate::chance::beginning;
use crate::cluster;

/// What was longer ago makes no difference any more.
const LONG: i64 = 660;
/// The readings of a clock within a moment, in seconds.
const INSTANT: f64 = 0.001;
/// What changes with every write, or with time alone.
const IDLE: [&str; 3] = ["resourceVersion", "lastTransitionTime", "creationTimestamp"];

/// The number of a moment.
pub(super) fn digest(node: &Node) -> u64 {
    let Node { at, kubernetes, clouds, servers, process, left, before, minted: _, past: _ } = node;
    let mut hasher = DefaultHasher::new();
    (objects_digest(kubernetes), children_digest(kubernetes)).hash(&mut hasher);
    for cloud in &**clouds {
        let view = cloud.view();
        instances_digest(&view.instances).hash(&mut hasher);
        for kept in &view.snapshots {
            let made = kept.snapshot.created.map(|made| seconds(made.duration_since(beginning() + *at).as_secs_f64()));
            (&kept.of, &kept.snapshot.identifier, &kept.snapshot.status, made).hash(&mut hasher);
        }
        let next = cloud.next_moment().map(|next| next.duration_since(beginning() + *at).as_secs_f64());
        next.map(seconds).hash(&mut hasher);
    }
    servers.digest().hash(&mut hasher);
    let now = Moment::START + *at;
    seconds(-now.since(process.since).as_secs_f64()).hash(&mut hasher);
    for (uid, recollection) in &process.objects {
        let told = Recollection::default().told;
        (uid, relative(&text(&Recollection { told, ..recollection.clone() }), now)).hash(&mut hasher);
    }
    process.failures.hash(&mut hasher);
    for (key, due) in &process.queue {
        (key, seconds(due.saturating_sub(*at).as_secs_f64())).hash(&mut hasher);
    }
    left.hash(&mut hasher);
    before.objects.as_ref().map(|before| before.1).hash(&mut hasher);
    before.children.as_ref().map(|before| before.1).hash(&mut hasher);
    before.inventory.as_ref().map(|before| before.1).hash(&mut hasher);
    hasher.finish()
}

/// The number of what a list of instances shows.
pub(super) fn instances_digest(instances: &[Instance]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text(&instances).hash(&mut hasher);
    hasher.finish()
}

/// The number of the objects.
pub(super) fn objects_digest(state: &cluster::State) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (key, object) in &state.databases {
        key.hash(&mut hasher);
        value(object, &mut hasher);
    }
    hasher.finish()
}

/// The number of the Secrets and Services.
pub(super) fn children_digest(state: &cluster::State) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (key, secret) in &state.secrets {
        let Secret { metadata, data, type_, .. } = &**secret;
        (key, type_).hash(&mut hasher);
        marks(metadata, &mut hasher);
        for (key, value) in data.iter().flatten() {
            (key, &value.0).hash(&mut hasher);
        }
    }
    for (key, service) in &state.services {
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

/// A text in which moments count from now.
fn relative(text: &str, now: Moment) -> String {
    const MOMENT: &str = "Moment(";
    let now = parsed(&format!("{now:?}")[MOMENT.len()..]);
    let mut parts = text.split(MOMENT);
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        told.push_str(&seconds(parsed(part) - now).to_string());
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
fn seconds(from_now: f64) -> i64 {
    let whole = if from_now > INSTANT { from_now.ceil() } else { from_now.round() };
    (whole as i64).max(-LONG)
}
