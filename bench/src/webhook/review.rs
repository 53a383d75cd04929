//! Reviews as an API server of Kubernetes 1.34 sends them.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::service::SERVER;

/// The size of the large object, in bytes of JSON.
const LARGE: usize = 100_000;

/// The beginning of every uid; the number of the request follows.
const UID: &str = "705ab4f5-6393-11e8-b7cc-";

/// Digits of the number in a uid.
const DIGITS: usize = 12;

/// What a review is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// What is about to happen.
    pub(super) operation: &'a str,
    /// The object as it would be, or null.
    pub(super) object: &'a Value,
    /// The object as it is, or null.
    pub(super) old_object: &'a Value,
    /// The subresource that is written, or nothing.
    pub(super) sub_resource: &'a str,
}

/// An HTTP request with a review.
#[derive(Clone, Debug)]
pub(super) struct Request {
    bytes: Vec<u8>,
    /// Where the uid's value is.
    uid: std::ops::Range<usize>,
}

impl Request {
    fn new(path: &str, object: &Value) -> Result<Self> {
        Self::of(path, &Asked { operation: "CREATE", object, old_object: &Value::Null, sub_resource: "" })
    }

    /// The request that asks `path` this.
    pub(super) fn of(path: &str, asked: &Asked<'_>) -> Result<Self> {
        let body = review(asked)?;
        let uid = body.find(UID).context("a review without a uid")?;
        let head = format!(
            "POST {path}?timeout=5s HTTP/1.1\r\nHost: {SERVER}:8443\r\nUser-Agent: kube-apiserver-admission\r\n\
             Content-Length: {}\r\nAccept: application/json, */*\r\nContent-Type: application/json\r\n\r\n",
            body.len()
        );
        let uid = head.len() + uid..head.len() + uid + UID.len() + DIGITS;
        Ok(Self { bytes: [head, body].concat().into_bytes(), uid })
    }

    /// Head and body.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The uid that the answer must repeat.
    pub(super) fn uid(&self) -> &[u8] {
        &self.bytes[self.uid.clone()]
    }

    /// Makes it a request of its own.
    pub(super) fn set_number(&mut self, number: u32) {
        let digits = format!("{number:0DIGITS$}");
        let uid = self.uid.clone();
        self.bytes[uid.end - DIGITS..uid.end].copy_from_slice(digits.as_bytes());
    }
}

/// The example of the documentation, as someone writes it for `/mutate`, and with its defaults for `/validate`.
pub(super) fn small() -> Result<[Request; 2]> {
    let (users, databases) = small_example();
    both(&users, &databases)
}

/// Many users and databases: an object of 100 KB, as it is asked for twice.
pub(super) fn large() -> Result<[Request; 2]> {
    let (users, databases) = large_example();
    both(&users, &databases)
}

/// The specification of the small object as someone writes it.
pub(super) fn small_spec() -> Value {
    let (users, databases) = small_example();
    written(&users, &databases)
}

/// The specification of the large object as someone writes it.
pub(super) fn large_spec() -> Value {
    let (users, databases) = large_example();
    written(&users, &databases)
}

fn small_example() -> (Value, Value) {
    (json!({"app": ["createdb"], "report": []}), json!({"orders": ["app", "report"]}))
}

fn large_example() -> (Value, Value) {
    let users: Map<String, Value> =
        (0..300).map(|number| (format!("service_{number:03}"), json!(["login", "createdb"]))).collect();
    let users = json!(users);
    let mut databases = Map::new();
    let mut size = 0;
    while size < LARGE {
        let number = databases.len();
        let members: Vec<String> =
            (0..16).map(|member| format!("service_{:03}", (number * 8 + member) % 300)).collect();
        databases.insert(format!("tenant_{number:03}"), json!(members));
        size = object(&written(&users, &json!(databases))).to_string().len();
    }
    (users, json!(databases))
}

fn both(users: &Value, databases: &Value) -> Result<[Request; 2]> {
    let mutate = Request::new("/mutate", &object(&written(users, databases)))?;
    let validate = Request::new("/validate", &object(&defaulted(users, databases)))?;
    Ok([mutate, validate])
}

fn written(users: &Value, databases: &Value) -> Value {
    json!({"size": "100GiB", "users": users, "databases": databases})
}

