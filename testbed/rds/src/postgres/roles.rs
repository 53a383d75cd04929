//! The roles of a new instance: what RDS creates, and what its master user may do.

use std::fmt::Write;

use rds_model::EngineVersion;

use super::admin::{identifier, literal};

/// The roles RDS makes for itself. None can log in.
const SERVICE_ROLES: [&str; 4] = ["rds_superuser", "rds_replication", "rds_password", "rds_iam"];

/// Of PostgreSQL's own roles, those that `rds_superuser` is a member of, with the major that has them first. The
/// first two are documented by RDS; those of 15 and later are assumed from what its master user can do.
const PREDEFINED: [(&str, u16); 5] = [
    ("pg_monitor", 12),
    ("pg_signal_backend", 12),
    ("pg_checkpoint", 15),
    ("pg_use_reserved_connections", 16),
    ("pg_create_subscription", 16),
];

/// Statements for the database `postgres` of a new server: roles and databases as RDS has them.
///
/// The master user has CREATEDB and CREATEROLE and is in `rds_superuser`, with the right to pass it and the other service roles on, which
/// from 16 on needs ADMIN OPTION. It is neither SUPERUSER nor REPLICATION nor BYPASSRLS [RDS User Guide, "Understanding the rds_superuser
/// role"].
pub(crate) fn new_instance(version: EngineVersion, master: &str, verifier: &str) -> Vec<String> {
    let master_name = identifier(master);
    let mut roles = String::new();
    for role in SERVICE_ROLES {
        // Writing to a String cannot fail.
        let _ = writeln!(roles, "CREATE ROLE {role} NOLOGIN;");
    }
    for grant in grants(version) {
        let _ = writeln!(roles, "{grant};");
    }
    let _ = write!(
        roles,
        "GRANT rds_replication, rds_password TO rds_superuser WITH ADMIN OPTION;\n\
         CREATE ROLE {master_name};\n\
         ALTER DATABASE postgres OWNER TO {master_name};\n\
         ALTER DATABASE template1 OWNER TO {master_name};\n"
    );
    roles.push_str(&master_privileges(master, verifier));
    vec![
        roles,
        "CREATE DATABASE rdsadmin TEMPLATE template0".to_owned(),
        "REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC".to_owned(),
    ]
}

/// Statements after everything of an older major has come to a new server of this version: what `rds_superuser` has on it besides. To the roles
/// of the master user nothing is added: those that it made up to 15 are not its own to grant from 16 on.
pub(crate) fn after_upgrade(version: EngineVersion) -> Vec<String> {
    grants(version)
}

fn grants(version: EngineVersion) -> Vec<String> {
    let predefined = PREDEFINED.iter().filter(|(_, since)| version.major >= *since);
    let mut grants: Vec<_> =
        predefined.map(|(role, _)| format!("GRANT {role} TO rds_superuser WITH ADMIN OPTION")).collect();
    if version.major >= 16 {
        // The right to grant it, without its effect: a member logs in with IAM tokens only.
        grants.push("GRANT rds_iam TO rds_superuser WITH ADMIN TRUE, INHERIT FALSE, SET FALSE".to_owned());
    }
    grants
}

/// The statement that creates the database an instance is asked to begin with.
pub(crate) fn create_database(name: &str, master: &str) -> String {
    format!("CREATE DATABASE {} OWNER {}", identifier(name), identifier(master))
}

/// Statements for `template1` and `postgres` before any other database is made from them: up to 14 the schema `public` belongs to the
/// master user; from 15 on it belongs to the owner of its database by itself.
pub(crate) fn schema_public(version: EngineVersion, master: &str) -> Option<String> {
    (version.major < 15).then(|| format!("ALTER SCHEMA public OWNER TO {}", identifier(master)))
}

/// Gives the master user its password and, as RDS does on each password reset, its privileges.
pub(crate) fn master_privileges(master: &str, verifier: &str) -> String {
    let (name, verifier) = (identifier(master), literal(verifier));
    format!(
        "ALTER ROLE {name} LOGIN INHERIT CREATEDB CREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS PASSWORD {verifier};\n\
         GRANT rds_superuser TO {name} WITH ADMIN OPTION;\n"
    )
}
