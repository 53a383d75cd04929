use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::naming::{Mark, owner_role};

/// What the server says of its roles and databases.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Catalog {
    /// `server_version_num`, such as 120022.
    pub version: u32,
    /// The role the catalog was read as.
    pub master: String,
    /// The database the master was connected to, where statements run that belong to no other.
    pub maintenance: String,
    /// Roles by name; PostgreSQL's predefined ones (`pg_…`) are left out.
    pub roles: BTreeMap<String, Role>,
    /// Databases by name, templates too.
    pub databases: BTreeMap<String, Database>,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Role {
    /// May log in.
    pub login: bool,
    /// Is a superuser, which on RDS only `rdsadmin` is.
    pub superuser: bool,
    /// May create databases.
    pub createdb: bool,
    /// May create roles.
    pub createrole: bool,
    /// Uses the privileges of the roles it is a member of without SET ROLE.
    pub inherit: bool,
    /// Passes row-level security.
    pub bypassrls: bool,
    /// Its comment, in which [`Mark`] is kept.
    pub comment: Option<String>,
    /// Roles it is a member of.
    pub memberships: BTreeMap<String, Membership>,
    /// Someone is logged in as it.
    pub sessions: bool,
    /// Databases in which something is left that it owns or was granted. What belongs to no database counts for the maintenance one.
    pub depends_in: BTreeSet<String>,
}

/// How a role is a member of another: the union of its grants. Up to PostgreSQL 15 `set` always holds, and `inherit` is an
/// attribute of the member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Membership {
    /// Uses its privileges without SET ROLE.
    pub inherit: bool,
    /// May SET ROLE to it.
    pub set: bool,
}

/// A database, as seen from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Database {
    /// Its owner.
    pub owner: String,
    /// The master has its owner's privileges, so may change who connects.
    pub manageable: bool,
    /// Privileges on it that everyone has.
    pub public: BTreeSet<String>,
    /// Roles other than its owner that were granted CONNECT.
    pub connect: BTreeSet<String>,
    /// The setting `role` by user: whom the user's sessions in this database act as.
    pub acts_as: BTreeMap<String, String>,
    /// What is inside; only read where the owner is this database's owner role.
    #[serde(default)]
    pub inside: Option<Inside>,
}

/// A database, as seen from inside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Inside {
    /// The schema `public`, where there is one.
    pub public_schema: Option<PublicSchema>,
    /// By role: the kinds of object (`pg_default_acl.defaclobjtype`) that the database's owner is granted when the role creates them.
    pub default_privileges: BTreeMap<String, BTreeSet<String>>,
}

/// The schema `public`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct PublicSchema {
    /// Its owner: `pg_database_owner` from PostgreSQL 15.
    pub owner: String,
    /// The master has its owner's privileges. Up to PostgreSQL 14 this depends on who owns the schema in `template1`.
    pub manageable: bool,
    /// Everyone has a privilege on it.
    pub open: bool,
}

impl Catalog {
    /// Major version, such as 12.
    pub fn major(&self) -> u32 {
        self.version / 10_000
    }

    /// Whether a role carries the mark.
    pub fn is_ours(&self, role: &str, mark: &Mark) -> bool {
        self.roles.get(role).is_some_and(|role| role.comment.as_deref() == Some(mark.as_str()))
    }

    /// Databases that are ours: those whose owner is their own owner role, marked.
    pub fn our_databases<'a>(&'a self, mark: &'a Mark) -> impl Iterator<Item = (&'a str, &'a Database)> {
        self.databases
            .iter()
            .filter(|(name, database)| database.owner == owner_role(name) && self.is_ours(&database.owner, mark))
            .map(|(name, database)| (name.as_str(), database))
    }

    /// Users that are ours: marked roles that are not the owner role of a database.
    pub fn our_users<'a>(&'a self, mark: &'a Mark) -> impl Iterator<Item = (&'a str, &'a Role)> {
        // Owner roles are told by the hyphen, which no user's name holds: an owner role outlives a database that someone dropped.
        self.roles
            .iter()
            .filter(|(name, _)| !name.contains('-') && self.is_ours(name, mark))
            .map(|(name, role)| (name.as_str(), role))
    }
}
