//! Whole objects and whether Kubernetes takes them. `kubectl rds check` is held to them here, and the API server in the end-to-end
//! tests.

use serde_json::{Value, json};

/// Objects that are admitted.
pub(crate) fn admitted() -> Vec<Value> {
    let databases = [
        json!({"labels": {"app.kubernetes.io/name": "A_1.x", "b": "", "c": null}, "annotations": {"Example.com/A": "any thing"}}),
        json!({"labels": null, "annotations": null, "finalizers": null, "ownerReferences": null, "creationTimestamp": null}),
        json!({"labels": {"a".repeat(63): "b".repeat(63)}, "annotations": {"a": "x".repeat(256 * 1024 - 1)}}),
        json!({"finalizers": ["example.com/b", "orphan"]}),
        json!({"ownerReferences": [owner(&json!({"controller": true, "blockOwnerDeletion": null}))]}),
        json!({"ownerReferences": [owner(&json!({"controller": true})), owner(&json!({"controller": true}))]}),
        json!({"generation": -1}),
        json!({"uid": "a", "generation": 3, "creationTimestamp": "2026-01-31T12:00:00Z", "deletionGracePeriodSeconds": 0}),
    ];
    let classes = [
        json!({"tags": {"a": null, "aws:b": null}, "allowedNamespaces": {"matchLabels": {"a": null}, "matchExpressions": null}}),
        json!({"allowedNamespaces": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": null}]}}),
    ];
    let mut all: Vec<Value> = databases.iter().map(database).collect();
    all.extend(classes.iter().map(|spec| class(&json!({"name": "gold"}), spec)));
    all.extend(["gold-", "gold--"].map(|name| class(&json!({"generateName": name}), &json!({}))));
    all.push(with(database(&json!({})), "status", json!({"observedGeneration": "x"})));
    all.push(with(class(&json!({"name": "gold"}), &json!({})), "status", json!({})));
    all
}

/// Objects with one mistake each.
pub(crate) fn refused() -> Vec<Value> {
    let databases = [
        json!({"labels": {"a b": "c"}}),
        json!({"labels": {"A.b/c": "d"}}),
        json!({"labels": {"/a": "b"}}),
        json!({"labels": {"a".repeat(64): "b"}}),
        json!({"labels": {"a": "b c"}}),
        json!({"labels": {"a": "b".repeat(64)}}),
        json!({"labels": {"a": 1}}),
        json!({"annotations": {"a/b/c": "d"}}),
        json!({"annotations": {"a": "x".repeat(256 * 1024)}}),
        json!({"annotations": ["a"]}),
        json!({"finalizers": "a"}),
        json!({"finalizers": [1]}),
        json!({"finalizers": ["b c"]}),
        json!({"finalizers": ["orphan", "foregroundDeletion"]}),
        json!({"ownerReferences": {}}),
        json!({"ownerReferences": ["a"]}),
        json!({"ownerReferences": [owner(&json!({"uid": ""}))]}),
        json!({"ownerReferences": [owner(&json!({"name": null}))]}),
        json!({"ownerReferences": [owner(&json!({"kind": 1}))]}),
        json!({"ownerReferences": [owner(&json!({"apiVersion": "a/b/c"}))]}),
        json!({"ownerReferences": [owner(&json!({"apiVersion": "a/"}))]}),
        json!({"ownerReferences": [owner(&json!({"controler": true}))]}),
        json!({"ownerReferences": [owner(&json!({"controller": 1}))]}),
        json!({"ownerReferences": [owner(&json!({"controller": true})), owner(&json!({"controller": true, "uid": "c"}))]}),
        json!({"uid": 1}),
        json!({"generation": "x"}),
        json!({"creationTimestamp": "today"}),
        json!({"managedFields": {}}),
        json!({"lables": {}}),
    ];
    let classes = [
        json!({"allowedNamespaces": {"matchExpressions": [null]}}),
        json!({"allowedNamespaces": {"matchExpressions": [{"key": "a", "operator": null}]}}),
        json!({"regin": "eu-central-1"}),
        json!({"tags": {"aws:b": "c"}}),
    ];
    let mut all: Vec<Value> = databases.iter().map(database).collect();
    all.extend(classes.iter().map(|spec| class(&json!({"name": "gold"}), spec)));
    all.extend(["Gold-", "gold."].map(|name| class(&json!({"generateName": name}), &json!({}))));
    all.push(with(class(&json!({"name": "gold"}), &json!({})), "status", json!({"databses": 1})));
    for status in
        [json!({"engine": "x"}), json!({"conditions": [{"typ": "Ready"}]}), json!({"users": {"a": {"redy": 1}}})]
    {
        all.push(with(database(&json!({})), "status", status));
    }
    all
}

fn database(metadata: &Value) -> Value {
    let metadata = with(metadata.clone(), "name", json!("orders"));
    json!({"apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": metadata, "spec": {"version": "18", "size": "20Gi"}})
}

fn class(metadata: &Value, spec: &Value) -> Value {
    json!({"apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": metadata, "spec": spec})
}

/// An owner with nothing wrong but this.
fn owner(but: &Value) -> Value {
    let whole = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": "b"});
    but.as_object().into_iter().flatten().fold(whole, |owner, (key, value)| with(owner, key, value.clone()))
}

fn with(mut object: Value, key: &str, value: Value) -> Value {
    object[key] = value;
    object
}
