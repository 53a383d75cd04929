//! Held to `sigs.k8s.io/yaml`, and what kubectl does not tell.

use serde_json::{Value as Json, json};

use super::*;

/// What kubectl makes of some YAML; `tests/kubectl-yaml/main.go` writes it.
const ANSWERS: &str = include_str!("../../../../tests/kubectl-yaml/answers.json");

/// Go writes large floats in more digits than they have.
fn same(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Number(ours), Json::Number(theirs)) => ours == theirs || ours.as_f64() == theirs.as_f64(),
        (Json::Array(ours), Json::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Json::Object(ours), Json::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours.iter().all(|(key, value)| theirs.get(key).is_some_and(|theirs| same(value, theirs)))
        }
        _ => ours == theirs,
    }
}

#[test]
fn yaml_means_what_it_means_to_kubectl() {
    let answers: Vec<Json> = serde_json::from_str(ANSWERS).unwrap();
    assert!(answers.len() > 150);
    let mut wrong = Vec::new();
    for answer in &answers {
        let yaml = answer["yaml"].as_str().unwrap();
        let ours = load(yaml, 1).map(|mut documents| documents.pop());
        match (answer.get("json"), ours) {
            (Some(theirs), Ok(ours)) => {
                let value = ours.as_ref().map_or(Json::Null, |document| document.root.json());
                let mistakes = ours.map(|document| document.mistakes).unwrap_or_default();
                // kubectl says nothing of a key that is there twice, and takes the last.
                if !same(&value, theirs) || mistakes.iter().any(|mistake| !mistake.duplicate) {
                    wrong.push(format!("{yaml:?} is {value} here ({mistakes:?}), and {theirs} to kubectl"));
                }
            }
            (Some(theirs), Err(mistake)) => {
                wrong.push(format!("{yaml:?} is {theirs} to kubectl, and not read here: {mistake:?}"));
            }
            (None, Ok(Some(document))) if document.mistakes.is_empty() => {
                wrong.push(format!("{yaml:?} is {} here, and not read by kubectl", document.root.json()));
            }
            (None, _) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn mistakes(text: &str) -> Vec<(usize, usize, String)> {
    let documents = load(text, 1).unwrap();
    let mistakes = documents.into_iter().flat_map(|document| document.mistakes);
    mistakes.map(|one| (one.span.start.line, one.span.start.column, one.message)).collect()
}

#[test]
fn a_key_that_is_there_twice_is_told_at_its_second_place() {
    assert_eq!(
        mistakes("a: 1\nb:\n  c: 1\n  c: 2\n"),
        [(4, 3, "the key \"c\" is here a second time, after line 3: only the last would count".to_owned())]
    );
    // YAML reads both as true.
    assert_eq!(
        mistakes("{yes: 1, on: 2}"),
        [(
            1,
            10,
            "the key \"true\" is here a second time, after line 1: only the last would count; YAML reads on as \"true\"".to_owned()
        )]
    );
    assert!(mistakes("{0x10: 1, 16: 2}")[0].2.ends_with("; YAML reads 0x10 as \"16\""));
    assert!(mistakes("a: &x {b: 1}\nc: {<<: *x, b: 2}\n").is_empty());
}

#[test]
fn places_are_counted_from_the_document_s_first_line() {
    let documents = load("---\na:\n  - ü: \"x y\"\n", 10).unwrap();
    let item = &documents[0].root.get("a").unwrap().value;
    let Value::List(items) = item else { panic!("{item:?}") };
    let value = items[0].get("ü").unwrap();
    assert_eq!(value.span.start, Position { line: 12, column: 8 });
    assert_eq!(value.span.end, Position { line: 12, column: 13 });
    let error = load("a: [1", 7).unwrap_err();
    assert_eq!(error.span.start, Position { line: 7, column: 6 });
    assert_eq!(load("a: 1\n\nb: [1\n\n", 1).unwrap_err().span.start, Position { line: 3, column: 6 });
}

#[test]
fn what_would_not_end_is_refused() {
    assert!(load("a: &x [*x]\n", 1).is_err());
    let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    assert!(load(&deep, 1).is_err());
    let deep = "- ".repeat(200);
    assert!(load(&deep, 1).unwrap_err().message.contains("nested more than 128 levels deep"));
    let bomb: String = (1..10).fold("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(), |text, level| {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        format!("{text}a{level}: &a{level} [{below}]\n")
    });
    assert!(load(&bomb, 1).unwrap_err().message.contains("more than 1000000 values"));
}

#[test]
fn json_of_any_indentation_is_read() {
    let text = "{\n\t\"a\": \"b\\/c\",\n\t\"d\": {\"e\": [1, 2.5, true, null, \"x: y\"]}\n}\n";
    assert_eq!(load(text, 1).unwrap()[0].root.json(), serde_json::from_str::<Json>(text).unwrap());
    assert_eq!(load("{\"a\":{\"b\":1}}", 1).unwrap()[0].root.json(), json!({"a": {"b": 1}}));
}
