//! A PostgreSQL server of RDS, as far as the operator and its tenants can tell it from a real one: one plain value, and no clock.
//!
//! [`Catalog`](reconciler::engine::postgres::Catalog)s are its answers to a look, [`Session`]s change it under the rules by which the
//! server lets a role do so or not, and all that happens is told as an [`Event`].

mod access;
mod acts;
mod databases;
mod event;
mod look;
mod privileges;
mod refusal;
mod roles;
mod session;
mod sitting;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use reconciler::engine::Password;

pub(crate) use acts::{Act, Deed};
pub(crate) use event::Event;
pub(crate) use privileges::{Grant, Membership, Rights};
pub(crate) use refusal::Refusal;
pub(crate) use session::Session;
pub(crate) use sitting::Sitting;

/// The server's own superuser, which nobody is on RDS. It is the grantor of what CREATE ROLE gives its caller from PostgreSQL 16 on.
pub(crate) const ADMIN: &str = "rdsadmin";
/// The grantee that is everybody.
pub(crate) const PUBLIC: &str = "";
/// From PostgreSQL 15 on: whoever owns the database.
const DATABASE_OWNER: &str = "pg_database_owner";

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Postgres {
    /// `server_version_num`, such as 160015.
    pub(crate) version: u32,
    /// The user that the instance was made with.
    pub(crate) master: String,
    next_oid: u32,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) memberships: BTreeMap<Membership, Grant>,
    pub(crate) databases: BTreeMap<String, Database>,
    /// Sessions of tenants that stay open.
    pub(crate) clients: BTreeSet<Client>,
}

/// A role with its attributes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Role {
    pub(crate) login: bool,
    pub(crate) createdb: bool,
    pub(crate) createrole: bool,
    pub(crate) inherit: bool,
    pub(crate) bypassrls: bool,
    pub(crate) superuser: bool,
    pub(crate) password: Option<Fingerprint>,
    pub(crate) comment: Option<String>,
}

/// Enough of a password to tell it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    pub(crate) fn of(password: &Password) -> Self {
        let mut hasher = DefaultHasher::new();
        password.expose().hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// A database with what is in it, as far as ownership goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Database {
    pub(crate) oid: u32,
    pub(crate) owner: String,
    /// `datallowconn`.
    pub(crate) admits: bool,
    /// `datconnlimit`: -1 is none, -2 what an interrupted DROP DATABASE leaves.
    pub(crate) limit: i32,
    pub(crate) template: bool,
    /// Who was granted what on it, its owner too.
    pub(crate) rights: BTreeMap<String, Rights>,
    /// What was set for all who enter it.
    pub(crate) settings: BTreeMap<String, String>,
    /// What `role` is set to for a user that enters it.
    pub(crate) acts_as: BTreeMap<String, String>,
    /// The schema `public`, where there is one.
    pub(crate) public: Option<Public>,
    /// What there is of each role.
    pub(crate) holdings: BTreeMap<String, Holding>,
}

/// The schema `public`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Public {
    pub(crate) owner: String,
    /// Everybody may create in it.
    pub(crate) open: bool,
}

/// What a role has in a database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Holding {
    /// Tables.
    pub(crate) objects: u64,
    /// Those of them that were made before they were shared with the owner role.
    pub(crate) closed: u64,
    /// Extensions.
    pub(crate) extensions: u64,
    /// Default privileges that give the owner role what it will make.
    pub(crate) shares: bool,
}

