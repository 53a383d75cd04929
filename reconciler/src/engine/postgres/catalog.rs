//! What a look finds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::quote::ident;
use super::step::blocked::BlockedReason;
use crate::engine::port::Findings;

/// What the server says: where it differs from what is wanted, and no more. Each list has an end, so a server that differs in very much
/// is looked at several times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Catalog {
    /// `server_version_num`, such as 120022.
    pub version: u32,
    /// The role the catalog was read as.
    pub master: String,
    /// The master can give and take BYPASSRLS.
    pub grants_bypassrls: bool,
    /// Those of `rds_superuser` and `rds_replication` that the server has.
    pub server_roles: BTreeSet<String>,
    /// Wanted roles that are no users and not there as they should be.
    pub roles: BTreeMap<String, RoleState>,
    /// Roles of ours whose rights the master does not have, or (up to PostgreSQL 15) cannot hand on.
    pub unjoined: Vec<String>,
    /// Roles of ours that are no users, and can log in or have a privilege.
    pub awake: Vec<String>,
    /// Wanted users that are not there as declared.
    pub users: Vec<User>,
    /// Users of ours that are not wanted any more.
    pub removed_users: Vec<RemovedUser>,
    /// Wanted databases that are not there as they should be.
    pub databases: Vec<Database>,
    /// The oids of wanted databases, where they differ from what is known.
    pub oids: BTreeMap<String, u32>,
    /// Databases of ours that are not wanted any more. They are kept.
    pub removed_databases: Vec<RemovedDatabase>,
    /// Users that cannot work in a database they are mapped to, or not as they should.
    pub pairs: Vec<Pair>,
    /// Users that can enter, or act in, a database of ours they are not mapped to.
    pub strays: Vec<Pair>,
    /// Members of roles of ours that are not to be.
    pub stray_members: Vec<Member>,
    /// Users with flags whose new objects are not shared with the others.
    pub unshared: Vec<Pair>,
    /// Users whose own default privileges name the owner role without need.
    pub overshared: Vec<Pair>,
    /// What users own themselves in databases of ours.
    pub possessions: Vec<Possession>,
    /// Databases that everybody may enter and that the master may close.
    pub open: Vec<String>,
    /// Databases that someone gave to an owner role.
    pub given_away: Vec<GivenAway>,
    /// Users whose way into the maintenance database is to change.
    pub maintenance: Vec<Maintenance>,
}

/// What is there of a name that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleState {
    /// Nothing.
    Missing,
    /// Somebody else's role.
    Taken,
    /// A role that carries the mark and that the master may not administer.
    Unmanageable,
    /// A role of ours.
    Ours,
}

/// A wanted user, as it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// Its name.
    pub name: String,
    /// Whether it is there, and whose.
    pub state: RoleState,
    /// It can log in.
    pub login: bool,
    /// It can create databases.
    pub createdb: bool,
    /// It can create roles.
    pub createrole: bool,
    /// It has the rights of the roles that it is a member of, without `SET ROLE`.
    pub inherit: bool,
    /// Row-level security hides nothing from it.
    pub bypassrls: bool,
    /// A member of `rds_superuser`.
    pub superuser: bool,
    /// A member of `rds_replication`.
    pub replication: bool,
}

/// A user of ours that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RemovedUser {
    /// Its name.
    pub name: String,
    /// It can log in, is logged in, or has rights on a database.
    pub active: bool,
    /// It owns databases.
    pub owns_databases: bool,
    /// It has something that belongs to no database.
    pub shared: bool,
    /// Where it owns something or was granted something.
    pub left_in: Vec<LeftIn>,
}

/// A database in which a removed user left something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LeftIn {
    /// The database.
    pub database: String,
    /// Its owner role, where it is a database of ours.
    pub heir: Option<String>,
}

/// A wanted database, as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its oid; `None` where there is none of this name.
    pub oid: Option<u32>,
    /// It is of this object.
    pub ours: bool,
    /// Its owner, where it is somebody else's.
    pub owner: Option<String>,
    /// It belongs to its owner role, as in v0.1.0.
    pub former: bool,
    /// It lets anybody in.
    pub admits: bool,
    /// What an interrupted DROP DATABASE leaves: it can only be dropped.
    pub broken: bool,
    /// Anybody who may create databases can copy it.
    pub template: bool,
    /// Everybody has a privilege on it.
    pub public: bool,
    /// Its owner role has what it needs, which it gets when the inside is as it should be.
    pub laid_out: bool,
    /// Settings of the database that keep people out of it.
    pub locks: Vec<String>,
    /// The name that the known one, which is missing, has now.
    pub renamed_to: Option<String>,
}

/// A database of ours that left the spec.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RemovedDatabase {
    /// Its name.
    pub name: String,
    /// It belongs to its owner role, as in v0.1.0.
    pub former: bool,
    /// Its owner role.
    pub owner: String,
    /// It lets anybody in.
    pub admits: bool,
    /// A DROP DATABASE that was interrupted has left it unusable.
    #[serde(default)]
    pub broken: bool,
}

/// A user and a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Pair {
    /// The user.
    pub user: String,
    /// The database.
    pub database: String,
}

/// A member of a role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Member {
    /// The role.
    pub role: String,
    /// Its member.
    pub user: String,
}

/// What a user owns itself in a database of ours.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Possession {
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// How many objects that can be handed over one by one.
    pub objects: u64,
    /// How many extensions.
    pub extensions: u64,
}

/// A database that belongs to an owner role.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct GivenAway {
    /// The database.
    pub database: String,
    /// Its owner role.
    pub owner: String,
}

/// A user's way into the maintenance database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Maintenance {
    /// The user.
    pub user: String,
    /// It is to be able to enter.
    pub enters: bool,
}

impl RemovedDatabase {
    /// Why even the master cannot enter it, and how it is opened.
    fn shut(&self) -> Option<String> {
        if self.broken {
            return Some(BlockedReason::DatabaseBroken { database: self.name.clone() }.to_string());
        }
        let name = ident(&self.name);
        let why = || {
            format!(
                "nobody can enter it, the master user neither: ALTER DATABASE {name} CONNECTION LIMIT -1 ALLOW_CONNECTIONS true, as that \
                 user, opens it"
            )
        };
        (!self.admits).then(why)
    }
}

impl Catalog {
    /// Major version, such as 12.
    pub fn major(&self) -> u32 {
        self.version / 10_000
    }
}

impl Findings for Catalog {
    fn version(&self) -> u32 {
        self.version
    }

    fn lacks_user(&self, name: &str) -> bool {
        self.users.iter().any(|found| found.name == name && found.state != RoleState::Ours)
    }

    fn lacks_database(&self, name: &str) -> bool {
        self.databases.iter().any(|found| found.name == name && (found.oid.is_none() || !found.ours))
    }

    fn oids(&self) -> &BTreeMap<String, u32> {
        &self.oids
    }

    fn removed_databases(&self) -> BTreeMap<String, Option<String>> {
        self.removed_databases.iter().map(|kept| (kept.name.clone(), kept.shut())).collect()
    }
}
