//! Values and where they are written.

use serde_json::Map;

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, from 1, in Unicode characters.
    pub(crate) column: usize,
}

/// A range in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    /// The first character.
    pub(crate) start: Position,
    /// What comes after the last character.
    pub(crate) end: Position,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// The value.
    pub(crate) value: Value,
    /// Where it is written; for an alias, where its anchor is.
    pub(crate) span: Span,
    /// Where the alias stands that leads to it.
    pub(crate) alias: Option<Span>,
    /// The characters of a plain scalar which YAML reads as something that looks different, such as `12.10` or `yes`.
    pub(crate) written: Option<String>,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Null, a boolean, a number or a text.
    Scalar(serde_json::Value),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order it is written.
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The key as JSON has it.
    pub(crate) key: String,
    /// Where the key is written.
    pub(crate) key_span: Span,
    /// The characters of a key that YAML reads as something else, such as `no`.
    pub(crate) written: Option<String>,
    /// Whether it came by a merge key (`<<`), so that writing it again is no mistake.
    pub(crate) merged: bool,
    /// The value.
    pub(crate) value: Node,
}

impl Node {
    /// The value of a key, unless it is absent or this is no map.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The entries, none where this is no map.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Scalar(_) | Value::List(_) => &[],
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(value) => value.as_str(),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The text of a key, if this is a map and the key's value a text.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// Whether it is null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value, Value::Scalar(serde_json::Value::Null))
    }

    /// The value as the API server gets it.
    pub(crate) fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Scalar(value) => value.clone(),
            Value::List(items) => items.iter().map(Self::json).collect(),
            Value::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), entry.value.json()));
                serde_json::Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }
}
