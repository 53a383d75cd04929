//! How messages show what was written, and what was probably meant.

use std::fmt::Write as _;

use serde_json::Value;

/// Longest excerpt of a value in a message, in characters.
const EXCERPT: usize = 64;

/// A text in quotes, shortened, with control characters escaped.
pub fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    let mut rest = text.chars();
    for c in rest.by_ref().take(EXCERPT) {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // Bidirectional overrides and line separators would let a value disguise the message around it.
            c if c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                // Writing to a String cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    if rest.next().is_some() {
        out.push('…');
    }
    out.push('"');
    out
}

/// What kind of value stands where another was wanted, with the value where it is short.
pub fn described(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Number(value) => format!("the number {value}"),
        Value::String(value) => format!("the text {}", quoted(value)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map".to_owned(),
    }
}

/// The candidate that was probably meant, as an addition to a message: `; did you mean "report"?`, or nothing.
pub fn suggestion<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    // Edit distance is quadratic; nobody mistypes a name into something this long.
    if written.len() > 4 * EXCERPT || written.chars().count() > EXCERPT {
        return String::new();
    }
    let lower = written.to_lowercase();
    let length = lower.chars().count();
    candidates
        .into_iter()
        .filter(|candidate| *candidate != written)
        .filter_map(|candidate| {
            let other = candidate.chars().count();
            let allowed = (length.max(other) / 3).max(1);
            // No distance is less than what one text is longer.
            if length.abs_diff(other) > allowed {
                return None;
            }
            let distance = strsim::osa_distance(&lower, &candidate.to_lowercase());
            (distance <= allowed).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| did_you_mean(candidate))
        .unwrap_or_default()
}

/// Like [`suggestion`], with words that people bring along from elsewhere: pairs of one in lower case and what it is here.
pub(super) fn meant<'a>(
    written: &str,
    elsewhere: &[(&str, &str)],
    candidates: impl IntoIterator<Item = &'a str>,
) -> String {
    let lower = written.trim().to_lowercase();
    match elsewhere.iter().find(|(word, _)| *word == lower) {
        Some((_, here)) => did_you_mean(here),
        None => suggestion(written, candidates),
    }
}

/// The end of a message that knows better: `; did you mean "report"?`.
pub(super) fn did_you_mean(candidate: &str) -> String {
    format!("; did you mean {}?", quoted(candidate))
}

/// Several words as people list them: `a`, `a or b`, `a, b or c`.
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<&str> = words.into_iter().collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_escape_and_shorten() {
        assert_eq!(quoted("plain"), "\"plain\"");
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
        assert_eq!(quoted("a\nb\u{202e}"), "\"a\\u{a}b\\u{202e}\"");
        assert_eq!(quoted(&"x".repeat(70)), format!("\"{}…\"", "x".repeat(64)));
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        assert_eq!(suggestion("repot", ["app", "report"]), "; did you mean \"report\"?");
        assert_eq!(suggestion("REPORT", ["report"]), "; did you mean \"report\"?");
        assert_eq!(suggestion("billing", ["app", "report"]), "");
        assert_eq!(suggestion("a", ["app"]), "");
        assert_eq!(suggestion(&"x".repeat(5000), ["app"]), "");
    }

    #[test]
    fn words_from_elsewhere_are_translated() {
        let elsewhere = [("orphan", "Retain")];
        assert_eq!(meant("Orphan", &elsewhere, ["Retain"]), "; did you mean \"Retain\"?");
        assert_eq!(meant("retain", &elsewhere, ["Retain"]), "; did you mean \"Retain\"?");
        assert_eq!(meant("other", &elsewhere, ["Retain"]), "");
    }

    #[test]
    fn words_are_listed_as_people_do() {
        assert_eq!(one_of([]), "");
        assert_eq!(one_of(["a"]), "a");
        assert_eq!(one_of(["a", "b", "c"]), "a, b or c");
    }
}
