//! What flags of the services may hold. Each refusal says what is allowed; the flag and the value are clap's to name.

use std::time::Duration;

use jiff::SignedDuration;

/// A DNS label, as namespaces and Services are called.
///
/// # Errors
/// What is allowed.
pub fn label(text: &str) -> Result<String, String> {
    if text.len() <= 63 && is_label(text) {
        Ok(text.to_owned())
    } else {
        Err("write 1 to 63 lower-case letters, digits and -, first and last a letter or digit".to_owned())
    }
}

/// A DNS subdomain, as most other objects are called.
///
/// # Errors
/// What is allowed.
pub fn subdomain(text: &str) -> Result<String, String> {
    if text.len() <= 253 && text.split('.').all(is_label) {
        Ok(text.to_owned())
    } else {
        Err("write at most 253 lower-case letters, digits, - and ., with a letter or digit at the ends and beside each .".to_owned())
    }
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| inner(byte) || byte == b'-')
        && text.bytes().next().is_some_and(inner)
        && text.bytes().last().is_some_and(inner)
}

/// `8s`, `2m`, `1m 30s`, `500ms`; nothing negative.
///
/// # Errors
/// What is allowed.
pub fn duration(text: &str) -> Result<Duration, String> {
    let signed: SignedDuration = text.parse().map_err(|_| "write a duration such as 8s, 500ms or 2m".to_owned())?;
    Duration::try_from(signed).map_err(|_| "a duration is not negative".to_owned())
}

/// The same, where no time at all makes no sense.
///
/// # Errors
/// What is allowed.
pub fn some_time(text: &str) -> Result<Duration, String> {
    let duration = duration(text)?;
    if duration.is_zero() {
        Err("write a duration longer than 0, such as 8s or 500ms".to_owned())
    } else {
        Ok(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_kubernetes() {
        for good in ["a", "rds-webhook", "0", &"a".repeat(63)] {
            assert_eq!((label(good), subdomain(good)), (Ok(good.to_owned()), Ok(good.to_owned())));
        }
        for bad in ["", "-a", "a-", "A", "a b", "a_b", "ä"] {
            assert!(label(bad).is_err() && subdomain(bad).is_err(), "{bad}");
        }
        assert!(label("a.b").is_err() && label(&"a".repeat(64)).is_err());
        assert!(subdomain("a.b-c.d").is_ok() && subdomain("a..b").is_err() && subdomain(&"a".repeat(254)).is_err());
    }

    #[test]
    fn durations_have_units_and_a_direction() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(some_time("500ms"), Ok(Duration::from_millis(500)));
        for bad in ["8", "-8s", "", "soon"] {
            assert!(duration(bad).is_err() && some_time(bad).is_err(), "{bad}");
        }
        assert!(duration("0s") == Ok(Duration::ZERO) && some_time("0s").is_err() && some_time("0").is_err());
    }
}
