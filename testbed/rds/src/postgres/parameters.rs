//! What a parameter group makes of the configuration of a server.

use std::collections::BTreeMap;
use std::fmt::Write;

use rds_model::EngineVersion;
use rds_model::parameters::evaluate;

use super::admin::literal;

/// The oldest major whose default parameter group has `rds.force_ssl=1`.
const FORCE_SSL_SINCE: u16 = 15;

/// Libraries to preload that the PostgreSQL bundles have. Others are left out, or the server would not start.
const LIBRARIES: [&str; 3] = ["auto_explain", "pg_prewarm", "pg_stat_statements"];

/// Whether clients must come over TLS.
pub(crate) fn force_ssl(version: EngineVersion, values: &BTreeMap<String, String>) -> bool {
    values.get("rds.force_ssl").map_or(version.major >= FORCE_SSL_SINCE, |value| is_on(value))
}

/// Lines of `postgresql.conf`: the values of the group, formulas as what they come to for the class. They stand last, so they hold.
pub(crate) fn lines(values: &BTreeMap<String, String>, class: &str) -> String {
    let mut lines = String::new();
    for (name, value) in values {
        let value = match name.as_str() {
            "rds.force_ssl" => continue,
            "shared_preload_libraries" => {
                let known = value.split(',').map(str::trim).filter(|library| LIBRARIES.contains(library));
                known.collect::<Vec<_>>().join(", ")
            }
            "rds.logical_replication" if is_on(value) => {
                // RDS derives it; the parameter itself cannot be modified.
                lines.push_str("wal_level = logical\n");
                value.clone()
            }
            _ if value.contains('{') => evaluate(value, class).map_or_else(String::new, |number| number.to_string()),
            _ => value.clone(),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{name} = {}", quoted(&value));
    }
    lines
}

/// In a configuration file backslashes escape.
fn quoted(value: &str) -> String {
    literal(&value.replace('\\', "\\\\"))
}

fn is_on(value: &str) -> bool {
    ["1", "on", "true"].contains(&value.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(values: &[(&str, &str)]) -> BTreeMap<String, String> {
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn tls_is_forced_from_15_on_unless_the_group_says_otherwise() {
        for (major, set, forced) in
            [(14, None, false), (15, None, true), (14, Some("1"), true), (18, Some("0"), false), (12, Some("on"), true)]
        {
            let version = EngineVersion::default_of(major).unwrap();
            let values = set.map(|value| values(&[("rds.force_ssl", value)])).unwrap_or_default();
            assert_eq!(force_ssl(version, &values), forced, "{major} {set:?}");
        }
    }

    #[test]
    fn values_are_quoted_formulas_come_to_numbers_and_unknown_libraries_are_left_out() {
        let values = values(&[
            ("application_name", "it's \\ 'so'"),
            ("max_connections", "LEAST({DBInstanceClassMemory/9531392},5000)"),
            ("rds.force_ssl", "0"),
            ("rds.logical_replication", "1"),
            ("shared_preload_libraries", "pg_cron,pg_stat_statements, auto_explain"),
            ("work_mem", "64"),
        ]);
        assert_eq!(
            lines(&values, "db.t4g.micro"),
            "application_name = 'it''s \\\\ ''so'''\n\
             max_connections = '112'\n\
             wal_level = logical\n\
             rds.logical_replication = '1'\n\
             shared_preload_libraries = 'pg_stat_statements, auto_explain'\n\
             work_mem = '64'\n"
        );
    }
}
