//! What a scalar means to kubectl.
//!
//! kubectl turns YAML into JSON with `sigs.k8s.io/yaml`, whose parser (`go.yaml.in/yaml/v2`) speaks YAML 1.1 with some words of 1.2: `yes`
//! and `on` are true, `012` and `0o12` are ten, `1_000` is a thousand, and base 60 is not read.

use serde_json::{Number, Value};

/// The prefix of the tags that YAML itself defines.
const CORE: &str = "tag:yaml.org,2002:";

/// The value of a scalar; `plain` where it is written without quotes, `tag` as its long form.
///
/// # Errors
/// Why kubectl could not read it either, as a sentence without the value's place.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&str>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return if plain { json(implicit(text), text) } else { Ok(text.into()) };
    };
    let Some(kind) = tag.strip_prefix(CORE) else { return Ok(text.into()) };
    match (kind, implicit(text)) {
        ("bool", value @ Scalar::Bool(_))
        | ("int", value @ Scalar::Whole(_))
        | ("float", value @ (Scalar::Whole(_) | Scalar::Float(_)))
        | ("null", value @ Scalar::Null) => json(value, text),
        ("bool" | "int" | "float" | "null", _) => Err(format!("the text {text:?} is not of the type !!{kind}")),
        ("binary", _) => Err("!!binary has no meaning here: write the text itself".to_owned()),
        _ => Ok(text.into()),
    }
}

/// A key as JSON has it: booleans and numbers become texts. `written` are its characters, where they look different.
///
/// # Errors
/// Why it cannot be a key.
pub(super) fn key(value: &Value, written: Option<&str>) -> Result<String, String> {
    if let Some(Scalar::Float(float)) = written.map(implicit) {
        return Ok(float_key(float));
    }
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Number(number) if number.is_i64() => Ok(number.to_string()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => Ok(float_key(float)),
            _ => Err(format!("the number {number} is too large for a key")),
        },
        Value::Null => Err("null cannot be a key: quote it, or write the key before the colon".to_owned()),
        Value::Array(_) | Value::Object(_) => Err("only a text can be a key, not a list or a map".to_owned()),
    }
}

/// A float as `sigs.k8s.io/yaml` writes it for a key: in 32 bits, and from a million on with an exponent (Go, `strconv.FormatFloat` with `g`).
#[allow(clippy::cast_possible_truncation, reason = "what kubectl does as well")]
fn float_key(float: f64) -> String {
    let float = float as f32;
    let short = format!("{float:e}");
    match short.split_once('e').and_then(|(digits, exponent)| Some((digits, exponent.parse::<i32>().ok()?))) {
        Some((digits, exponent)) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => float.to_string(),
    }
}

/// A plain scalar by its looks.
enum Scalar {
    Null,
    Bool(bool),
    Whole(Number),
    Float(f64),
    Text,
}

fn json(scalar: Scalar, text: &str) -> Result<Value, String> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => value.into(),
        Scalar::Whole(number) => number.into(),
        Scalar::Float(float) => float_json(float).ok_or_else(|| format!("{text} is no number that JSON has"))?,
        Scalar::Text => text.into(),
    })
}

/// Go writes a float without a fraction as a whole number, so 12.0 reaches the API server as 12.
fn float_json(float: f64) -> Option<Value> {
    // 2^63, the first that does not fit.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float.fract() == 0.0 && float.abs() < LIMIT {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and below the limit")]
        return Some((float as i64).into());
    }
    Number::from_f64(float).map(Value::Number)
}

fn implicit(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => return Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes()[0] {
        b'.' => float(&without_separators(text)).map_or(Scalar::Text, Scalar::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            let plain = text.replace('_', "");
            match (whole(&plain), float(&plain)) {
                (Some(number), _) => Scalar::Whole(number),
                (None, Some(float)) => Scalar::Float(float),
                (None, None) => Scalar::Text,
            }
        }
        _ => Scalar::Text,
    }
}

/// A whole number as Go's `strconv.ParseInt` reads it with base 0: `0x`, `0o`, `0b`, and octal after a leading zero.
fn whole(text: &str) -> Option<Number> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    // from_str_radix would take a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(number)) => Some(number.into()),
        // ParseUint takes no sign.
        (false, Err(_)) => (!signed).then(|| magnitude.into()),
        (true, _) => 0_i64.checked_sub_unsigned(magnitude).map(Into::into),
    }
}

/// Without underscores, unless one of them does not stand between two digits.
fn without_separators(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let parts = text.match_indices('_').all(|(at, _)| digit(at.checked_sub(1)) && digit(at.checked_add(1)));
    if parts { text.replace('_', "") } else { text.to_owned() }
}

/// A decimal fraction; infinity and NaN have words of their own.
fn float(text: &str) -> Option<f64> {
    let digits = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    let float: f64 = text.bytes().all(digits).then(|| text.parse().ok())??;
    float.is_finite().then_some(float)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tags_decide_over_looks() {
        let tagged = |text, kind: &str| resolve(text, true, Some(&format!("{CORE}{kind}")));
        assert_eq!(tagged("12", "str"), Ok(json!("12")));
        assert_eq!(tagged("12", "float"), Ok(json!(12)));
        assert_eq!(tagged("yes", "bool"), Ok(json!(true)));
        assert!(tagged("twelve", "int").unwrap_err().contains("is not of the type !!int"));
        assert_eq!(resolve("12", true, Some("!mine")), Ok(json!("12")));
    }

    #[test]
    fn quotes_make_texts() {
        for text in ["12", "yes", "null", ""] {
            assert_eq!(resolve(text, false, None), Ok(json!(text)));
        }
    }

    #[test]
    fn what_json_has_no_number_for_is_refused() {
        assert!(resolve(".inf", true, None).unwrap_err().contains("no number that JSON has"));
    }
}
