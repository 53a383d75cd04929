//! SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), which code scanning services read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::Quiet;
use crate::check::finding::{Finding, Level, Report, STDIN};
use crate::check::rule::Rule;
use crate::check::yaml::node::Span;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
pub(super) struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<Outcome<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

/// An input that could not be read.
#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    physical_location: Physical<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical<'a> {
    artifact_location: Artifact,
    region: Region<'a>,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region<'a> {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Snippet<'a>>,
}

#[derive(Serialize)]
struct Snippet<'a> {
    text: &'a str,
}

/// The field of an object.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
}

pub(super) fn render(report: &Report, quiet: Quiet) -> Log<'_> {
    let told: Vec<&Finding> = report.findings.iter().filter(|one| one.level == Level::Error || !quiet.0).collect();
    // Only what is told of: services show the list.
    let rules: BTreeMap<&str, Rule> = told.iter().map(|finding| (finding.rule.id(), finding.rule)).collect();
    let rules: Vec<Rule> = rules.into_values().collect();
    let unreadable = report.unreadable.iter().map(|input| Notification {
        level: "error",
        message: Text { text: format!("{} cannot be read: {}", input.name, input.error) },
    });
    Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            column_kind: "unicodeCodePoints",
            invocations: [Invocation {
                execution_successful: report.unreadable.is_empty(),
                tool_execution_notifications: unreadable.collect(),
            }],
            results: told.into_iter().map(|finding| Outcome::of(finding, &rules)).collect(),
            tool: Tool {
                driver: Driver {
                    name: "kubectl-rds",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: rules.iter().copied().map(Descriptor::of).collect(),
                },
            },
        }],
    }
}

impl Descriptor {
    fn of(rule: Rule) -> Self {
        let level = if rule.only_warns() { Level::Warning } else { Level::Error };
        Self {
            id: rule.id(),
            short_description: Text { text: rule.title().to_owned() },
            full_description: Text { text: format!("{}. {}", rule.title(), rule.advice()) },
            help: Text { text: rule.advice().to_owned() },
            default_configuration: Configuration { level: level.as_str() },
        }
    }
}

impl<'a> Outcome<'a> {
    fn of(finding: &'a Finding, rules: &[Rule]) -> Self {
        let notes: String = finding.notes.iter().map(|note| format!(" ({note})")).collect();
        let logical = finding.object.as_ref().map(|object| {
            let field = finding.field.as_deref().map(|field| format!(" {field}")).unwrap_or_default();
            Logical { fully_qualified_name: format!("{object}{field}") }
        });
        Self {
            rule_id: finding.rule.id(),
            // The rules are sorted by their ids, and hold that of every finding.
            rule_index: rules.partition_point(|rule| rule.id() < finding.rule.id()),
            level: finding.level.as_str(),
            message: Text { text: format!("{}{notes}", finding.sentence()) },
            locations: [Location {
                physical_location: Physical {
                    artifact_location: Artifact { uri: uri(&finding.source.name) },
                    region: Region::of(finding.span, finding),
                },
                logical_locations: logical.into_iter().collect(),
            }],
        }
    }
}

impl<'a> Region<'a> {
    fn of(span: Span, finding: &'a Finding) -> Self {
        let one_line = span.start.line == span.end.line;
        Self {
            start_line: span.start.line,
            start_column: span.start.column,
            end_line: span.end.line,
            end_column: span.end.column,
            snippet: finding
                .source
                .line(span.start.line)
                .filter(|_| one_line)
                .map(|text| Snippet { text: text.trim_end() }),
        }
    }
}

/// A path as a URI reference (RFC 3986): relative to where the command ran, unless it is absolute.
fn uri(name: &str) -> String {
    if name == STDIN {
        return "stdin".to_owned();
    }
    let path = name.strip_prefix("./").unwrap_or(name);
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    path.bytes().fold(scheme.to_owned(), |mut uri, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            b'\\' if cfg!(windows) => uri.push('/'),
            // Writing to a String cannot fail.
            other => {
                let _ = write!(uri, "%{other:02X}");
            }
        }
        uri
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        for (path, expected) in [
            ("a/b.yaml", "a/b.yaml"),
            ("./a/b.yaml", "a/b.yaml"),
            ("/x y/ü.yaml", "file:///x%20y/%C3%BC.yaml"),
            ("a#b?c:d%.yaml", "a%23b%3Fc%3Ad%25.yaml"),
            (STDIN, "stdin"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