fn defaulted(users: &Value, databases: &Value) -> Value {
    json!({
        "type": "Postgresql", "version": "12", "size": "100GiB", "masteruser": "sysadmin",
        "users": users, "databases": databases, "backup": {"every": "24h", "retention": "7d"},
    })
}

/// An object as it is stored.
pub(super) fn object(spec: &Value) -> Value {
    json!({
        "apiVersion": "matrixmind.cloud/v1",
        "kind": "RDSDatabase",
        "metadata": {
            "name": "orders",
            "namespace": "shop",
            "uid": "0b6f4c2e-58a4-4be0-9d0f-6b5ef8f1c001",
            "creationTimestamp": "2026-01-01T12:00:00Z",
            "generation": 1,
            "labels": {"app.kubernetes.io/part-of": "shop"},
            "managedFields": [{
                "manager": "kubectl", "operation": "Apply", "apiVersion": "matrixmind.cloud/v1",
                "time": "2026-01-01T12:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:app.kubernetes.io/part-of": {}}},
                    "f:spec": managed(spec),
                },
            }],
        },
        "spec": spec,
    })
}

/// What server-side apply keeps of who owns which field.
fn managed(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(key, value)| (format!("f:{key}"), managed(value))).collect(),
        _ => json!({}),
    }
}

/// An AdmissionReview, its fields in the order of the API's types, as the API server writes them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Review<'a> {
    kind: &'static str,
    api_version: &'static str,
    request: Inquiry<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inquiry<'a> {
    uid: String,
    kind: GroupVersion,
    resource: GroupVersion,
    #[serde(skip_serializing_if = "str::is_empty")]
    sub_resource: &'a str,
    request_kind: GroupVersion,
    request_resource: GroupVersion,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    namespace: &'static str,
    operation: &'a str,
    user_info: Value,
    object: &'a Value,
    old_object: &'a Value,
    dry_run: bool,
    options: Value,
}

#[derive(Clone, Copy, Serialize)]
struct GroupVersion {
    group: &'static str,
    version: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    resource: &'static str,
}

fn review(asked: &Asked<'_>) -> Result<String> {
    let of = GroupVersion { group: "matrixmind.cloud", version: "v1", kind: "", resource: "" };
    let kind = GroupVersion { kind: "RDSDatabase", ..of };
    let resource = GroupVersion { resource: "rdsdatabases", ..of };
    let named = [asked.object, asked.old_object].into_iter().find_map(|object| object["metadata"]["name"].as_str());
    let request = Inquiry {
        uid: format!("{UID}{:0DIGITS$}", 0),
        kind,
        resource,
        sub_resource: asked.sub_resource,
        request_kind: kind,
        request_resource: resource,
        name: named.unwrap_or_default(),
        namespace: "shop",
        operation: asked.operation,
        user_info: json!({
            "username": "system:serviceaccount:argocd:argocd-application-controller",
            "uid": "5b0e1a62-3c3b-4f3c-8a83-3f0e1d8e7a10",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:argocd", "system:authenticated"],
        }),
        object: asked.object,
        old_object: asked.old_object,
        dry_run: false,
        options: json!({
            "kind": "PatchOptions", "apiVersion": "meta.k8s.io/v1", "force": true,
            "fieldManager": "argocd-controller", "fieldValidation": "Strict",
        }),
    };
    Ok(serde_json::to_string(&Review { kind: "AdmissionReview", api_version: "admission.k8s.io/v1", request })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(request: &Request) -> Value {
        let text = std::str::from_utf8(request.bytes()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn each_request_has_a_uid_of_its_own() {
        let [mut request, _] = small().unwrap();
        request.set_number(4711);
        assert_eq!(request.uid(), b"705ab4f5-6393-11e8-b7cc-000000004711");
        assert_eq!(body(&request)["request"]["uid"], "705ab4f5-6393-11e8-b7cc-000000004711");
    }

    #[test]
    fn the_large_object_is_as_large_as_it_says() {
        for request in large().unwrap() {
            let size = body(&request)["request"]["object"].to_string().len();
            assert!((LARGE..LARGE + 1000).contains(&size), "{size}");
        }
    }
}
