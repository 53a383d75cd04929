//! For people: like a compiler.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use shared::number::counted;

use super::Quiet;
use crate::check::finding::{Finding, Level, Report};

/// Most characters of a line that are shown.
const WIDTH: usize = 120;

/// How many of them stand before the mistake in a line that is longer.
const BEFORE: usize = 40;

const BOLD: Style = Style::new().bold();
const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const WARNING: Style = AnsiColor::BrightYellow.on_default().bold();
const FINE: Style = AnsiColor::BrightGreen.on_default().bold();
const DIM: Style = Style::new().dimmed();

pub(super) fn write(report: &Report, quiet: Quiet, out: &mut impl Write) -> io::Result<()> {
    for input in &report.unreadable {
        writeln!(
            out,
            "{BOLD}{}{BOLD:#}: {ERROR}error{ERROR:#}: cannot be read: {}",
            plain(&input.name),
            plain(&input.error)
        )?;
    }
    for finding in &report.findings {
        if finding.level == Level::Error || !quiet.0 {
            one(finding, out)?;
        }
    }
    if quiet.0 { Ok(()) } else { summary(report, out) }
}

fn one(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let (start, style) = (finding.span.start, style(finding.level));
    writeln!(
        out,
        "{BOLD}{}:{}:{}{BOLD:#}: {style}{}{style:#}: {} {DIM}[{}]{DIM:#}",
        plain(&finding.source.name),
        start.line,
        start.column,
        finding.level.as_str(),
        plain(&finding.sentence()),
        finding.rule
    )?;
    let gutter = start.line.to_string();
    if let Some(line) = finding.source.line(start.line) {
        let excerpt = Excerpt::of(line, finding);
        let indent = " ".repeat(gutter.len());
        writeln!(out, "  {DIM}{gutter} |{DIM:#} {}", excerpt.text)?;
        writeln!(
            out,
            "  {DIM}{indent} |{DIM:#} {}{style}{}{style:#}",
            " ".repeat(excerpt.before),
            "^".repeat(excerpt.length)
        )?;
    }
    for note in &finding.notes {
        writeln!(out, "  {} {DIM}={DIM:#} {}", " ".repeat(gutter.len()), plain(note))?;
    }
    Ok(())
}

fn summary(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let (errors, warnings) = (report.count(Level::Error), report.count(Level::Warning));
    write!(out, "{} checked in {}: ", counted(report.objects, "object"), counted(report.files, "file"))?;
    match (errors, warnings) {
        (0, 0) if report.unreadable.is_empty() => write!(out, "{FINE}nothing wrong{FINE:#}")?,
        _ => {
            let parts = [(ERROR, errors, "error"), (WARNING, warnings, "warning")];
            let parts: Vec<String> = parts
                .into_iter()
                .filter(|(_, number, _)| *number > 0)
                .map(|(style, number, what)| format!("{style}{}{style:#}", counted(number, what)))
                .chain((!report.unreadable.is_empty()).then(|| {
                    format!("{ERROR}{} could not be read{ERROR:#}", counted(report.unreadable.len(), "input"))
                }))
                .collect();
            write!(out, "{}", parts.join(", "))?;
        }
    }
    let skipped = [
        (report.others, "document of another kind", "documents of other kinds"),
        (report.templates, "template", "templates"),
    ];
    let skipped: Vec<String> = skipped
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, more)| format!("{number} {}", if number == 1 { one } else { more }))
        .collect();
    if !skipped.is_empty() {
        write!(out, " ({} skipped)", skipped.join(" and "))?;
    }
    writeln!(out)
}

const fn style(level: Level) -> Style {
    match level {
        Level::Error => ERROR,
        Level::Warning => WARNING,
    }
}

/// Without the characters that would steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A line with the place of a mistake in it.
#[derive(Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    before: usize,
    length: usize,
}

impl Excerpt {
    fn of(line: &str, finding: &Finding) -> Self {
        let (start, end) = (finding.span.start, finding.span.end);
        let characters = line.trim_end().chars().count();
        let column = (start.column - 1).min(characters);
        // What goes on in further lines is marked to the end of this one.
        let end = if end.line == start.line { end.column - 1 } else { characters };
        let from = if characters > WIDTH { column.saturating_sub(BEFORE) } else { 0 };
        let text: String = line.trim_end().chars().skip(from).take(WIDTH).collect();
        let (before, shown) = (column - from, text.chars().count());
        let length = end.saturating_sub(column).clamp(1, shown.saturating_sub(before).max(1));
        Self { text: plain(&text), before, length }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::check::finding::Source;
    use crate::check::rule::FileRule;
    use crate::check::yaml::node::{Position, Span};

    fn excerpt(line: &str, from: usize, to: usize) -> Excerpt {
        let at = |column| Position { line: 1, column };
        let finding = Finding {
            level: Level::Error,
            rule: FileRule::YamlSyntax.into(),
            source: Rc::new(Source::new("x", line)),
            span: Span { start: at(from), end: at(to) },
            object: None,
            field: None,
            message: String::new(),
            notes: Vec::new(),
        };
        Excerpt::of(line, &finding)
    }

    #[test]
    fn the_marks_stand_under_the_value() {
        assert_eq!(excerpt("  size: 10", 9, 11), Excerpt { text: "  size: 10".to_owned(), before: 8, length: 2 });
        assert_eq!(excerpt("\tä: \u{1b}[31m", 2, 3), Excerpt { text: " ä:  [31m".to_owned(), before: 1, length: 1 });
        // Past the end, and without characters.
        assert_eq!(excerpt("a:", 9, 9), Excerpt { text: "a:".to_owned(), before: 2, length: 1 });
    }

    #[test]
    fn of_a_long_line_the_part_with_the_mistake_is_shown() {
        let line = format!("{}bad{}", "x".repeat(500), "y".repeat(500));
        let excerpt = excerpt(&line, 501, 504);
        assert_eq!((excerpt.text.chars().count(), excerpt.before, excerpt.length), (WIDTH, BEFORE, 3));
        assert!(excerpt.text[BEFORE..].starts_with("bad"));
    }
}
