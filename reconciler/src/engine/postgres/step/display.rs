use shared::number::counted;
use std::fmt;

use super::SqlStep;

/// What the step does, for a log line, an Event or a condition.
impl fmt::Display for SqlStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LockUser { user, .. } => write!(f, "take the login of user {user} and end its sessions"),
            Self::TakeDatabases { user } => write!(f, "take the databases that user {user} made"),
            Self::CreateRole { role, .. } => write!(f, "create role {role}"),
            Self::QuietRole { role } => write!(f, "take login and privileges from role {role}"),
            Self::JoinMaster { role, master, .. } => write!(f, "make {master} a member of {role}"),
            Self::Secure { database, shut, template, locks } => {
                write!(f, "close database {database} to everyone")?;
                if *shut {
                    f.write_str(", let its users in again")?;
                }
                if *template {
                    f.write_str(", make it no template")?;
                }
                match locks.is_empty() {
                    true => Ok(()),
                    false => write!(f, ", reset its setting {}", locks.join(", ")),
                }
            }
            Self::TakeOver { database, .. } => write!(f, "take database {database} over from its users"),
            Self::TakeGivenAway { database, owner } => write!(f, "take database {database} from {owner}"),
            Self::CloseDatabase { database } => write!(f, "close database {database} to everyone"),
            Self::Expel { user, database, .. } => write!(f, "end the work of user {user} in database {database}"),
            Self::RevokeMember { role, user } => write!(f, "take user {user} out of role {role}"),
            Self::OpenMaintenance { database, user } => write!(f, "let user {user} connect to {database}"),
            Self::LeaveMaintenance { database, user } => write!(f, "no longer let user {user} connect to {database}"),
            Self::CreateUser { user, .. } => write!(f, "create user {user}"),
            Self::AlterUser { user, attributes } => {
                write!(f, "change user {user}:")?;
                attributes
                    .iter()
                    .try_for_each(|(attribute, on)| write!(f, " {}{attribute}", if *on { "" } else { "NO" }))
            }
            Self::SetPassword { user, .. } => write!(f, "set the password of user {user}"),
            Self::Grant { role, user } => write!(f, "grant {role} to user {user}"),
            Self::Revoke { role, user } => write!(f, "revoke {role} from user {user}"),
            Self::CreateDatabase { database, .. } => write!(f, "create database {database}"),
            Self::LayOut { database, .. } => write!(f, "lay out database {database}"),
            Self::HandOver { database, users, objects, .. } => {
                write!(
                    f,
                    "share what {} made in database {database} ({})",
                    users.join(", "),
                    counted(usize::try_from(*objects).unwrap_or(usize::MAX), "object")
                )
            }
            Self::Share { user, database, .. } => write!(f, "share what user {user} will make in database {database}"),
            Self::Unshare { user, database, .. } => {
                write!(f, "take back default privileges of user {user} in database {database}")
            }
            Self::Admit { user, database, .. } => write!(f, "let user {user} work in database {database}"),
            Self::Release { user, database, heir } => {
                write!(f, "hand what user {user} has in database {database} to {heir}")
            }
            Self::DropUser { user } => write!(f, "drop user {user}"),
        }
    }
}
