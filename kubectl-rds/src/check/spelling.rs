//! How Kubernetes spells names, keys and the values of labels (apimachinery, `pkg/util/validation`).

use shared::rules::quoted;

/// Longest name of an object, and longest domain before a key.
pub(super) const SUBDOMAIN_LIMIT: usize = 253;

/// Longest name of a namespace, longest name in a key, and longest value of a label.
pub(super) const WORD_LIMIT: usize = 63;

/// Whether this is a label of the DNS: what a namespace is called.
pub(super) fn is_label(text: &str) -> bool {
    text.len() <= WORD_LIMIT && is_part(text)
}

/// Whether this is a subdomain: what most objects are called.
pub(super) fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN_LIMIT && text.split('.').all(is_part)
}

/// Why this is no key of a label or the name of a finalizer.
///
/// # Errors
/// A sentence without its subject.
pub(super) fn key(text: &str) -> Result<(), String> {
    let (domain, name) = text.rsplit_once('/').map_or((None, text), |(domain, name)| (Some(domain), name));
    if let Some(domain) = domain
        && !is_subdomain(domain)
    {
        return Err(format!(
            "{} cannot be before a /: write a domain, of at most {SUBDOMAIN_LIMIT} lower-case letters, digits, - and .",
            quoted(domain)
        ));
    }
    if name.len() > WORD_LIMIT {
        return Err(format!("has {} characters in its name: at most {WORD_LIMIT} are allowed", name.len()));
    }
    if !is_word(name) {
        return Err(format!(
            "{} cannot be a key: letters, digits, -, _ and ., first and last a letter or digit, perhaps after a domain and /",
            quoted(text)
        ));
    }
    Ok(())
}

/// Why this is no value of a label.
///
/// # Errors
/// A sentence without its subject.
pub(super) fn label_value(text: &str) -> Result<(), String> {
    if text.len() > WORD_LIMIT {
        return Err(format!("has {} characters: values of labels have at most {WORD_LIMIT}", text.chars().count()));
    }
    if !text.is_empty() && !is_word(text) {
        return Err(format!(
            "{} cannot be the value of a label: letters, digits, -, _ and ., first and last a letter or digit",
            quoted(text)
        ));
    }
    Ok(())
}

fn is_part(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.bytes().all(inner) && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

fn is_word(text: &str) -> bool {
    let end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    end(bytes.first()) && end(bytes.last()) && bytes.iter().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects_are_subdomains() {
        for name in ["a", "gold.eu", "a-b.c1"] {
            assert!(is_subdomain(name), "{name}");
        }
        for name in ["", "A", "a.", ".a", "-a", "a-", "a..b", "a_b", &"a".repeat(254)] {
            assert!(!is_subdomain(name), "{name}");
        }
        assert!(is_label(&"a".repeat(63)) && !is_label(&"a".repeat(64)) && !is_label("a.b"));
    }

    #[test]
    fn keys_are_names_perhaps_after_a_domain() {
        let longest = format!("{}/{}", "a".repeat(253), "b".repeat(63));
        for text in ["a", "App_1.x", "app.kubernetes.io/name", &longest] {
            assert_eq!(key(text), Ok(()), "{text}");
        }
        for text in ["", "a b", "-a", "a_", "/a", "a/", "Example.com/a", "a/b/c", "é", &"a".repeat(64)] {
            assert!(key(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_of_labels_are_words_or_nothing() {
        for text in ["", "a", "1.2_x-Y", &"a".repeat(63)] {
            assert_eq!(label_value(text), Ok(()), "{text}");
        }
        for text in ["a b", "a/b", ".a", "a-", "é", &"a".repeat(64)] {
            assert!(label_value(text).is_err(), "{text}");
        }
    }
}
