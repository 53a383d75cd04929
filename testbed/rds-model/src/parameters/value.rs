//! Whether a group may set a parameter to a value.

use super::{Parameter, evaluate};

/// A value that is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAllowed;

/// The class that formulas are tried with: what one comes to elsewhere is not looked at, as on RDS.
const ANY_CLASS: &str = "db.m6g.large";

/// Checks a value against what is allowed.
pub(crate) fn check(parameter: &Parameter, value: &str) -> Result<(), NotAllowed> {
    let Some(allowed) = parameter.allowed else {
        // It ends up in a line of a file.
        return if value.contains(['\n', '\r', '\0']) { Err(NotAllowed) } else { Ok(()) };
    };
    let fits = match parameter.data_type {
        "integer" if value.contains('{') => evaluate(value, ANY_CLASS).is_some(),
        "integer" => {
            value.parse::<i64>().is_ok_and(|number| in_range(allowed, &number, |text| text.parse::<i64>().ok()))
        }
        "float" => value.parse::<f64>().is_ok_and(|number| in_range(allowed, &number, |text| text.parse::<f64>().ok())),
        "boolean" => ["0", "1", "on", "off", "true", "false"].contains(&value.to_ascii_lowercase().as_str()),
        "list" => value.split(',').all(|item| one_of(allowed, item.trim())),
        _ => one_of(allowed, value),
    };
    if fits { Ok(()) } else { Err(NotAllowed) }
}

fn one_of(allowed: &str, value: &str) -> bool {
    allowed.split(',').any(|known| known == value)
}

/// A range is `first-last`, where the first may be negative.
fn in_range<T: PartialOrd>(allowed: &str, number: &T, read: impl Fn(&str) -> Option<T>) -> bool {
    let bounds =
        allowed.match_indices('-').find_map(|(at, _)| Some((read(&allowed[..at])?, read(&allowed[at + 1..])?)));
    bounds.is_some_and(|(first, last)| first <= *number && *number <= last)
}

#[cfg(test)]
mod tests {
    use crate::parameters::find;

    #[test]
    fn values_are_held_to_what_is_allowed() {
        let allows = |name: &str, value: &str| super::check(find(17, name).unwrap(), value).is_ok();
        for (name, value) in [
            ("work_mem", "64"),
            ("log_min_duration_statement", "-1"),
            ("max_connections", "LEAST({DBInstanceClassMemory/9531392},100)"),
            ("random_page_cost", "1.1"),
            ("cpu_tuple_cost", "1e300"),
            ("jit", "1"),
            ("jit", "off"),
            ("log_statement", "ddl"),
            ("shared_preload_libraries", "pg_stat_statements, auto_explain"),
            ("search_path", "\"$user\", public"),
        ] {
            assert!(allows(name, value), "{name} = {value}");
        }
        for (name, value) in [
            ("work_mem", "63"),
            ("work_mem", "4MB"),
            ("log_min_duration_statement", "-2"),
            ("max_connections", "{DBInstanceClassMemory/"),
            ("random_page_cost", "-1"),
            ("jit", "2"),
            ("log_statement", "some"),
            ("shared_preload_libraries", "pg_stat_statements,mine"),
            ("search_path", "public\nfsync = off"),
        ] {
            assert!(!allows(name, value), "{name} = {value}");
        }
    }
}
