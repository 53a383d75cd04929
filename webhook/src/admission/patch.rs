//! The patch that writes defaults: additions, and nothing else.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, Patch, PatchOperation};
use serde_json::Value;
use shared::rules::Additions;

/// The patch that adds to an object what its `spec` (null where it is absent) leaves out. In a JSON patch, to put a value in
/// the place of null is an `add` as well. A spec that is missing is added whole, so that every operation finds its parent.
pub fn patch(spec: &Value, additions: &Additions<'_>) -> Patch {
    let add = |path: &[&str], value: Value| {
        let path = PointerBuf::from_tokens(["spec"].iter().chain(path).copied());
        PatchOperation::Add(AddOperation { path, value })
    };
    if spec.is_null() {
        return Patch(vec![add(&[], additions.applied(spec))]);
    }
    Patch(additions.iter().map(|(path, value)| add(&path, value.clone())).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::rules::{DefaultVersions, additions, defaults};

    use super::*;

    #[test]
    fn what_is_added_are_the_defaults() {
        let old = json!({"size": "100GB", "users": {"a/b~": ["createdb"]}, "backup": {"every": "6h"}});
        for old in [None, Some(&old)] {
            for spec in [
                json!(null),
                json!({}),
                json!({"size": null, "users": null}),
                json!({"backup": null}),
                json!({"backup": {"every": "24h"}}),
                json!({"backup": {"every": null}, "size": "10GB"}),
                json!({"backup": "daily", "version": 15, "users": {"a": null}, "unknown": [1]}),
            ] {
                let mut object = if spec.is_null() { json!({}) } else { json!({"spec": spec}) };
                let patch = patch(&spec, &additions(&spec, old, DefaultVersions::BUILT_IN));
                for operation in &patch.0 {
                    let there = operation.path().resolve(&object);
                    assert!(there.is_err() || there.is_ok_and(Value::is_null), "{spec}: {operation:?}");
                }
                json_patch::patch(&mut object, &patch.0).expect("the patch applies");
                assert_eq!(object, json!({"spec": defaults(&spec, old, DefaultVersions::BUILT_IN)}), "{spec}");
            }
        }
    }

    #[test]
    fn nothing_to_add_is_an_empty_patch() {
        for spec in
            [defaults(&json!({"users": {"a": null}}), None, DefaultVersions::BUILT_IN), json!("text"), json!([])]
        {
            assert_eq!(patch(&spec, &additions(&spec, None, DefaultVersions::BUILT_IN)), Patch(Vec::new()), "{spec}");
        }
    }
}
