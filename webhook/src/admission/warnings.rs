//! Warnings within the limits of the API server.

use shared::rules::WARNING_LIMIT;

/// Characters of all warnings of one request; the API server drops what goes beyond 4096.
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response>.
const TOTAL: usize = 4096;

/// The warnings that fit, each of which is short by itself. Where some do not, the last one says how many.
pub(super) fn fitted(mut warnings: Vec<String>) -> Vec<String> {
    // What is kept free for the line that counts the rest.
    let mut left = TOTAL - WARNING_LIMIT;
    let mut fits = |warning: &String| {
        let rest = left.checked_sub(warning.chars().count());
        left = rest.unwrap_or_default();
        rest.is_some()
    };
    let told = warnings.iter().take_while(|warning| fits(warning)).count();
    if told < warnings.len() {
        let more = match warnings.len() - told {
            1 => "and one more warning".to_owned(),
            more => format!("and {more} more warnings"),
        };
        warnings.truncate(told);
        warnings.push(more);
    }
    warnings
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_warnings_pass_unchanged() {
        assert_eq!(fitted(vec!["one".into(), "two".into()]), ["one", "two"]);
    }

    proptest! {
        #[test]
        fn all_of_them_keep_the_limit(warnings in vec(".{0,120}", 0..200)) {
            let told = fitted(warnings.clone());
            prop_assert!(told.iter().map(|warning| warning.chars().count()).sum::<usize>() <= TOTAL);
            prop_assert!(told.iter().all(|warning| warning.chars().count() <= WARNING_LIMIT));
            let counted = usize::from(told.last() != warnings.last());
            prop_assert_eq!(&told[..told.len() - counted], &warnings[..told.len() - counted]);
        }
    }

    #[test]
    fn too_many_are_counted() {
        let all = fitted((0..100).map(|_| "x".repeat(100)).collect());
        assert_eq!(all.last().map(String::as_str), Some("and 61 more warnings"));
        assert!(all.iter().map(|warning| warning.chars().count()).sum::<usize>() <= TOTAL);
    }
}
