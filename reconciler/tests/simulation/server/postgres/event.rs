//! What happened on a server.

use std::fmt;

/// One thing that happened, told by whom it was done where that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what the names say")]
pub(crate) enum Event {
    /// The server came into being with its instance.
    Born {
        version: u32,
    },
    /// It came into being with the data of another instance's.
    CopiedFrom {
        resource: String,
    },
    /// It went with its instance.
    Gone,
    RoleCreated {
        role: String,
        by: String,
    },
    RoleAltered {
        role: String,
        by: String,
    },
    RoleDropped {
        role: String,
        by: String,
    },
    PasswordSet {
        role: String,
        by: String,
    },
    DatabaseCreated {
        name: String,
        oid: u32,
        by: String,
    },
    DatabaseRenamed {
        name: String,
        to: String,
        oid: u32,
        by: String,
    },
    DatabaseDropped {
        name: String,
        oid: u32,
        by: String,
    },
    /// A database has another owner.
    DatabaseGiven {
        name: String,
        to: String,
        by: String,
    },
    /// Something of a database itself was set: whom it admits, its limits, its settings.
    DatabaseAltered {
        name: String,
        by: String,
    },
    Granted {
        role: String,
        to: String,
        by: String,
    },
    Revoked {
        role: String,
        from: String,
        by: String,
    },
    /// Rights on a database; nobody's name is everybody.
    RightsGranted {
        database: String,
        to: String,
        by: String,
    },
    RightsRevoked {
        database: String,
        from: String,
        by: String,
    },
    ObjectsMade {
        database: String,
        owner: String,
        objects: u64,
        extensions: u64,
    },
    ObjectsGiven {
        database: String,
        from: String,
        to: String,
        objects: u64,
    },
    SessionsEnded {
        user: String,
        database: Option<String>,
        sessions: usize,
    },
    LoggedIn {
        user: String,
        database: String,
    },
    /// A login that was refused.
    Refused {
        user: String,
        database: String,
        sqlstate: &'static str,
    },
}

impl Event {
    /// It left something changed.
    pub(crate) fn is_effect(&self) -> bool {
        !matches!(self, Self::LoggedIn { .. } | Self::Refused { .. })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |role: &str| if role.is_empty() { "everybody".to_owned() } else { role.to_owned() };
        match self {
            Self::Born { version } => write!(f, "server {version} made"),
            Self::CopiedFrom { resource } => write!(f, "server copied from {resource}"),
            Self::Gone => f.write_str("server gone"),
            Self::RoleCreated { role, by } => write!(f, "role {role} created by {by}"),
            Self::RoleAltered { role, by } => write!(f, "role {role} altered by {by}"),
            Self::RoleDropped { role, by } => write!(f, "role {role} dropped by {by}"),
            Self::PasswordSet { role, by } => write!(f, "password of {role} set by {by}"),
            Self::DatabaseCreated { name, oid, by } => write!(f, "database {name} ({oid}) created by {by}"),
            Self::DatabaseRenamed { name, to, oid, by } => write!(f, "database {name} ({oid}) renamed to {to} by {by}"),
            Self::DatabaseDropped { name, oid, by } => write!(f, "database {name} ({oid}) dropped by {by}"),
            Self::DatabaseGiven { name, to, by } => write!(f, "database {name} given to {to} by {by}"),
            Self::DatabaseAltered { name, by } => write!(f, "database {name} altered by {by}"),
            Self::Granted { role, to, by } => write!(f, "{role} granted to {to} by {by}"),
            Self::Revoked { role, from, by } => write!(f, "{role} revoked from {from} by {by}"),
            Self::RightsGranted { database, to, by } => {
                write!(f, "database {database} granted to {} by {by}", name(to))
            }
            Self::RightsRevoked { database, from, by } => {
                write!(f, "database {database} revoked from {} by {by}", name(from))
            }
            Self::ObjectsMade { database, owner, objects, extensions } => {
                write!(f, "{objects} objects and {extensions} extensions of {owner} made in {database}")
            }
            Self::ObjectsGiven { database, from, to, objects } => {
                write!(f, "{objects} objects of {from} in {database} given to {to}")
            }
            Self::SessionsEnded { user, database, sessions } => {
                write!(f, "{sessions} sessions of {user} ended in {}", database.as_deref().unwrap_or("all databases"))
            }
            Self::LoggedIn { user, database } => write!(f, "{user} logged in to {database}"),
            Self::Refused { user, database, sqlstate } => write!(f, "{user} refused by {database}: {sqlstate}"),
        }
    }
}
