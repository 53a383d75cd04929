//! Everything of a server, dumped by PostgreSQL's own clients and restored into another one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rds_model::Instance;
use sqlx::PgConnection;

use super::super::admin::{self, execute, identifier, literal};
use super::super::postmaster::Environment;
use super::super::{PostgresError, roles};
use super::properties;

/// Options of the clients' sessions: what a database or a role is set to must not decide what a dump does or holds.
const SESSION: &str = "-c role=none -c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0 \
                       -c idle_in_transaction_session_timeout=0 -c session_replication_role=origin";
/// What two servers are compared by when everything is copied: attributes and verifiers of roles, their memberships and settings.
const GLOBALS: &str = "
    SELECT format('role %s %s', rolname, (rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls,
                                          rolconnlimit, rolpassword, rolvaliduntil, shobj_description(oid, 'pg_authid')))
    FROM pg_authid WHERE rolname !~ '^pg_'
    UNION ALL SELECT DISTINCT format('member %s %s %s', roleid::regrole, member::regrole, bool_or(admin_option))
    FROM pg_auth_members WHERE member::regrole::text <> 'rds_superuser' GROUP BY roleid, member
    UNION ALL SELECT format('setting %s %s %s', setrole::regrole, coalesce(datname, '-'), setconfig)
    FROM pg_db_role_setting LEFT JOIN pg_database d ON d.oid = setdatabase
    UNION ALL SELECT format('database %s %s %s %s %s', datname, datdba::regrole, datconnlimit, datistemplate,
                            shobj_description(oid, 'pg_database'))
    FROM pg_database WHERE datname NOT IN ('template0', 'template1', 'postgres')
    ORDER BY 1";

/// A copy that is being made, from the server at one port to the server at another.
pub(super) struct Copy<'a> {
    pub(super) env: &'a Environment,
    pub(super) new: &'a Instance,
    pub(super) from: u16,
    pub(super) to: u16,
    pub(super) clients: PathBuf,
    /// Where the dumps are.
    pub(super) folder: PathBuf,
}

/// A database as it is to be made.
struct Database {
    name: String,
    owner: String,
    /// Options of CREATE DATABASE.
    options: String,
}

/// An extension as it is to be made.
struct Extension {
    name: String,
    version: String,
    schema: String,
    owner: String,
}

