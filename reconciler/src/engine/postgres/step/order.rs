//! What a step is about, and which have to come before it.

use super::SqlStep;
use crate::engine::kind::Kind;
use crate::engine::port::Change;
use crate::engine::postgres::naming::{HEIR, KEEPER};

impl Change for SqlStep {
    fn kind(&self) -> Kind {
        match self {
            Self::CreateUser { .. } => Kind::UsersCreated,
            Self::AlterUser { .. } | Self::SetPassword { .. } | Self::Grant { .. } | Self::Revoke { .. } => {
                Kind::UsersChanged
            }
            Self::LockUser { .. } | Self::TakeDatabases { .. } | Self::Release { .. } | Self::DropUser { .. } => {
                Kind::UsersRemoved
            }
            Self::CreateDatabase { .. } | Self::LayOut { .. } => Kind::DatabasesCreated,
            Self::CreateRole { .. }
            | Self::QuietRole { .. }
            | Self::JoinMaster { .. }
            | Self::Secure { .. }
            | Self::TakeOver { .. }
            | Self::TakeGivenAway { .. }
            | Self::CloseDatabase { .. } => Kind::DatabasesSecured,
            Self::OpenMaintenance { .. } | Self::Share { .. } | Self::Admit { .. } => Kind::AccessGiven,
            Self::Expel { .. } | Self::RevokeMember { .. } | Self::LeaveMaintenance { .. } | Self::Unshare { .. } => {
                Kind::AccessTaken
            }
            Self::HandOver { .. } => Kind::ObjectsHandedOver,
        }
    }

    fn user(&self) -> Option<&str> {
        match self {
            Self::LockUser { user, .. }
            | Self::TakeDatabases { user }
            | Self::Expel { user, .. }
            | Self::RevokeMember { user, .. }
            | Self::OpenMaintenance { user, .. }
            | Self::LeaveMaintenance { user, .. }
            | Self::CreateUser { user, .. }
            | Self::AlterUser { user, .. }
            | Self::SetPassword { user, .. }
            | Self::Grant { user, .. }
            | Self::Revoke { user, .. }
            | Self::Share { user, .. }
            | Self::Unshare { user, .. }
            | Self::Admit { user, .. }
            | Self::Release { user, .. }
            | Self::DropUser { user } => Some(user),
            Self::CreateRole { .. }
            | Self::QuietRole { .. }
            | Self::JoinMaster { .. }
            | Self::Secure { .. }
            | Self::TakeOver { .. }
            | Self::TakeGivenAway { .. }
            | Self::CloseDatabase { .. }
            | Self::CreateDatabase { .. }
            | Self::LayOut { .. }
            | Self::HandOver { .. } => None,
        }
    }

    fn database(&self) -> Option<&str> {
        match self {
            Self::Secure { database, .. }
            | Self::TakeOver { database, .. }
            | Self::TakeGivenAway { database, .. }
            | Self::CloseDatabase { database }
            | Self::Expel { database, .. }
            | Self::OpenMaintenance { database, .. }
            | Self::LeaveMaintenance { database, .. }
            | Self::CreateDatabase { database, .. }
            | Self::LayOut { database, .. }
            | Self::HandOver { database, .. }
            | Self::Share { database, .. }
            | Self::Unshare { database, .. }
            | Self::Admit { database, .. }
            | Self::Release { database, .. } => Some(database),
            Self::LockUser { .. }
            | Self::TakeDatabases { .. }
            | Self::CreateRole { .. }
            | Self::QuietRole { .. }
            | Self::JoinMaster { .. }
            | Self::RevokeMember { .. }
            | Self::CreateUser { .. }
            | Self::AlterUser { .. }
            | Self::SetPassword { .. }
            | Self::Grant { .. }
            | Self::Revoke { .. }
            | Self::DropUser { .. } => None,
        }
    }

    fn enters(&self) -> Option<&str> {
        match self {
            Self::TakeOver { database, .. }
            | Self::LayOut { database, .. }
            | Self::HandOver { database, .. }
            | Self::Share { database, .. }
            | Self::Unshare { database, .. }
            | Self::Release { database, .. } => Some(database),
            _ => None,
        }
    }

    fn is_leisurely(&self) -> bool {
        matches!(self, Self::HandOver { .. } | Self::Unshare { .. })
    }

    fn needs(&self, earlier: &Self) -> bool {
        match earlier {
            Self::CreateRole { role, .. } | Self::JoinMaster { role, .. } => self.takes_role(role),
            Self::CreateUser { user, .. } => self.user() == Some(user),
            Self::LockUser { user, .. } | Self::TakeDatabases { user } | Self::Release { user, .. } => match self {
                Self::Release { user: who, .. } => who == user && !matches!(earlier, Self::Release { .. }),
                Self::DropUser { user: who } => who == user,
                _ => false,
            },
            Self::CreateDatabase { database, .. }
            | Self::Secure { database, .. }
            | Self::TakeOver { database, .. }
            | Self::LayOut { database, .. } => self.database() == Some(database),
            Self::Share { user, database, .. } => {
                matches!(self, Self::Admit { user: who, database: place, .. } if who == user && place == database)
            }
            _ => false,
        }
    }
}

impl SqlStep {
    /// Whether something is done with a role, as its user, its owner or its heir.
    fn takes_role(&self, role: &str) -> bool {
        let taken = match self {
            Self::CreateDatabase { .. } => Some(KEEPER),
            Self::TakeDatabases { .. } | Self::TakeGivenAway { .. } => Some(HEIR),
            Self::TakeOver { owner, .. }
            | Self::LayOut { owner, .. }
            | Self::HandOver { owner, .. }
            | Self::Share { owner, .. }
            | Self::Unshare { owner, .. }
            | Self::Admit { owner, .. }
            | Self::Expel { owner, .. }
            | Self::Release { heir: owner, .. }
            | Self::RevokeMember { role: owner, .. } => Some(owner.as_str()),
            _ => None,
        };
        taken == Some(role)
            || self.user() == Some(role)
            || (role == KEEPER && matches!(self, Self::TakeOver { .. } | Self::LayOut { .. }))
    }
}
