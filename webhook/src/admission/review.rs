//! The AdmissionReview as it arrives: read from raw JSON, level by level.
//!
//! `kube::core::admission` has types for this, but they decode the whole review at once: one odd field, and the uid is lost. An answer
//! without the uid is a call error to the API server, and under `failurePolicy: Ignore` that means the object is admitted. So the uid is
//! read before anything else is believed, and whatever is wrong further down is answered with it. What no rule looks at (managed fields,
//! user info, most of the status) is skipped, never built.

use serde::Deserialize;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;
use shared::rules::Observed;

use super::raw::{
    Applied, Instance, Keyed, Kind, Outline, RawAnnotations, RawMetadata, RawObject, RawRequest, RawReview, RawStatus,
    optional, read, text,
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
#[derive(Debug, Clone, PartialEq)]
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
    /// Nothing will be stored.
    pub dry_run: bool,
    /// The object as it would be; absent on DELETE.
    pub object: Option<Object>,
    /// The object as it is; absent on CREATE.
    pub old_object: Option<Object>,
}

/// The operations of `admission.k8s.io/v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.generateName`.
    pub generate_name: Option<String>,
    /// `metadata.deletionTimestamp` is set.
    pub being_deleted: bool,
    /// `spec`, exactly as written; null where it is absent.
    pub spec: Result<Value, TooHeavy>,
    /// What `kubectl apply` recorded, still unread.
    pub last_applied: Option<String>,
    /// What `status` tells of the instance.
    pub observed: Observed,
}

impl Object {
    /// The spec that `kubectl apply` recorded, nulls included. The record is a note of kubectl's, and anyone may write the annotation:
    /// one that cannot be read is no error of the request.
    pub fn applied_spec(&self) -> Option<Value> {
        let applied: Applied = serde_json::from_str(bearable(self.last_applied.as_deref()?).ok()?).ok()?;
        applied.spec
    }
}

/// Why a body, or a part of it, cannot be read. No variant holds a value from the body: these texts are logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    let Keyed(review): Keyed<RawReview<'_>> = serde_json::from_str(body).map_err(|_| unreadable(body))?;
    let Keyed(raw) = &review.request.as_ref().ok_or(NO_REQUEST)?;
    let uid: String = raw
        .uid
        .and_then(read)
        .filter(|uid: &String| !uid.is_empty())
        .ok_or(Malformed::NotAReview { path: "request.uid", expected: "a string that is not empty" })?;
    let request = check_version(&review).and_then(|()| request(raw));
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

fn check_version(review: &RawReview<'_>) -> Result<(), Malformed> {
    let api_version: Option<String> = optional(review.api_version, || "apiVersion".into(), "a string")?;
    let kind: Option<String> = optional(review.kind, || "kind".into(), "a string")?;
    if api_version.as_deref() != Some("admission.k8s.io/v1") {
        return Err(Malformed::Field { path: "apiVersion".into(), expected: "admission.k8s.io/v1" });
    }
    if kind.as_deref() != Some("AdmissionReview") {
        return Err(Malformed::Field { path: "kind".into(), expected: "AdmissionReview" });
    }
    Ok(())
}

fn request(raw: &RawRequest<'_>) -> Result<Request, Malformed> {
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
        dry_run: optional(raw.dry_run, || "request.dryRun".into(), "true or false")?.unwrap_or_default(),
        object: raw.object.map(|raw| object(raw, "request.object")).transpose()?,
        old_object: raw.old_object.map(|raw| object(raw, "request.oldObject")).transpose()?,
    })
}

const OPERATIONS: &str = "CREATE, UPDATE, DELETE or CONNECT";

fn object(raw: &RawValue, path: &str) -> Result<Object, Malformed> {
    let at = |tail: &str| format!("{path}{tail}");
    let raw: RawObject<'_> =
        read(raw).ok_or_else(|| Malformed::Field { path: at(""), expected: "an object without repeated keys" })?;
    let metadata: RawMetadata<'_> =
        optional(raw.metadata, || at(".metadata"), "an object without repeated keys")?.unwrap_or_default();
    Ok(Object {
        name: text(metadata.name, || at(".metadata.name"))?,
        generate_name: text(metadata.generate_name, || at(".metadata.generateName"))?,
        being_deleted: metadata.deletion_timestamp.is_some(),
        spec: match raw.spec.map(|raw| bearable(raw.get())) {
            Some(Err(heavy)) => Err(heavy),
            _ => Ok(raw.spec.map(|spec| any(spec, || at(".spec"))).transpose()?.unwrap_or_default()),
        },
        last_applied: metadata.annotations.and_then(last_applied),
        observed: raw.status.and_then(read).map(|status| observed(&status)).unwrap_or_default(),
    })
}

const SPEC: &str = "JSON of at most 127 levels, with numbers within a float's range";

/// A value of any shape: the rules judge it.
fn any(raw: &RawValue, path: impl FnOnce() -> String) -> Result<Value, Malformed> {
    serde_json::from_str(raw.get()).map_err(|_| Malformed::Field { path: path(), expected: SPEC })
}

fn last_applied(annotations: &RawValue) -> Option<String> {
    let annotations: RawAnnotations<'_> = read(annotations)?;
    read(annotations.last_applied?)
}

