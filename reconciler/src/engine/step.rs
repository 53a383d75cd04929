use std::collections::BTreeMap;
use std::fmt;

use super::naming::Mark;
use super::password::Password;

/// What [`super::plan_sql`] came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SqlPlan {
    /// What to do, in this order. Empty: the server is as declared.
    pub steps: Vec<SqlStep>,
    /// What cannot be done. The rest goes on without it.
    pub blocked: Vec<Blocked>,
}

/// Something declared that the server's state does not allow. It ends with an edit of the object or a change on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The user it is about.
    pub user: Option<String>,
    /// The database it is about.
    pub database: Option<String>,
    /// Why.
    pub reason: BlockedReason,
}

/// Why something declared cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockedReason {
    /// A role of this name is there and does not carry the mark.
    #[error(
        "a role {role} exists that this object did not create, it is left untouched; choose another name, or drop or rename that role"
    )]
    RoleTaken {
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

/// Attributes of a role that a step sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// One change on the server. Each can be repeated, and each leaves the server such that a new plan finds what is left to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlStep {
    /// Takes CONNECT and TEMPORARY on a database that the server began with from everyone.
    CloseMaintenance {
        /// The maintenance database, or `template1`.
        database: String,
    },
    /// Lets a user that has privileges but no database of its own connect to the maintenance database.
    OpenMaintenance {
        /// The maintenance database.
        database: String,
        /// The user.
        user: String,
    },
    /// Takes that back.
    LeaveMaintenance {
        /// The maintenance database.
        database: String,
        /// The user.
        user: String,
    },
    /// Creates the owner role of a database, marked, with the master as a member.
    CreateOwner {
        /// The role.
        owner: String,
        /// Its comment.
        mark: Mark,
    },
    /// Creates a database.
    CreateDatabase {
        /// The database.
        database: String,
        /// Its owner role.
        owner: String,
    },
    /// Takes the database and its schema `public` from everyone.
    CloseDatabase {
        /// The database.
        database: String,
        /// Its owner role.
        owner: String,
    },
    /// Creates a user, marked, with its password, and the master as a member.
    CreateUser {
        /// The user.
        user: String,
        /// Attributes that differ from those CREATE ROLE gives.
        attributes: BTreeMap<Attribute, bool>,
        /// Its password; the server gets a verifier of it.
        password: Password,
        /// Its comment.
        mark: Mark,
    },
    /// Changes attributes of a user.
    AlterUser {
        /// The user.
        user: String,
        /// What changes.
        attributes: BTreeMap<Attribute, bool>,
    },
    /// Sets the password that the user's Secret holds.
    SetPassword {
        /// The user.
        user: String,
        /// Its password; the server gets a verifier of it.
        password: Password,
    },
    /// Makes the master a member of a role of ours.
    JoinMaster {
        /// The role.
        role: String,
        /// The master.
        master: String,
    },
    /// Makes a user a member of a role of the server, such as `rds_superuser`.
    Grant {
        /// The role.
        role: String,
        /// The user.
        user: String,
    },
    /// Takes that back.
    Revoke {
        /// The role.
        role: String,
        /// The user.
        user: String,
    },
    /// Lets a user work in a database.
    Admit {
        /// The user.
        user: String,
        /// The database.
        database: String,
        /// Its owner role.
        owner: String,
        /// The user's sessions act as the owner role.
        acts_as_owner: bool,
        /// From PostgreSQL 16, where inheriting belongs to the grant: whether it does.
        inherit: Option<bool>,
    },
    /// Takes that back and ends the user's sessions in the database. What the user owns there stays.
    Expel {
        /// The user.
        user: String,
        /// The database.
        database: String,
        /// Its owner role.
        owner: String,
    },
    /// Takes the login from a user that is to go, and ends its sessions.
    LockUser {
        /// The user.
        user: String,
    },
    /// Hands what a user owns in a database to its heir and takes what it was granted there.
    Release {
        /// The user.
        user: String,
        /// The database.
        database: String,
        /// Who gets it.
        heir: String,
    },
    /// Drops a user that owns nothing any more.
    DropUser {
        /// The user.
        user: String,
    },
}

