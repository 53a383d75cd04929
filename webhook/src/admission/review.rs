//! The AdmissionReview as it arrives: read from raw JSON, level by level.
//!
//! `kube::core::admission` has types for this, but they decode the whole review at once: one odd field, and the uid is lost. An answer
//! without the uid is a call error to the API server, and under `failurePolicy: Ignore` that means the object is admitted. So the uid is
//! read before anything else is believed, and whatever is wrong further down is answered with it. What no rule looks at (managed fields, most of
//! the status) is skipped, never built. A review that is as it should be, which nearly all are, is read in one pass; the levels are for the others.

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;
use shared::rules::Observed;

use super::raw::{
    Applied, Instance, Keyed, Kind, Outline, RawAnnotations, RawMetadata, RawObject, RawRequest, RawReview, RawStatus,
    ReadObject, UserInfo, optional, read, text,
};
use super::weight::{TooHeavy, bearable};

/// A review whose uid is known, so that it can be answered whatever its request holds.
#[derive(Debug)]
pub struct Review {
    /// The uid to echo.
    pub uid: String,
    /// The request, or what is wrong with it.
    pub request: Result<Request, Malformed>,
}

/// What the API server asks about.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// API group of the object.
    pub group: String,
    /// Kind of the object.
    pub kind: String,
    /// Subresource that is written, such as `status`.
    pub sub_resource: Option<String>,
    /// Name of the object; absent while the API server has yet to generate it.
    pub name: Option<String>,
    /// Namespace of the object.
    pub namespace: Option<String>,
    /// What is about to happen.
    pub operation: Operation,
    /// Who asks.
    pub user: Option<String>,
    /// Nothing will be stored.
    pub dry_run: bool,
    /// The object as it would be; absent on DELETE.
    pub object: Option<Object>,
    /// The object as it is; absent on CREATE.
    pub old_object: Option<Object>,
}

/// The operations of `admission.k8s.io/v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Operation {
    /// A new object.
    Create,
    /// A change of an object that exists.
    Update,
    /// A deletion.
    Delete,
    /// A connection to a subresource.
    Connect,
}

impl Operation {
    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

/// The parts of an object that decide its admission.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.generateName`.
    pub generate_name: Option<String>,
    /// `metadata.deletionTimestamp` is set.
    pub being_deleted: bool,
    /// `spec`, exactly as written; null where it is absent.
    pub spec: Result<Value, TooHeavy>,
    /// What `kubectl apply` recorded, still unread; none where it holds no null, which is all that is looked for in it.
    pub last_applied: Option<String>,
    /// What `status` tells of the instance.
    pub observed: Observed,
}

impl Request {
    /// The name of what is asked about, or what it is generated from.
    pub(crate) fn object_name(&self) -> Option<&str> {
        let object = self.object.as_ref().or(self.old_object.as_ref());
        self.name.as_deref().or_else(|| object?.name.as_deref().or(object?.generate_name.as_deref()))
    }
}

impl Object {
    /// The spec that `kubectl apply` recorded, nulls included. The record is a note of kubectl's, and anyone may write the annotation:
    /// one that cannot be read is no error of the request.
    pub(super) fn applied_spec(&self) -> Option<Value> {
        let applied: Applied = serde_json::from_str(bearable(self.last_applied.as_deref()?).ok()?).ok()?;
        applied.spec
    }
}

/// Why a body, or a part of it, cannot be read. No variant holds a value from the body: these texts are logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not JSON at all.
    #[error("the body is not JSON: {problem} at line {line}, column {column}")]
    NotJson {
        /// What the parser met.
        problem: &'static str,
        /// Line of the body, from 1.
        line: usize,
        /// Column of that line.
        column: usize,
    },
    /// JSON, but no AdmissionReview.
    #[error("the body is not an AdmissionReview: {path} must be {expected}")]
    NotAReview {
        /// Path of the field.
        path: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A review with a field that is not what the API says.
    #[error("{path} must be {expected}")]
    Field {
        /// Path of the field.
        path: String,
        /// What belongs there.
        expected: &'static str,
    },
}

