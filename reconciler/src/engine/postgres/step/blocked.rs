use std::fmt;

use thiserror::Error;

use crate::engine::known::{RECREATE_DATABASE_ANNOTATION, recreate_word};
use crate::engine::mark::Mark;
use crate::engine::port::Obstacle;
use crate::engine::postgres::naming::comment;
use crate::engine::postgres::quote::{ident, literal};

/// Something declared that the server's state does not allow. It ends with an edit of the object or a change on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The user it is about.
    pub user: Option<String>,
    /// The database it is about.
    pub database: Option<String>,
    /// Why.
    pub reason: BlockedReason,
}

/// Why something declared cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlockedReason {
    /// A role of this name is there and does not carry the mark.
    #[error(
        "a role {role} exists that this object did not create, it is left untouched; choose another name, or drop or rename that role"
    )]
    RoleTaken {
        /// The role's name.
        role: String,
    },
    /// A role of a name that only this operator gives, without login, does not carry the mark.
    #[error(
        "the role {role} does not carry this object's mark, so it is left untouched, with all that it owns; where it is this object's, say \
         COMMENT ON ROLE {} IS {} as the master user, else drop or rename it", ident(.role), literal(&comment(.mark))
    )]
    RoleUnmarked {
        /// The role's name.
        role: String,
        /// The mark that it lacks.
        mark: Mark,
    },
    /// The role carries the mark, and the master cannot administer it.
    #[error(
        "the role {role} carries this object's mark, but the master user may not administer it: another role made it, or an upgrade from \
         PostgreSQL 15 or older took that away; choose another name, or have it dropped by whoever administers it"
    )]
    RoleUnmanageable {
        /// The role's name.
        role: String,
    },
    /// A database of this name is there and belongs to someone else.
    #[error(
        "a database {database} exists that this object did not create (its owner is {owner}), it is left untouched; choose another name, or drop or rename that database"
    )]
    DatabaseTaken {
        /// The database's name.
        database: String,
        /// Its owner.
        owner: String,
    },
    /// A DROP DATABASE was interrupted, and PostgreSQL lets nobody in any more.
    #[error(
        "the database {database} was left invalid by an interrupted DROP DATABASE and cannot be used again: drop it as the master user; its data is in the instance's backups"
    )]
    DatabaseBroken {
        /// The database's name.
        database: String,
    },
    /// A database that was there is gone.
    #[error("{}", lost(.database, *.oid, .renamed_to.as_deref()))]
    DatabaseLost {
        /// The database's name.
        database: String,
        /// Its oid, where it is known.
        oid: Option<u32>,
        /// The name it has now.
        renamed_to: Option<String>,
    },
    /// The master user cannot give or take this attribute.
    #[error("the master user cannot change the attribute {attribute} on this server; remove the flag {} from the user, or ask for it on the server", .attribute.flag())]
    AttributeNotGrantable {
        /// The attribute.
        attribute: Attribute,
    },
    /// The server has no such role, so it is not RDS.
    #[error("the server has no role {role}, which this flag stands for")]
    RoleMissing {
        /// The role's name.
        role: String,
    },
    /// No Secret with a password for this user is known.
    #[error("there is no password for the user yet; its Secret comes first")]
    NoPassword,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl Obstacle for Blocked {
    fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn is_loss(&self) -> bool {
        matches!(self.reason, BlockedReason::DatabaseLost { .. })
    }
}

fn lost(database: &str, oid: Option<u32>, renamed_to: Option<&str>) -> String {
    match renamed_to {
        Some(name) => format!(
            "the database {database} was renamed to {name} on the server: rename it back with ALTER DATABASE as the master user"
        ),
        None => format!(
            "the database {database} was there and is gone: somebody dropped it, and it is not replaced by an empty one; restore it from a \
             backup of the instance, or take it out of spec.databases, or annotate the object with {RECREATE_DATABASE_ANNOTATION}={} to \
             have an empty one made",
            recreate_word(database, oid)
        ),
    }
}

/// Attributes of a role that a step sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// LOGIN
    Login,
    /// CREATEDB
    CreateDb,
    /// CREATEROLE
    CreateRole,
    /// INHERIT
    Inherit,
    /// BYPASSRLS
    BypassRls,
}

impl Attribute {
    /// The flag in `spec.users` that stands for it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::CreateDb => "createdb",
            Self::CreateRole => "createrole",
            Self::Inherit => "inherit",
            Self::BypassRls => "bypassrls",
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.flag().to_ascii_uppercase())
    }
}
