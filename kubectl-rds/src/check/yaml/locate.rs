//! From the field of a message to its place in the file.

use shared::rules::shown_key;

use super::node::{Entry, Node, Span, Value};

/// What of a map's entry a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Its key, such as the name of an unknown field.
    Key,
    /// Its value, where that is a scalar. A list or map is too long to point at, and null may have no characters: then the key.
    Value,
}

/// Where a field is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The place of the field, or of the nearest parent that exists.
    pub(crate) span: Span,
    /// The alias that leads there.
    pub(crate) alias: Option<Span>,
    /// What is written there, where YAML reads it as something that looks different, and how it reads it.
    pub(crate) reading: Option<(String, String)>,
}

/// Where the field `path` (such as `spec.databases[orders][1]`) of an object is written.
pub(crate) fn locate(root: &Node, path: &str, aim: Aim) -> Location {
    let mut found = Step { node: root, key: None };
    let mut alias = root.alias;
    let mut rest = path;
    while let Some((step, further)) = found.next(rest) {
        alias = step.node.alias.or(alias);
        (found, rest) = (step, further);
    }
    found.location(alias, if rest.is_empty() { aim } else { Aim::Key })
}

/// A value on the way, with the entry it is the value of.
struct Step<'a> {
    node: &'a Node,
    key: Option<&'a Entry>,
}

impl<'a> Step<'a> {
    fn next<'p>(&self, path: &'p str) -> Option<(Step<'a>, &'p str)> {
        match &self.node.value {
            Value::Scalar(_) => None,
            Value::List(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                let node = items.get(index.parse::<usize>().ok()?)?;
                Some((Step { node, key: None }, rest))
            }
            Value::Map(entries) => entries
                .iter()
                .filter_map(|entry| Some((entry, after_key(path, &shown_key(&entry.key))?)))
                // A key may hold dots, so that the longer one is meant.
                .min_by_key(|(_, rest)| rest.len())
                .map(|(entry, rest)| (Step { node: &entry.value, key: Some(entry) }, rest)),
        }
    }

    fn location(&self, alias: Option<Span>, aim: Aim) -> Location {
        let scalar = match &self.node.value {
            Value::Scalar(value) if !value.is_null() => Some(value),
            _ => None,
        };
        match (self.key, scalar) {
            (Some(key), scalar) if aim == Aim::Key || scalar.is_none() => {
                let reading = key.written.clone().map(|written| (written, format!("{:?}", key.key)));
                Location { span: key.key_span, alias: if key.merged { alias } else { None }, reading }
            }
            (None, None) if !self.node.entries().is_empty() => {
                Location { span: self.node.entries()[0].key_span, alias, reading: None }
            }
            (_, scalar) => {
                let reading = self.node.written.clone().zip(scalar.map(ToString::to_string));
                Location { span: self.node.span, alias, reading }
            }
        }
    }
}

/// What comes after a key at the front of a path.
fn after_key<'p>(path: &'p str, key: &str) -> Option<&'p str> {
    if let Some(rest) = path.strip_prefix('[') {
        return rest.strip_prefix(key)?.strip_prefix(']');
    }
    let rest = path.strip_prefix('.').unwrap_or(path).strip_prefix(key)?;
    (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::yaml::load::load;

    const TEXT: &str = "\
kind: X
metadata:
  labels: {a.b/c: one}
spec:
  size: 10
  users:
    app: &flags
      - createdb
      - \"no\tpe\"
    other: *flags
    \"a\\nb\": x
    no: []
  version: 12.10
  backup:
    retention:
";

    fn at(path: &str, aim: Aim) -> (usize, usize) {
        let document = load(TEXT, 1).unwrap().remove(0);
        let start = locate(&document.root, path, aim).span.start;
        (start.line, start.column)
    }

    #[test]
    fn fields_are_found_where_they_are_written() {
        for (path, place) in [
            ("kind", (1, 7)),
            ("spec.size", (5, 9)),
            ("spec.users[app]", (7, 5)),
            ("spec.users[app][0]", (8, 9)),
            ("spec.users[app][1]", (9, 9)),
            ("spec.users[a\\u{a}b]", (11, 13)),
            ("metadata.labels[a.b/c]", (3, 19)),
            ("metadata.labels.a.b/c", (3, 19)),
            // Null has no characters of its own.
            ("spec.backup.retention", (15, 5)),
        ] {
            assert_eq!(at(path, Aim::Value), place, "{path}");
        }
        assert_eq!(at("spec.size", Aim::Key), (5, 3));
    }

    #[test]
    fn what_is_missing_is_told_at_its_parent() {
        for (path, place) in [
            ("metadata.name", (2, 1)),
            ("spec.backup.every", (14, 3)),
            ("spec.users[app][7]", (7, 5)),
            ("spec.sizes", (4, 1)),
            ("status.x", (1, 1)),
        ] {
            assert_eq!(at(path, Aim::Value), place, "{path}");
        }
    }

    #[test]
    fn an_alias_is_told_beside_the_place_of_its_anchor() {
        let document = load(TEXT, 1).unwrap().remove(0);
        let location = locate(&document.root, "spec.users[other][0]", Aim::Value);
        assert_eq!((location.span.start.line, location.span.start.column), (8, 9));
        assert_eq!(location.alias.map(|span| (span.start.line, span.start.column)), Some((10, 12)));
        assert_eq!(locate(&document.root, "spec.users[app][0]", Aim::Value).alias, None);
    }

    #[test]
    fn what_yaml_reads_differently_is_told() {
        let document = load(TEXT, 1).unwrap().remove(0);
        let reading = |path| locate(&document.root, path, Aim::Value).reading;
        assert_eq!(reading("spec.version"), Some(("12.10".to_owned(), "12.1".to_owned())));
        assert_eq!(reading("spec.users[false]"), Some(("no".to_owned(), "\"false\"".to_owned())));
        assert_eq!(reading("spec.size"), None);
    }
}
