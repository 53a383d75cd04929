//! Who owns an object, and who has to be asked before it goes.

use std::collections::HashSet;

use shared::rules::{Rule, one_of, quoted, shown_key, suggestion};

use super::found::Found;
use super::rule::FileRule;
use super::spelling;
use super::yaml::node::{Node, Value};

/// The fields of an owner that are texts and have to be there (apimachinery, `validateOwnerReference`).
const REQUIRED: [&str; 4] = ["apiVersion", "kind", "name", "uid"];

/// Those that are true or false.
const OPTIONAL: [&str; 2] = ["controller", "blockOwnerDeletion"];

/// What the garbage collector does for an owner that goes. Both at once contradict each other.
const COLLECTORS: [&str; 2] = ["orphan", "foregroundDeletion"];

/// Checks `metadata.finalizers` and `metadata.ownerReferences`.
pub(super) fn check(metadata: &Node, found: &mut Vec<Found>) {
    finalizers(metadata, found);
    let mut controllers = HashSet::new();
    for (index, owner) in list(metadata, "ownerReferences", "owners", found).iter().enumerate() {
        let field = format!("metadata.ownerReferences[{index}]");
        reference(owner, &field, found);
        let controls = owner.get("controller").is_some_and(|node| node.json() == true);
        // The same owner twice counts once (apiserver, `dedupOwnerReferences`).
        if controls && controllers.insert(owner.json().to_string()) && controllers.len() == 2 {
            let message = "is true for a second owner: an object has one controller";
            found.push(malformed(&format!("{field}.controller"), message));
        }
    }
}

fn finalizers(metadata: &Node, found: &mut Vec<Found>) {
    let items = list(metadata, "finalizers", "texts", found);
    for (index, item) in items.iter().enumerate() {
        let field = format!("metadata.finalizers[{index}]");
        match item.text() {
            Some(text) => found.extend(spelling::key(text).err().map(|message| malformed(&field, message))),
            None => found.push(Found::wrong_type(&field, "a text", item)),
        }
    }
    if COLLECTORS.iter().all(|one| items.iter().any(|item| item.text() == Some(one))) {
        found.push(malformed("metadata.finalizers", format!("has both {}: remove one", COLLECTORS.join(" and "))));
    }
}

fn reference(owner: &Node, field: &str, found: &mut Vec<Found>) {
    if !matches!(owner.value, Value::Map(_)) {
        return found.push(Found::wrong_type(field, "a map", owner));
    }
    for key in REQUIRED {
        let at = format!("{field}.{key}");
        match owner.get(key).filter(|node| !node.is_null()) {
            Some(node) if node.text().is_none() => found.push(Found::wrong_type(&at, "a text", node)),
            Some(node) if node.text() != Some("") => {}
            _ => found.push(malformed(&at, "is missing: an owner has apiVersion, kind, name and uid")),
        }
    }
    if let Some(version) = owner.get("apiVersion").and_then(Node::text).filter(|version| !version.is_empty())
        && (version.ends_with('/') || version.matches('/').count() > 1)
    {
        found.push(malformed(&format!("{field}.apiVersion"), format!("{} is no API version", quoted(version))));
    }
    for key in OPTIONAL {
        if let Some(node) = owner.get(key).filter(|node| !node.is_null() && !node.json().is_boolean()) {
            found.push(Found::wrong_type(&format!("{field}.{key}"), "true or false", node));
        }
    }
    let known = || REQUIRED.into_iter().chain(OPTIONAL);
    for entry in owner.entries().iter().filter(|entry| !known().any(|key| key == entry.key)) {
        let hint = suggestion(&entry.key, known());
        let message = format!("is not a field: an owner has {}{hint}", one_of(known()));
        found.push(Found::new(format!("{field}.{}", shown_key(&entry.key)), Rule::UnknownField, message));
    }
}

/// The items of a list that may be left out.
fn list<'a>(metadata: &'a Node, key: &str, what: &str, found: &mut Vec<Found>) -> &'a [Node] {
    match metadata.get(key) {
        Some(Node { value: Value::List(items), .. }) => items,
        Some(node) if !node.is_null() => {
            found.push(Found::wrong_type(&format!("metadata.{key}"), &format!("a list of {what}"), node));
            &[]
        }
        _ => &[],
    }
}

fn malformed(field: &str, message: impl Into<String>) -> Found {
    Found::new(field, FileRule::MalformedMetadata, message)
}
