//! What the API server asks of every object: its fields, its name, its namespace, its labels and annotations.

use jiff::Timestamp;
use shared::rules::{Rule, one_of, quoted, shown_key, suggestion};

use super::found::Found;
use super::rule::FileRule;
use super::spelling::WORD_LIMIT;
use super::yaml::node::{Node, Value};
use super::{owners, spelling};

/// The fields of an object.
const FIELDS: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// The fields of `metadata` (apimachinery, `ObjectMeta`).
const METADATA: [&str; 15] = [
    "name",
    "generateName",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// The fields of `metadata` that are texts.
const TEXTS: [&str; 6] = ["name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"];

/// Those that are whole numbers.
const NUMBERS: [&str; 2] = ["generation", "deletionGracePeriodSeconds"];

/// Those that are moments.
const MOMENTS: [&str; 2] = ["creationTimestamp", "deletionTimestamp"];

/// Most bytes of all annotations together (apimachinery, `TotalAnnotationSizeLimitB`).
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// Whether a kind's objects are in namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Namespaced,
    Cluster,
}

/// Checks everything but the specification. How a name is spelt is the kind's own business.
pub(super) fn check(object: &Node, scope: Scope, found: &mut Vec<Found>) {
    unknown(object, "", &FIELDS, found);
    let Some(metadata) = object.get("metadata").filter(|metadata| !metadata.is_null()) else {
        found.push(Found::new("metadata.name", FileRule::MissingName, "is missing: every object has a name"));
        return;
    };
    if !matches!(metadata.value, Value::Map(_)) {
        found.push(Found::wrong_type("metadata", "a map", metadata));
        return;
    }
    unknown(metadata, "metadata", &METADATA, found);
    types(metadata, found);
    let absent = |key: &str| metadata.get(key).is_none_or(|node| node.is_null() || node.text() == Some(""));
    if absent("name") && absent("generateName") {
        found.push(Found::new("metadata.name", FileRule::MissingName, "is missing: every object has a name"));
    }
    namespace(metadata, scope, found);
    for (key, value) in texts(metadata, "labels", found) {
        let at = Found::keyed("metadata.labels", key);
        found.extend(spelling::key(key).err().map(|message| at(message).at_key()));
        found.extend(spelling::label_value(value).err().map(at));
    }
    let mut bytes = 0;
    for (key, value) in texts(metadata, "annotations", found) {
        bytes += key.len() + value.len();
        // Their domains may have capitals.
        let refused = spelling::key(&key.to_lowercase()).err();
        found.extend(refused.map(|message| Found::keyed("metadata.annotations", key)(message).at_key()));
    }
    if bytes > ANNOTATIONS_LIMIT {
        let message = format!("have {bytes} bytes: at most {ANNOTATIONS_LIMIT} are allowed");
        found.push(Found::new("metadata.annotations", FileRule::MalformedMetadata, message));
    }
    owners::check(metadata, found);
}

/// The types of what is neither a map nor a list of maps.
fn types(metadata: &Node, found: &mut Vec<Found>) {
    let written = |key: &str| metadata.get(key).filter(|node| !node.is_null());
    let mut refuse = |key: &str, wanted: &str, fits: fn(&Node) -> bool| {
        if let Some(node) = written(key).filter(|node| !fits(node)) {
            found.push(Found::wrong_type(&format!("metadata.{key}"), wanted, node));
        }
    };
    for key in TEXTS {
        refuse(key, "a text", |node| node.text().is_some());
    }
    for key in NUMBERS {
        refuse(key, "a whole number", |node| node.json().is_i64());
    }
    for key in MOMENTS {
        refuse(key, "a moment such as \"2026-01-31T12:00:00Z\"", |node| {
            node.text().is_some_and(|text| text.parse::<Timestamp>().is_ok())
        });
    }
    refuse("managedFields", "a list", |node| matches!(node.value, Value::List(_)));
}

