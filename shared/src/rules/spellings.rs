//! What may have been written where a name arrives as something else: YAML 1.1, which kubectl speaks, reads `yes` as true and `0x10` as 16.
//!
//! Admission gets JSON, in which a key is always a text, so it can only guess. Whoever has the file knows.

use serde_json::{Number, Value};

use super::quote::one_of;

/// Bytes of the longest number that YAML's readers write: `-1.7976931348623157e+308`.
const LONGEST_NUMBER: usize = 24;

/// What may have been written for this key of a map, as the end of a message; nothing where it is an ordinary text.
pub(super) fn of_key(key: &str) -> String {
    match key {
        // A number of that many digits is nobody's slip, and a message repeats no key at length.
        _ if key.len() > LONGEST_NUMBER => String::new(),
        "true" => word(true),
        "false" => word(false),
        // Other readers of YAML than kubectl, which refuses null as a key.
        "null" => "; if you wrote ~, quote a name instead".to_owned(),
        // What is not written like that by YAML's readers was written so by a person, in quotes.
        _ => match serde_json::from_str::<Number>(key) {
            Ok(read) if read.to_string() == key || key.contains("e+0") => number(key, &read),
            _ => String::new(),
        },
    }
}

/// The same for a value where a text is wanted.
pub(super) fn of_value(value: &Value) -> String {
    match value {
        Value::Bool(value) => word(*value),
        Value::Number(read) => number(&read.to_string(), read),
        _ => String::new(),
    }
}

fn word(value: bool) -> String {
    let words = if value { ["yes", "on", "y"] } else { ["no", "off", "n"] };
    format!("; if you wrote {}, quote it: YAML reads it as {value}", one_of(words))
}

/// Other ways to write a number: hexadecimal, octal, and with an exponent or a fraction that ends in zeros.
fn number(shown: &str, read: &Number) -> String {
    let mut ways = Vec::new();
    match read.as_u64() {
        Some(whole) => {
            if whole > 9 {
                ways.push(format!("0x{whole:x}"));
            }
            if whole > 7 {
                ways.push(format!("0{whole:o}"));
            }
            let zeros = shown.len() - shown.trim_end_matches('0').len();
            if zeros > 0 && whole > 0 {
                ways.push(format!("{}e{zeros}", &shown[..shown.len() - zeros]));
            }
        }
        // Go writes a float from a million on with an exponent of two digits.
        None if shown.contains("e+0") => ways.push(shown.replace("e+0", "e")),
        None if read.is_f64() && !shown.contains(['e', 'E']) => ways.push(format!("{shown}0")),
        None => {}
    }
    match ways.as_slice() {
        [] => String::new(),
        ways => format!("; YAML reads {} as {shown} too", one_of(ways.iter().map(String::as_str))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_that_yaml_may_have_made_are_told() {
        for (key, told) in [
            ("true", "; if you wrote yes, on or y, quote it: YAML reads it as true"),
            ("false", "; if you wrote no, off or n, quote it: YAML reads it as false"),
            ("null", "; if you wrote ~, quote a name instead"),
            ("1000", "; YAML reads 0x3e8, 01750 or 1e3 as 1000 too"),
            ("16", "; YAML reads 0x10 or 020 as 16 too"),
            ("10", "; YAML reads 0xa, 012 or 1e1 as 10 too"),
            ("8", "; YAML reads 010 as 8 too"),
            ("12.1", "; YAML reads 12.10 as 12.1 too"),
            ("1e+06", "; YAML reads 1e6 as 1e+06 too"),
        ] {
            assert_eq!(of_key(key), told);
        }
        for key in [
            "app",
            "yes",
            "on",
            "True",
            "~",
            "",
            "007",
            "0x10",
            "1_000",
            "2026-01-01",
            "12:30",
            "12.10",
            "7",
            "0",
            "-7",
            "a1",
        ] {
            assert_eq!(of_key(key), "", "{key}");
        }
    }

    #[test]
    fn values_are_told_like_keys() {
        for (value, key) in [(json!(true), "true"), (json!(1000), "1000"), (json!(12.1), "12.1")] {
            assert_eq!(of_value(&value), of_key(key));
        }
        for value in [json!(null), json!("true"), json!([]), json!({}), json!(-16)] {
            assert_eq!(of_value(&value), "", "{value}");
        }
    }

    #[test]
    fn long_keys_are_not_repeated_at_length() {
        assert_eq!(of_key(&"9".repeat(5000)), "");
        assert_eq!(of_key(&format!("1.{}e+06", "0".repeat(5000))), "");
        assert!(of_key("-1.7976931348623157e+308").is_empty() && !of_key("-1.7976931348623e+07").is_empty());
        assert!(of_key(&u64::MAX.to_string()).len() < 100);
    }
}
