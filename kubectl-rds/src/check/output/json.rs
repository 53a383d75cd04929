//! For scripts. The names of the fields are a promise: `formatVersion` grows when one of them changes its meaning.

use serde::Serialize;

use super::Quiet;
use crate::check::finding::{Finding, Level, Report, Unreadable};

/// The version of this form.
const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output<'a> {
    format_version: u32,
    summary: Summary,
    findings: Vec<One<'a>>,
    unreadable: &'a [Unreadable],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    files: usize,
    objects: usize,
    errors: usize,
    warnings: usize,
    other_documents: usize,
    skipped_templates: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct One<'a> {
    level: Level,
    rule: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    kind: Option<&'a str>,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
    field: Option<&'a str>,
    message: &'a str,
    notes: &'a [String],
    advice: &'static str,
}

pub(super) fn render(report: &Report, quiet: Quiet) -> Output<'_> {
    Output {
        format_version: FORMAT_VERSION,
        summary: Summary {
            files: report.files,
            objects: report.objects,
            errors: report.count(Level::Error),
            warnings: report.count(Level::Warning),
            other_documents: report.others,
            skipped_templates: report.templates,
        },
        findings: report.findings.iter().filter(|one| one.level == Level::Error || !quiet.0).map(One::of).collect(),
        unreadable: &report.unreadable,
    }
}

impl<'a> One<'a> {
    fn of(finding: &'a Finding) -> Self {
        let object = finding.object.as_ref();
        Self {
            level: finding.level,
            rule: finding.rule.id(),
            file: &finding.source.name,
            line: finding.span.start.line,
            column: finding.span.start.column,
            end_line: finding.span.end.line,
            end_column: finding.span.end.column,
            kind: object.map(|object| object.kind.as_str()),
            namespace: object.and_then(|object| object.namespace.as_deref()),
            name: object.and_then(|object| object.name.as_deref()),
            field: finding.field.as_deref(),
            message: &finding.message,
            notes: &finding.notes,
            advice: finding.rule.advice(),
        }
    }
}
