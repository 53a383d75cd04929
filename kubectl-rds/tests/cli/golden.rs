//! What the binary says of `tests/golden/manifests`. To record it anew: `UPDATE_GOLDEN=1 cargo test -p kubectl-rds`.
//!
//! The words of admission's rules are left out: they are theirs, and `specs` compares them one by one.

use std::env;
use std::fs;

use serde_json::Value;
use shared::rules::Rule;

use crate::program::{TODAY, golden_folder, run};

fn printed(format: &str) -> String {
    let ran = run(golden_folder(), &["check", "-f", "manifests", "-o", format, "--today", TODAY, "--color", "never"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    ran.out
}

fn recorded(format: &str, file: &str) -> String {
    let out = without_words_of_admission(printed(format));
    // The version of the program is no part of what is promised.
    let version = format!("\"semanticVersion\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let out = out.replace(&version, "\"semanticVersion\": \"…\"");
    let path = golden_folder().join(file);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &out).unwrap();
    }
    assert_eq!(out, fs::read_to_string(&path).unwrap(), "{}", path.display());
    out
}

fn without_words_of_admission(mut out: String) -> String {
    let json: Value = serde_json::from_str(&printed("json")).unwrap();
    let findings = json["findings"].as_array().unwrap().iter();
    let of = |finding: &Value| {
        Some((finding["message"].as_str()?.to_owned(), Rule::of_id(finding["rule"].as_str()?)?, "message"))
    };
    let mut words: Vec<(String, Rule, &str)> = findings.filter_map(of).collect();
    words.extend(Rule::ALL.iter().flat_map(|rule| {
        [
            (format!("{}. {}", rule.title(), rule.advice()), *rule, "title and advice"),
            (rule.title().to_owned(), *rule, "title"),
            (rule.advice().to_owned(), *rule, "advice"),
        ]
    }));
    // A text may be a part of a longer one.
    words.sort_by_key(|(text, ..)| std::cmp::Reverse(text.len()));
    for (text, rule, what) in words {
        let escaped = serde_json::to_string(&text).unwrap();
        let (quoted, plain) = (format!("\"<{what} of {rule}>\""), format!("<{what} of {rule}>"));
        if what == "message" {
            out = out.replace(&escaped[1..escaped.len() - 1], &plain).replace(&text, &plain);
        } else {
            out = out.replace(&escaped, &quoted);
        }
    }
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
