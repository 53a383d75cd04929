//! The patch that writes defaults: additions, and nothing else.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, Patch, PatchOperation};
use serde_json::Value;

/// The defaults would have changed or removed something that is there. A user's value is never rewritten, so this is a fault of the
/// rules, never of the object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the defaults would rewrite {path}")]
pub struct NotAdditive {
    /// JSON pointer of the value.
    pub path: String,
}

/// What to add to an object's `spec` (null where it is absent) to make it `defaulted`. Null counts as absent, so it is replaced; in a JSON
/// patch that is an `add` as well. A spec that is missing is added whole, so that every operation finds its parent.
///
/// # Errors
/// When additions alone do not lead from one to the other.
pub fn additions(spec: &Value, defaulted: &Value) -> Result<Patch, NotAdditive> {
    let root = PointerBuf::from_tokens(["spec"]);
    if spec.is_null() {
        let add =
            (!defaulted.is_null()).then(|| PatchOperation::Add(AddOperation { path: root, value: defaulted.clone() }));
        return Ok(Patch(add.into_iter().collect()));
    }
    let operations = json_patch::diff(spec, defaulted).0.into_iter().map(|operation| addition(spec, &root, operation));
    operations.collect::<Result<_, _>>().map(Patch)
}

fn addition(spec: &Value, root: &PointerBuf, operation: PatchOperation) -> Result<PatchOperation, NotAdditive> {
    let (path, value) = match operation {
        // An index would shift the items of a list the user wrote.
        PatchOperation::Add(add) if !inside_a_list(spec, &add.path) => (add.path, add.value),
        PatchOperation::Replace(replace) if replace.path.resolve(spec).is_ok_and(Value::is_null) => {
            (replace.path, replace.value)
        }
        other => {
            return Err(NotAdditive { path: absolute(root, other.path()).to_string() });
        }
    };
    Ok(PatchOperation::Add(AddOperation { path: absolute(root, &path), value }))
}

fn inside_a_list(spec: &Value, path: &json_patch::jsonptr::Pointer) -> bool {
    path.parent().is_some_and(|parent| parent.resolve(spec).is_ok_and(Value::is_array))
}

fn absolute(root: &PointerBuf, path: &json_patch::jsonptr::Pointer) -> PointerBuf {
    root.concat(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(spec: &Value, defaulted: &Value) -> Value {
        let mut object = if spec.is_null() { json!({}) } else { json!({"spec": spec}) };
        let patch = additions(spec, defaulted).expect("additions only");
        assert!(patch.0.iter().all(|operation| matches!(operation, PatchOperation::Add(_))), "{patch:?}");
        json_patch::patch(&mut object, &patch.0).expect("the patch applies");
        object
    }

    #[test]
    fn adds_what_is_absent_or_null() {
        let defaulted = json!({"size": "10GB", "backup": {"every": "24h", "retention": "7d"}});
        for spec in [
            json!(null),
            json!({}),
            json!({"size": null}),
            json!({"backup": null}),
            json!({"backup": {"every": "24h"}}),
            json!({"backup": {"every": null}, "size": "10GB"}),
        ] {
            assert_eq!(patched(&spec, &defaulted), json!({"spec": defaulted}), "{spec}");
        }
    }

    #[test]
    fn nothing_to_add_is_an_empty_patch() {
        let spec = json!({"users": {"a/b": ["createdb"], "~": null}});
        assert_eq!(additions(&spec, &spec), Ok(Patch(Vec::new())));
    }

    #[test]
    fn a_value_that_is_there_is_never_rewritten() {
        for (spec, defaulted, path) in [
            (json!({"size": "5GB"}), json!({"size": "10GB"}), "/spec/size"),
            (json!({"extra": 1}), json!({}), "/spec/extra"),
            (json!({"list": ["a"]}), json!({"list": ["a", "b"]}), "/spec/list/1"),
            (json!("text"), json!({}), "/spec"),
        ] {
            assert_eq!(additions(&spec, &defaulted), Err(NotAdditive { path: path.into() }));
        }
    }
}
