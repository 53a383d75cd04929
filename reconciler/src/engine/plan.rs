use std::collections::BTreeMap;

use shared::rules::{DatabaseName, Desired, RoleFlags, RoleName};

use super::catalog::{Catalog, Database, Role};
use super::naming::{Mark, owner_role};
use super::password::{LoginSeen, PasswordState};
use super::step::{Attribute, Blocked, BlockedReason, SqlPlan, SqlStep};

/// What RDS has in place of SUPERUSER and REPLICATION
/// ("Understanding PostgreSQL roles and permissions" in the RDS user guide).
const SUPERUSER_ROLE: &str = "rds_superuser";
const REPLICATION_ROLE: &str = "rds_replication";

/// The database that others are copied from. On RDS it belongs to the master, as `postgres` does.
const TEMPLATE: &str = "template1";

/// The kinds of object that default privileges exist for on all versions: tables, sequences, functions, types, schemas
/// (`pg_default_acl.defaclobjtype`).
const DEFAULT_PRIVILEGE_KINDS: [&str; 5] = ["r", "S", "f", "T", "n"];

/// Decides what has to change on the server so that it is as `desired`.
///
/// `passwords` holds what is known of each user's password, `mark` tells the roles of this object from all others. The steps are in
/// the order they have to be done in; [`SqlStep::needs`] tells which of them stop when one fails.
pub fn plan_sql(
    desired: &Desired,
    passwords: &BTreeMap<RoleName, PasswordState>,
    catalog: &Catalog,
    mark: &Mark,
) -> SqlPlan {
    let mut planner = Planner { desired, passwords, catalog, mark, plan: SqlPlan::default() };
    planner.close_maintenance();
    planner.lock_removed_users();
    planner.join_master();
    planner.provide_users();
    planner.provide_databases();
    planner.expel();
    planner.retire_removed_users();
    planner.plan
}

struct Planner<'a> {
    desired: &'a Desired,
    passwords: &'a BTreeMap<RoleName, PasswordState>,
    catalog: &'a Catalog,
    mark: &'a Mark,
    plan: SqlPlan,
}

impl<'a> Planner<'a> {
    fn step(&mut self, step: SqlStep) {
        self.plan.steps.push(step);
    }

    fn blocked(&mut self, user: Option<&RoleName>, database: Option<&DatabaseName>, reason: BlockedReason) {
        self.plan.blocked.push(Blocked {
            user: user.map(|user| user.as_str().to_owned()),
            database: database.map(|database| database.as_str().to_owned()),
            reason,
        });
    }

