//! An `RDSDatabaseClass`, by its schema: classes have no webhook.

use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use shared::rules::{Rule, Size, quoted, shown_key};

use super::found::Found;
use super::rule::FileRule;
use super::schema::{installed, unknown_fields, validate};
use super::spelling::{SUBDOMAIN_LIMIT, is_subdomain};
use super::yaml::node::Node;

/// Longest key of a tag (RDS API reference, `Tag`).
const TAG_KEY_LIMIT: usize = 128;

/// What keys of tags may not begin with: AWS keeps the first two, the operator the third.
const RESERVED_TAGS: [&str; 3] = ["aws:", "rds:", "matrixmind.cloud/"];

/// The schema of the specification, as it is installed.
static SPEC: LazyLock<JSONSchemaProps> = LazyLock::new(|| installed("RDSDatabaseClass", "spec"));

/// The schema of the status. What it holds is thrown away when a class is created, but not before its fields are known.
static STATUS: LazyLock<JSONSchemaProps> = LazyLock::new(|| installed("RDSDatabaseClass", "status"));

/// Checks name, specification and the fields of a status.
pub(super) fn check(object: &Node, found: &mut Vec<Found>) {
    for key in ["name", "generateName"] {
        let Some(name) = object.get("metadata").and_then(|metadata| metadata.text_of(key)) else { continue };
        // What is generated follows the hyphen.
        let judged = if key == "generateName" && name.ends_with('-') { format!("{name}a") } else { name.to_owned() };
        if !name.is_empty() && !is_subdomain(&judged) {
            let message = format!(
                "{} cannot name a class: at most {SUBDOMAIN_LIMIT} lower-case letters, digits, - and ., first and last a letter or digit",
                quoted(name)
            );
            found.push(Found::new(format!("metadata.{key}"), Rule::MalformedObjectName, message));
        }
    }
    if let Some(status) = object.get("status") {
        unknown_fields(&status.json(), &STATUS, "status", found);
    }
    let Some(spec) = object.get("spec").filter(|spec| !spec.is_null()) else {
        found.push(Found::new(
            "spec",
            FileRule::MalformedClass,
            "is missing: write spec: {} for a class without limits",
        ));
        return;
    };
    validate(&spec.json(), &SPEC, "spec", found);
    tags(spec, found);
    max_size(spec, found);
}

/// The one rule of the schema that is written in CEL and needs no old object.
fn tags(spec: &Node, found: &mut Vec<Found>) {
    let Some(tags) = spec.get("tags") else { return };
    for entry in tags.entries().iter().filter(|entry| !entry.value.is_null()) {
        let key = entry.key.as_str();
        let field = format!("spec.tags[{}]", shown_key(key));
        if let Some(prefix) = RESERVED_TAGS.into_iter().find(|prefix| key.starts_with(prefix)) {
            let message = format!("{} is reserved: keys of tags do not begin with {prefix}", quoted(key));
            found.push(Found::new(field, FileRule::MalformedClass, message).at_key());
        } else if key.chars().count() > TAG_KEY_LIMIT {
            let message = format!("has {} characters: keys of tags have at most {TAG_KEY_LIMIT}", key.chars().count());
            found.push(Found::new(field, FileRule::MalformedClass, message).at_key());
        }
    }
}

