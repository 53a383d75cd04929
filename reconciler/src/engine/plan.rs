use std::collections::{BTreeMap, BTreeSet};

use shared::rules::{DatabaseName, Desired, RoleFlags, RoleName};

use super::MAINTENANCE_DATABASE;
use super::catalog::{Catalog, Database, Question, RoleState, User};
use super::naming::{HEIR, KEEPER, owner_role};
use super::password::Password;
use super::step::{Attribute, Blocked, BlockedReason, SqlPlan, SqlStep};

/// What RDS has in place of SUPERUSER and REPLICATION
/// ("Understanding PostgreSQL roles and permissions" in the RDS user guide).
const SUPERUSER_ROLE: &str = "rds_superuser";
const REPLICATION_ROLE: &str = "rds_replication";

/// Decides what has to change on the server so that it is as declared.
///
/// `catalog` is the server's answer to `question`, `passwords` are those of the users' Secrets. The steps are in the order
/// they have to be done in, those that take something first; [`SqlStep::needs`] tells which of them stop when one fails.
pub fn plan_sql(question: Question<'_>, passwords: &BTreeMap<RoleName, Password>, catalog: &Catalog) -> SqlPlan {
    let unavailable = unavailable(question, passwords, catalog);
    let mut planner = Planner { question, passwords, catalog, unavailable, plan: SqlPlan::default() };
    planner.lock_users();
    planner.provide_roles();
    planner.take();
    planner.provide_users();
    planner.provide_databases();
    planner.share();
    planner.admit();
    planner.retire_removed_users();
    planner.plan
}

/// Users and databases that nothing can be done with; each is said once.
struct Unavailable<'a> {
    users: BTreeSet<&'a str>,
    databases: BTreeSet<&'a str>,
}

struct Planner<'a> {
    question: Question<'a>,
    passwords: &'a BTreeMap<RoleName, Password>,
    catalog: &'a Catalog,
    unavailable: Unavailable<'a>,
    plan: SqlPlan,
}

fn unavailable<'a>(
    question: Question<'a>,
    passwords: &BTreeMap<RoleName, Password>,
    catalog: &'a Catalog,
) -> Unavailable<'a> {
    let state = |role: &str| catalog.roles.get(role).copied().unwrap_or(RoleState::Ours);
    let lacks_password = |name: &str| !passwords.keys().any(|user| user.as_str() == name);
    let users = catalog.users.iter().filter(|user| match user.state {
        RoleState::Taken | RoleState::Unmanageable => true,
        RoleState::Missing => lacks_password(&user.name),
        RoleState::Ours => false,
    });
    let barred = |database: &Database| {
        obstacle(question, database).is_some()
            || [KEEPER, owner_role(&database.name).as_str()]
                .iter()
                .any(|role| matches!(state(role), RoleState::Taken | RoleState::Unmanageable))
    };
    let databases = catalog.databases.iter().filter(|database| barred(database));
    Unavailable {
        users: users.map(|user| user.name.as_str()).collect(),
        databases: databases.map(|database| database.name.as_str()).collect(),
    }
}

/// Why a database can be neither made nor used.
fn obstacle(question: Question<'_>, database: &Database) -> Option<BlockedReason> {
    let name = database.name.clone();
    match database.oid {
        None => {
            let known = question.known.iter().find(|(known, _)| known.as_str() == name).map(|(_, known)| *known)?;
            let renamed_to = database.renamed_to.clone();
            (!known.replaceable || renamed_to.is_some()).then_some(BlockedReason::DatabaseLost {
                database: name,
                oid: known.oid,
                renamed_to,
            })
        }
        Some(_) if !database.ours => Some(BlockedReason::DatabaseTaken {
            database: name,
            owner: database.owner.clone().unwrap_or_else(|| "unknown".into()),
        }),
        Some(_) if database.broken => Some(BlockedReason::DatabaseBroken { database: name }),
        Some(_) => None,
    }
}

impl<'a> Planner<'a> {
    fn step(&mut self, step: SqlStep) {
        self.plan.steps.push(step);
    }

