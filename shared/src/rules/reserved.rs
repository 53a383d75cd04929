//! Names that are taken: by the operator, by RDS, by the engine or by SQL itself.

use super::Engine;

/// What a name is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A key of `spec.users`.
    User,
    /// `spec.masteruser`.
    Master,
    /// A key of `spec.databases`.
    Database,
}

impl Place {
    /// The place with its article, for messages.
    pub(super) const fn article(self) -> &'static str {
        match self {
            Self::User => "a user name",
            Self::Master => "a master user name",
            Self::Database => "a database name",
        }
    }
}

/// Words that SQL reserves: as a name they would have to be quoted in every statement.
/// Source: PostgreSQL 18 documentation, appendix "SQL Key Words", the reserved ones; sorted.
const SQL_WORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "session_user",
    "similar",
    "some",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
];

/// Why a name cannot be used, as the rest of a sentence that begins with the name; none when it is free.
pub(super) fn why(engine: Engine, place: Place, name: &str) -> Option<&'static str> {
    if place != Place::Master && name == "master" {
        return Some("is reserved: the Secret of the master user has this name");
    }
    if matches!(name, "public" | "none") {
        return Some("is reserved: it has a meaning of its own in grants");
    }
    if SQL_WORDS.binary_search(&name).is_ok() {
        return Some("is reserved: it is a key word of SQL");
    }
    match engine {
        Engine::Postgresql => postgresql(place, name),
        Engine::MySql => mysql(place, name),
    }
}

fn postgresql(place: Place, name: &str) -> Option<&'static str> {
    match (place, name) {
        (Place::Database, "postgres" | "template0" | "template1") => {
            Some("is reserved: every PostgreSQL server has it already")
        }
        (Place::User, "postgres") => {
            Some("is reserved: it is the customary superuser; to have it, write it as spec.masteruser")
        }
        (Place::User | Place::Master, "admin") => Some("is reserved by RDS for PostgreSQL"),
        (_, name) if name.starts_with("pg_") => {
            Some("is reserved: PostgreSQL keeps names that begin with pg_ to itself")
        }
        (place, name) => rds(place, name),
    }
}

fn mysql(place: Place, name: &str) -> Option<&'static str> {
    match (place, name) {
        (Place::Database, "mysql" | "sys" | "information_schema" | "performance_schema" | "innodb") => {
            Some("is reserved: every MySQL server has it already")
        }
        (Place::User | Place::Master, "root" | "mysql") => Some("is reserved by MySQL"),
        (place, name) => rds(place, name),
    }
}

fn rds(place: Place, name: &str) -> Option<&'static str> {
    // RDS documents `rdsadmin` alone; its other roles (`rds_superuser`, `rdsrepladmin`, …) share the prefix.
    if name == "rdsadmin" || (place != Place::Database && name.starts_with("rds")) {
        return Some("is reserved: RDS keeps names that begin with rds to itself");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_can_be_searched() {
        assert!(SQL_WORDS.is_sorted());
    }

    #[test]
    fn what_is_reserved_where() {
        use Engine::{MySql, Postgresql};
        use Place::{Database, Master, User};
        for (engine, place, name, reserved) in [
            (Postgresql, User, "master", true),
            (Postgresql, Database, "master", true),
            (Postgresql, Master, "master", false),
            (Postgresql, User, "postgres", true),
            (Postgresql, Master, "postgres", false),
            (Postgresql, Database, "postgres", true),
            (Postgresql, Master, "admin", true),
            (MySql, Master, "admin", false),
            (Postgresql, User, "pg_monitor", true),
            (Postgresql, User, "rds_superuser", true),
            (Postgresql, Database, "rdsadmin", true),
            (Postgresql, Database, "rds", false),
            (Postgresql, User, "public", true),
            (Postgresql, User, "user", true),
            (Postgresql, Database, "order", true),
            (Postgresql, Database, "orders", false),
            (MySql, Database, "sys", true),
            (MySql, User, "root", true),
            (Postgresql, User, "root", false),
            (Postgresql, User, "app", false),
        ] {
            assert_eq!(why(engine, place, name).is_some(), reserved, "{engine} {place:?} {name}");
        }
    }
}
