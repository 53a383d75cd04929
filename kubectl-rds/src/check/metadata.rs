//! What the API server asks of every object: its fields, its name, its namespace, its labels and annotations.

use shared::rules::{Rule, described, one_of, quoted, shown_key, suggestion};

use super::{Found, text};
use crate::rule::FileRule;
use crate::yaml::{Node, Value};

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

/// Longest name of a namespace (a label of the DNS).
const NAMESPACE_LIMIT: usize = 63;

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
        found.push(wrong_type("metadata", "a map", metadata));
        return;
    }
    unknown(metadata, "metadata", &METADATA, found);
    for key in ["name", "generateName", "namespace"] {
        if let Some(node) = metadata.get(key).filter(|node| !node.is_null() && node.text().is_none()) {
            found.push(wrong_type(&format!("metadata.{key}"), "a text", node));
        }
    }
    let absent = |key: &str| metadata.get(key).is_none_or(|node| node.is_null() || node.text() == Some(""));
    if absent("name") && absent("generateName") {
        found.push(Found::new("metadata.name", FileRule::MissingName, "is missing: every object has a name"));
    }
    namespace(metadata, scope, found);
    for key in ["labels", "annotations"] {
        texts(metadata, key, found);
    }
}

fn namespace(metadata: &Node, scope: Scope, found: &mut Vec<Found>) {
    let Some(name) = text(metadata, "namespace").filter(|name| !name.is_empty()) else { return };
    let label = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    let message = match scope {
        Scope::Cluster => format!("{} is written, but a class is in no namespace: remove the line", quoted(name)),
        Scope::Namespaced if !label || name.len() > NAMESPACE_LIMIT => format!(
            "{} cannot be a namespace: at most {NAMESPACE_LIMIT} lower-case letters, digits and -, not - at either end",
            quoted(name)
        ),
        Scope::Namespaced => return,
    };
    found.push(Found::new("metadata.namespace", FileRule::WrongNamespace, message));
}

/// A map whose values have to be texts, where YAML makes numbers and booleans of what has no quotes.
fn texts(metadata: &Node, key: &str, found: &mut Vec<Found>) {
    let field = format!("metadata.{key}");
    match metadata.get(key) {
        None => {}
        Some(node) if node.is_null() => {}
        Some(node) if matches!(node.value, Value::Map(_)) => {
            for entry in node.entries().iter().filter(|entry| entry.value.text().is_none() && !entry.value.is_null()) {
                let field = format!("{field}[{}]", shown_key(&entry.key));
                found.push(wrong_type(&field, "a text: quote it", &entry.value));
            }
        }
        Some(node) => found.push(wrong_type(&field, "a map of texts", node)),
    }
}

fn wrong_type(field: &str, wanted: &str, node: &Node) -> Found {
    Found::new(field, Rule::WrongType, format!("must be {wanted}, not {}", described(&node.json())))
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
    use crate::yaml::load;

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
        ] {
            let found = found(text, Scope::Namespaced);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].contains(said), "{text}: {found:?}");
        }
        assert!(found("metadata: {name: a, namespace: shop}", Scope::Cluster)[0].contains("remove the line"));
    }
}
