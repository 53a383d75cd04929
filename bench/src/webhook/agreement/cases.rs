//! The reviews that both are asked: those on which they agreed in v0.1.0, whose rules the peer keeps.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::webhook::review::{self, Asked, Request, object};

/// One group of reviews a line: the tables and the catalogue of messages that the rules of v0.1.0 were held to, and more.
const REVIEWS: &str = include_str!("reviews.jsonl");

/// One review.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// What it is about.
    pub(super) what: String,
    path: String,
    operation: String,
    object: Value,
    old_object: Value,
    sub_resource: String,
}

impl Case {
    /// The review as a request.
    pub(super) fn request(&self) -> Result<Request> {
        let Self { path, operation, object, old_object, sub_resource, .. } = self;
        Request::of(path, &Asked { operation, object, old_object, sub_resource })
    }
}

/// The same, asked at some paths. Of an object there is what someone wrote; nothing where there is no object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    what: String,
    paths: Vec<String>,
    operation: String,
    #[serde(default)]
    object: Value,
    #[serde(default)]
    old_object: Value,
    #[serde(default)]
    sub_resource: String,
}

impl Written {
    fn cases(self) -> impl Iterator<Item = Case> {
        let Self { what, paths, operation, object, old_object, sub_resource } = self;
        let [object, old_object] = [stored(&object), stored(&old_object)];
        paths.into_iter().map(move |path| Case {
            what: format!("{path}: {what}"),
            path,
            operation: operation.clone(),
            object: object.clone(),
            old_object: old_object.clone(),
            sub_resource: sub_resource.clone(),
        })
    }
}

/// Everything that both are asked.
///
/// # Errors
/// When a line is no review.
pub(super) fn all() -> Result<Vec<Case>> {
    let lines =
        REVIEWS.lines().map(|line| serde_json::from_str(line).context(line)).collect::<Result<Vec<Written>>>()?;
    Ok(lines.into_iter().chain(made()).flat_map(Written::cases).collect())
}

/// The object as it is stored.
fn stored(written: &Value) -> Value {
    if written.is_null() {
        return Value::Null;
    }
    let mut whole = object(&written["spec"]);
    for (key, value) in written["metadata"].as_object().into_iter().flatten() {
        whole["metadata"][key] = value.clone();
    }
    if let Some(status) = written.get("status") {
        whole["status"] = status.clone();
    }
    whole
}

/// What is too long for a line, and the objects that are measured.
fn made() -> [Written; 3] {
    let nobody: Vec<String> = (0..500).map(|number| format!("nobody{number}")).collect();
    let nobodies: Map<_, _> = (0..500).map(|number| (format!("d{number}"), json!(nobody))).collect();
    let created = |what: &str, spec: &Value| Written {
        what: what.into(),
        paths: ["/mutate", "/validate"].map(str::to_owned).into(),
        operation: "CREATE".into(),
        object: json!({"spec": spec}),
        old_object: Value::Null,
        sub_resource: String::new(),
    };
    [
        created("500 databases of 500 strangers", &json!({"databases": nobodies})),
        created("the small object that is measured", &review::small_spec()),
        created("the large object that is measured", &review::large_spec()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reviews_are_those_of_v0_1_0() {
        assert_eq!(all().unwrap().len(), 572);
    }
}
