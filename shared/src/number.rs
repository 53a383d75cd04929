//! Numbers in sentences.

/// `1 Secret`, `2 Secrets`. For nouns that take an s.
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// `1 Secret is`, `2 Secrets are`.
pub fn are(number: usize, noun: &str) -> String {
    format!("{} {}", counted(number, noun), if number == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_many() {
        assert_eq!([0, 1, 2].map(|number| are(number, "Secret")), ["0 Secrets are", "1 Secret is", "2 Secrets are"]);
    }
}
