//! How a report is told.

mod json;
mod sarif;
mod text;

use std::io::{self, Write};

use crate::check::finding::Report;

/// The form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: each mistake with its line, and a summary.
    #[default]
    Text,
    /// One JSON object, for scripts.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

/// What is left out of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quiet(pub(crate) bool);

/// Writes the whole report.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(report: &Report, format: Format, quiet: Quiet, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text => text::write(report, quiet, out),
        Format::Json => pretty(&json::render(report, quiet), out),
        Format::Sarif => pretty(&sarif::render(report, quiet), out),
    }
}

fn pretty(value: &impl serde::Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}