/// A status that is none tells nothing: only the reconciler writes it, and no author could mend it.
fn observed(status: &RawStatus<'_>) -> Observed {
    Observed {
        created: status.instance.and_then(read).is_some_and(|instance: Instance| instance.created),
        allocated: status.allocated.and_then(read),
        engine_version: status.engine_version.and_then(read),
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
mod tests {
    use serde_json::json;
    use shared::rules::Gibibytes;

    use super::*;

    fn body(request: &Value) -> Vec<u8> {
        json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request})
            .to_string()
            .into_bytes()
    }

    fn malformed(request: &Value) -> String {
        let review = parse(&body(request)).expect("the uid is there");
        assert_eq!(review.uid, "u1");
        review.request.expect_err("one field is wrong").to_string()
    }

    #[test]
    fn reads_what_the_rules_need() {
        let applied = json!({"spec": {"users": {"a": null}}}).to_string();
        let review = parse(&body(&json!({
            "uid": "u1",
            "kind": {"group": "matrixmind.cloud", "version": "v1", "kind": "RDSDatabase"},
            "name": "orders", "namespace": "shop", "operation": "UPDATE", "dryRun": true, "subResource": "",
            "userInfo": {"username": "someone"},
            "object": {
                "metadata": {"name": "orders", "deletionTimestamp": "2026-11-23T00:00:00Z",
                    "annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}},
                "spec": {"size": "10GB"},
            },
            "oldObject": {
                "metadata": {"name": "orders", "generateName": ""}, "spec": null,
                "status": {"instance": {"identifier": "x", "created": true}, "allocatedStorageGiB": 94, "engineVersion": "12.22"},
            },
        })))
        .expect("a review");
        let request = review.request.expect("a request");
        assert_eq!((request.operation, request.dry_run, request.sub_resource), (Operation::Update, true, None));
        let object = request.object.expect("an object");
        assert!(object.being_deleted);
        assert_eq!(object.spec, Ok(json!({"size": "10GB"})));
        assert_eq!(object.applied_spec(), Some(json!({"users": {"a": null}})));
        let old = request.old_object.expect("an old object");
        assert_eq!((old.spec, old.generate_name, old.being_deleted), (Ok(Value::Null), None, false));
        let (allocated, engine_version) = (Some(Gibibytes::new(94)), Some("12.22".to_owned()));
        assert_eq!(old.observed, Observed { created: true, allocated, engine_version });
    }

    #[test]
    fn what_is_odd_in_a_status_is_as_if_it_were_not_there() {
        for status in [
            json!(7),
            json!({"instance": 7, "allocatedStorageGiB": -1, "engineVersion": 12}),
            json!({"instance": {"created": "yes"}, "allocatedStorageGiB": 1e9, "engineVersion": null}),
        ] {
            let request = json!({
                "uid": "u1", "kind": {"group": "g", "version": "v1", "kind": "K"}, "operation": "UPDATE", "oldObject": {"status": status},
            });
            let review = parse(&body(&request)).expect("a review").request.expect("a request");
            assert_eq!(review.old_object.expect("an old object").observed, Observed::default(), "{status}");
        }
    }

    #[test]
    fn without_a_uid_there_is_nothing_to_answer() {
        for (body, message) in [
            (&b"{"[..], "the body is not JSON: it ends too early at line 1, column 1"),
            (b"no", "the body is not JSON: a syntax error at line 1, column 2"),
            (b"{\n \"a\": \"\xff\"}", "the body is not JSON: a byte that is no UTF-8 at line 2, column 8"),
            (b"7", "the body is not an AdmissionReview: the body must be an object without repeated keys"),
            (b"{}", "the body is not an AdmissionReview: request must be an object"),
            (
                br#"{"request":{"uid":7}}"#,
                "the body is not an AdmissionReview: request.uid must be a string that is not empty",
            ),
            (
                br#"{"request":{"uid":""}}"#,
                "the body is not an AdmissionReview: request.uid must be a string that is not empty",
            ),
        ] {
            assert_eq!(parse(body).expect_err("no uid").to_string(), message);
        }
    }

    #[test]
    fn everything_below_the_uid_is_answered_with_it() {
        assert_eq!(malformed(&json!({"uid": "u1"})), "request.kind must be an object with group, version and kind");
        let kind = json!({"group": "g", "version": "v1", "kind": "K"});
        assert_eq!(
            malformed(&json!({"uid": "u1", "kind": kind, "operation": "PATCH"})),
            "request.operation must be CREATE, UPDATE, DELETE or CONNECT"
        );
        assert_eq!(
            malformed(&json!({"uid": "u1", "kind": kind, "operation": "CREATE", "object": {"metadata": {"name": 7}}})),
            "request.object.metadata.name must be a string"
        );
        let mut deep = json!(1);
        for _ in 0..200 {
            deep = json!([deep]);
        }
        assert!(
            malformed(&json!({"uid": "u1", "kind": kind, "operation": "CREATE", "object": {"spec": deep}}))
                .starts_with("request.object.spec must be JSON of at most 127 levels")
        );
    }

    #[test]
    fn another_version_of_the_review_is_answered_too() {
        let review =
            parse(br#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"u1"}}"#);
        assert_eq!(
            review.expect("the uid is there").request.expect_err("v1beta1").to_string(),
            "apiVersion must be admission.k8s.io/v1"
        );
    }
}
