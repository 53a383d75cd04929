//! What a specification can make the rules do: however much it holds, they look at a part of it and say little.

use jiff::civil::{Date, date};
use serde_json::{Map, Value, json};
use shared::rules::{Rule, Subject, Verdict, create, update};

const TODAY: Date = date(2026, 11, 23);

/// Longest message about one value.
const MESSAGE: usize = 400;

fn subject<'a>(spec: &'a Value, last_applied: Option<&'a Value>) -> Subject<'a> {
    Subject { last_applied, ..Subject::new("orders", spec) }
}

fn created(spec: &Value) -> Verdict {
    create(&subject(spec, None), TODAY)
}

fn rules(verdict: &Verdict) -> Vec<Rule> {
    verdict.errors.iter().map(|error| error.rule).collect()
}

/// A specification with a text in each place where one may be.
fn with(text: &str) -> Vec<Value> {
    let mut specs: Vec<Value> =
        ["type", "version", "size", "masteruser", "className", "instanceClass", "deletionPolicy"]
            .map(|field| json!({field: text}))
            .to_vec();
    specs.extend(["every", "retention"].map(|field| json!({"backup": {field: text}})));
    specs.extend([json!({"users": {"app": [text]}}), json!({"databases": {"orders": [text]}})]);
    specs
}

#[test]
fn nothing_is_looked_for_in_a_text_that_is_longer_than_any() {
    for text in ["1.".repeat(127), "x".repeat(254), "1".repeat(300_000), "ä".repeat(254), "e1.".repeat(100_000)] {
        for spec in with(&text) {
            let verdict = created(&spec);
            assert_eq!(rules(&verdict), [Rule::LongText], "{verdict:?}");
            let message = &verdict.errors[0].message;
            assert!(message.contains(&format!("has {} characters", text.chars().count())), "{message}");
            assert!(message.len() < MESSAGE, "{message}");
        }
    }
    for text in ["1.".repeat(126), "x".repeat(253), "ä".repeat(253)] {
        for spec in with(&text) {
            assert!(!rules(&created(&spec)).contains(&Rule::LongText), "{spec}");
        }
    }
}

#[test]
fn names_are_told_by_their_beginning() {
    let text = "a".repeat(1_000_000);
    for spec in [json!({"users": {&text: []}}), json!({"databases": {&text: []}}), json!({&text: 1})] {
        let verdict = created(&spec);
        assert!(verdict.errors.iter().all(|error| error.to_string().len() < MESSAGE), "{:?}", rules(&verdict));
        assert_eq!(verdict.errors.len(), 1);
    }
    let (empty, before) = (json!({"users": {}}), json!({"users": {&text: []}}));
    let recorded = json!({"users": {&text: null}});
    let verdict = update(&subject(&empty, Some(&recorded)), &subject(&before, None), TODAY);
    assert_eq!(rules(&verdict), [Rule::RemovedByNull]);
    assert!(verdict.errors[0].to_string().len() < MESSAGE);
    for name in [&text[..], &"a.".repeat(500_000)] {
        for (name, generate_name) in [(Some(name), None), (None, Some(name))] {
            let verdict = create(&Subject { name, generate_name, ..subject(&empty, None) }, TODAY);
            assert_eq!(rules(&verdict), [Rule::LongObjectName]);
            assert!(verdict.errors[0].message.len() < MESSAGE);
        }
    }
}

/// A database of so many users who are almost `user`.
fn strangers(count: usize) -> Value {
    let members: Vec<String> = (0..count).map(|n| format!("user_of_the_shop_{n:03}")).collect();
    json!({"users": {"user_of_the_shop": []}, "databases": {"orders": members}})
}

#[test]
fn only_for_the_first_strangers_it_is_looked_for_who_was_meant() {
    let verdict = created(&strangers(100));
    let hinted = verdict.errors.iter().map(|error| error.message.contains("did you mean \"user_of_the_shop\"?"));
    assert_eq!(hinted.collect::<Vec<_>>(), [vec![true; 10], vec![false; 90]].concat());
}

#[test]
fn a_stranger_who_was_there_before_is_known_with_and_without_a_hint() {
    let mut new = strangers(30);
    new["databases"]["before"] = json!(["stranger"]);
    let verdict = update(&subject(&new, None), &subject(&strangers(30), None), TODAY);
    let errors: Vec<String> = verdict.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        ["spec.databases[before][0]: \"stranger\" is not in spec.users; to add the user, write stranger: [] there"]
    );
    assert_eq!(verdict.warnings.iter().filter(|warning| warning.rule == Rule::UnchangedMistake).count(), 30);
}

#[test]
fn an_entry_that_is_null_here_and_in_the_record_is_warned_of_once() {
    let nulls = |names: &[&str]| json!({"users": names.iter().map(|name| ((*name).to_owned(), Value::Null)).collect::<Map<_, _>>()});
    let (spec, recorded) = (nulls(&["a", "b"]), nulls(&["b", "c"]));
    let verdict = create(&subject(&spec, Some(&recorded)), TODAY);
    let fields =
        verdict.warnings.iter().filter(|warning| warning.rule == Rule::NullEntry).map(|warning| &*warning.field);
    assert_eq!(fields.collect::<Vec<_>>(), ["spec.users[a]", "spec.users[b]", "spec.users[c]"]);
}

#[test]
fn a_map_that_is_too_large_to_be_read_is_not_warned_of_entry_by_entry() {
    let nulls: Map<_, _> = (0..100_000).map(|n| (format!("u{n}"), Value::Null)).collect();
    let spec = json!({"users": nulls});
    for spec in [&spec, &json!({})] {
        let verdict = create(&subject(spec, Some(&json!({"users": nulls}))), TODAY);
        assert!(verdict.warnings.iter().all(|warning| warning.rule != Rule::NullEntry), "{}", verdict.warnings.len());
    }
}

#[test]
fn flags_that_are_not_told_are_counted() {
    let users: Map<_, _> = (0..500).map(|n| (format!("u{n}"), json!(vec!["createbd"; 14]))).collect();
    let verdict = created(&json!({"users": users}));
    assert_eq!(verdict.errors.len(), 101);
    assert!(verdict.errors[99].message.ends_with("did you mean \"createdb\"?"), "{}", verdict.errors[99]);
    assert_eq!(verdict.errors[100].to_string(), "spec: has 6900 more mistakes");
}