fn namespace(metadata: &Node, scope: Scope, found: &mut Vec<Found>) {
    let Some(name) = metadata.text_of("namespace").filter(|name| !name.is_empty()) else { return };
    let message = match scope {
        Scope::Cluster => format!("{} is written, but a class is in no namespace: remove the line", quoted(name)),
        Scope::Namespaced if !spelling::is_label(name) => format!(
            "{} cannot be a namespace: at most {WORD_LIMIT} lower-case letters, digits and -, not - at either end",
            quoted(name)
        ),
        Scope::Namespaced => return,
    };
    found.push(Found::new("metadata.namespace", FileRule::WrongNamespace, message));
}

/// The entries of a map whose values have to be texts, where YAML makes numbers and booleans of what has no quotes. Null is no text
/// that Kubernetes minds.
fn texts<'a>(metadata: &'a Node, key: &str, found: &mut Vec<Found>) -> Vec<(&'a str, &'a str)> {
    let field = format!("metadata.{key}");
    let Some(node) = metadata.get(key).filter(|node| !node.is_null()) else { return Vec::new() };
    if !matches!(node.value, Value::Map(_)) {
        found.push(Found::wrong_type(&field, "a map of texts", node));
    }
    for entry in node.entries().iter().filter(|entry| entry.value.text().is_none() && !entry.value.is_null()) {
        let field = format!("{field}[{}]", shown_key(&entry.key));
        found.push(Found::wrong_type(&field, "a text: quote it", &entry.value));
    }
    node.entries().iter().map(|entry| (entry.key.as_str(), entry.value.text().unwrap_or_default())).collect()
}

