//! An `RDSDatabase`, by the rules of admission.

use std::sync::LazyLock;

use jiff::civil::Date;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use shared::rules::{DefaultVersions, Subject, create};

use super::found::Found;
use super::schema::{installed, unknown_fields};
use super::yaml::node::Node;

/// The schema of the status. What it holds is thrown away when an object is created, but not before its fields are known.
static STATUS: LazyLock<JSONSchemaProps> = LazyLock::new(|| installed("RDSDatabase", "status"));

/// Asks admission whether the object may be created.
pub(super) fn check(object: &Node, today: Date, versions: DefaultVersions, found: &mut Vec<Found>) {
    let metadata = |key| object.get("metadata").and_then(|metadata| metadata.text_of(key));
    let spec = object.get("spec").map_or(serde_json::Value::Null, Node::json);
    let subject = Subject {
        name: metadata("name"),
        generate_name: metadata("generateName"),
        spec: &spec,
        // kubectl records what is applied, which is this very specification.
        last_applied: None,
        observed: None,
        versions,
    };
    if let Some(status) = object.get("status") {
        unknown_fields(&status.json(), &STATUS, "status", found);
    }
    let verdict = create(&subject, today);
    found.extend(verdict.errors.into_iter().map(|error| Found::new(error.field, error.rule, error.message)));
    found.extend(verdict.warnings.into_iter().map(|warning| Found::new(warning.field, warning.rule, warning.message)));
}