    fn blocked(&mut self, user: Option<&str>, database: Option<&str>, reason: BlockedReason) {
        self.plan.blocked.push(Blocked {
            user: user.map(str::to_owned),
            database: database.map(str::to_owned),
            reason,
        });
    }

    fn desired(&self) -> &'a Desired {
        self.question.desired
    }

    fn flags(&self, user: &str) -> Option<RoleFlags> {
        self.desired().users.iter().find(|(name, _)| name.as_str() == user).map(|(_, flags)| *flags)
    }

    fn pinned(&self) -> bool {
        self.catalog.major() >= 15
    }

    /// From 16 on CREATE ROLE makes its creator the administrator, and granting that again is an error.
    fn admin(&self) -> bool {
        self.catalog.major() < 16
    }

    /// Whoever is to have no login has none before anything else is looked at.
    fn lock_users(&mut self) {
        for user in self.catalog.removed_users.iter().filter(|user| user.active) {
            self.step(SqlStep::LockUser { user: user.name.clone(), removed: true });
        }
        for user in self.catalog.users.iter().filter(|user| user.state == RoleState::Ours && user.login) {
            if self.flags(&user.name).is_some_and(|flags| !flags.can_login()) {
                self.step(SqlStep::LockUser { user: user.name.clone(), removed: false });
            }
        }
    }

    fn provide_roles(&mut self) {
        let mut wanted = Vec::new();
        if !self.desired().databases.is_empty() || self.catalog.removed_databases.iter().any(|kept| kept.former) {
            wanted.push(KEEPER.to_owned());
        }
        if !self.catalog.removed_users.is_empty() || !self.catalog.given_away.is_empty() {
            wanted.push(HEIR.to_owned());
        }
        wanted.extend(self.desired().databases.keys().map(|name| owner_role(name.as_str())));
        for role in wanted {
            match self.catalog.roles.get(&role) {
                Some(RoleState::Missing) => {
                    let (mark, admin) = (self.question.mark.clone(), self.admin());
                    self.step(SqlStep::CreateRole { role, mark, admin });
                }
                Some(RoleState::Taken) => self.blocked_role(&role, BlockedReason::RoleTaken { role: role.clone() }),
                Some(RoleState::Unmanageable) => {
                    self.blocked_role(&role, BlockedReason::RoleUnmanageable { role: role.clone() });
                }
                Some(RoleState::Ours) | None => {}
            }
        }
        for role in &self.catalog.unjoined {
            self.join(role.clone());
        }
        for role in &self.catalog.awake {
            self.step(SqlStep::QuietRole { role: role.clone() });
        }
    }

    fn blocked_role(&mut self, role: &str, reason: BlockedReason) {
        let database = self.desired().databases.keys().find(|name| owner_role(name.as_str()) == role);
        self.blocked(None, database.map(DatabaseName::as_str), reason);
    }

    fn join(&mut self, role: String) {
        let (master, admin) = (self.catalog.master.clone(), self.admin());
        self.step(SqlStep::JoinMaster { role, master, admin });
    }

    /// Takes what nobody is to have: databases first, because what is inside of one can only be taken by its owner.
    fn take(&mut self) {
        let catalog = self.catalog;
        for user in catalog.removed_users.iter().filter(|user| user.owns_databases) {
            self.step(SqlStep::TakeDatabases { user: user.name.clone() });
        }
        for database in catalog.databases.iter().filter(|database| database.ours) {
            if !self.unavailable.databases.contains(database.name.as_str()) {
                self.secure(database);
            }
        }
        for kept in catalog.removed_databases.iter().filter(|kept| kept.former) {
            if !kept.admits {
                let database = kept.name.clone();
                self.step(SqlStep::Secure { database, shut: true, template: false, locks: Vec::new() });
            }
            let (database, owner, pinned) = (kept.name.clone(), kept.owner.clone(), self.pinned());
            self.step(SqlStep::TakeOver { database, owner, pinned });
        }
        for given in &catalog.given_away {
            self.step(SqlStep::TakeGivenAway { database: given.database.clone(), owner: given.owner.clone() });
        }
        for database in &catalog.open {
            self.step(SqlStep::CloseDatabase { database: database.clone() });
        }
        for stray in &catalog.strays {
            let owner = owner_role(&stray.database);
            self.step(SqlStep::Expel { user: stray.user.clone(), database: stray.database.clone(), owner });
        }
        for stray in &catalog.stray_members {
            self.step(SqlStep::RevokeMember { role: stray.role.clone(), user: stray.user.clone() });
        }
        for way in catalog.maintenance.iter().filter(|way| !way.enters) {
            self.step(SqlStep::LeaveMaintenance { database: MAINTENANCE_DATABASE.into(), user: way.user.clone() });
        }
    }

    fn secure(&mut self, database: &Database) {
        let (name, shut, template) = (database.name.clone(), !database.admits, database.template);
        if database.public || shut || template || !database.locks.is_empty() {
            self.step(SqlStep::Secure { database: name.clone(), shut, template, locks: database.locks.clone() });
        }
        if database.former {
            let (owner, pinned) = (owner_role(&name), self.pinned());
            self.step(SqlStep::TakeOver { database: name, owner, pinned });
        }
    }

    fn provide_users(&mut self) {
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

    fn provide_databases(&mut self) {
        // A database that is there, and not as it was left, is told of; so is one that cannot be had.
        for database in &self.catalog.databases {
            if let Some(reason) = obstacle(self.question, database) {
                self.blocked(None, Some(&database.name), reason);
            }
            if self.unavailable.databases.contains(database.name.as_str()) {
                continue;
            }
            if database.oid.is_none() {
                // Up to 14 a copy of template0 would have a schema `public` that nobody but the server's own owner can drop.
                let template = if self.catalog.major() < 15 { "template1" } else { "template0" };
                self.step(SqlStep::CreateDatabase { database: database.name.clone(), template });
            }
            if !database.laid_out && !database.former {
                let owner = owner_role(&database.name);
                self.step(SqlStep::LayOut { database: database.name.clone(), owner });
            }
        }
    }

    /// What users own themselves becomes everybody's, and what they will own can be used by everybody.
    fn share(&mut self) {
        let mut by_database: BTreeMap<&str, (Vec<String>, Vec<String>, u64)> = BTreeMap::new();
        for found in &self.catalog.possessions {
            let (users, extensions, objects) = by_database.entry(&found.database).or_default();
            users.push(found.user.clone());
            if found.extensions > 0 {
                extensions.push(found.user.clone());
            }
            *objects += found.objects + found.extensions;
        }
        for (database, (users, extensions, objects)) in by_database {
            if !self.unavailable.databases.contains(database) {
                let (owner, database) = (owner_role(database), database.to_owned());
                self.step(SqlStep::HandOver { database, owner, users, extensions, objects });
            }
        }
        let large_objects = self.catalog.major() >= 18;
        for pair in &self.catalog.overshared {
            let (user, database, owner) = (pair.user.clone(), pair.database.clone(), owner_role(&pair.database));
            self.step(SqlStep::Unshare { user, database, owner, large_objects });
        }
        for pair in &self.catalog.unshared {
            if self.available(&pair.user, &pair.database) {
                let (user, database, owner) = (pair.user.clone(), pair.database.clone(), owner_role(&pair.database));
                self.step(SqlStep::Share { user, database, owner, large_objects });
            }
        }
    }

    fn available(&self, user: &str, database: &str) -> bool {
        !self.unavailable.users.contains(user) && !self.unavailable.databases.contains(database)
    }

    fn admit(&mut self) {
        for pair in &self.catalog.pairs {
            let Some(flags) = self.flags(&pair.user) else { continue };
            if !self.available(&pair.user, &pair.database) {
                continue; // Said once, where the user or the database was provided for.
            }
            self.step(SqlStep::Admit {
                user: pair.user.clone(),
                database: pair.database.clone(),
                owner: owner_role(&pair.database),
                acts_as_owner: !flags.privileged(),
                inherits: self.catalog.major() >= 16,
                connects: flags.can_login(),
            });
        }
    }

    fn retire_removed_users(&mut self) {
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

#[cfg(test)]
mod tests;