impl Copy<'_> {
    pub(super) async fn make(&self) -> Result<(), PostgresError> {
        let mut old = self.env.connect(self.from, "postgres").await?;
        let mut new = self.env.connect(self.to, "postgres").await?;
        self.roles().await?;
        for database in databases(&mut old).await? {
            self.database(&database, &mut new).await?;
            properties::copy(&database.name, &mut old, &mut new).await?;
        }
        for statement in roles::after_upgrade(self.new.engine_version) {
            execute(&mut new, statement).await?;
        }
        let (before, after) = (globals(&mut old).await?, globals(&mut new).await?);
        match before.iter().find(|line| !after.contains(line)) {
            // It may hold a verifier.
            Some(lost) => {
                let what = lost.split(' ').take(2).collect::<Vec<_>>().join(" ");
                Err(PostgresError::Program { program: "pg_dumpall", output: format!("not as before: {what}") })
            }
            None => Ok(()),
        }
    }

    /// Roles with their passwords, memberships and settings. That `rdsadmin` is there already is no failure; what is, the comparison at the
    /// end finds.
    async fn roles(&self) -> Result<(), PostgresError> {
        let file = self.folder.join("globals.sql");
        self.client("pg_dumpall", self.from, "postgres", &["--globals-only", "--no-tablespaces", "--file"], &[&file])
            .await?;
        self.client("psql", self.to, "postgres", &["--no-psqlrc", "--quiet", "--file"], &[&file]).await
    }

    async fn database(&self, database: &Database, new: &mut PgConnection) -> Result<(), PostgresError> {
        let Database { name, owner, options } = database;
        let (quoted, owner) = (identifier(name), identifier(owner));
        if ["template1", "postgres"].contains(&name.as_str()) {
            execute(new, format!("ALTER DATABASE {quoted} OWNER TO {owner}")).await?;
        } else if name == "rdsadmin" {
            execute(new, "CREATE DATABASE rdsadmin TEMPLATE template0".to_owned()).await?;
            return Ok(execute(new, "REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC".to_owned()).await?);
        } else {
            execute(new, format!("CREATE DATABASE {quoted} TEMPLATE template0 OWNER {owner} {options}")).await?;
        }
        let dump = self.folder.join("database.dump");
        let statistics: &[&str] = if self.new.engine_version.major >= 18 { &["--statistics"] } else { &[] };
        let format = [&["--format=custom", "--compress=0"], statistics, &["--file"]].concat();
        self.client("pg_dump", self.from, name, &format, &[&dump]).await?;
        let list = self.folder.join("list");
        self.client("pg_restore", self.to, name, &["--list", "--file"], &[&list, &dump]).await?;
        let content = std::fs::read_to_string(&list).map_err(PostgresError::file(&list))?;
        // An extension is made at its old version, in its schema, before anything that needs it.
        let (schemas, rest): (Vec<_>, Vec<_>) = content
            .lines()
            .filter(|line| !entry(line).starts_with("DATABASE"))
            .partition(|line| entry(line) == "SCHEMA");
        self.restore(name, &dump, &schemas).await?;
        self.schema_public(name).await?;
        self.extensions(name).await?;
        self.restore(name, &dump, &rest).await
    }

    /// Restores some entries of a dump into a database that is there.
    async fn restore(&self, database: &str, dump: &Path, entries: &[&str]) -> Result<(), PostgresError> {
        let list = self.folder.join("entries");
        std::fs::write(&list, entries.join("\n")).map_err(PostgresError::file(&list))?;
        let options = ["--exit-on-error", "--use-list"];
        self.client("pg_restore", self.to, database, &options, &[&list, dump]).await
    }

    /// Every new database has a schema `public`; the old one may have lost it.
    async fn schema_public(&self, database: &str) -> Result<(), PostgresError> {
        let mut old = self.env.connect(self.from, database).await?;
        let there = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public')";
        if !sqlx::query_scalar::<_, bool>(there).fetch_one(&mut old).await? {
            let mut new = self.env.connect(self.to, database).await?;
            execute(&mut new, "DROP SCHEMA IF EXISTS public".to_owned()).await?;
        }
        Ok(())
    }

    /// Extensions keep their version where the target has it [RDS User Guide, "Upgrading PostgreSQL extensions"], and their owner.
    async fn extensions(&self, database: &str) -> Result<(), PostgresError> {
        let mut old = self.env.connect(self.from, database).await?;
        let mut new = self.env.connect(self.to, database).await?;
        let query = "SELECT extname::text AS name, extversion AS version, nspname::text AS schema, pg_get_userbyid(extowner)::text AS owner
                     FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql'";
        let mut wanted: BTreeMap<String, Extension> = sqlx::query_as(query)
            .fetch_all(&mut old)
            .await?
            .into_iter()
            .map(|(name, version, schema, owner): (String, _, _, _)| {
                (name.clone(), Extension { name, version, schema, owner })
            })
            .collect();
        let query = "SELECT name::text, version, requires::text[] FROM pg_available_extension_versions";
        let available: Vec<(String, String, Option<Vec<String>>)> = sqlx::query_as(query).fetch_all(&mut new).await?;
        // What another one requires comes first. Each round makes one at least, or nothing is left that could be made.
        while !wanted.is_empty() {
            let missing = |name: &String| {
                available
                    .iter()
                    .filter(|(known, ..)| known == name)
                    .any(|(_, _, requires)| requires.iter().flatten().any(|needed| wanted.contains_key(needed)))
            };
            let Some(next) = wanted.keys().find(|name| !missing(name)).cloned() else {
                let output = format!("extensions that require each other: {:?}", wanted.keys());
                return Err(PostgresError::Program { program: "CREATE EXTENSION", output });
            };
            let Some(Extension { name, version, schema, owner }) = wanted.remove(&next) else { break };
            let kept = available.iter().any(|(known, has, _)| *known == name && *has == version);
            let version = if kept { format!(" VERSION {}", literal(&version)) } else { String::new() };
            let (name, schema) = (identifier(&name), identifier(&schema));
            let create = format!("CREATE EXTENSION {name} SCHEMA {schema}{version};");
            let statements = if owner == "rdsadmin" {
                create
            } else {
                let owner = identifier(&owner);
                format!(
                    "ALTER ROLE {owner} SUPERUSER; SET SESSION AUTHORIZATION {owner}; {create} RESET SESSION AUTHORIZATION; \
                     ALTER ROLE {owner} NOSUPERUSER;"
                )
            };
            execute(&mut new, format!("BEGIN; {statements} COMMIT")).await?;
        }
        Ok(())
    }

    /// Runs a client on a database of one of the servers; its paths stand last.
    async fn client(
        &self,
        program: &'static str,
        port: u16,
        database: &str,
        options: &[&str],
        paths: &[&Path],
    ) -> Result<(), PostgresError> {
        let listening = self.env.endpoints.listening(port);
        let mut command = self.env.command(&self.clients.join(program), self.new);
        command
            .env("PGHOST", listening.addresses[0].to_string())
            .env("PGPORT", listening.port.to_string())
            .env("PGUSER", admin::NAME)
            .env("PGPASSWORD", self.env.admin_password.reveal())
            .env("PGDATABASE", database)
            .env("PGOPTIONS", SESSION)
            .env("PGSSLMODE", "disable");
        if program == "pg_restore" && !options.contains(&"--list") {
            // It restores into no database that it is not told of.
            command.arg("--dbname").arg(format!("dbname={}", conninfo(database)));
        }
        command.args(options).args(paths);
        self.env.run(program, command).await
    }
}

