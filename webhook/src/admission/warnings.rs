//! Warnings within the limits of the API server.

/// Characters of one warning; more than 256 are cut by the API server.
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response>.
const EACH: usize = 120;
/// Characters of all warnings of one request; the API server drops what goes beyond 4096.
const TOTAL: usize = 4096;

/// The warnings that fit. Where some do not, the last one says how many.
pub(super) fn fitted(warnings: Vec<String>) -> Vec<String> {
    let count = warnings.len();
    let mut fitted = Vec::with_capacity(count);
    // What is kept free for the line that counts the rest.
    let mut left = TOTAL - EACH;
    for warning in warnings {
        let warning = cut(warning);
        let length = warning.chars().count();
        if length > left {
            fitted.push(format!("and {} more warnings", count - fitted.len()));
            break;
        }
        left -= length;
        fitted.push(warning);
    }
    fitted
}

fn cut(warning: String) -> String {
    if warning.chars().count() <= EACH {
        return warning;
    }
    warning.chars().take(EACH - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_warnings_pass_unchanged() {
        assert_eq!(fitted(vec!["one".into(), "two".into()]), ["one", "two"]);
    }

    #[test]
    fn a_long_one_is_cut_between_characters() {
        let cut = fitted(vec!["ä".repeat(200)]);
        assert_eq!(cut[0].chars().count(), 120);
        assert!(cut[0].ends_with('…'));
    }

    #[test]
    fn too_many_are_counted() {
        let all = fitted((0..100).map(|_| "x".repeat(100)).collect());
        assert_eq!(all.last().map(String::as_str), Some("and 61 more warnings"));
        assert!(all.iter().map(|warning| warning.chars().count()).sum::<usize>() <= TOTAL);
    }
}
