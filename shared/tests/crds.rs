//! The definitions that are shipped are those of the types.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use shared::api::{Fields, RDSDatabase, RDSDatabaseClass, crds};

#[test]
fn the_shipped_definitions_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/crd");
    for crd in crds() {
        let file = folder.join(format!("{}.yaml", crd.spec.names.plural));
        let shipped = fs::read_to_string(&file).unwrap();
        let generated = serde_yaml_ng::to_string(&crd).unwrap();
        assert!(shipped == generated, "{} is stale: run `cargo run -p shared --bin generate-crds`", file.display());
    }
}

#[test]
fn every_field_can_be_left_out_or_null() {
    for object in [
        json!({}),
        json!({"spec": null}),
        json!({"spec": {}}),
        json!({"spec": Fields::KEYS.map(|key| (key, Value::Null)).into_iter().collect::<BTreeMap<_, _>>(), "status": null}),
        json!({"spec": {"users": {"a": null}, "backup": {"every": null, "retention": null}}}),
        json!({"spec": {"version": 12}, "status": {"observedGeneration": -1}}),
    ] {
        serde_json::from_value::<RDSDatabase>(complete(&object, "RDSDatabase")).unwrap();
    }
    for object in [json!({"spec": {}}), json!({"spec": {"securityGroups": null, "tags": null, "region": null}})] {
        serde_json::from_value::<RDSDatabaseClass>(complete(&object, "RDSDatabaseClass")).unwrap();
    }
}

#[test]
fn what_is_read_is_written_alike() {
    let object = complete(
        &json!({"spec": {
            "type": "Postgresql", "version": 12, "size": "10GB", "masteruser": "sysadmin", "users": {"a": [], "b": null},
            "databases": {"d": ["a"]}, "backup": {"every": "24h", "retention": "7d"}, "className": "c",
            "instanceClass": "db.t4g.micro", "deletionPolicy": "Retain", "deletionProtection": true, "paused": false,
        }}),
        "RDSDatabase",
    );
    let read: RDSDatabase = serde_json::from_value(object.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), object);
}

#[test]
fn no_field_is_without_a_description() {
    fn check(path: &str, schema: &Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            // Kubernetes describes these two itself.
            if path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind" | "metadata") {
                continue;
            }
            let path = format!("{path}.{name}");
            assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{path}");
            check(&path, property);
        }
    }
    for crd in crds() {
        let schema = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
        check("", &schema["openAPIV3Schema"]);
    }
}

fn complete(object: &Value, kind: &str) -> Value {
    let mut whole = json!({"apiVersion": "matrixmind.cloud/v1", "kind": kind, "metadata": {"name": "orders"}});
    for (key, value) in object.as_object().into_iter().flatten() {
        whole[key] = value.clone();
    }
    whole
}
