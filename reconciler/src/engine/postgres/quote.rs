/// An identifier as SQL wants it. Names of ours hold nothing that needs it, apart from the hyphen of owner roles and reserved words;
/// names of others can hold anything.
pub(super) fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a literal. Sessions of ours run with `standard_conforming_strings`, so a backslash is a backslash.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Texts as an array of them.
pub(super) fn array(texts: &[String]) -> String {
    let literals: Vec<_> = texts.iter().map(|text| literal(text)).collect();
    format!("ARRAY[{}]::pg_catalog.text[]", literals.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_cannot_be_left() {
        assert_eq!(ident(r#"a"; DROP ROLE b; --"#), r#""a""; DROP ROLE b; --""#);
        assert_eq!(literal(r"it's \ here"), r"'it''s \ here'");
    }
}