impl Holding {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A session that a tenant leaves open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Client {
    pub(crate) user: String,
    pub(crate) database: String,
    /// It is in a transaction that has read the objects of this role.
    pub(crate) reads: Option<String>,
}

impl Postgres {
    /// A new server of an instance: `version` is its `server_version_num`.
    pub(crate) fn new(version: u32, master: &str, password: &Password) -> Self {
        let mut server = Self {
            version,
            master: master.to_owned(),
            next_oid: 16_384,
            roles: BTreeMap::new(),
            memberships: BTreeMap::new(),
            databases: BTreeMap::new(),
            clients: BTreeSet::new(),
        };
        server.roles.insert(ADMIN.to_owned(), Role { superuser: true, login: true, ..Role::new() });
        for role in ["rds_superuser", "rds_replication", "rds_password"] {
            server.roles.insert(role.to_owned(), Role::new());
        }
        let password = Some(Fingerprint::of(password));
        let own = Role { login: true, createdb: true, createrole: true, password, ..Role::new() };
        server.roles.insert(master.to_owned(), own);
        let grant = Grant { admin: true, inherits: true, sets: true };
        for role in ["rds_replication", "rds_password"] {
            server.memberships.insert(server.membership(role, "rds_superuser", ADMIN), grant);
        }
        server.memberships.insert(server.membership("rds_superuser", master, ADMIN), grant);
        // On RDS the master owns what a server begins with, but for template0.
        for (name, owner, admits) in
            [("template0", ADMIN, false), ("template1", master, true), ("postgres", master, true)]
        {
            let mut database = server.blank(owner);
            database.admits = admits;
            database.template = name != "postgres";
            if let Some(rights) = database.rights.get_mut(PUBLIC) {
                rights.temporary = !database.template;
            }
            server.databases.insert(name.to_owned(), database);
        }
        server
    }

    /// After an upgrade: up to PostgreSQL 15 grants do not tell who made them, and pg_dumpall makes them the server's own.
    pub(crate) fn upgrade(&mut self, version: u32) {
        let grants = std::mem::take(&mut self.memberships);
        self.version = version;
        for (edge, grant) in grants {
            let grantor = if edge.grantor.is_empty() { ADMIN } else { &edge.grantor };
            // What a membership inherits is fixed now, as its member inherited.
            let inherits = if edge.grantor.is_empty() { self.roles[&edge.member].inherit } else { grant.inherits };
            let edge = self.membership(&edge.role, &edge.member, grantor);
            self.memberships.insert(edge, Grant { inherits, ..grant });
        }
    }

    /// RDS sets the master user's password; it has its login and its roles again, too ("Resetting the DB instance owner role password" in
    /// the RDS user guide).
    pub(crate) fn reset_master(&mut self, password: &Password, told: &mut Vec<Event>) {
        let master = self.master.clone();
        let role = self.roles.entry(master.clone()).or_insert_with(Role::new);
        (role.login, role.createdb, role.createrole) = (true, true, true);
        role.password = Some(Fingerprint::of(password));
        let grant = Grant { admin: true, inherits: true, sets: true };
        self.memberships.insert(self.membership("rds_superuser", &master, ADMIN), grant);
        told.push(Event::PasswordSet { role: master, by: ADMIN.to_owned() });
    }

    /// Up to PostgreSQL 15 there is one membership of a role in another, whoever grants it.
    fn membership(&self, role: &str, member: &str, grantor: &str) -> Membership {
        let grantor = if self.grants_name_grantors() { grantor } else { "" };
        Membership { member: member.to_owned(), role: role.to_owned(), grantor: grantor.to_owned() }
    }

    /// From PostgreSQL 16 on CREATEROLE reaches only what one administers.
    fn grants_name_grantors(&self) -> bool {
        self.version >= 160_000
    }

    /// A database as `CREATE DATABASE` makes it from a template that nobody changed.
    fn blank(&mut self, owner: &str) -> Database {
        let oid = self.next_oid;
        self.next_oid += 1;
        let public = match self.version < 150_000 {
            // As on RDS, where the master owns it in template1.
            true => Public { owner: self.master.clone(), open: true },
            false => Public { owner: DATABASE_OWNER.to_owned(), open: false },
        };
        let everybody = Rights { connects: true, temporary: true, creates: false };
        Database {
            oid,
            owner: owner.to_owned(),
            admits: true,
            limit: -1,
            template: false,
            rights: [(PUBLIC.to_owned(), everybody), (owner.to_owned(), Rights::ALL)].into(),
            settings: BTreeMap::new(),
            acts_as: BTreeMap::new(),
            public: Some(public),
            holdings: BTreeMap::new(),
        }
    }
}

impl Role {
    /// As `CREATE ROLE` makes it.
    pub(crate) fn new() -> Self {
        Self {
            login: false,
            createdb: false,
            createrole: false,
            inherit: true,
            bypassrls: false,
            superuser: false,
            password: None,
            comment: None,
        }
    }
}
