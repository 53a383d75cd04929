//! Rendered manifests as objects.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize as _;
use serde_json::Value;
use testbed::kubectl::Kubectl;

use super::MANIFESTS;

/// Kind, namespace and name.
pub(super) type Key = (String, String, String);

/// A folder below `manifests/`, as `kubectl kustomize` renders it.
pub(super) async fn folder(kubectl: &Kubectl, folder: &str) -> Result<BTreeMap<Key, Value>> {
    objects(&kubectl.ok(&["kustomize", &format!("{MANIFESTS}/{folder}")]).await?)
}

/// The objects of a stream of YAML documents. Each may be there once.
pub(super) fn objects(text: &str) -> Result<BTreeMap<Key, Value>> {
    let mut objects = BTreeMap::new();
    for document in serde_yaml_ng::Deserializer::from_str(text) {
        let object = Value::deserialize(document).context("rendered manifests that are no YAML")?;
        if object.is_null() {
            continue;
        }
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let key = (text("/kind"), text("/metadata/namespace"), text("/metadata/name"));
        ensure!(!key.2.is_empty(), "an object without a name: {object}");
        ensure!(objects.insert(key.clone(), object).is_none(), "{key:?} is there twice");
    }
    Ok(objects)
}