fn unknown(node: &Node, prefix: &str, known: &[&str], found: &mut Vec<Found>) {
    let owner = if prefix.is_empty() { "an object" } else { prefix };
    for entry in node.entries().iter().filter(|entry| !known.contains(&entry.key.as_str())) {
        let field =
            [prefix, &shown_key(&entry.key)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
        let hint = suggestion(&entry.key, known.iter().copied());
        let message = format!("is not a field: {owner} has {}{hint}", one_of(known.iter().copied()));
        found.push(Found::new(field, Rule::UnknownField, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::yaml::load::load;

    fn found(text: &str, scope: Scope) -> Vec<String> {
        let mut found = Vec::new();
        check(&load(text, 1).unwrap()[0].root, scope, &mut found);
        found.into_iter().map(|one| format!("{}: {}", one.field, one.message)).collect()
    }

    #[test]
    fn what_is_right_is_not_told() {
        for text in [
            "metadata: {name: a, namespace: shop-1, labels: {a: \"1\"}, annotations: null}",
            "metadata: {generateName: a-}\nspec: {}\nstatus: {}",
            "metadata: {name: a, labels: {app.kubernetes.io/name: A_1.x, b: \"\", c: null}, annotations: {Example.com/A: \"any thing\"}}",
            "metadata: {name: a, finalizers: [example.com/b, orphan], ownerReferences: [{apiVersion: v1, kind: A, name: b, uid: c, controller: true}]}",
            "metadata: {name: a, uid: b, resourceVersion: \"1\", generation: 1, creationTimestamp: 2026-01-31T12:00:00Z, managedFields: [{}]}",
            "metadata: {name: a, creationTimestamp: null, finalizers: null, ownerReferences: null}",
        ] {
            assert_eq!(found(text, Scope::Namespaced), [""; 0], "{text}");
        }
        assert_eq!(found("metadata: {name: a}", Scope::Cluster), [""; 0]);
    }

    #[test]
    fn each_mistake_names_its_field() {
        for (text, said) in [
            ("spec: {}", "metadata.name: is missing"),
            ("metadata: {labels: {}}", "metadata.name: is missing"),
            ("metadata: {name: \"\"}", "metadata.name: is missing"),
            ("metadata: text", "metadata: must be a map, not the text \"text\""),
            ("metadata: {name: 12}", "metadata.name: must be a text, not the number 12"),
            (
                "metadata: {name: a}\nsepc: {}",
                "sepc: is not a field: an object has apiVersion, kind, metadata, spec or status; did you mean \"spec\"?",
            ),
            ("metadata: {name: a, lables: {}}", "; did you mean \"labels\"?"),
            ("metadata: {name: a, namespace: Shop}", "metadata.namespace: \"Shop\" cannot be a namespace"),
            (
                "metadata: {name: a, labels: {version: 12}}",
                "metadata.labels[version]: must be a text: quote it, not the number 12",
            ),
            ("metadata: {name: a, annotations: [x]}", "metadata.annotations: must be a map of texts, not a list"),
            ("metadata: {name: a, labels: {a b: c}}", "metadata.labels[a b]: \"a b\" cannot be a key"),
            ("metadata: {name: a, labels: {A.b/c: d}}", "metadata.labels[A.b/c]: \"A.b\" cannot be before a /"),
            ("metadata: {name: a, labels: {a: b c}}", "metadata.labels[a]: \"b c\" cannot be the value of a label"),
            (
                "metadata: {name: a, annotations: {a/b/c: d}}",
                "metadata.annotations[a/b/c]: \"a/b\" cannot be before a /",
            ),
            ("metadata: {name: a, finalizers: b}", "metadata.finalizers: must be a list of texts, not the text \"b\""),
            ("metadata: {name: a, finalizers: [1]}", "metadata.finalizers[0]: must be a text, not the number 1"),
            ("metadata: {name: a, finalizers: [b c]}", "metadata.finalizers[0]: \"b c\" cannot be a key"),
            ("metadata: {name: a, finalizers: [orphan, foregroundDeletion]}", "has both orphan and foregroundDeletion"),
            (
                "metadata: {name: a, ownerReferences: {}}",
                "metadata.ownerReferences: must be a list of owners, not a map",
            ),
            ("metadata: {name: a, ownerReferences: [b]}", "metadata.ownerReferences[0]: must be a map, not the text"),
            (
                "metadata: {name: a, ownerReferences: [{apiVersion: v1, kind: A, name: b}]}",
                "metadata.ownerReferences[0].uid: is missing: an owner has apiVersion, kind, name and uid",
            ),
            (
                "metadata: {name: a, ownerReferences: [{apiVersion: a/b/c, kind: A, name: b, uid: c}]}",
                "metadata.ownerReferences[0].apiVersion: \"a/b/c\" is no API version",
            ),
            (
                "metadata: {name: a, ownerReferences: [{apiVersion: v1, kind: A, name: b, uid: c, controler: true}]}",
                "metadata.ownerReferences[0].controler: is not a field",
            ),
            (
                "metadata: {name: a, ownerReferences: [{apiVersion: v1, kind: A, name: b, uid: c, controller: 1}]}",
                "metadata.ownerReferences[0].controller: must be true or false, not the number 1",
            ),
            ("metadata: {name: a, uid: 1}", "metadata.uid: must be a text, not the number 1"),
            ("metadata: {name: a, generation: x}", "metadata.generation: must be a whole number, not the text"),
            ("metadata: {name: a, creationTimestamp: today}", "metadata.creationTimestamp: must be a moment such as"),
            ("metadata: {name: a, managedFields: {}}", "metadata.managedFields: must be a list, not a map"),
        ] {
            let found = found(text, Scope::Namespaced);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains(said), "{text}: {found:?}");
        }
        assert!(found("metadata: {name: a, namespace: shop}", Scope::Cluster)[0].contains("remove the line"));
    }

    #[test]
    fn there_are_limits_for_all_together() {
        let owner = |uid| format!("{{apiVersion: v1, kind: A, name: b, uid: {uid}, controller: true}}");
        let two = format!("metadata: {{name: a, ownerReferences: [{}, {}]}}", owner("c"), owner("d"));
        assert!(
            found(&two, Scope::Namespaced)[0]
                .starts_with("metadata.ownerReferences[1].controller: is true for a second")
        );
        let large = |bytes| format!("metadata: {{name: a, annotations: {{b: {}}}}}", "x".repeat(bytes));
        assert_eq!(found(&large(ANNOTATIONS_LIMIT - 1), Scope::Namespaced), [""; 0]);
        assert!(
            found(&large(ANNOTATIONS_LIMIT), Scope::Namespaced)[0]
                .starts_with("metadata.annotations: have 262145 bytes")
        );
    }
}
