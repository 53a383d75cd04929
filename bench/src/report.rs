//! Results as Markdown: read by people in a terminal and in a file alike.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result};

use crate::machine::Machine;

/// Rows of equal length under a header.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    title: String,
    /// What a reader must know to judge it.
    note: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows yet.
    pub(crate) fn new(title: &str, note: impl Into<String>, header: &[impl AsRef<str>]) -> Self {
        Self {
            title: title.to_owned(),
            note: note.into(),
            rows: vec![header.iter().map(|cell| cell.as_ref().to_owned()).collect()],
        }
    }

    /// Adds a row with as many cells as the header has.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// As Markdown, its columns aligned.
    pub(crate) fn markdown(&self) -> String {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 3);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let line = |cells: &[String]| {
            let cells = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let rule: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        let mut text = format!("**{}**", self.title);
        if !self.note.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {}", self.note);
        }
        text.push('\n');
        if self.rows.len() == 1 {
            // Nothing to show but the title and the note.
            return text;
        }
        text.push('\n');
        for (index, row) in self.rows.iter().enumerate() {
            text.push_str(&line(row));
            if index == 0 {
                text.push_str(&line(&rule));
            }
        }
        text
    }
}

/// A target and whether it is met.
pub(crate) fn verdict(target: &str, met: bool) -> String {
    format!("{target}: {}", if met { "met" } else { "MISSED" })
}

/// KiB as MiB.
pub(crate) fn mib(kib: u64) -> String {
    // Sizes of memory and of files are far below 2^52 KiB.
    #[expect(clippy::cast_precision_loss)]
    mib_of(kib as f64)
}

/// KiB as MiB, where they may be a median.
pub(crate) fn mib_of(kib: f64) -> String {
    format!("{:.1} MiB", kib / 1024.0)
}

/// The machine and the tables.
pub(crate) fn section(machine: &Machine, tables: &[Table]) -> String {
    let facts: String = machine.facts().iter().map(|(name, value)| format!("- {name}: {value}\n")).collect();
    let tables: Vec<String> = tables.iter().map(Table::markdown).collect();
    format!("{facts}\n{}", tables.join("\n"))
}

/// Prints a section.
///
/// # Errors
/// When stdout is closed.
pub(crate) fn print(section: &str) -> Result<()> {
    Ok(writeln!(io::stdout(), "\n{section}")?)
}

/// Tells what goes on, apart from the result.
pub(crate) fn progress(text: &str) {
    // Nobody is left to tell if stderr is closed.
    let _ = writeln!(io::stderr(), "bench: {text}");
}

/// Puts a section between the markers `<!-- <name>:begin -->` and `<!-- <name>:end -->` of a file.
///
/// # Errors
/// When the file cannot be read or written, or has no such markers.
pub(crate) fn write(path: &Path, name: &str, section: &str) -> Result<()> {
    let what = || path.display().to_string();
    let text = fs::read_to_string(path).with_context(what)?;
    let text =
        splice(&text, name, section).with_context(|| format!("{} has no markers {name}:begin and :end", what()))?;
    fs::write(path, text).with_context(what)
}

fn splice(text: &str, name: &str, section: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n{end}{after}", section.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_only_what_is_between_its_markers() {
        let text = "# A\n<!-- a:begin -->\nold\n<!-- a:end -->\n<!-- b:begin -->\nkept\n<!-- b:end -->\n";
        let new = splice(text, "a", "new\n").unwrap();
        assert_eq!(new, "# A\n<!-- a:begin -->\nnew\n<!-- a:end -->\n<!-- b:begin -->\nkept\n<!-- b:end -->\n");
        assert_eq!(splice(&new, "a", "new\n").unwrap(), new);
        assert_eq!(splice(text, "c", "new"), None);
    }

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new("Speed", "on loopback", &["load", "p99"]);
        table.row(["small µ", "1"]);
        table.row(["x", "0.25 ms"]);
        let lines = "**Speed**: on loopback\n\n\
                     | load    | p99     |\n\
                     | ------- | ------- |\n\
                     | small µ | 1       |\n\
                     | x       | 0.25 ms |\n";
        assert_eq!(table.markdown(), lines);
        assert_eq!(Table::new("Speed", "none", &["load"]).markdown(), "**Speed**: none\n");
    }
}
