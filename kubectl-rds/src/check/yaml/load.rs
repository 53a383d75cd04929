//! From the parser's events to values with their places.

use std::collections::HashMap;
use std::io::Read as _;
use std::mem;

use libyaml_safer::{Encoding, Event, EventData, Mark, Parser, ScalarStyle};

use super::node::{Entry, Node, Position, Span, Value};
use super::scalar;

/// Deepest nesting that is read; no object of Kubernetes comes near.
const DEPTH_LIMIT: usize = 128;

/// Most values of one document, those that aliases repeat included.
const NODE_LIMIT: usize = 1_000_000;

/// One document.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its value.
    pub(crate) root: Node,
    /// What is wrong with it, though it can be read.
    pub(crate) mistakes: Vec<Mistake>,
}

/// What is wrong with a document's YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Where.
    pub(crate) span: Span,
    /// Whether it is a key that is there twice.
    pub(crate) duplicate: bool,
    /// What, as a sentence.
    pub(crate) message: String,
}

impl Mistake {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, duplicate: false, message: message.into() }
    }
}

/// The documents of a text whose first line has this number in its file.
///
/// # Errors
/// The first mistake that keeps it from being read.
pub(crate) fn load(text: &str, first_line: usize) -> Result<Vec<Document>, Mistake> {
    let mut loader = Loader { first_line, end: end_of(text, first_line), ..Loader::default() };
    let mut parser = Parser::new();
    parser.set_encoding(Encoding::Utf8);
    // The parser's scanner counts on a line break at the end of a block (`|`), and fails without.
    parser.set_input(text.as_bytes().chain(b"\n".as_slice()));
    for event in parser {
        let Event { data, start_mark, end_mark, .. } = event.map_err(|error| loader.unreadable(&error))?;
        let span = Span { start: loader.position(start_mark), end: loader.position(end_mark) };
        loader.take(data, span)?;
    }
    Ok(loader.documents)
}

/// The place behind the last character. What the parser finds missing is missing there, not in lines that do not exist.
fn end_of(text: &str, first_line: usize) -> Position {
    let text = text.trim_end();
    let (lines, last) = (text.matches('\n').count(), text.rsplit('\n').next().unwrap_or_default());
    Position { line: first_line + lines, column: last.chars().count() + 1 }
}

/// A list or map whose end was not met yet.
struct Open {
    anchor: Option<String>,
    start: Span,
    /// How many values there were before it.
    before: usize,
    kind: OpenKind,
}

enum OpenKind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, by_key: HashMap<String, usize>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    node: Node,
    /// Whether it is `<<`.
    merge: bool,
}

#[derive(Default)]
struct Loader {
    first_line: usize,
    end: Position,
    documents: Vec<Document>,
    mistakes: Vec<Mistake>,
    stack: Vec<Open>,
    /// What anchors name, with the number of values in it.
    anchors: HashMap<String, (Node, usize)>,
    nodes: usize,
}

impl Loader {
    fn position(&self, mark: Mark) -> Position {
        // No text in memory is too long for a usize.
        let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Position { line: self.first_line + number(mark.line), column: number(mark.column) + 1 }.min(self.end)
    }

    fn unreadable(&self, error: &libyaml_safer::Error) -> Mistake {
        let start = error.problem_mark().map_or(self.end, |mark| self.position(mark));
        let context = error.context().map(|context| format!(" {context}")).unwrap_or_default();
        Mistake::new(Span { start, end: start }, format!("this is no YAML: {}{context}", error.problem()))
    }

