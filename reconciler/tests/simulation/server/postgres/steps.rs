//! What the operator's steps do: the statements of the shipped script by what they mean.

use std::collections::BTreeMap;

use reconciler::engine::postgres::{Attribute, Batch, DoneIf, HEIR, KEEPER, SqlStep, Work, comment};
use reconciler::engine::{Mark, Password};

use super::{Fingerprint, Grant, PUBLIC, Public, Refusal, Rights, Role, Session};

impl Session<'_> {
    /// Carries out one batch of a step, the `part`th of its script: at once, or not at all.
    pub(crate) fn run(&mut self, step: &SqlStep, part: usize, batch: &Batch) -> Result<(), Refusal> {
        if let Work::EndSessions { user, database } = &batch.work {
            self.end_sessions(user, database.as_deref());
            return Ok(());
        }
        let before = self.server.clone();
        let outcome = self.statements(step, part);
        if outcome.is_err() {
            *self.server = before;
            self.untell();
        }
        let Err(refusal) = outcome else { return Ok(()) };
        let done_before = match (&batch.done_if, refusal.sqlstate) {
            (DoneIf::RoleIsThere { role, mark }, "42710") => {
                self.server.roles[role].comment.as_deref() == Some(comment(mark).as_str())
            }
            (DoneIf::DatabaseIsThere { database }, "42P04") => self.server.databases[database].owner == KEEPER,
            (DoneIf::SubjectIsGone, "42704" | "3D000") => true,
            _ => false,
        };
        if done_before { Ok(()) } else { Err(refusal) }
    }

    fn statements(&mut self, step: &SqlStep, part: usize) -> Result<(), Refusal> {
        match step {
            SqlStep::LockUser { user, .. } if part == 0 => self.lock_rights(user),
            SqlStep::LockUser { user, removed: true } => self.lock_role(user),
            SqlStep::LockUser { user, removed: false } => self.alter_role(user, |role| role.login = false),
            SqlStep::TakeDatabases { user } => self.take_databases(user, None),
            SqlStep::TakeGivenAway { database, owner } => self.take_databases(owner, Some(database)),
            SqlStep::CreateRole { role, mark, admin } => self.create_marked(role, Role::new(), mark, *admin),
            SqlStep::QuietRole { role } => self.alter_role(role, quiet),
            SqlStep::JoinMaster { role, master, admin } => self.grant(role, master, self.plain_grant(master, *admin)),
            SqlStep::Secure { database, shut, template, locks } => self.secure(database, *shut, *template, locks),
            SqlStep::TakeOver { database, owner, pinned } => match (pinned, part) {
                // What belongs to pg_database_owner is not modelled: there is nothing to adopt.
                (true, 0 | 2) => Ok(()),
                _ => self.take_over(database, owner),
            },
            SqlStep::CloseDatabase { database } => self.revoke_on(database, PUBLIC, Rights::ALL),
            SqlStep::Expel { user, database, .. } if part == 0 => {
                self.revoke_on(database, user, Rights::ALL)?;
                self.act_as(user, database, None)
            }
            SqlStep::Expel { user, owner: role, .. }
            | SqlStep::RevokeMember { role, user }
            | SqlStep::Revoke { role, user } => self.revoke(role, user),
            SqlStep::OpenMaintenance { database, user } => self.grant_on(database, user, Rights::CONNECT),
            SqlStep::LeaveMaintenance { database, user } => self.revoke_on(database, user, Rights::ALL),
            SqlStep::CreateUser { user, attributes, password, mark, admin } => {
                self.create_user(user, attributes, password, mark, *admin)
            }
            SqlStep::AlterUser { user, attributes } => self.alter_role(user, |role| role.set(attributes)),
            SqlStep::SetPassword { user, password } => self.set_password(user, Fingerprint::of(password)),
            SqlStep::Grant { role, user } => self.grant(role, user, self.plain_grant(user, false)),
            SqlStep::CreateDatabase { database, template } if part == 0 => {
                self.create_database(database, KEEPER, template, false)
            }
            SqlStep::CreateDatabase { database, .. } => self.secure(database, true, false, &[]),
            SqlStep::LayOut { database, owner } => self.lay_out(database, owner),
            SqlStep::HandOver { owner, users, .. } if part == 0 => {
                for user in users {
                    self.hand_over(user, owner);
                }
                Ok(())
            }
            SqlStep::HandOver { owner, extensions, .. } => self.reassign(&extensions[part - 1], owner, false),
            SqlStep::Share { user, owner, .. } => self.share(user, owner, true),
            SqlStep::Unshare { user, owner, .. } => self.share(user, owner, false),
            SqlStep::Admit { user, database, owner, acts_as_owner, inherits, connects } => {
                let grant = self.plain_grant(user, false);
                self.grant(owner, user, Grant { inherits: *inherits || grant.inherits, ..grant })?;
                self.act_as(user, database, acts_as_owner.then_some(owner))?;
                match connects {
                    true => self.grant_on(database, user, Rights::CONNECT),
                    false => self.revoke_on(database, user, Rights::CONNECT),
                }
            }
            SqlStep::Release { user, heir, .. } if part == 0 => {
                self.hand_over(user, heir);
                Ok(())
            }
            SqlStep::Release { user, heir, .. } => {
                self.reassign(user, heir, true)?;
                self.drop_owned(user)
            }
            SqlStep::DropUser { user } => match self.drop_role(user) {
                Err(Refusal { sqlstate: "42704", .. }) => Ok(()),
                outcome => outcome,
            },
        }
    }

    fn create_user(
        &mut self,
        user: &str,
        attributes: &BTreeMap<Attribute, bool>,
        password: &Password,
        mark: &Mark,
        admin: bool,
    ) -> Result<(), Refusal> {
        let mut role = Role { password: Some(Fingerprint::of(password)), ..Role::new() };
        role.set(attributes);
        self.create_marked(user, role, mark, admin)
    }

    fn create_marked(&mut self, name: &str, role: Role, mark: &Mark, admin: bool) -> Result<(), Refusal> {
        self.create_role(name, role)?;
        self.alter_role(name, |role| role.comment = Some(comment(mark)))?;
        let me = self.me();
        self.grant(name, &me, self.plain_grant(&me, admin))
    }

    /// What a GRANT without options gives: from PostgreSQL 16 on it inherits as its member did then.
    fn plain_grant(&self, member: &str, admin: bool) -> Grant {
        Grant { admin, inherits: self.server.roles.get(member).is_none_or(|role| role.inherit), sets: true }
    }

    fn lock_rights(&mut self, user: &str) -> Result<(), Refusal> {
        let me = self.me();
        let places = self.server.databases.iter().filter(|(_, database)| {
            let owner = database.owner.as_str();
            (owner == KEEPER || owner == me || owner.ends_with("-owner"))
                && database.rights.contains_key(user)
                && self.server.has_rights_of(&me, owner)
        });
        let places: Vec<String> = places.map(|(name, _)| name.clone()).collect();
        places.iter().try_for_each(|place| self.revoke_on(place, user, Rights::ALL))
    }

    /// From PostgreSQL 16 on with the roles that it administers and nobody has marked, and those of these.
    fn lock_role(&mut self, user: &str) -> Result<(), Refusal> {
        if !self.server.roles.contains_key(user) {
            return Ok(());
        }
        self.alter_role(user, quiet)?;
        if !self.server.grants_name_grantors() {
            return Ok(());
        }
        let me = self.me();
        let (mut members, mut seen) = (vec![user.to_owned()], vec![user.to_owned()]);
        while !members.is_empty() {
            let administered = |edge: &super::Membership, grant: &Grant| {
                let role = &self.server.roles[&edge.role];
                let own = role.superuser || edge.role == me || edge.role.starts_with("rds");
                grant.admin
                    && members.contains(&edge.member)
                    && !seen.contains(&edge.role)
                    && !own
                    && role.comment.is_none()
            };
            let below = self.server.memberships.iter().filter(|(edge, grant)| administered(edge, grant));
            let below: std::collections::BTreeSet<String> = below.map(|(edge, _)| edge.role.clone()).collect();
            for role in &below {
                if self.grant(role, &me, self.plain_grant(&me, false)).is_ok() && self.alter_role(role, quiet).is_ok() {
                    self.end_sessions(role, None);
                }
            }
            members = below.into_iter().collect();
            seen.extend(members.iter().cloned());
        }
        for role in seen.iter().rev().filter(|role| *role != user) {
            // It may be somebody else's to take back.
            let _ = self.revoke(role, &me);
        }
        Ok(())
    }

    fn take_databases(&mut self, owner: &str, only: Option<&String>) -> Result<(), Refusal> {
        let theirs = self
            .server
            .databases
            .iter()
            .filter(|(name, database)| database.owner == owner && only.is_none_or(|only| only == *name));
        let theirs: Vec<String> = theirs.map(|(name, _)| name.clone()).collect();
        for name in theirs {
            self.give_database(&name, HEIR)?;
            self.revoke_on(&name, PUBLIC, Rights::ALL)?;
            self.alter_database(&name, |database| {
                database.settings.clear();
                if database.limit != -2 {
                    (database.template, database.limit, database.admits) = (false, -1, true);
                }
            })?;
        }
        Ok(())
    }

    fn secure(&mut self, name: &str, shut: bool, template: bool, locks: &[String]) -> Result<(), Refusal> {
        self.revoke_on(name, PUBLIC, Rights::ALL)?;
        if !shut && !template && locks.is_empty() {
            return Ok(());
        }
        self.alter_database(name, |database| {
            database.settings.retain(|setting, _| !locks.contains(setting));
            if template {
                database.template = false;
            }
            if shut {
                (database.limit, database.admits) = (-1, true);
            }
        })
    }

    fn take_over(&mut self, database: &str, owner: &str) -> Result<(), Refusal> {
        self.give_database(database, KEEPER)?;
        self.revoke_on(database, PUBLIC, Rights::ALL)?;
        self.lay_out(database, owner)
    }

    fn lay_out(&mut self, name: &str, owner: &str) -> Result<(), Refusal> {
        let me = self.me();
        let database = self.server.databases.get(name).ok_or_else(|| Refusal::no_database(name))?;
        if self.server.owns_public(&me, database) {
            if !self.server.roles.contains_key(owner) {
                return Err(Refusal::no_role(owner));
            }
            if !self.server.can_act_as(&me, owner) {
                return Err(Refusal::denied(&format!("role \"{owner}\"")));
            }
            if let Some(database) = self.server.databases.get_mut(name) {
                database.public = Some(Public { owner: owner.to_owned(), open: false });
            }
        }
        self.grant_on(name, owner, Rights::CREATE)
    }

    /// Default privileges of a user in this database that give the owner role what it will make.
    fn share(&mut self, user: &str, owner: &str, on: bool) -> Result<(), Refusal> {
        for name in [user, owner] {
            if !self.server.roles.contains_key(name) {
                return Err(Refusal::no_role(name));
            }
        }
        if !self.server.has_rights_of(&self.by, user) {
            return Err(Refusal::denied("change default privileges"));
        }
        let here = self.database.clone();
        if let Some(database) = self.server.databases.get_mut(&here) {
            database.holdings.entry(user.to_owned()).or_default().shares = on;
            database.holdings.retain(|_, holding| !holding.is_empty());
        }
        Ok(())
    }

    /// `ALTER ROLE user IN DATABASE place SET role`, or RESET.
    pub(super) fn act_as(&mut self, user: &str, place: &str, role: Option<&String>) -> Result<(), Refusal> {
        if !self.server.roles.contains_key(user) {
            return Err(Refusal::no_role(user));
        }
        if !self.server.databases.contains_key(place) {
            return Err(Refusal::no_database(place));
        }
        if self.by != user && !self.server.administers(&self.by, user) {
            return Err(Refusal::denied("alter setting"));
        }
        if let Some(database) = self.server.databases.get_mut(place) {
            match role {
                Some(role) => drop(database.acts_as.insert(user.to_owned(), role.clone())),
                None => drop(database.acts_as.remove(user)),
            }
        }
        Ok(())
    }
}

fn quiet(role: &mut Role) {
    (role.login, role.createdb, role.createrole) = (false, false, false);
}

impl Role {
    fn set(&mut self, attributes: &BTreeMap<Attribute, bool>) {
        for (attribute, on) in attributes {
            *match attribute {
                Attribute::Login => &mut self.login,
                Attribute::CreateDb => &mut self.createdb,
                Attribute::CreateRole => &mut self.createrole,
                Attribute::Inherit => &mut self.inherit,
                Attribute::BypassRls => &mut self.bypassrls,
            } = *on;
        }
    }
}
