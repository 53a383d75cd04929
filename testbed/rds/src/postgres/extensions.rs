//! `CREATE EXTENSION` by members of `rds_superuser`, who are no superusers: RDS's own build of PostgreSQL lets them create what is on its
//! list, and here an event trigger lends them the attribute while the statement runs.

use std::fmt::Write;

use super::admin::literal;

/// What is both on RDS's list [Amazon RDS for PostgreSQL Release Notes, "Extensions supported"] and in the bundles. Some came with later
/// majors.
const SUPPORTED: [&str; 47] = [
    "amcheck",
    "autoinc",
    "bloom",
    "bool_plperl",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dblink",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "hstore_plperl",
    "insert_username",
    "intagg",
    "intarray",
    "isn",
    "jsonb_plperl",
    "lo",
    "ltree",
    "moddatetime",
    "old_snapshot",
    "pg_buffercache",
    "pg_freespacemap",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_trgm",
    "pg_visibility",
    "pg_walinspect",
    "pgcrypto",
    "pgrowlocks",
    "pgstattuple",
    "plperl",
    "plpgsql",
    "pltcl",
    "postgres_fdw",
    "refint",
    "seg",
    "sslinfo",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
];

/// The databases that others are made from, and the one that is there.
pub(crate) const DATABASES: [&str; 3] = ["template0", "template1", "postgres"];

/// What `SHOW rds.extensions` says.
pub(crate) fn setting() -> String {
    SUPPORTED.join(", ")
}

/// Opens or closes `template0` to connections.
pub(crate) fn allow_connections(database: &str, allowed: bool) -> String {
    format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {allowed}")
}

/// Statements for each of [`DATABASES`]. What they make belongs to `plpgsql`, which every database has, so that no dump has it.
///
/// The caller is who the statement runs as. What the end finds off the list takes the whole statement back, the attribute with it, as does
/// any failure in between.
pub(crate) fn triggers() -> String {
    let caller =
        "CASE current_setting('role') WHEN 'none' THEN session_user::name ELSE current_setting('role')::name END";
    let header = "RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$";
    let update = r#"^\s*alter\s+extension\s+("[^"]+"|\w+)\s+update(\s+to\s+\S+)?\s*;?\s*$"#;
    let list = SUPPORTED.map(literal).join(", ");
    let mut statements = format!(
        "CREATE FUNCTION pg_catalog.rds_extension_start() {header}
         DECLARE
           caller CONSTANT name := {caller};
         BEGIN
           -- Other forms of ALTER EXTENSION ask for ownership only, and a superuser owns everything.
           IF TG_TAG = 'ALTER EXTENSION' AND current_query() !~* '{update}' THEN
             RETURN;
           END IF;
           IF caller <> 'rdsadmin' AND pg_has_role(caller, 'rds_superuser', 'MEMBER') THEN
             -- One at a time in all databases: of two changes of a role, the later one would fail.
             LOCK TABLE pg_authid IN SHARE UPDATE EXCLUSIVE MODE;
             EXECUTE format('ALTER ROLE %I SUPERUSER', caller);
           END IF;
         END $$;
         CREATE FUNCTION pg_catalog.rds_extension_end() {header}
         DECLARE
           caller CONSTANT name := {caller};
           unsupported name;
         BEGIN
           -- Scripts of extensions alter them too, and go on after it.
           IF caller = 'rdsadmin' OR EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE in_extension) THEN
             RETURN;
           END IF;
           SELECT extname INTO unsupported FROM pg_extension WHERE extname <> ALL (ARRAY[{list}]) LIMIT 1;
           IF FOUND THEN
             RAISE feature_not_supported USING
               MESSAGE = format('Extension \"%s\" is not supported by Amazon RDS', unsupported),
               DETAIL = format('Installing the extension \"%s\" failed, because it is not on the list of extensions supported by Amazon RDS.', unsupported),
               HINT = 'Amazon RDS allows users with rds_superuser role to install supported extensions. See: SHOW rds.extensions;';
           END IF;
           IF (SELECT rolsuper FROM pg_roles WHERE rolname = caller) THEN
             EXECUTE format('ALTER ROLE %I NOSUPERUSER', caller);
           END IF;
         END $$;\n"
    );
    for moment in ["start", "end"] {
        // Writing to a String cannot fail.
        let _ = writeln!(
            statements,
            "CREATE EVENT TRIGGER rds_extension_{moment} ON ddl_command_{moment} WHEN TAG IN ('CREATE EXTENSION', 'ALTER EXTENSION') \
             EXECUTE FUNCTION pg_catalog.rds_extension_{moment}();
             ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.rds_extension_{moment}();
             ALTER EXTENSION plpgsql ADD EVENT TRIGGER rds_extension_{moment};"
        );
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert!(SUPPORTED.is_sorted());
    }
}
