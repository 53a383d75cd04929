//! Parameters of the server. Which there are, and what each may be, only the provider knows: here is judged what any of them looks like.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use super::filled::Filled;
use super::path::SPEC;
use super::quote::{described, quoted};
use super::reader::Reader;
use super::{Refusal, Rule};
use crate::api::schema::PARAMETER_LIMIT;

/// Longer than any name of any engine's.
const NAME_LIMIT: usize = 64;
/// Longest value. All of them together take less than 20 KiB of what Kubernetes stores.
pub(crate) const VALUE_LIMIT: usize = 256;

impl Reader {
    pub(super) fn parameters(&mut self, spec: &Filled<'_>) -> BTreeMap<String, String> {
        let at = SPEC.field("parameters");
        let written = spec.get("parameters").and_then(|written| self.map(written, &at, "{work_mem: 65536}"));
        let Some(written) = written else {
            return BTreeMap::new();
        };
        let entries = written.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let count = entries.clone().count();
        if count > PARAMETER_LIMIT {
            let message = format_args!("has {count} parameters: at most {PARAMETER_LIMIT} are allowed");
            self.refuse(&at, Rule::TooManyEntries, message);
            return BTreeMap::new();
        }
        entries
            .filter_map(|(name, value)| {
                let field = at.key(name);
                self.take(&field, check_name(name))?;
                Some((name.clone(), self.take(&field, value_of(value))?))
            })
            .collect()
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let mut letters = name.bytes();
    let fits = letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || b"_.-".contains(&letter))
        && name.len() <= NAME_LIMIT;
    if fits {
        return Ok(());
    }
    let message = format!(
        "{} cannot be the name of a parameter: write 1 to {NAME_LIMIT} letters, digits and _ . -, first a letter",
        quoted(name)
    );
    Err(Refusal::new(Rule::MalformedParameter, message))
}

/// A value as the provider is told it: switches are 1 and 0, and whole numbers have no fraction, however they went through YAML and JSON.
fn value_of(value: &Value) -> Result<String, Refusal> {
    let text = match value {
        Value::Bool(on) => return Ok(if *on { "1" } else { "0" }.to_owned()),
        Value::Number(number) => return Ok(plain(number)),
        Value::String(text) => text,
        other => {
            let message = format!("must be a text, a number, true or false, not {}", described(other));
            return Err(Refusal::new(Rule::WrongType, message));
        }
    };
    if text.is_empty() || text.chars().count() > VALUE_LIMIT || text.chars().any(char::is_control) {
        let message = format!(
            "{} cannot be the value of a parameter: write 1 to {VALUE_LIMIT} characters on one line",
            quoted(text)
        );
        return Err(Refusal::new(Rule::MalformedParameter, message));
    }
    Ok(text.clone())
}

fn plain(number: &Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        // The cluster's API server writes 1.0 as 1.
        Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

/// The parameters that a class names, as the provider is told them.
///
/// # Errors
/// The first that none can be, and what can: nobody judges a class before it is stored.
pub fn class_parameters(written: &BTreeMap<String, Option<Value>>) -> Result<BTreeMap<String, String>, String> {
    let entries = written.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let read = entries.map(|(name, value)| {
        let value = check_name(name).and_then(|()| value_of(value));
        value.map(|value| (name.clone(), value)).map_err(|refusal| (name, refusal))
    });
    read.collect::<Result<_, _>>()
        .map_err(|(name, refusal)| format!("its parameters[{}]: {}", super::shown_key(name), refusal.message))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{DefaultVersions, defaults, parse};
    use super::*;

    fn parsed(parameters: &Value) -> Result<BTreeMap<String, String>, Vec<String>> {
        let spec = defaults(&json!({"parameters": parameters}), None, DefaultVersions::BUILT_IN);
        match parse("orders", &spec) {
            Ok(desired) => Ok(desired.parameters),
            Err(violations) => Err(violations.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn values_are_written_as_people_do() {
        for (written, told) in [
            (json!("64MB"), "64MB"),
            (json!(65_536), "65536"),
            (json!(-1), "-1"),
            (json!(1.1), "1.1"),
            (json!(1.0), "1"),
            (json!(true), "1"),
            (json!(false), "0"),
            (json!("{DBInstanceClassMemory/32768}"), "{DBInstanceClassMemory/32768}"),
        ] {
            assert_eq!(parsed(&json!({"work_mem": written})).unwrap()["work_mem"], told);
        }
        assert_eq!(parsed(&json!({"work_mem": null})), Ok(BTreeMap::new()), "null means absent");
        assert_eq!(parsed(&json!(null)), Ok(BTreeMap::new()));
        assert_eq!(parsed(&json!({"rds.force_ssl": 1, "TimeZone": "Europe/Berlin"})).unwrap().len(), 2);
    }

    #[test]
    fn i12_no_value_leaves_its_line() {
        for (parameters, said) in [
            (json!({"search_path": "public\nfsync = off"}), "cannot be the value of a parameter"),
            (json!({"search_path": ""}), "cannot be the value of a parameter"),
            (json!({"search_path": "x".repeat(257)}), "1 to 256 characters"),
            (json!({"work mem": 1}), "spec.parameters[work mem]: \"work mem\" cannot be the name of a parameter"),
            (json!({"x".repeat(65): 1}), "1 to 64 letters"),
            (json!({"work_mem": [1]}), "must be a text, a number, true or false, not a list"),
            (json!(["work_mem"]), "spec.parameters: must be a map such as {work_mem: 65536}, not a list"),
            (
                json!((0..51).map(|n| (format!("p{n}"), json!(1))).collect::<serde_json::Map<_, _>>()),
                "has 51 parameters: at most 50",
            ),
        ] {
            let refused = parsed(&parameters).expect_err("it is refused");
            assert!(matches!(&refused[..], [only] if only.contains(said)), "{parameters}: {refused:?}");
        }
    }

    #[test]
    fn a_class_says_which_of_its_parameters_cannot_be() {
        let read = |parameters: Value| class_parameters(&serde_json::from_value(parameters).unwrap());
        assert_eq!(read(json!({"work_mem": 65_536, "jit": null})).unwrap().len(), 1);
        let refused = read(json!({"work_mem": [1]})).unwrap_err();
        assert!(refused.starts_with("its parameters[work_mem]: must be a text, a number"), "{refused}");
    }
}
