//! Names that YAML reads as something else are told as they are written, at their place.

use serde_json::Value;

use crate::program::check;

const TEXT: &str = "\
apiVersion: matrixmind.cloud/v1
kind: RDSDatabase
metadata: {name: orders}
spec:
  version: \"18\"
  size: 20Gi
  users:
    yes: []
    0x10: []
    1e3: []
    app: [on]
    1e6: []
    \"no\": []
  databases:
    off: [app]
    orders: [app, y, 1_000, \"no\"]
    12.10: []
    2026-01-01: []
";

#[test]
fn what_yaml_reads_as_something_else_is_named_as_it_is_written() {
    let ran = check(TEXT, &[]);
    let json = ran.json();
    let told = |finding: &Value| {
        let number = |key: &str| finding[key].as_u64().unwrap();
        (number("line"), number("column"), finding["notes"][0].as_str().unwrap_or_default().to_owned())
    };
    let told: Vec<_> = json["findings"].as_array().unwrap().iter().map(told).collect();
    let expected = [
        (8, 5, "YAML reads yes as \"true\""),
        (9, 5, "YAML reads 0x10 as \"16\""),
        (10, 5, "YAML reads 1e3 as \"1000\""),
        (11, 11, "YAML reads on as true"),
        (12, 5, "YAML reads 1e6 as \"1e+06\""),
        (15, 5, "YAML reads off as \"false\""),
        (16, 19, "YAML reads y as true"),
        (16, 22, "YAML reads 1_000 as 1000"),
        (17, 5, "YAML reads 12.10 as \"12.1\""),
        // It is a text to kubectl, and no name.
        (18, 5, ""),
    ];
    assert_eq!(told, expected.map(|(line, column, note)| (line, column, note.to_owned())), "{}", ran.out);
}

#[test]
fn null_is_no_name() {
    for key in ["~", "null"] {
        let ran = check(&TEXT.replace("yes: []", &format!("{key}: []")), &[]);
        let json = ran.json();
        let finding = json["findings"].as_array().unwrap().iter().find(|finding| finding["rule"] == "yaml-value");
        assert_eq!(finding.map(|finding| &finding["line"]), Some(&8.into()), "{}", ran.out);
    }
}