/// The words of a database's size fit a class's as well.
fn max_size(spec: &Node, found: &mut Vec<Found>) {
    let Some(text) = spec.text_of("maxSize") else { return };
    if let Err(refusal) = Size::parse(text) {
        found.retain(|one| one.field != "spec.maxSize");
        found.push(Found::new("spec.maxSize", refusal.rule, refusal.message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::yaml::load::load;

    fn found(spec: &str) -> Vec<String> {
        let mut found = Vec::new();
        let text = format!("metadata: {{name: standard}}\nspec: {spec}\n");
        check(&load(&text, 1).unwrap()[0].root, &mut found);
        found.into_iter().map(|one| format!("{}: {}", one.field, one.message)).collect()
    }

    #[test]
    fn the_schema_is_there() {
        assert!(SPEC.properties.as_ref().is_some_and(|properties| properties.len() > 10));
    }

    #[test]
    fn the_rules_that_the_schema_writes_in_cel_are_those_that_are_known_here() {
        let rules: Vec<_> = SPEC
            .properties
            .iter()
            .flatten()
            .flat_map(|(name, schema)| {
                schema.x_kubernetes_validations.iter().flatten().map(move |rule| (name, &rule.rule))
            })
            .collect();
        assert_eq!(rules.len(), 1, "{rules:?}");
        assert_eq!(rules[0].0, "tags");
        for text in RESERVED_TAGS.into_iter().map(ToOwned::to_owned).chain([TAG_KEY_LIMIT.to_string()]) {
            assert!(rules[0].1.contains(&text), "{text}");
        }
        assert!(SPEC.x_kubernetes_validations.is_none());
    }

    #[test]
    fn a_class_that_can_be_is_not_told_of() {
        for spec in [
            "{}",
            "{provider: aws, region: eu-central-1, tags: {cost-center: shared}, maxSize: 500GB}",
            "{provider: null, allowedDeletionPolicies: [Snapshot, Retain], allowedNamespaces: {matchLabels: {a: b}}}",
            "{securityGroups: [sg-0123456789abcdef0], allowCreaterole: false}",
            "{allowedInstanceClasses: [db.*, db.t4g.*, db.t4g.micro, db.x2iedn.8xlarge.tpc2.mem2x], allowedVersions: null}",
            "{allowedVersions: [\"17\", \"16.4\", \"12.22-rds.20250814\"], maxRetention: 7d}",
            "{maxRetention: 35d}",
            "{maxRetention: 5w}",
            "{maxRetention: 3650d}",
            "{tags: {a: null, \"aws:b\": null}, allowedNamespaces: {matchLabels: {a: null}, matchExpressions: null}}",
            "{allowedNamespaces: {matchExpressions: [{key: a, operator: Exists, values: null}]}}",
        ] {
            assert_eq!(found(spec), [""; 0], "{spec}");
        }
    }

    #[test]
    fn a_status_is_nobodys_to_write_but_its_fields_are_known() {
        for (status, said) in [("{databases: 1, conditions: []}", None), ("{database: 1}", Some("status.database"))] {
            let mut found = Vec::new();
            let text = format!("metadata: {{name: standard}}\nspec: {{}}\nstatus: {status}\n");
            check(&load(&text, 1).unwrap()[0].root, &mut found);
            assert_eq!(found.first().map(|one| one.field.as_str()), said, "{status}: {found:?}");
        }
    }

    #[test]
    fn names_are_subdomains_given_or_generated() {
        for (metadata, told) in [
            ("{name: gold.eu}", false),
            ("{name: Gold}", true),
            ("{name: gold-}", true),
            ("{generateName: gold-}", false),
            ("{generateName: gold--}", false),
            ("{generateName: Gold-}", true),
            ("{generateName: gold.-}", true),
            ("{generateName: gold.}", true),
        ] {
            let mut found = Vec::new();
            check(&load(&format!("metadata: {metadata}\nspec: {{}}\n"), 1).unwrap()[0].root, &mut found);
            assert_eq!(found.len(), usize::from(told), "{metadata}: {found:?}");
        }
    }

    #[test]
    fn each_mistake_names_its_field() {
        for (spec, said) in [
            ("null", "spec: is missing"),
            ("text", "spec: must be a map, not the text \"text\""),
            ("{regin: x}", "spec.regin: is not a field: spec has "),
            ("{regin: x}", "; did you mean \"region\"?"),
            ("{provider: gcp}", "spec.provider: \"gcp\" is not known: write aws"),
            ("{storageType: gp4}", "spec.storageType: \"gp4\" is not known: write gp3 or gp2; did you mean \"gp"),
            (
                "{region: Frankfurt}",
                "spec.region: \"Frankfurt\" does not fit: Region the databases live in, such as `eu-central-1`",
            ),
            (
                "{allowedDeletionPolicies: [Keep]}",
                "spec.allowedDeletionPolicies[0]: \"Keep\" is not known: write Snapshot, Retain or Delete",
            ),
            ("{allowedDeletionPolicies: []}", "spec.allowedDeletionPolicies: has 0 entries: at least 1"),
            (
                "{allowedDeletionPolicies: [Retain, Retain]}",
                "spec.allowedDeletionPolicies[1]: \"Retain\" is listed twice",
            ),
            ("{allowedInstanceClasses: []}", "spec.allowedInstanceClasses: has 0 entries: at least 1"),
            ("{allowedInstanceClasses: [db.t4g*]}", "spec.allowedInstanceClasses[0]: \"db.t4g*\" does not fit"),
            ("{allowedInstanceClasses: [t4g.micro]}", "spec.allowedInstanceClasses[0]: \"t4g.micro\" does not fit"),
            ("{allowedInstanceClasses: [db.t4g]}", "spec.allowedInstanceClasses[0]: \"db.t4g\" does not fit"),
            ("{allowedVersions: [17]}", "spec.allowedVersions[0]: must be a text, not the number 17"),
            ("{allowedVersions: [latest]}", "spec.allowedVersions[0]: \"latest\" does not fit"),
            ("{maxRetention: 6d}", "spec.maxRetention: \"6d\" does not fit"),
            ("{maxRetention: 36h}", "spec.maxRetention: \"36h\" does not fit"),
            ("{securityGroups: sg-1}", "spec.securityGroups: must be a list, not the text \"sg-1\""),
            ("{tags: {a: 1}}", "spec.tags[a]: must be a text, not the number 1"),
            ("{tags: {\"aws:x\": z}}", "spec.tags[aws:x]: \"aws:x\" is reserved"),
            ("{maxSize: 500}", "spec.maxSize: must be a text, not the number 500"),
            ("{maxSize: \"500\"}", "spec.maxSize: \"500\" is not a size"),
            ("{maxSize: 0GB}", "spec.maxSize: "),
            ("{subnetGroup: \"\"}", "spec.subnetGroup: has 0 characters: at least 1"),
            ("{allowCreaterole: \"no\"}", "spec.allowCreaterole: must be true or false, not the text \"no\""),
            ("{allowedNamespaces: {matchExpressions: [null]}}", "matchExpressions[0]: must be a map, not null"),
            (
                "{allowedNamespaces: {matchExpressions: [{key: a, operator: null}]}}",
                "spec.allowedNamespaces.matchExpressions[0].operator: is missing",
            ),
            (
                "{allowedNamespaces: {matchExpressions: [{key: a}]}}",
                "spec.allowedNamespaces.matchExpressions[0].operator: is missing",
            ),
        ] {
            let found = found(spec);
            assert_eq!(found.len(), 1, "{spec}: {found:?}");
            assert!(found[0].contains(said), "{spec}: {found:?}");
        }
    }
}
