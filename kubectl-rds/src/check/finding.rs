//! What a check finds.

use std::fmt;
use std::rc::Rc;

use serde::Serialize;

use super::rule::Rule;
use super::yaml::node::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// The cluster would refuse it.
    Error,
    /// The cluster would admit it, and say so.
    Warning,
}

impl Level {
    /// The word for it, which SARIF uses too.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A text that was checked.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path as it was given or found, or [`STDIN`].
    pub(crate) name: String,
    /// What it holds.
    pub(crate) text: String,
}

/// The name of standard input.
pub(crate) const STDIN: &str = "<stdin>";

impl Source {
    /// A text as it was read. Its lines end with `\n` from here on, which is how YAML reads all of them, and it has no byte order mark.
    pub(crate) fn new(name: impl Into<String>, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n").replace('\r', "\n");
        Self { name: name.into(), text }
    }

    /// A line, counted from 1.
    pub(crate) fn line(&self, number: usize) -> Option<&str> {
        self.text.lines().nth(number.checked_sub(1)?)
    }
}

/// Which object a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Object {
    /// Its kind.
    pub(crate) kind: String,
    /// Its namespace, where it is written.
    pub(crate) namespace: Option<String>,
    /// Its name, or the prefix of one.
    pub(crate) name: Option<String>,
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        f.write_str(" ")?;
        if let Some(namespace) = &self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(self.name.as_deref().unwrap_or("without a name"))
    }
}

/// One thing to tell.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// How bad it is.
    pub(crate) level: Level,
    /// Which rule says so.
    pub(crate) rule: Rule,
    /// The text it is in.
    pub(crate) source: Rc<Source>,
    /// Where.
    pub(crate) span: Span,
    /// The object, where there is one.
    pub(crate) object: Option<Object>,
    /// The field, as admission names it.
    pub(crate) field: Option<String>,
    /// The sentence, without the field.
    pub(crate) message: String,
    /// What else helps.
    pub(crate) notes: Vec<String>,
}

impl Finding {
    /// The sentence with the field, as admission says it.
    pub(crate) fn sentence(&self) -> String {
        match &self.field {
            Some(field) => format!("{field}: {}", self.message),
            None => self.message.clone(),
        }
    }
}

/// Everything a run found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// By file in the order they were read, then by place.
    pub(crate) findings: Vec<Finding>,
    /// What could not be read, and why.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Files that were read.
    pub(crate) files: usize,
    /// Objects that were checked.
    pub(crate) objects: usize,
    /// Documents and objects of other kinds.
    pub(crate) others: usize,
    /// Templates that were skipped.
    pub(crate) templates: usize,
}

/// An input that could not be read.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unreadable {
    /// Its path.
    #[serde(rename = "file")]
    pub(crate) name: String,
    /// Why.
    pub(crate) error: String,
}

impl Report {
    /// The number of findings of a level.
    pub(crate) fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}
