//! Checks one text after the other.

use std::collections::HashMap;
use std::rc::Rc;

use jiff::civil::Date;
use shared::api::labels::{GROUP, VERSION};
use shared::rules::DefaultVersions;

use super::finding::{Finding, Level, Object, Report, Source, Unreadable};
use super::identity::{Identity, Type, identify, names_us};
use super::rule::{FileRule, Rule};
use super::yaml::load::{Document, Mistake, load};
use super::yaml::locate::{Aim, locate};
use super::yaml::node::{Node, Span, Value};
use super::yaml::split::{separators, split};
use super::{class, database, identity, metadata};

/// How to check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// The date that ends of support are compared with.
    pub(crate) today: Date,
    /// The versions of databases that name none.
    pub(crate) versions: DefaultVersions,
    /// Whether templates are left out instead of refused.
    pub(crate) skip_templates: bool,
    /// Whether what only warns counts as an error.
    pub(crate) warnings_as_errors: bool,
}

/// Checks one text after the other, because an object may be in two of them.
pub(crate) struct Checker {
    options: Options,
    report: Report,
    /// Where each object was met first.
    seen: HashMap<Object, (Rc<Source>, Span)>,
}

impl Checker {
    /// A checker that has seen nothing.
    pub(crate) fn new(options: Options) -> Self {
        Self { options, report: Report::default(), seen: HashMap::new() }
    }

    /// Everything that was found.
    pub(crate) fn finish(self) -> Report {
        self.report
    }

    /// Notes an input that cannot be read.
    pub(crate) fn unreadable(&mut self, input: Unreadable) {
        self.report.unreadable.push(input);
    }

    /// Checks one text.
    pub(crate) fn check(&mut self, source: Source) {
        self.report.files += 1;
        let source = Rc::new(source);
        let first = self.report.findings.len();
        for (line, text) in split(&source.text) {
            let text = text.as_ref();
            if !names_us(text) {
                self.report.others += 1;
                continue;
            }
            for mistake in separators(text, line) {
                self.not_yaml(&source, text, mistake);
            }
            match load(text, line) {
                Ok(documents) => match template_mistake(text, &documents) {
                    Some(mistake) => self.not_yaml(&source, text, mistake),
                    None => documents.iter().for_each(|document| self.document(&source, document)),
                },
                Err(mistake) => self.not_yaml(&source, text, mistake),
            }
        }
        if let Some(found) = self.report.findings.get_mut(first..) {
            found.sort_by_key(|finding| (finding.span.start, finding.level));
        }
    }

    /// A text that names our group or kinds and is no YAML. Templates of roles and definitions name the group alone.
    fn not_yaml(&mut self, source: &Rc<Source>, text: &str, mistake: Mistake) {
        let template = is_template(text);
        if template && (self.options.skip_templates || !text.contains(GROUP) || !text.contains(identity::KINDS[0])) {
            self.report.templates += 1;
            return;
        }
        let message = mistake.message;
        let (rule, message) = if template {
            (FileRule::Template, format!("this is a template ({{{{ … }}}}), which has to be rendered first: {message}"))
        } else {
            (FileRule::YamlSyntax, message)
        };
        self.tell(Telling { source, object: None, span: mistake.span, field: None, notes: Vec::new() }, rule, message);
    }

    fn document(&mut self, source: &Rc<Source>, document: &Document) {
        let objects = objects(&document.root, None);
        let mut ours = false;
        for (node, inherited) in objects {
            let identity = identify(node, inherited);
            if matches!(identity, Identity::Other) {
                self.report.others += 1;
                continue;
            }
            if self.options.skip_templates && holds_template(node) {
                self.report.templates += 1;
                continue;
            }
            ours = true;
            self.object(source, node, identity, object(node, inherited));
        }
        // Of other documents, what they are made of is not judged.
        for mistake in document.mistakes.iter().filter(|_| ours) {
            let rule = if mistake.duplicate { FileRule::DuplicateKey } else { FileRule::YamlValue };
            let telling = Telling { source, object: None, span: mistake.span, field: None, notes: Vec::new() };
            self.tell(telling, rule, mistake.message.clone());
        }
    }