    fn maintenance(&self) -> Option<&'a Database> {
        self.catalog.databases.get(&self.catalog.maintenance).filter(|database| database.manageable)
    }

    /// Everyone may connect to the databases a server begins with; users are to use just those they are mapped to. What anyone
    /// leaves in `template1` would also be in each database created later.
    fn close_maintenance(&mut self) {
        for name in [self.catalog.maintenance.as_str(), TEMPLATE] {
            if self
                .catalog
                .databases
                .get(name)
                .is_some_and(|database| database.manageable && !database.public.is_empty())
            {
                self.step(SqlStep::CloseMaintenance { database: name.to_owned() });
            }
        }
    }

    fn removed_users(&self) -> impl Iterator<Item = (&'a str, &'a Role)> + use<'a> {
        let desired = self.desired;
        self.catalog
            .our_users(self.mark)
            .filter(move |(name, _)| !desired.users.keys().any(|user| user.as_str() == *name))
    }

    fn lock_removed_users(&mut self) {
        for (user, _) in self.removed_users().filter(|(_, role)| role.login || role.sessions) {
            self.step(SqlStep::LockUser { user: user.to_owned() });
        }
    }

    /// The master has to be a member of a role to hand over what it owns, to set its default privileges and to end its sessions.
    fn join_master(&mut self) {
        let Some(master) = self.catalog.roles.get(&self.catalog.master) else {
            return;
        };
        for role in self.catalog.roles.keys().filter(|role| self.catalog.is_ours(role, self.mark)) {
            let joined = master.memberships.get(role).is_some_and(|membership| membership.inherit && membership.set);
            if !joined && !master.superuser {
                self.step(SqlStep::JoinMaster { role: role.clone(), master: self.catalog.master.clone() });
            }
        }
    }

    fn provide_users(&mut self) {
        for (user, flags) in &self.desired.users {
            match self.catalog.roles.get(user.as_str()) {
                None => self.create_user(user, *flags),
                Some(role) if self.catalog.is_ours(user.as_str(), self.mark) => self.amend_user(user, *flags, role),
                Some(_) => self.blocked(Some(user), None, BlockedReason::RoleTaken { role: user.as_str().to_owned() }),
            }
        }
    }

    fn create_user(&mut self, user: &RoleName, flags: RoleFlags) {
        let Some(state) = self.passwords.get(user) else {
            return self.blocked(Some(user), None, BlockedReason::NoPassword);
        };
        let fresh = Role { inherit: true, ..Role::default() };
        let attributes = self.attributes(user, flags, &fresh);
        self.step(SqlStep::CreateUser {
            user: user.as_str().to_owned(),
            attributes,
            password: state.password.clone(),
            mark: self.mark.clone(),
        });
        self.provide_server_roles(user, flags, &fresh);
        self.provide_maintenance_access(user, flags);
    }

    fn amend_user(&mut self, user: &RoleName, flags: RoleFlags, role: &Role) {
        let attributes = self.attributes(user, flags, role);
        if !attributes.is_empty() {
            self.step(SqlStep::AlterUser { user: user.as_str().to_owned(), attributes });
        }
        if let Some(PasswordState { password, seen: LoginSeen::Refused }) = self.passwords.get(user) {
            self.step(SqlStep::SetPassword { user: user.as_str().to_owned(), password: password.clone() });
        }
        self.provide_server_roles(user, flags, role);
        self.provide_maintenance_access(user, flags);
    }

    /// Attributes in which `role` differs from `flags`, without those the master cannot change.
    fn attributes(&mut self, user: &RoleName, flags: RoleFlags, role: &Role) -> BTreeMap<Attribute, bool> {
        let wanted = [
            (Attribute::Login, flags.can_login(), role.login),
            (Attribute::CreateDb, flags.createdb.unwrap_or(false), role.createdb),
            (Attribute::CreateRole, flags.createrole.unwrap_or(false), role.createrole),
            (Attribute::Inherit, flags.inherit.unwrap_or(true), role.inherit),
            (Attribute::BypassRls, flags.bypassrls.unwrap_or(false), role.bypassrls),
        ];
        let mut changes = BTreeMap::new();
        for (attribute, want, have) in wanted {
            if want == have {
                continue;
            }
            if attribute == Attribute::BypassRls && !self.master_grants_bypassrls() {
                self.blocked(Some(user), None, BlockedReason::AttributeNotGrantable { attribute });
                continue;
            }
            changes.insert(attribute, want);
        }
        changes
    }

    /// Up to PostgreSQL 15 only a superuser gives BYPASSRLS, later whoever has it and CREATEROLE
    /// ("CREATE ROLE" in PostgreSQL's manual).
    fn master_grants_bypassrls(&self) -> bool {
        self.catalog
            .roles
            .get(&self.catalog.master)
            .is_some_and(|master| master.superuser || (self.catalog.major() >= 16 && master.bypassrls))
    }

    fn provide_server_roles(&mut self, user: &RoleName, flags: RoleFlags, role: &Role) {
        for (server_role, flag) in [(SUPERUSER_ROLE, flags.superuser), (REPLICATION_ROLE, flags.replication)] {
            let user_name = user.as_str().to_owned();
            match (flag.unwrap_or(false), role.memberships.contains_key(server_role)) {
                (true, false) if !self.catalog.roles.contains_key(server_role) => {
                    self.blocked(Some(user), None, BlockedReason::RoleMissing { role: server_role.to_owned() });
                }
                (true, false) => self.step(SqlStep::Grant { role: server_role.to_owned(), user: user_name }),
                (false, true) => self.step(SqlStep::Revoke { role: server_role.to_owned(), user: user_name }),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// A user with privileges but no database could not use them: creating a database takes a connection to another one.
    fn provide_maintenance_access(&mut self, user: &RoleName, flags: RoleFlags) {
        let Some(maintenance) = self.maintenance() else {
            return;
        };
        let mapped = self.desired.databases.values().any(|users| users.contains(user));
        let (database, user) = (self.catalog.maintenance.clone(), user.as_str().to_owned());
        match (flags.privileged() && !mapped, maintenance.connect.contains(&user)) {
            (true, false) => self.step(SqlStep::OpenMaintenance { database, user }),
            (false, true) => self.step(SqlStep::LeaveMaintenance { database, user }),
            (true, true) | (false, false) => {}
        }
    }

    fn provide_databases(&mut self) {
        for (name, users) in &self.desired.databases {
            let owner = owner_role(name.as_str());
            let owner_exists = self.catalog.roles.contains_key(&owner);
            if owner_exists && !self.catalog.is_ours(&owner, self.mark) {
                self.blocked(None, Some(name), BlockedReason::RoleTaken { role: owner });
                continue;
            }
            let found = self.catalog.databases.get(name.as_str());
            if let Some(database) = found.filter(|database| database.owner != owner) {
                let (database, owner) = (name.as_str().to_owned(), database.owner.clone());
                self.blocked(None, Some(name), BlockedReason::DatabaseTaken { database, owner });
                continue;
            }
            if !owner_exists {
                self.step(SqlStep::CreateOwner { owner: owner.clone(), mark: self.mark.clone() });
            }
            if found.is_none() {
                self.step(SqlStep::CreateDatabase { database: name.as_str().to_owned(), owner: owner.clone() });
            }
            if found.is_none_or(|database| is_open(database, &owner)) {
                self.step(SqlStep::CloseDatabase { database: name.as_str().to_owned(), owner: owner.clone() });
            }
            for user in users {
                self.admit(user, name, &owner, found);
            }
        }
    }

    fn admit(&mut self, user: &RoleName, name: &DatabaseName, owner: &str, found: Option<&Database>) {
        let Some(flags) = self.desired.users.get(user).copied() else {
            return;
        };
        let role = self.catalog.roles.get(user.as_str());
        let available = match role {
            Some(_) => self.catalog.is_ours(user.as_str(), self.mark),
            None => self.passwords.contains_key(user),
        };
        if !available {
            return; // Said once, where the user was provided for.
        }
        let acts_as_owner = !flags.privileged();
        let inherit = (self.catalog.major() >= 16).then(|| flags.inherit.unwrap_or(true));
        let admitted = found.zip(role).is_some_and(|(database, role)| {
            let member = role.memberships.get(owner).is_some_and(|membership| {
                membership.set && inherit.is_none_or(|inherit| membership.inherit == inherit)
            });
            let acts = database.acts_as.get(user.as_str()).is_some_and(|role| role == owner);
            member
                && acts == acts_as_owner
                && database.connect.contains(user.as_str())
                && shares_all(database, user.as_str())
        });
        if !admitted {
            self.step(SqlStep::Admit {
                user: user.as_str().to_owned(),
                database: name.as_str().to_owned(),
                owner: owner.to_owned(),
                acts_as_owner,
                inherit,
            });
        }
    }

    /// Users that no longer work in a database of ours, be it declared or kept after its removal.
    fn expel(&mut self) {
        for (database_name, database) in self.catalog.our_databases(self.mark) {
            let mapped = self.desired.databases.iter().find(|(name, _)| name.as_str() == database_name);
            for user in self.desired.users.keys() {
                let Some(role) = self.catalog.roles.get(user.as_str()) else {
                    continue;
                };
                let wanted = mapped.is_some_and(|(_, users)| users.contains(user));
                if wanted || !self.catalog.is_ours(user.as_str(), self.mark) {
                    continue;
                }
                let admitted = role.memberships.contains_key(&database.owner)
                    || database.connect.contains(user.as_str())
                    || database.acts_as.contains_key(user.as_str())
                    || shares_any(database, user.as_str());
                if admitted {
                    self.step(SqlStep::Expel {
                        user: user.as_str().to_owned(),
                        database: database_name.to_owned(),
                        owner: database.owner.clone(),
                    });
                }
            }
        }
    }

    fn retire_removed_users(&mut self) {
        for (user, role) in self.removed_users() {
            // The maintenance database comes first: REASSIGN takes along databases the user owns, whichever database it runs in,
            // and those must not go to the owner role of another database.
            let (first, later): (Vec<_>, Vec<_>) =
                role.depends_in.iter().partition(|database| **database == self.catalog.maintenance);
            for database in first.into_iter().chain(later) {
                let heir = self
                    .catalog
                    .our_databases(self.mark)
                    .find(|(name, _)| name == database)
                    .map_or(&self.catalog.master, |(_, database)| &database.owner);
                self.step(SqlStep::Release { user: user.to_owned(), database: database.clone(), heir: heir.clone() });
            }
            self.step(SqlStep::DropUser { user: user.to_owned() });
        }
    }
}

fn is_open(database: &Database, owner: &str) -> bool {
    let public_schema = database.inside.as_ref().and_then(|inside| inside.public_schema.as_ref());
    !database.public.is_empty()
        || public_schema.is_some_and(|schema| {
            let handed_over = schema.owner == owner || schema.owner == "pg_database_owner";
            schema.manageable && (schema.open || !handed_over)
        })
}

/// Whether all that the user will create is shared with the owner role. What could not be read is not acted on.
fn shares_all(database: &Database, user: &str) -> bool {
    database.inside.as_ref().is_none_or(|inside| {
        inside
            .default_privileges
            .get(user)
            .is_some_and(|kinds| DEFAULT_PRIVILEGE_KINDS.iter().all(|kind| kinds.contains(*kind)))
    })
}

fn shares_any(database: &Database, user: &str) -> bool {
    database.inside.as_ref().is_some_and(|inside| inside.default_privileges.contains_key(user))
}

#[cfg(test)]
mod tests;
