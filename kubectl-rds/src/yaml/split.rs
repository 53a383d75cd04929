//! A file's documents, before they are parsed: like kubectl, so that a mistake in one hides none of the others.

/// The parts of a file between lines that begin with `---`, each with the number of its first line.
pub(crate) fn split(text: &str) -> Vec<(usize, &str)> {
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
            ("a: |\n  ---\n  text\n----\n", vec![(1, "a: |\n  ---\n  text\n----\n")]),
        ] {
            assert_eq!(split(text), parts, "{text:?}");
        }
    }
}