/// Reads a review.
///
/// # Errors
/// When there is no uid to answer to.
pub fn parse(body: &[u8]) -> Result<Review, Malformed> {
    // What nobody reads is skipped without a look at its bytes, so they are looked at first.
    let body = std::str::from_utf8(body).map_err(|error| not_text(body, error.valid_up_to()))?;
    straight(body).unwrap_or_else(|| level_by_level(body))
}

/// Reads everything on the way, if that is possible.
fn straight(body: &str) -> Option<Result<Review, Malformed>> {
    let Keyed(review): Keyed<RawReview<'_, Keyed<ReadObject<'_>>>> = serde_json::from_str(bearable(body).ok()?).ok()?;
    Some(answerable(review, |Keyed(raw), path| {
        let metadata = raw.metadata.map(|Keyed(metadata)| metadata).unwrap_or_default();
        object(&metadata, Ok(raw.spec.unwrap_or_default()), raw.status, path)
    }))
}

/// Reads each level by itself, so that what is wrong in one of them is told, with the uid of another.
fn level_by_level(body: &str) -> Result<Review, Malformed> {
    let Keyed(review): Keyed<RawReview<'_, &RawValue>> = serde_json::from_str(body).map_err(|_| unreadable(body))?;
    answerable(review, careful)
}

