//! What the binary says of `tests/golden/manifests`, word for word. To record it anew: `UPDATE_GOLDEN=1 cargo test -p kubectl-rds`.

use std::env;
use std::fs;

use serde_json::Value;

use crate::program::{TODAY, golden_folder, run};

fn recorded(format: &str, file: &str) -> String {
    let ran = run(golden_folder(), &["check", "-f", "manifests", "-o", format, "--today", TODAY, "--color", "never"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let path = golden_folder().join(file);
    // The version of the program is no part of what is promised.
    let out = ran
        .out
        .replace(&format!("\"semanticVersion\": \"{}\"", env!("CARGO_PKG_VERSION")), "\"semanticVersion\": \"…\"");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &out).unwrap();
    }
    assert_eq!(out, fs::read_to_string(&path).unwrap(), "{}", path.display());
    out
}

#[test]
fn text_is_as_recorded() {
    let text = recorded("text", "findings.txt");
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn json_is_as_recorded() {
    let json: Value = serde_json::from_str(&recorded("json", "findings.json")).unwrap();
    assert_eq!(json["formatVersion"], 1);
}

#[test]
fn sarif_is_as_recorded_and_holds_together() {
    let log: Value = serde_json::from_str(&recorded("sarif", "findings.sarif")).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        let file = fs::read_to_string(golden_folder().join(uri)).unwrap();
        let region = &place["region"];
        let number = |key: &str| region[key].as_u64().unwrap();
        assert!((1..=file.lines().count() as u64).contains(&number("startLine")), "{result}");
        assert!((number("startLine"), number("startColumn")) <= (number("endLine"), number("endColumn")), "{result}");
        if let Some(snippet) = region["snippet"]["text"].as_str() {
            let line = file.lines().nth(usize::try_from(number("startLine")).unwrap() - 1).unwrap();
            assert_eq!(snippet, line.trim_end());
        }
    }
}

#[test]
fn the_example_manifests_are_admitted() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples");
    let ran = run(golden_folder(), &["check", examples]);
    assert_eq!(ran.code, 0, "{}", ran.out);
}