    fn object(&mut self, source: &Rc<Source>, node: &Node, identity: Identity, object: Object) {
        self.report.objects += 1;
        let mut found = Vec::new();
        match identity {
            Identity::Database => {
                metadata::check(node, metadata::Scope::Namespaced, &mut found);
                database::check(node, self.options.today, self.options.versions, &mut found);
            }
            Identity::Class => {
                metadata::check(node, metadata::Scope::Cluster, &mut found);
                class::check(node, &mut found);
            }
            Identity::Mistaken(mistake) => found.push(mistake),
            Identity::Other => {}
        }
        for one in found {
            let location = locate(node, &one.field, one.aim);
            let mut notes = Vec::new();
            if let Some((written, read)) = location.reading {
                notes.push(format!("YAML reads {written} as {read}"));
            }
            if let Some(alias) = location.alias {
                notes.push(format!("it is used by the alias in line {}", alias.start.line));
            }
            let telling =
                Telling { source, object: Some(object.clone()), span: location.span, field: Some(one.field), notes };
            self.tell(telling, one.rule, one.message);
        }
        self.once(source, node, object);
    }

    /// Warns of an object that was met before.
    fn once(&mut self, source: &Rc<Source>, node: &Node, object: Object) {
        if node.get("metadata").and_then(|metadata| metadata.get("name")).is_none() {
            return;
        }
        let span = locate(node, "metadata.name", Aim::Value).span;
        let Some((other, place)) = self.seen.get(&object) else {
            self.seen.insert(object, (Rc::clone(source), span));
            return;
        };
        let message = format!("{object} is in {}:{} as well: the one applied last wins", other.name, place.start.line);
        let telling = Telling { source, object: Some(object), span, field: None, notes: Vec::new() };
        self.tell(telling, FileRule::DuplicateObject, message);
    }

    fn tell(&mut self, telling: Telling<'_>, rule: impl Into<Rule>, message: String) {
        let Telling { source, object, span, field, notes } = telling;
        let rule = rule.into();
        let level = if rule.only_warns() && !self.options.warnings_as_errors { Level::Warning } else { Level::Error };
        let source = Rc::clone(source);
        self.report.findings.push(Finding { level, rule, source, span, object, field, message, notes });
    }
}

/// Where and of what something is told.
struct Telling<'a> {
    source: &'a Rc<Source>,
    object: Option<Object>,
    span: Span,
    field: Option<String>,
    notes: Vec<String>,
}

/// The objects of a document: itself, or the items of a list, with what these are where they do not say it.
fn objects<'a>(root: &'a Node, inherited: Option<Type<'a>>) -> Vec<(&'a Node, Option<Type<'a>>)> {
    let (is_list, item) = match (root.text_of("apiVersion"), root.text_of("kind")) {
        (Some("v1"), Some(kind)) => (kind == "List", None),
        (Some(api_version), Some(kind)) if api_version == format!("{GROUP}/{VERSION}") => {
            let kind = kind.strip_suffix("List");
            (kind.is_some(), kind.map(|kind| Type { api_version, kind }))
        }
        _ => (false, None),
    };
    match root.get("items").map(|items| &items.value) {
        Some(Value::List(items)) if is_list => items.iter().flat_map(|node| objects(node, item)).collect(),
        _ => vec![(root, inherited)],
    }
}

fn object(node: &Node, inherited: Option<Type<'_>>) -> Object {
    let metadata = |key| node.get("metadata").and_then(|metadata| metadata.text_of(key)).map(ToOwned::to_owned);
    Object {
        kind: node.text_of("kind").or(inherited.map(|inherited| inherited.kind)).unwrap_or("object").to_owned(),
        namespace: metadata("namespace"),
        name: metadata("name").or_else(|| metadata("generateName")),
    }
}

/// An action without quotes is a map with a map for a key, which YAML can read and Kubernetes cannot.
fn template_mistake(text: &str, documents: &[Document]) -> Option<Mistake> {
    let mistakes = documents.iter().flat_map(|document| &document.mistakes);
    mistakes.filter(|mistake| !mistake.duplicate && is_template(text)).min_by_key(|mistake| mistake.span.start).cloned()
}

fn is_template(text: &str) -> bool {
    text.contains("{{")
}

/// Whether a template made an object that parses, because its actions stand in quotes.
fn holds_template(node: &Node) -> bool {
    ["metadata", "spec"].into_iter().filter_map(|key| node.get(key)).any(any_template)
}

fn any_template(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(value) => value.as_str().is_some_and(is_template),
        Value::List(items) => items.iter().any(any_template),
        // Annotations hold templates of other tools.
        Value::Map(entries) => entries
            .iter()
            .any(|entry| entry.key != "annotations" && (is_template(&entry.key) || any_template(&entry.value))),
    }
}

#[cfg(test)]
mod tests;