/// The review, if there is a uid to answer to; `object` makes objects of what they were read as, and is told their paths.
fn answerable<O>(
    review: RawReview<'_, O>,
    object: impl Fn(O, &'static str) -> Result<Object, Malformed>,
) -> Result<Review, Malformed> {
    let RawReview { api_version, kind, request: raw } = review;
    let Keyed(raw) = raw.ok_or(NO_REQUEST)?;
    let uid: String = raw
        .uid
        .and_then(read)
        .filter(|uid: &String| !uid.is_empty())
        .ok_or(Malformed::NotAReview { path: "request.uid", expected: "a string that is not empty" })?;
    let request = check_version(api_version, kind).and_then(|()| request(raw, object));
    Ok(Review { uid, request })
}

const NO_REQUEST: Malformed = Malformed::NotAReview { path: "request", expected: "an object" };

/// What is wrong with a body that cannot be read in one go.
fn unreadable(body: &str) -> Malformed {
    let outline: serde_json::Result<&RawValue> = serde_json::from_str(body);
    match outline.map(read::<Outline<'_>>) {
        Err(error) => not_json(&error),
        Ok(None) => NO_OBJECT,
        Ok(Some(_)) => Malformed::NotAReview { path: "request", expected: "an object without repeated keys" },
    }
}

const NO_OBJECT: Malformed = Malformed::NotAReview { path: "the body", expected: "an object without repeated keys" };

fn check_version(api_version: Option<&RawValue>, kind: Option<&RawValue>) -> Result<(), Malformed> {
    let api_version: Option<String> = optional(api_version, || "apiVersion".into(), "a string")?;
    let kind: Option<String> = optional(kind, || "kind".into(), "a string")?;
    if api_version.as_deref() != Some("admission.k8s.io/v1") {
        return Err(Malformed::Field { path: "apiVersion".into(), expected: "admission.k8s.io/v1" });
    }
    if kind.as_deref() != Some("AdmissionReview") {
        return Err(Malformed::Field { path: "kind".into(), expected: "AdmissionReview" });
    }
    Ok(())
}

fn request<O>(
    raw: RawRequest<'_, O>,
    object: impl Fn(O, &'static str) -> Result<Object, Malformed>,
) -> Result<Request, Malformed> {
    let kind: Kind =
        optional(raw.kind, || "request.kind".into(), "an object with group, version and kind")?.ok_or_else(|| {
            Malformed::Field { path: "request.kind".into(), expected: "an object with group, version and kind" }
        })?;
    let operation = optional(raw.operation, || "request.operation".into(), OPERATIONS)?
        .ok_or_else(|| Malformed::Field { path: "request.operation".into(), expected: OPERATIONS })?;
    Ok(Request {
        group: kind.group,
        kind: kind.kind,
        sub_resource: text(raw.sub_resource, || "request.subResource".into())?,
        name: text(raw.name, || "request.name".into())?,
        namespace: text(raw.namespace, || "request.namespace".into())?,
        operation,
        // Only for the log: nobody is refused for being unknown.
        user: raw.user_info.and_then(read).and_then(|user: UserInfo| user.username),
        dry_run: optional(raw.dry_run, || "request.dryRun".into(), "true or false")?.unwrap_or_default(),
        object: raw.object.map(|raw| object(raw, "request.object")).transpose()?,
        old_object: raw.old_object.map(|raw| object(raw, "request.oldObject")).transpose()?,
    })
}

const OPERATIONS: &str = "CREATE, UPDATE, DELETE or CONNECT";

/// An object of which every level is looked at by itself, to say which one is wrong.
fn careful(raw: &RawValue, path: &'static str) -> Result<Object, Malformed> {
    let at = |tail: &str| format!("{path}{tail}");
    let raw: RawObject<'_> =
        read(raw).ok_or_else(|| Malformed::Field { path: at(""), expected: "an object without repeated keys" })?;
    let metadata: RawMetadata<'_> =
        optional(raw.metadata, || at(".metadata"), "an object without repeated keys")?.unwrap_or_default();
    let spec = match raw.spec.map(|raw| bearable(raw.get())) {
        Some(Err(heavy)) => Err(heavy),
        _ => Ok(raw.spec.map(|spec| any(spec, || at(".spec"))).transpose()?.unwrap_or_default()),
    };
    object(&metadata, spec, raw.status, path)
}

fn object(
    metadata: &RawMetadata<'_>,
    spec: Result<Value, TooHeavy>,
    status: Option<&RawValue>,
    path: &'static str,
) -> Result<Object, Malformed> {
    let at = |tail: &str| format!("{path}{tail}");
    Ok(Object {
        name: text(metadata.name, || at(".metadata.name"))?,
        generate_name: text(metadata.generate_name, || at(".metadata.generateName"))?,
        being_deleted: metadata.deletion_timestamp.is_some(),
        spec,
        last_applied: metadata.annotations.and_then(last_applied),
        observed: status.and_then(read).map(|status| observed(&status)).unwrap_or_default(),
    })
}

const SPEC: &str = "JSON of at most 127 levels, with numbers within a float's range";

/// A value of any shape: the rules judge it.
fn any(raw: &RawValue, path: impl FnOnce() -> String) -> Result<Value, Malformed> {
    serde_json::from_str(raw.get()).map_err(|_| Malformed::Field { path: path(), expected: SPEC })
}

fn last_applied(annotations: &RawValue) -> Option<String> {
    let annotations: RawAnnotations<'_> = read(annotations)?;
    let recorded = annotations.last_applied?;
    // Any letter may be written as an escape.
    let may_hold_null = ["null", "\\u"].into_iter().any(|part| recorded.get().contains(part));
    if may_hold_null { read(recorded) } else { None }
}

/// A status that is none tells nothing: only the reconciler writes it, and no author could mend it.
fn observed(status: &RawStatus<'_>) -> Observed {
    let instance: Instance = status.instance.and_then(read).unwrap_or_default();
    Observed {
        created: instance.created,
        allocated: status.allocated.and_then(read),
        engine_version: status.engine_version.and_then(read),
        master_user: instance.master_user,
    }
}

fn not_text(body: &[u8], valid: usize) -> Malformed {
    let last = body[..valid].split(|byte| *byte == b'\n').enumerate().last();
    let (line, column) = last.map_or((1, 1), |(before, line)| (before + 1, line.len() + 1));
    Malformed::NotJson { problem: "a byte that is no UTF-8", line, column }
}

fn not_json(error: &serde_json::Error) -> Malformed {
    let problem = match error.classify() {
        Category::Io | Category::Syntax => "a syntax error",
        Category::Eof => "it ends too early",
        Category::Data => return NO_OBJECT,
    };
    Malformed::NotJson { problem, line: error.line(), column: error.column() }
}

#[cfg(test)]
mod tests;
