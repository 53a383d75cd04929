//! Reading raw JSON field by field, with every violation kept.

use serde_json::{Map, Value};

use super::quote::{described, meant, one_of, quoted};
use super::raw::present;
use super::violations::Violations;
use super::{Refusal, Rule};

/// Most users, databases, and users of one database: what the cost budget of the schema's CEL rules allows.
pub(crate) const ENTRY_LIMIT: usize = 500;

/// Gives the values that have the right shape, and keeps the violations of those that have not.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) violations: Violations,
}

impl Reader {
    pub(super) fn refuse(&mut self, field: impl Into<String>, rule: Rule, message: impl Into<String>) {
        self.violations.push(Refusal::new(rule, message).at(field));
    }

    /// The value of a result; its refusal is kept with the field.
    pub(super) fn take<T>(&mut self, field: &str, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.violations.push(refusal.at(field))).ok()
    }

    /// The entries of a map. Those that are null mean absent, but their names are judged like the others.
    pub(super) fn entries<'a>(
        &mut self,
        map: &'a Map<String, Value>,
        key: &str,
        what: &str,
    ) -> Vec<(&'a str, &'a Value)> {
        let field = format!("spec.{key}");
        match present(map, key) {
            None => Vec::new(),
            Some(Value::Object(entries)) => {
                if entries.len() > ENTRY_LIMIT {
                    let message = format!("has {} {what}: at most {ENTRY_LIMIT} are allowed", entries.len());
                    self.refuse(field, Rule::TooManyEntries, message);
                    return Vec::new();
                }
                entries.iter().map(|(key, value)| (key.as_str(), value)).collect()
            }
            Some(other) => {
                let message = format!(
                    "must be a map from the names of {what} to lists, such as {{app: []}}, not {}",
                    described(other)
                );
                self.refuse(field, Rule::WrongType, message);
                Vec::new()
            }
        }
    }

    pub(super) fn list<'a>(
        &mut self,
        field: &str,
        value: &'a Value,
        limit: usize,
        what: &str,
    ) -> Vec<(usize, &'a Value)> {
        let Value::Array(items) = value else {
            self.refuse(field, Rule::WrongType, format!("must be a list of {what}, not {}", described(value)));
            return Vec::new();
        };
        if items.len() > limit {
            let message = format!("has {} entries: at most {limit} are allowed", items.len());
            self.refuse(field, Rule::TooManyEntries, message);
            return Vec::new();
        }
        items.iter().enumerate().collect()
    }

    pub(super) fn item<'a>(&mut self, field: &str, value: &'a Value) -> Option<&'a str> {
        if value.is_string() {
            return value.as_str();
        }
        self.refuse(field, Rule::WrongType, format!("must be a text, not {}", described(value)));
        None
    }

    pub(super) fn text<'a>(&mut self, map: &'a Map<String, Value>, field: &str, key: &str) -> Option<&'a str> {
        let value = present(map, key)?;
        self.item(field, value)
    }

    /// A quantity: a text with a unit, which is easily forgotten.
    pub(super) fn quantity<'a>(
        &mut self,
        map: &'a Map<String, Value>,
        field: &str,
        key: &str,
        (unit, rule): (&str, Rule),
    ) -> Option<&'a str> {
        if let Some(Value::Number(number)) = map.get(key) {
            let message = format!("{number} has no unit: write {}", quoted(&format!("{number}{unit}")));
            self.refuse(field, rule, message);
            return None;
        }
        self.required_text(map, field, key)
    }

    pub(super) fn required_text<'a>(&mut self, map: &'a Map<String, Value>, field: &str, key: &str) -> Option<&'a str> {
        if present(map, key).is_none() {
            self.missing(field);
        }
        self.text(map, field, key)
    }

    pub(super) fn missing(&mut self, field: &str) {
        self.refuse(field, Rule::DefaultsMissing, "is missing: its default was not filled in");
    }

    pub(super) fn boolean(&mut self, map: &Map<String, Value>, key: &str) -> bool {
        match present(map, key) {
            None => false,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                let hint = match other.as_str().unwrap_or_default().to_lowercase().as_str() {
                    "true" | "yes" | "on" => "; did you mean true?",
                    "false" | "no" | "off" => "; did you mean false?",
                    _ => "",
                };
                let message = format!("must be true or false, without quotes, not {}{hint}", described(other));
                self.refuse(format!("spec.{key}"), Rule::WrongType, message);
                false
            }
        }
    }

    pub(super) fn unknown_keys(
        &mut self,
        prefix: &str,
        map: &Map<String, Value>,
        known: &[&str],
        elsewhere: &[(&str, &str)],
    ) {
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            if self.violations.full() {
                self.violations.count();
                continue;
            }
            let hint = meant(key, elsewhere, known.iter().copied());
            let field = format!("{prefix}.{}", shown_key(key));
            let message = format!("is not a field: {prefix} has {}{hint}", one_of(known.iter().copied()));
            self.refuse(field, Rule::UnknownField, message);
        }
    }
}

/// A key as it stands in a path: short, and without characters that would disguise the rest.
pub fn shown_key(key: &str) -> String {
    quoted(key).trim_matches('"').to_owned()
}

pub(super) fn keyed(prefix: &str, key: &str) -> String {
    format!("{prefix}[{}]", shown_key(key))
}
