//! Users: those that are wanted, and those that are to go.

use std::collections::BTreeMap;

use shared::rules::RoleFlags;

use super::planner::Planner;
use crate::engine::postgres::catalog::{RoleState, User};
use crate::engine::postgres::naming::HEIR;
use crate::engine::postgres::naming::MAINTENANCE_DATABASE;
use crate::engine::postgres::step::SqlStep;
use crate::engine::postgres::step::blocked::{Attribute, BlockedReason};

/// What RDS has in place of SUPERUSER and REPLICATION
/// ("Understanding PostgreSQL roles and permissions" in the RDS user guide).
const SUPERUSER_ROLE: &str = "rds_superuser";
const REPLICATION_ROLE: &str = "rds_replication";

impl Planner<'_> {
    /// Whoever is to have no login has none before anything else is looked at.
    pub(super) fn lock_users(&mut self) {
        for user in self.catalog.removed_users.iter().filter(|user| user.active) {
            self.step(SqlStep::LockUser { user: user.name.clone(), removed: true });
        }
        for user in self.catalog.users.iter().filter(|user| user.state == RoleState::Ours && user.login) {
            if self.flags(&user.name).is_some_and(|flags| !flags.can_login()) {
                self.step(SqlStep::LockUser { user: user.name.clone(), removed: false });
            }
        }
    }

    pub(super) fn provide_users(&mut self) {
        for user in &self.catalog.users {
            let Some(flags) = self.flags(&user.name) else { continue };
            match user.state {
                RoleState::Missing => self.create_user(user, flags),
                RoleState::Ours => self.amend_user(user, flags),
                RoleState::Taken => {
                    self.blocked(Some(&user.name), None, BlockedReason::RoleTaken { role: user.name.clone() });
                }
                RoleState::Unmanageable => {
                    self.blocked(Some(&user.name), None, BlockedReason::RoleUnmanageable { role: user.name.clone() });
                }
            }
        }
        for way in self.catalog.maintenance.iter().filter(|way| way.enters) {
            if !self.unavailable.users.contains(way.user.as_str()) {
                self.step(SqlStep::OpenMaintenance { database: MAINTENANCE_DATABASE.into(), user: way.user.clone() });
            }
        }
    }

    fn create_user(&mut self, user: &User, flags: RoleFlags) {
        let Some((_, password)) = self.passwords.iter().find(|(name, _)| name.as_str() == user.name) else {
            return self.blocked(Some(&user.name), None, BlockedReason::NoPassword);
        };
        let attributes = self.attributes(user, flags);
        self.step(SqlStep::CreateUser {
            user: user.name.clone(),
            attributes,
            password: password.clone(),
            mark: self.question.mark.clone(),
            admin: self.admin(),
        });
        self.provide_server_roles(user, flags);
    }

    fn amend_user(&mut self, user: &User, flags: RoleFlags) {
        let mut attributes = self.attributes(user, flags);
        // A login is taken by a step of its own.
        if attributes.get(&Attribute::Login) == Some(&false) {
            attributes.remove(&Attribute::Login);
        }
        if !attributes.is_empty() {
            self.step(SqlStep::AlterUser { user: user.name.clone(), attributes });
        }
        self.provide_server_roles(user, flags);
    }

    /// Attributes in which a user differs from `flags`, without those the master cannot change.
    fn attributes(&mut self, user: &User, flags: RoleFlags) -> BTreeMap<Attribute, bool> {
        let wanted = [
            (Attribute::Login, flags.can_login(), user.login),
            (Attribute::CreateDb, flags.createdb.unwrap_or(false), user.createdb),
            (Attribute::CreateRole, flags.createrole.unwrap_or(false), user.createrole),
            (Attribute::Inherit, flags.inherit.unwrap_or(true), user.inherit),
            (Attribute::BypassRls, flags.bypassrls.unwrap_or(false), user.bypassrls),
        ];
        let mut changes = BTreeMap::new();
        for (attribute, want, have) in wanted {
            if want == have {
                continue;
            }
            if attribute == Attribute::BypassRls && !self.catalog.grants_bypassrls {
                self.blocked(Some(&user.name), None, BlockedReason::AttributeNotGrantable { attribute });
                continue;
            }
            changes.insert(attribute, want);
        }
        changes
    }

    fn provide_server_roles(&mut self, user: &User, flags: RoleFlags) {
        let roles = [
            (SUPERUSER_ROLE, flags.superuser, user.superuser),
            (REPLICATION_ROLE, flags.replication, user.replication),
        ];
        for (server_role, wanted, has) in roles {
            let (role, name) = (server_role.to_owned(), user.name.clone());
            match (wanted.unwrap_or(false), has) {
                (true, false) if !self.catalog.server_roles.contains(server_role) => {
                    self.blocked(Some(&name), None, BlockedReason::RoleMissing { role });
                }
                (true, false) => self.step(SqlStep::Grant { role, user: name }),
                (false, true) => self.step(SqlStep::Revoke { role, user: name }),
                (true, true) | (false, false) => {}
            }
        }
    }

    pub(super) fn retire_removed_users(&mut self) {
        for user in &self.catalog.removed_users {
            let mut places: Vec<(String, String)> = Vec::new();
            for left in &user.left_in {
                places.push((left.database.clone(), left.heir.clone().unwrap_or_else(|| HEIR.into())));
            }
            if user.shared && !user.left_in.iter().any(|left| left.database == MAINTENANCE_DATABASE) {
                places.push((MAINTENANCE_DATABASE.into(), HEIR.into()));
            }
            for (database, heir) in places {
                self.step(SqlStep::Release { user: user.name.clone(), database, heir });
            }
            self.step(SqlStep::DropUser { user: user.name.clone() });
        }
    }
}
