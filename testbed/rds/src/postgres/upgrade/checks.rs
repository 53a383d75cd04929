//! What RDS looks for before an upgrade to another major version [RDS User Guide, "Performing a major version upgrade", and its
//! `pg_upgrade_precheck.log`], and what pg_upgrade itself would stop at.

use std::fmt::Write;
use std::path::Path;

use jiff::Timestamp;
use rds_model::EngineVersion;
use sqlx::PgConnection;

/// A check of the whole server: a query that finds nothing where nothing is in the way, and what is said of what it finds.
struct Check {
    /// It is made from sources of these majors on …
    target: std::ops::RangeInclusive<u16>,
    /// … and of sources below this one.
    source_below: u16,
    query: &'static str,
    said: &'static str,
}

const ANY: std::ops::RangeInclusive<u16> = 0..=u16::MAX;

const OF_SERVERS: &[Check] = &[
    Check {
        target: ANY,
        source_below: u16::MAX,
        query: "SELECT gid FROM pg_prepared_xacts",
        said: "There are uncommitted prepared transactions. Please commit or rollback all prepared transactions.",
    },
    Check {
        target: ANY,
        source_below: 17,
        query: "SELECT slot_name::text FROM pg_replication_slots WHERE slot_type = 'logical'",
        said: "There are logical replication slots. Please drop all logical replication slots.",
    },
    Check {
        target: ANY,
        source_below: u16::MAX,
        query: "SELECT datname::text FROM pg_database WHERE datconnlimit = -2",
        said: "There are invalid databases. Please drop all databases that an interrupted DROP DATABASE has left.",
    },
    Check {
        target: ANY,
        source_below: u16::MAX,
        query: "SELECT datname::text FROM pg_database WHERE datname <> 'template0' AND NOT datallowconn AND datconnlimit <> -2",
        said: "All non-template0 databases must allow connections, i.e. their pg_database.datallowconn must be true.",
    },
];

/// Columns of user tables, in each database.
const OF_DATABASES: &[Check] = &[
    Check {
        target: ANY,
        source_below: u16::MAX,
        // Of the types that pg_upgrade cannot keep; regclass, regrole and regtype it can.
        query: "SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind IN ('r', 'm', 'i') AND NOT a.attisdropped
                  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast'
                  AND format_type(a.atttypid, NULL) ~ '^(regcollation|regconfig|regdictionary|regnamespace|regoper|regoperator|regproc|regprocedure)(\\[\\])?$'",
        said: "The [\"reg*\"] data types are used in user tables. Remove all usage of these data types.",
    },
    Check {
        target: 16..=u16::MAX,
        source_below: 16,
        query: "SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname)
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
                WHERE c.relkind IN ('r', 'm', 'i') AND NOT a.attisdropped AND a.atttypid IN ('aclitem'::regtype, 'aclitem[]'::regtype)
                  AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
        said: "The [\"aclitem\"] data type is used in user tables. Remove all usage of this data type.",
    },
    Check {
        target: 14..=u16::MAX,
        source_below: 14,
        query: "SELECT format('%I.%s', n.nspname, o.oprname) FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
                WHERE o.oprright = 0 AND o.oid >= 16384",
        said: "There are user-defined postfix operators, which are not supported anymore. Drop them.",
    },
    Check {
        target: 14..=u16::MAX,
        source_below: 14,
        query: "SELECT format('%I.%I', n.nspname, c.conname) FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
                WHERE c.oid >= 16384",
        said: "There are user-defined encoding conversions, whose functions have other parameters now. Drop them.",
    },
];

/// What is in the way, as lines of the log.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<String>);

impl Findings {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Something that no query finds.
    pub(crate) fn add(&mut self, said: &str) {
        self.0.push(format!("* {said}"));
    }

    /// Looks at the whole server.
    pub(crate) async fn of_server(
        &mut self,
        connection: &mut PgConnection,
        from: EngineVersion,
        to: EngineVersion,
    ) -> Result<(), sqlx::Error> {
        for check in applicable(OF_SERVERS, from, to) {
            let found: Vec<String> = sqlx::query_scalar(check.query).fetch_all(&mut *connection).await?;
            if !found.is_empty() {
                self.add(&format!("{} ({})", check.said, found.join(", ")));
            }
        }
        Ok(())
    }

    /// Looks at one database.
    pub(crate) async fn of_database(
        &mut self,
        name: &str,
        connection: &mut PgConnection,
        from: EngineVersion,
        to: EngineVersion,
        extensions: &Path,
    ) -> Result<(), sqlx::Error> {
        let mut lines = Vec::new();
        for check in applicable(OF_DATABASES, from, to) {
            let found: Vec<String> = sqlx::query_scalar(check.query).fetch_all(&mut *connection).await?;
            if !found.is_empty() {
                lines.push(format!("** {} ({})", check.said, found.join(", ")));
            }
        }
        let query = "SELECT extname::text FROM pg_extension ORDER BY 1";
        let installed: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut *connection).await?;
        let gone: Vec<_> =
            installed.into_iter().filter(|name| !extensions.join(format!("{name}.control")).is_file()).collect();
        if !gone.is_empty() {
            lines.push(format!(
                "** The database has extensions installed that are not supported on the target database version. Drop the following \
                 extensions from your database: {gone:?}."
            ));
        }
        if !lines.is_empty() {
            self.0.push(format!(
                "* The following issues in the database '{name}' need to be corrected before upgrading:"
            ));
            self.0.extend(lines);
        }
        Ok(())
    }

    /// The content of `pg_upgrade_precheck.log`, as RDS writes it.
    pub(crate) fn log(&self, from: EngineVersion, to: EngineVersion, now: Timestamp) -> String {
        let line = "-".repeat(72);
        let mut log = format!(
            "{line}\nUpgrade could not be run on {}\n{line}\n\
             The instance could not be upgraded from {from} to {to} for the following reasons.\n\
             Please take appropriate action on databases that have usage incompatible with the requested major engine version upgrade and \
             try again.\n\n",
            now.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a %b %e %H:%M:%S %Y")
        );
        for said in &self.0 {
            // Writing to a String cannot fail.
            let _ = writeln!(log, "{said}");
        }
        log
    }
}

fn applicable(
    checks: &'static [Check],
    from: EngineVersion,
    to: EngineVersion,
) -> impl Iterator<Item = &'static Check> {
    checks.iter().filter(move |check| check.target.contains(&to.major) && from.major < check.source_below)
}