    fn take(&mut self, event: EventData, span: Span) -> Result<(), Mistake> {
        match event {
            EventData::DocumentStart { .. } => {
                self.anchors.clear();
                self.nodes = 0;
                Ok(())
            }
            EventData::Scalar { anchor, tag, value, style, .. } => {
                let before = self.nodes;
                let (node, merge) = self.scalar(&value, style, tag.as_deref(), span);
                self.close(node, merge, anchor, before)
            }
            EventData::SequenceStart { anchor, .. } => self.open(anchor, span, OpenKind::List(Vec::new())),
            EventData::MappingStart { anchor, .. } => {
                self.open(anchor, span, OpenKind::Map { entries: Vec::new(), by_key: HashMap::new(), key: None })
            }
            EventData::SequenceEnd | EventData::MappingEnd => {
                let Some(open) = self.stack.pop() else { return Ok(()) };
                let value = match open.kind {
                    OpenKind::List(items) => Value::List(items),
                    OpenKind::Map { entries, .. } => Value::Map(entries),
                };
                let span = Span { start: open.start.start, end: span.end };
                self.close(Node { value, span, alias: None, written: None }, false, open.anchor, open.before)
            }
            EventData::Alias { anchor } => {
                let Some((node, count)) = self.anchors.get(&anchor) else {
                    return Err(Mistake::new(
                        span,
                        format!("no whole value before this alias has the anchor &{anchor}"),
                    ));
                };
                let before = self.nodes;
                self.nodes += count;
                if self.nodes > NODE_LIMIT {
                    return Err(too_many(span));
                }
                let node = Node { alias: Some(span), ..node.clone() };
                self.close(node, false, None, before)
            }
            _ => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&str>, span: Span) -> (Node, bool) {
        let plain = style == ScalarStyle::Plain;
        let merge = text == "<<" && (plain && tag.is_none() || tag == Some("tag:yaml.org,2002:merge"));
        let value = scalar::resolve(text, plain, tag).unwrap_or_else(|message| {
            self.mistakes.push(Mistake::new(span, message));
            serde_json::Value::Null
        });
        let read = value.to_string();
        let looks_different = !value.is_string() && !value.is_null() && read != text;
        let written = looks_different.then(|| text.to_owned());
        (Node { value: Value::Scalar(value), span, alias: None, written }, merge)
    }

    fn open(&mut self, anchor: Option<String>, start: Span, kind: OpenKind) -> Result<(), Mistake> {
        if self.stack.len() >= DEPTH_LIMIT {
            return Err(Mistake::new(start, format!("this is nested more than {DEPTH_LIMIT} levels deep")));
        }
        self.stack.push(Open { anchor, start, before: self.nodes, kind });
        Ok(())
    }

    /// A whole value was read.
    fn close(&mut self, node: Node, merge: bool, anchor: Option<String>, before: usize) -> Result<(), Mistake> {
        self.nodes += 1;
        if self.nodes > NODE_LIMIT {
            return Err(too_many(node.span));
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        match self.stack.last_mut().map(|open| &mut open.kind) {
            None => self.documents.push(Document { root: node, mistakes: mem::take(&mut self.mistakes) }),
            Some(OpenKind::List(items)) => items.push(node),
            Some(OpenKind::Map { entries, by_key, key }) => match key.take() {
                None => *key = Some(Key { node, merge }),
                Some(Key { merge: true, .. }) => self.mistakes.extend(merged(entries, by_key, node)),
                Some(Key { node: key, .. }) => self.mistakes.extend(added(entries, by_key, key, node)),
            },
        }
        Ok(())
    }
}

fn too_many(span: Span) -> Mistake {
    Mistake::new(span, format!("the document has more than {NODE_LIMIT} values"))
}

fn added(entries: &mut Vec<Entry>, by_key: &mut HashMap<String, usize>, key: Node, value: Node) -> Option<Mistake> {
    let key_span = key.alias.unwrap_or(key.span);
    let text = match &key.value {
        Value::Scalar(value) => scalar::key(value, key.written.as_deref()),
        Value::List(_) | Value::Map(_) => Err("only a text can be a key, not a list or a map".to_owned()),
    };
    let text = match text {
        Ok(text) => text,
        Err(message) => return Some(Mistake::new(key_span, message)),
    };
    let entry = Entry { key: text, key_span, written: key.written, merged: false, value };
    let known = by_key.get(&entry.key).copied();
    let mistake = known.map(|index| &entries[index]).filter(|known| !known.merged).map(|known| {
        let key = shared::rules::quoted(&entry.key);
        let reading = |entry: &Entry| entry.written.as_ref().map(|written| format!("; YAML reads {written} as {key}"));
        let reading = reading(&entry).or_else(|| reading(known)).unwrap_or_default();
        let line = known.key_span.start.line;
        Mistake {
            span: key_span,
            duplicate: true,
            message: format!(
                "the key {key} is here a second time, after line {line}: only the last would count{reading}"
            ),
        }
    });
    put(entries, by_key, entry);
    mistake
}

/// What a merge key brings. As with kubectl, it counts in the order of the lines: it replaces what stands before it.
fn merged(entries: &mut Vec<Entry>, by_key: &mut HashMap<String, usize>, node: Node) -> Option<Mistake> {
    let alias = node.alias;
    let span = alias.unwrap_or(node.span);
    let maps = match node.value {
        Value::List(items) => items,
        value => vec![Node { value, ..node }],
    };
    // Of several, the first counts.
    for map in maps.into_iter().rev() {
        let through = map.alias.or(alias);
        let Value::Map(others) = map.value else {
            return Some(Mistake::new(span, "<< merges a map or a list of maps, and nothing else"));
        };
        for mut entry in others {
            entry.merged = true;
            entry.value.alias = entry.value.alias.or(through);
            put(entries, by_key, entry);
        }
    }
    None
}

fn put(entries: &mut Vec<Entry>, by_key: &mut HashMap<String, usize>, entry: Entry) {
    if let Some(index) = by_key.get(&entry.key) {
        entries[*index] = entry;
    } else {
        by_key.insert(entry.key.clone(), entries.len());
        entries.push(entry);
    }
}

#[cfg(test)]
mod tests;