impl SqlStep {
    /// The user this step is about.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::OpenMaintenance { user, .. }
            | Self::LeaveMaintenance { user, .. }
            | Self::CreateUser { user, .. }
            | Self::AlterUser { user, .. }
            | Self::SetPassword { user, .. }
            | Self::Grant { user, .. }
            | Self::Revoke { user, .. }
            | Self::Admit { user, .. }
            | Self::Expel { user, .. }
            | Self::LockUser { user }
            | Self::Release { user, .. }
            | Self::DropUser { user } => Some(user),
            Self::CloseMaintenance { .. }
            | Self::CreateOwner { .. }
            | Self::CreateDatabase { .. }
            | Self::CloseDatabase { .. }
            | Self::JoinMaster { .. } => None,
        }
    }

    /// The database this step is about.
    pub fn database(&self) -> Option<&str> {
        match self {
            Self::CloseMaintenance { database }
            | Self::OpenMaintenance { database, .. }
            | Self::LeaveMaintenance { database, .. }
            | Self::CreateDatabase { database, .. }
            | Self::CloseDatabase { database, .. }
            | Self::Admit { database, .. }
            | Self::Expel { database, .. }
            | Self::Release { database, .. } => Some(database),
            Self::CreateOwner { .. }
            | Self::CreateUser { .. }
            | Self::AlterUser { .. }
            | Self::SetPassword { .. }
            | Self::JoinMaster { .. }
            | Self::Grant { .. }
            | Self::Revoke { .. }
            | Self::LockUser { .. }
            | Self::DropUser { .. } => None,
        }
    }
}

impl SqlStep {
    /// Whether `earlier` has to be done before this step can be.
    pub fn needs(&self, earlier: &Self) -> bool {
        match earlier {
            Self::CreateOwner { owner: role, .. } | Self::JoinMaster { role, .. } => {
                self.owner() == Some(role) || self.user() == Some(role)
            }
            _ => match earlier.user() {
                Some(user) => self.user() == Some(user),
                None => self.database() == earlier.database(),
            },
        }
    }

    /// The owner role that gets something, or that something is granted from.
    fn owner(&self) -> Option<&str> {
        match self {
            Self::CreateDatabase { owner, .. }
            | Self::CloseDatabase { owner, .. }
            | Self::Admit { owner, .. }
            | Self::Expel { owner, .. }
            | Self::Release { heir: owner, .. } => Some(owner),
            _ => None,
        }
    }
}

/// What the step does, for a log line or an Event.
impl fmt::Display for SqlStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CloseMaintenance { database } => {
                write!(f, "close database {database} to everyone")
            }
            Self::OpenMaintenance { database, user } => {
                write!(f, "let user {user} connect to {database}")
            }
            Self::LeaveMaintenance { database, user } => {
                write!(f, "no longer let user {user} connect to {database}")
            }
            Self::CreateOwner { owner, .. } => write!(f, "create owner role {owner}"),
            Self::CreateDatabase { database, .. } => write!(f, "create database {database}"),
            Self::CloseDatabase { database, .. } => {
                write!(f, "close database {database} to all but its users")
            }
            Self::CreateUser { user, .. } => write!(f, "create user {user}"),
            Self::AlterUser { user, attributes } => {
                write!(f, "change user {user}:")?;
                attributes
                    .iter()
                    .try_for_each(|(attribute, on)| write!(f, " {}{attribute}", if *on { "" } else { "NO" }))
            }
            Self::SetPassword { user, .. } => write!(f, "set the password of user {user}"),
            Self::JoinMaster { role, master } => write!(f, "make {master} a member of {role}"),
            Self::Grant { role, user } => write!(f, "grant {role} to user {user}"),
            Self::Revoke { role, user } => write!(f, "revoke {role} from user {user}"),
            Self::Admit { user, database, .. } => {
                write!(f, "let user {user} work in database {database}")
            }
            Self::Expel { user, database, .. } => {
                write!(f, "end the work of user {user} in database {database}")
            }
            Self::LockUser { user } => {
                write!(f, "take the login of user {user} and end its sessions")
            }
            Self::Release { user, database, heir } => {
                write!(f, "hand what user {user} has in database {database} to {heir}")
            }
            Self::DropUser { user } => write!(f, "drop user {user}"),
        }
    }
}
