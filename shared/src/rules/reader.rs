//! Reading raw JSON field by field, with every violation kept.

use std::fmt;

use serde_json::{Map, Value};

use super::filled::Filled;
use super::path::Path;
use super::quote::{described, meant, one_of, quoted};
use super::violations::Violations;
use super::{Refusal, Rule, spellings};

/// Most users, databases, and users of one database: what the cost budget of the schema's CEL rules allows.
pub(crate) const ENTRY_LIMIT: usize = 500;

/// Most characters of any text: those of a class's name, the longest there is.
pub(crate) const TEXT_LIMIT: usize = 253;

/// Gives the values that have the right shape, and keeps the violations of those that have not.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) violations: Violations,
    /// How many hints may still be looked for that take long to find.
    pub(super) hints: usize,
}

impl Reader {
    /// Keeps a violation. Its words are only put together if it is told.
    pub(super) fn refuse(&mut self, field: &Path<'_>, rule: Rule, message: impl fmt::Display) {
        if self.violations.full() {
            self.violations.count();
        } else {
            self.violations.push(Refusal::new(rule, message.to_string()).at(field));
        }
    }

    /// The value of a result; its refusal is kept with the field.
    pub(super) fn take<T>(&mut self, field: &Path<'_>, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => return Some(value),
            Err(_) if self.violations.full() => self.violations.count(),
            Err(refusal) => self.violations.push(refusal.at(field)),
        }
        None
    }

    /// The entries of a map. Those that are null mean absent, but their names are judged like the others.
    pub(super) fn entries<'a>(
        &mut self,
        value: &'a Value,
        field: &Path<'_>,
        what: &str,
    ) -> Option<&'a Map<String, Value>> {
        match value {
            Value::Object(entries) if entries.len() <= ENTRY_LIMIT => Some(entries),
            Value::Object(entries) => {
                let message = format_args!("has {} {what}: at most {ENTRY_LIMIT} are allowed", entries.len());
                self.refuse(field, Rule::TooManyEntries, message);
                None
            }
            other => {
                let message = format_args!(
                    "must be a map from the names of {what} to lists, such as {{app: []}}, not {}",
                    described(other)
                );
                self.refuse(field, Rule::WrongType, message);
                None
            }
        }
    }

    /// A value that is a map of fields; `example` shows one.
    pub(super) fn map<'a>(&mut self, value: &'a Value, field: &Path<'_>, example: &str) -> Option<&'a Value> {
        if !value.is_object() {
            let message = format_args!("must be a map such as {example}, not {}", described(value));
            self.refuse(field, Rule::WrongType, message);
        }
        value.is_object().then_some(value)
    }

    /// The items of a list; none of one that is too long.
    pub(super) fn list<'a>(&mut self, value: &'a Value, field: &Path<'_>, limit: usize, what: &str) -> &'a [Value] {
        let Value::Array(items) = value else {
            let message = format_args!("must be a list of {what}, not {}", described(value));
            self.refuse(field, Rule::WrongType, message);
            return &[];
        };
        if items.len() > limit {
            let message = format_args!("has {} entries: at most {limit} are allowed", items.len());
            self.refuse(field, Rule::TooManyEntries, message);
            return &[];
        }
        items
    }

    pub(super) fn item<'a>(&mut self, value: &'a Value, field: &Path<'_>) -> Option<&'a str> {
        let text = value.as_str();
        if text.is_none() {
            if self.violations.full() {
                self.violations.count();
            } else {
                let refusal = Refusal::new(Rule::WrongType, format!("must be a text, not {}", described(value)));
                self.violations.push_hinted(refusal.at(field), spellings::of_value(value));
            }
        }
        self.bounded(text?, field)
    }

    /// The text, unless it is longer than any that is right: nothing is looked for in one that is.
    pub(super) fn bounded<'a>(&mut self, text: &'a str, field: &Path<'_>) -> Option<&'a str> {
        if text.len() <= TEXT_LIMIT || text.chars().count() <= TEXT_LIMIT {
            return Some(text);
        }
        let (length, shown) = (text.chars().count(), quoted(text));
        let message = format_args!("{shown} has {length} characters: no value has more than {TEXT_LIMIT}");
        self.refuse(field, Rule::LongText, message);
        None
    }

    /// A text that may be left out.
    pub(super) fn text<'a>(&mut self, map: &Filled<'a>, at: &Path<'_>, key: &str) -> Option<&'a str> {
        self.item(map.get(key)?, &at.field(key))
    }

    /// A text that has a default.
    pub(super) fn required_text<'a>(&mut self, map: &Filled<'a>, at: &Path<'_>, key: &str) -> Option<&'a str> {
        let value = self.required(map, at, key)?;
        self.item(value, &at.field(key))
    }

    /// A quantity: a text with a unit, which is easily forgotten, that has a default.
    pub(super) fn quantity<'a>(
        &mut self,
        map: &Filled<'a>,
        at: &Path<'_>,
        key: &str,
        (unit, rule): (&str, Rule),
    ) -> Option<&'a str> {
        let value = self.required(map, at, key)?;
        if let Value::Number(number) = value {
            let message = format_args!("{number} has no unit: write {}", quoted(&format!("{number}{unit}")));
            self.refuse(&at.field(key), rule, message);
            return None;
        }
        self.item(value, &at.field(key))
    }

    /// A value that has a default.
    pub(super) fn required<'a>(&mut self, map: &Filled<'a>, at: &Path<'_>, key: &str) -> Option<&'a Value> {
        let value = map.get(key);
        if value.is_none() {
            self.refuse(&at.field(key), Rule::DefaultsMissing, "is missing: its default was not filled in");
        }
        value
    }

    /// True or false; false where nothing is said.
    pub(super) fn boolean(&mut self, map: &Filled<'_>, at: &Path<'_>, key: &str) -> bool {
        self.choice(map, at, key).unwrap_or_default()
    }

    /// True or false, which may be left open.
    pub(super) fn choice(&mut self, map: &Filled<'_>, at: &Path<'_>, key: &str) -> Option<bool> {
        match map.get(key)? {
            Value::Bool(value) => Some(*value),
            other => {
                let hint = match other.as_str().unwrap_or_default().to_lowercase().as_str() {
                    "true" | "yes" | "on" => "; did you mean true?",
                    "false" | "no" | "off" => "; did you mean false?",
                    _ => "",
                };
                let message = format_args!("must be true or false, without quotes, not {}{hint}", described(other));
                self.refuse(&at.field(key), Rule::WrongType, message);
                None
            }
        }
    }

    /// Refuses keys that are none of the known ones.
    pub(super) fn unknown_keys(&mut self, map: &Value, at: &Path<'_>, known: &[&str], elsewhere: &[(&str, &str)]) {
        let keys = map.as_object().into_iter().flat_map(Map::keys);
        for key in keys.filter(|key| !known.contains(&key.as_str())) {
            if self.violations.full() {
                self.violations.count();
                continue;
            }
            let hint = meant(key, elsewhere, known.iter().copied());
            let message = format_args!("is not a field: {at} has {}{hint}", one_of(known.iter().copied()));
            self.refuse(&at.field(key), Rule::UnknownField, message);
        }
    }
}
