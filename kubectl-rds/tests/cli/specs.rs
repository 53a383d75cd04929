//! The specifications that admission is held to: the binary says of each what admission says.

use jiff::civil::Date;
use serde_json::{Value, json};
use shared::rules::{self, Subject, Verdict};

use crate::program::{Ran, TODAY, check};

#[path = "../../../shared/tests/specs/mod.rs"]
#[allow(dead_code, reason = "the changes are for those who have an old object")]
mod tables;

fn object(name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": {"name": name}, "spec": spec})
}

fn admission(name: &str, spec: &Value) -> Verdict {
    let today: Date = TODAY.parse().unwrap();
    rules::create(&Subject::new(name, spec), today)
}

/// Field, rule and message of what is said of an object, sorted.
type Said = Vec<(String, String, String)>;

fn said(ran: &Ran, name: &str, level: &str) -> Said {
    let json = ran.json();
    let findings = json["findings"].as_array().unwrap().iter();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let mut said: Said = findings
        .filter(|finding| finding["name"] == name && finding["level"] == level)
        .map(|finding| (text(finding, "field"), text(finding, "rule"), text(finding, "message")))
        .collect();
    said.sort();
    said
}

fn compare(specs: &[Value], write: impl Fn(&Value) -> String) {
    let names: Vec<String> = (0..specs.len()).map(|n| format!("object-{n}")).collect();
    let documents: Vec<String> = names.iter().zip(specs).map(|(name, spec)| write(&object(name, spec))).collect();
    let ran = check(&documents.join("\n---\n"), &[]);
    assert_eq!(ran.json()["summary"]["objects"], specs.len());
    for (name, spec) in names.iter().zip(specs) {
        let verdict = admission(name, spec);
        let mut errors: Said =
            verdict.errors.into_iter().map(|one| (one.field, one.rule.id().to_owned(), one.message)).collect();
        errors.sort();
        assert_eq!(said(&ran, name, "error"), errors, "{spec}");
        let mut warnings: Said =
            verdict.warnings.into_iter().map(|one| (one.field, one.rule.id().to_owned(), one.message)).collect();
        warnings.sort();
        assert_eq!(said(&ran, name, "warning"), warnings, "{spec}");
    }
}

fn as_json(object: &Value) -> String {
    serde_json::to_string_pretty(object).unwrap()
}

fn as_yaml(object: &Value) -> String {
    // It writes YAML 1.2, where yes is a text; kubectl reads a boolean.
    serde_yaml_ng::to_string(object).unwrap().replace(": yes\n", ": 'yes'\n")
}

#[test]
fn what_admission_refuses_is_refused_in_its_words() {
    let refused = tables::refused();
    let specs: Vec<Value> = refused.iter().map(|one| one.spec.clone()).collect();
    compare(&specs, as_json);
    compare(&specs, as_yaml);
    for one in refused {
        let ran = check(&as_yaml(&object("orders", &one.spec)), &[]);
        assert_eq!(ran.code, 1, "{}", one.spec);
        let errors = said(&ran, "orders", "error");
        assert!(
            errors.iter().any(|(field, _, message)| field == one.field && message.contains(one.said)),
            "{errors:?}"
        );
    }
}

#[test]
fn what_admission_admits_is_admitted_with_its_warnings() {
    let admitted = tables::admitted();
    compare(&admitted, as_json);
    compare(&admitted, as_yaml);
    let stream: Vec<String> =
        admitted.iter().enumerate().map(|(n, spec)| as_yaml(&object(&format!("object-{n}"), spec))).collect();
    assert_eq!(check(&stream.join("---\n"), &[]).code, 0);
}
