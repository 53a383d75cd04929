//! The configuration for kube-state-metrics asks for what objects have: each path is one of the CRD, and leads to a value in some state.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests");
const STATES: &str = "argocd/resource_customizations/matrixmind.cloud/RDSDatabase/testdata";

fn read(path: &str) -> Value {
    let path = format!("{MANIFESTS}/{path}");
    let text = fs::read_to_string(&path).unwrap_or_default();
    assert!(!text.is_empty(), "{path} cannot be read");
    serde_yaml_ng::from_str(&text).expect("it is YAML")
}

fn states() -> Vec<Value> {
    let files = fs::read_dir(format!("{MANIFESTS}/{STATES}")).expect("the states can be listed");
    let names = files.map(|file| file.expect("a file can be read").file_name().to_string_lossy().into_owned());
    names.map(|name| read(&format!("{STATES}/{name}"))).collect()
}

fn resource() -> Value {
    read("components/monitoring/kube-state-metrics.yaml")["spec"]["resources"][0].clone()
}

fn path(value: &Value) -> Vec<String> {
    let parts = value.as_array().expect("a path is a list");
    parts.iter().map(|part| part.as_str().expect("a part is a text").to_owned()).collect()
}

/// All paths from the object's root, with what is done with the value.
fn paths() -> Vec<(String, Vec<String>, Use)> {
    let mut found = Vec::new();
    let mut labels = |of: &str, base: &[String], labels: &Value| {
        for (label, tail) in labels.as_object().into_iter().flatten() {
            found.push((format!("{of} {label}"), [base, path(tail).as_slice()].concat(), Use::Label));
        }
    };
    let resource = resource();
    labels("every metric's", &[], &resource["labelsFromPath"]);
    let metrics = resource["metrics"].as_array().expect("there are metrics").clone();
    for metric in &metrics {
        let each = &metric["each"];
        let name = metric["name"].as_str().expect("a metric has a name");
        assert!(metric["help"].is_string(), "{name} has no help");
        labels(name, &[], &each["info"]["labelsFromPath"]);
        if each["type"] == "Gauge" {
            labels(name, &path(&each["gauge"]["path"]), &each["gauge"]["labelsFromPath"]);
        }
    }
    for metric in metrics.iter().filter(|metric| metric["each"]["type"] == "Gauge") {
        let gauge = &metric["each"]["gauge"];
        let tail = if gauge["valueFrom"].is_array() { path(&gauge["valueFrom"]) } else { Vec::new() };
        let whole = [path(&gauge["path"]), tail].concat();
        found.push((metric["name"].to_string(), whole, Use::Number));
    }
    found
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Label,
    Number,
}

/// The values at a path; each element of a list is gone into, as kube-state-metrics does.
fn values<'a>(value: &'a Value, path: &[String]) -> Vec<&'a Value> {
    match (value, path.split_first()) {
        (Value::Array(elements), _) => elements.iter().flat_map(|element| values(element, path)).collect(),
        (_, Some((first, rest))) => value.get(first).map(|value| values(value, rest)).unwrap_or_default(),
        (Value::Null, None) => Vec::new(),
        (_, None) => vec![value],
    }
}

/// What kube-state-metrics makes a number of (`pkg/customresourcestate`, `toFloat64`): numbers, booleans, their words, and times.
fn is_number(value: &Value) -> bool {
    let time = |text: &str| text.len() == 20 && text.ends_with('Z') && text.contains('T');
    match value {
        Value::Number(_) | Value::Bool(_) => true,
        Value::String(text) => ["true", "false"].contains(&text.to_lowercase().as_str()) || time(text),
        _ => false,
    }
}

#[test]
fn every_path_leads_somewhere_in_some_state() {
    let (states, mut silent) = (states(), BTreeSet::new());
    // The states have the built-in class, which has no name.
    let never = BTreeSet::from(["info class".to_owned()]);
    for (what, path, used) in paths() {
        let found: Vec<&Value> = states.iter().flat_map(|state| values(state, &path)).collect();
        if found.is_empty() {
            silent.insert(what.clone());
        }
        for value in found {
            match used {
                Use::Label => assert!(value.is_string(), "{what}: {value}"),
                Use::Number => assert!(is_number(value), "{what}: {value}"),
            }
        }
    }
    assert_eq!(silent, never, "paths that no state has a value for");
}

/// What the states cannot show, the schema knows.
#[test]
fn every_path_is_one_of_the_schema() {
    let crd = read("crd/rdsdatabases.yaml");
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    for (what, path, _) in paths().iter().filter(|(_, path, _)| path[0] != "metadata") {
        let mut at = schema;
        for part in path {
            let inner = if at["type"] == "array" { &at["items"] } else { at };
            at = &inner["properties"][part];
            assert!(at.is_object(), "{what}: the schema has no {part} in {path:?}");
        }
    }
    let kind = &resource()["groupVersionKind"];
    assert_eq!((&kind["group"], &kind["kind"]), (&crd["spec"]["group"], &crd["spec"]["names"]["kind"]));
    assert_eq!(kind["version"], crd["spec"]["versions"][0]["name"]);
}

/// A label with free text would be a new series for every wording.
#[test]
fn no_label_is_a_message() {
    for (what, path, used) in paths() {
        assert!(used == Use::Number || path.last().is_some_and(|last| last != "message"), "{what}");
    }
}
