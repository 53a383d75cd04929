//! A file's documents, before they are parsed: like kubectl, so that a mistake in one hides none of the others.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use super::load::Mistake;
use super::node::{Position, Span};

/// The parts of a file, each with the number of its first line: between lines that begin with `---`, and one for each object where a part
/// is several objects of JSON in a row.
pub(crate) fn split(text: &str) -> Vec<(usize, Cow<'_, str>)> {
    let mut parts = Vec::new();
    for (line, part) in documents(text) {
        match objects(part) {
            Some(ends) => {
                let mut start = 0;
                for end in ends {
                    let before = &part[..start];
                    // What stands before it in its line keeps its width, and with it the columns.
                    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
                    let object = format!("{}{}", " ".repeat(column), &part[start..end]);
                    parts.push((line + before.matches('\n').count(), Cow::Owned(object)));
                    start = end;
                }
            }
            None => parts.push((line, Cow::Borrowed(part))),
        }
    }
    parts
}

/// What stands behind a `---` in a part whose first line has this number: YAML takes it for content, and kubectl refuses the file
/// (apimachinery, `YAMLReader`).
pub(crate) fn separators(part: &str, first_line: usize) -> impl Iterator<Item = Mistake> {
    part.lines().zip(first_line..).filter_map(|(text, line)| {
        let rest = text.strip_prefix("---")?;
        let content = rest.trim();
        if content.is_empty() || content.starts_with('#') {
            return None;
        }
        let column = 4 + rest.chars().take_while(|c| c.is_whitespace()).count();
        let end = Position { line, column: column + content.chars().count() };
        let message = "stands behind ---, where kubectl takes a comment only: begin another line with it";
        Some(Mistake::new(Span { start: Position { line, column }, end }, message))
    })
}

/// Where each object ends, if this is JSON and there are several.
fn objects(text: &str) -> Option<Vec<usize>> {
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    let mut ends = Vec::new();
    while let Some(object) = stream.next() {
        object.ok()?;
        ends.push(stream.byte_offset());
    }
    (ends.len() > 1).then_some(ends)
}

/// The parts between lines that begin with `---`.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut parts = Vec::new();
    let (mut start, mut first_line, mut has_content, mut offset) = (0, 1, false, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let separator =
            line.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if separator.is_some() && has_content {
            parts.push((first_line, &text[start..offset]));
            (start, first_line, has_content) = (offset, index + 1, false);
        }
        // Directives belong to the document after the separator.
        let content = separator.unwrap_or(line).trim_start();
        has_content |= !content.is_empty() && !content.starts_with('#') && !line.starts_with('%');
        offset += line.len();
    }
    if has_content {
        parts.push((first_line, &text[start..]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_comments_stand_behind_separators() {
        for text in ["a: 1\n", "---\na: 1", "--- # one\na: |\n  --- text\n", "---\t\n"] {
            assert_eq!(separators(text, 1).count(), 0, "{text:?}");
        }
        for (text, columns) in [("a: 1\n---  {b: 2} \n", 6..12), ("b: 1\n----\n", 4..5), ("c: 1\n---d\n", 4..5)] {
            let mistakes: Vec<Mistake> = separators(text, 7).collect();
            let [Mistake { span, .. }] = mistakes.as_slice() else { panic!("{text:?}: {mistakes:?}") };
            assert_eq!((span.start.line, span.start.column..span.end.column), (8, columns), "{text:?}");
        }
    }

    #[test]
    fn documents_are_parted_by_their_separators() {
        for (text, parts) in [
            ("", vec![]),
            ("# nothing\n---\n\n", vec![]),
            ("a: 1\n", vec![(1, "a: 1\n")]),
            ("---\na: 1\n---\nb: 2", vec![(1, "---\na: 1\n"), (3, "---\nb: 2")]),
            ("a: 1\n--- # two\nb: 2\n", vec![(1, "a: 1\n"), (2, "--- # two\nb: 2\n")]),
            ("--- {a: 1}\n--- {b: 2}\n", vec![(1, "--- {a: 1}\n"), (2, "--- {b: 2}\n")]),
            ("%YAML 1.2\n---\na: 1\n", vec![(1, "%YAML 1.2\n---\na: 1\n")]),
            ("a: 1\r\n---\r\nb: 2\r\n", vec![(1, "a: 1\r\n"), (2, "---\r\nb: 2\r\n")]),
            ("{\"a\": 1}\n", vec![(1, "{\"a\": 1}\n")]),
            (
                "{\"a\": 1}\n{\"b\":\n2} {\"c\": 3}\n",
                vec![(1, "{\"a\": 1}"), (1, "        \n{\"b\":\n2}"), (3, "   {\"c\": 3}")],
            ),
            ("a: |\n  ---\n  text\n----\n", vec![(1, "a: |\n  ---\n  text\n----\n")]),
        ] {
            let parts: Vec<(usize, Cow<str>)> = parts.into_iter().map(|(line, part)| (line, part.into())).collect();
            assert_eq!(split(text), parts, "{text:?}");
        }
    }
}