/// A value in a connection string.
fn conninfo(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// What an entry in the list of a dump is: `215; 1259 16390 TABLE public t sysadmin`.
fn entry(line: &str) -> &str {
    let is = line.splitn(4, ' ').nth(3).unwrap_or_default();
    // One of two words that begins with another one.
    if is.starts_with("DATABASE PROPERTIES ") {
        "DATABASE PROPERTIES"
    } else {
        is.split(' ').next().unwrap_or_default()
    }
}

/// All but the templates that nobody enters.
async fn databases(old: &mut PgConnection) -> Result<Vec<Database>, sqlx::Error> {
    // What later majors know besides stands in columns that earlier ones lack.
    let query = "
        SELECT datname::text AS name, pg_get_userbyid(datdba)::text AS owner,
               format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(encoding), datcollate, datctype)
               || CASE to_jsonb(d)->>'datlocprovider'
                    WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'))
                    WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d)->>'datlocale')
                    ELSE '' END AS options
        FROM pg_database d WHERE datallowconn ORDER BY datname <> 'template1', datname";
    let found: Vec<(String, String, String)> = sqlx::query_as(query).fetch_all(old).await?;
    Ok(found.into_iter().map(|(name, owner, options)| Database { name, owner, options }).collect())
}

async fn globals(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(GLOBALS).fetch_all(connection).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_told_apart() {
        for (line, is) in [
            ("3370; 1262 16384 DATABASE - shop sysadmin", "DATABASE"),
            ("3371; 0 0 DATABASE PROPERTIES - shop sysadmin", "DATABASE PROPERTIES"),
            ("6; 2615 16386 SCHEMA - app sysadmin", "SCHEMA"),
            ("3372; 0 0 COMMENT - DATABASE shop sysadmin", "COMMENT"),
            ("215; 1259 16390 TABLE public t sysadmin", "TABLE"),
            (";", ""),
        ] {
            assert_eq!(entry(line), is, "{line}");
        }
    }
}
