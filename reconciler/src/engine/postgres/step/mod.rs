//! What can be done on the server.

pub(super) mod blocked;
mod display;
mod order;

use std::collections::BTreeMap;

use crate::engine::mark::Mark;
use crate::engine::password::Password;
use crate::engine::port::Planned;

pub use blocked::{Attribute, Blocked, BlockedReason};

/// What [`super::plan_sql`] came to.
pub type SqlPlan = Planned<SqlStep, Blocked>;

/// One change on the server. Each can be repeated, and each leaves the server such that a new plan finds what is left to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "users, roles and databases are what they are called")]
pub enum SqlStep {
    /// Takes every way in from a user, ends its sessions, and takes its login. One that is to go loses its privileges too, and with it
    /// whoever it administers.
    LockUser {
        user: String,
        /// It is to go.
        removed: bool,
    },
    /// Gives the databases of a user that is to go to the heir, closed and as a new database is set.
    TakeDatabases { user: String },
    /// Creates a role of ours that is no user: the keeper, the heir, or the owner role of a database.
    CreateRole {
        role: String,
        /// Its comment.
        mark: Mark,
        /// Up to PostgreSQL 15: the master is to be its administrator, which from 16 on whoever makes a role is.
        admin: bool,
    },
    /// Takes login and privileges from a role of ours that is no user.
    QuietRole { role: String },
    /// Makes the master a member of a role of ours.
    JoinMaster {
        role: String,
        master: String,
        /// Up to PostgreSQL 15: with ADMIN OPTION, so that it can alter the role after an upgrade to 16.
        admin: bool,
    },
    /// Undoes what keeps people out of a database, or lets them copy it, and takes it from everyone.
    Secure {
        database: String,
        /// Nobody, or nobody more, can connect to it.
        shut: bool,
        /// It is marked as a template.
        template: bool,
        /// Settings of it that keep people out.
        locks: Vec<String>,
    },
    /// Brings a database from the form of v0.1.0, in which its users could drop it, to the keeper.
    TakeOver {
        database: String,
        /// Its owner role, which owned it.
        owner: String,
        /// From PostgreSQL 15 on its users could make things that belong to `pg_database_owner`.
        pinned: bool,
    },
    /// Gives a database that someone gave to an owner role to the heir.
    TakeGivenAway {
        database: String,
        /// The owner role.
        owner: String,
    },
    /// Takes a database from everyone.
    CloseDatabase { database: String },
    /// Takes a database from a user and ends its sessions there. What it owns there goes to the others.
    Expel {
        user: String,
        database: String,
        /// Its owner role.
        owner: String,
    },
    /// Takes a membership in a role of ours back.
    RevokeMember {
        role: String,
        /// Its member.
        user: String,
    },
    /// Lets a user connect to the maintenance database.
    OpenMaintenance {
        /// The maintenance database.
        database: String,
        user: String,
    },
    /// Takes that back.
    LeaveMaintenance {
        /// The maintenance database.
        database: String,
        user: String,
    },
    /// Creates a user, marked, with its password, and the master as a member.
    CreateUser {
        user: String,
        /// Attributes that differ from those CREATE ROLE gives.
        attributes: BTreeMap<Attribute, bool>,
        /// Its password; the server gets a verifier of it.
        password: Password,
        /// Its comment.
        mark: Mark,
        /// Up to PostgreSQL 15: the master is to be its administrator.
        admin: bool,
    },
    /// Changes attributes of a user.
    AlterUser {
        user: String,
        /// What changes.
        attributes: BTreeMap<Attribute, bool>,
    },
    /// Sets the password that the user's Secret holds.
    SetPassword {
        user: String,
        /// Its password; the server gets a verifier of it.
        password: Password,
    },
    /// Makes a user a member of a role of the server, such as `rds_superuser`.
    Grant { role: String, user: String },
    /// Takes that back.
    Revoke { role: String, user: String },
    /// Creates a database that nobody can enter, closes it to everyone, and opens it.
    CreateDatabase {
        database: String,
        /// The database it is copied from.
        template: &'static str,
    },
    /// Gives the schema `public` to the owner role, and what the owner role needs of the database.
    LayOut {
        database: String,
        /// Its owner role.
        owner: String,
    },
    /// Gives what users own themselves in a database to its owner role, object by object, as far as nobody uses it just then.
    HandOver {
        database: String,
        /// Its owner role.
        owner: String,
        users: Vec<String>,
        /// Those of them that own extensions: these have no owner to change, so all that the user still has goes at once.
        extensions: Vec<String>,
        /// How many objects there are.
        objects: u64,
    },
    /// Shares what a user with flags will make in a database with the others, until it is handed over.
    Share {
        user: String,
        database: String,
        /// Its owner role.
        owner: String,
        /// From PostgreSQL 18 on large objects have default privileges too.
        large_objects: bool,
    },
    /// Takes that back: a plain user has no need of it.
    Unshare {
        user: String,
        database: String,
        /// Its owner role.
        owner: String,
        /// From PostgreSQL 18 on large objects have default privileges too.
        large_objects: bool,
    },
    /// Lets a user work in a database.
    Admit {
        user: String,
        database: String,
        /// Its owner role.
        owner: String,
        /// The user's sessions act as the owner role.
        acts_as_owner: bool,
        /// From PostgreSQL 16 inheriting belongs to the grant: it does, also where the user does not inherit else.
        inherits: bool,
        /// It may connect: a user without login may not.
        connects: bool,
    },
    /// Hands what a user has in a database to its heir and takes what it was granted there.
    Release {
        user: String,
        database: String,
        /// Who gets it.
        heir: String,
    },
    /// Drops a user that owns nothing any more.
    DropUser { user: String },
}
