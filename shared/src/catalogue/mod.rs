//! The catalogue of all messages: an example for each rule, and what the rules say to it.
//!
//! `docs/messages.md` is made of it, and tests hold the rules to it.

mod errors;
mod page;
mod warnings;

use jiff::civil::{Date, date};
use serde_json::{Value, json};

use crate::rules::{self, DefaultVersions, Observed, Rule, Subject, Verdict};

pub use page::page;

/// The day the examples are judged on, unless one names another.
const TODAY: Date = date(2026, 11, 23);

/// YAML that draws one message, or several of one rule.
#[derive(Clone, Debug)]
pub struct Example {
    /// The rule it is an example of.
    pub rule: Rule,
    /// Rules that it cannot help drawing as well.
    pub besides: &'static [Rule],
    /// The day it is judged on.
    pub today: Date,
    /// What is asked for.
    pub request: Request,
}

/// A request of the API server, with its objects as YAML. A name that is not written is `orders`.
#[derive(Clone, Copy, Debug)]
pub enum Request {
    /// An object is created.
    Create(&'static str),
    /// An object is changed from one form to another.
    Update(&'static str, &'static str),
    /// The same, when the service that fills in defaults was not asked.
    Replace(&'static str, &'static str),
    /// An object is deleted.
    Delete(&'static str),
}

/// Every example, in the order of the rules. A rule has one or more.
pub fn examples() -> impl Iterator<Item = Example> {
    Rule::ALL.iter().flat_map(|rule| {
        let all = errors::EXAMPLES.iter().chain(warnings::EXAMPLES);
        all.filter(|example| example.rule == *rule).cloned()
    })
}

impl Example {
    const fn new(rule: Rule, request: Request) -> Self {
        Self { rule, besides: &[], today: TODAY, request }
    }

    const fn create(rule: Rule, object: &'static str) -> Self {
        Self::new(rule, Request::Create(object))
    }

    const fn update(rule: Rule, before: &'static str, after: &'static str) -> Self {
        Self::new(rule, Request::Update(before, after))
    }

    const fn besides(mut self, rules: &'static [Rule]) -> Self {
        self.besides = rules;
        self
    }

    const fn on(mut self, today: Date) -> Self {
        self.today = today;
        self
    }

    /// What the rules answer to it.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn verdict(&self) -> Result<Verdict, serde_yaml_ng::Error> {
        Ok(match self.request {
            Request::Create(object) => rules::create(&Object::parse(object)?.subject(), self.today),
            Request::Update(before, after) => {
                rules::update(&Object::parse(after)?.subject(), &Object::parse(before)?.subject(), self.today)
            }
            Request::Replace(before, after) => {
                rules::replace(&Object::parse(after)?.subject(), &Object::parse(before)?.subject(), self.today)
            }
            Request::Delete(object) => rules::delete(&Object::parse(object)?.spec),
        })
    }

    /// The messages of its rule, as people see them.
    ///
    /// # Errors
    /// When it is no YAML.
    pub fn messages(&self) -> Result<Vec<String>, serde_yaml_ng::Error> {
        let verdict = self.verdict()?;
        let errors = verdict.errors.iter().filter(|error| error.rule == self.rule).map(ToString::to_string);
        let warnings = verdict.warnings.iter().filter(|warning| warning.rule == self.rule).map(ToString::to_string);
        Ok(errors.chain(warnings).collect())
    }
}

/// The parts of an object that are judged.
struct Object {
    name: Option<String>,
    generate_name: Option<String>,
    spec: Value,
    observed: Observed,
}

impl Object {
    fn parse(yaml: &str) -> Result<Self, serde_yaml_ng::Error> {
        let object: Value = serde_yaml_ng::from_str(yaml)?;
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let generate_name = text("/metadata/generateName");
        let gibibytes = object.pointer("/status/allocatedStorageGiB").cloned().unwrap_or_default();
        Ok(Self {
            name: text("/metadata/name").or_else(|| generate_name.is_none().then(|| "orders".to_owned())),
            generate_name,
            spec: object.get("spec").cloned().unwrap_or_default(),
            observed: Observed {
                created: object.pointer("/status/instance/created") == Some(&json!(true)),
                allocated: serde_json::from_value(gibibytes).ok(),
                engine_version: text("/status/engineVersion"),
                master_user: text("/status/instance/masterUser"),
            },
        })
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            name: self.name.as_deref(),
            generate_name: self.generate_name.as_deref(),
            spec: &self.spec,
            last_applied: None,
            observed: Some(&self.observed),
            versions: DefaultVersions::BUILT_IN,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::rules::Severity;

    #[test]
    fn every_rule_is_reached_from_yaml() {
        let reached: BTreeSet<Rule> = examples().map(|example| example.rule).collect();
        let missing: Vec<&Rule> = Rule::ALL.iter().filter(|rule| !reached.contains(rule)).collect();
        assert!(missing.is_empty(), "no example for {missing:?}");
    }

    #[test]
    fn no_example_draws_another_rule_than_it_claims() {
        for example in examples() {
            let verdict = example.verdict().unwrap_or_else(|error| panic!("{example:?}: {error}"));
            let errors: BTreeSet<Rule> = verdict.errors.iter().map(|error| error.rule).collect();
            let warnings: BTreeSet<Rule> = verdict.warnings.iter().map(|warning| warning.rule).collect();
            let claimed = || [example.rule].into_iter().chain(example.besides.iter().copied()).collect::<BTreeSet<_>>();
            match example.rule.severity() {
                // Whoever is refused has the warnings as well; they are no matter of the example.
                Severity::Error(_) => assert_eq!(errors, claimed(), "{example:?}"),
                Severity::Warning => assert_eq!((errors, warnings), (BTreeSet::new(), claimed()), "{example:?}"),
            }
        }
    }

    #[test]
    fn messages_are_whole_and_on_one_line() {
        for example in examples() {
            for message in example.messages().unwrap() {
                assert!(!message.contains('\n') && !message.ends_with('.'), "{message}");
                if example.rule.severity() == Severity::Warning {
                    assert!(message.chars().count() <= rules::WARNING_LIMIT && !message.contains('…'), "{message}");
                }
            }
        }
    }
}
