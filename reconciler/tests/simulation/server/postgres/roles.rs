//! What a session does to roles and memberships.

use super::{ADMIN, Event, Fingerprint, Grant, PUBLIC, Refusal, Rights, Role, Session};

impl Session<'_> {
    /// `CREATE ROLE`. From PostgreSQL 16 on whoever makes a role administers it, and needs another grant to have its rights.
    pub(super) fn create_role(&mut self, name: &str, role: Role) -> Result<(), Refusal> {
        let by = self.me();
        if !self.server.is_superuser(&by) && !self.server.roles[&by].createrole {
            return Err(Refusal::denied("create role"));
        }
        if self.server.roles.contains_key(name) {
            return Err(Refusal::role_exists(name));
        }
        let password = role.password;
        self.server.roles.insert(name.to_owned(), role);
        if self.server.grants_name_grantors() && !self.server.is_superuser(&by) {
            let edge = self.server.membership(name, &by, ADMIN);
            self.server.memberships.insert(edge, Grant { admin: true, inherits: false, sets: false });
        }
        self.tell(Event::RoleCreated { role: name.to_owned(), by: by.clone() });
        if password.is_some() {
            self.tell(Event::PasswordSet { role: name.to_owned(), by });
        }
        Ok(())
    }

    /// `ALTER ROLE` and `COMMENT ON ROLE`.
    pub(super) fn alter_role(&mut self, name: &str, change: impl FnOnce(&mut Role)) -> Result<(), Refusal> {
        let by = self.me();
        let server = &mut *self.server;
        if !server.roles.contains_key(name) {
            return Err(Refusal::no_role(name));
        }
        if !server.administers(&by, name) {
            return Err(Refusal::denied("alter role"));
        }
        if let Some(role) = server.roles.get_mut(name) {
            let before = role.clone();
            change(role);
            if *role != before {
                self.tell(Event::RoleAltered { role: name.to_owned(), by });
            }
        }
        Ok(())
    }

    /// `ALTER ROLE … PASSWORD`: everybody may set their own.
    pub(super) fn set_password(&mut self, name: &str, password: Fingerprint) -> Result<(), Refusal> {
        let by = self.me();
        let allowed = by == name || self.server.administers(&by, name);
        let role = self.server.roles.get_mut(name).ok_or_else(|| Refusal::no_role(name))?;
        if !allowed {
            return Err(Refusal::denied("alter role"));
        }
        role.password = Some(password);
        self.tell(Event::PasswordSet { role: name.to_owned(), by });
        Ok(())
    }

    /// `DROP ROLE`: only of one that owns nothing, was granted nothing but roles, and from PostgreSQL 16 on has granted none.
    pub(super) fn drop_role(&mut self, name: &str) -> Result<(), Refusal> {
        let by = self.me();
        let server = &mut *self.server;
        if !server.is_superuser(&by) && !server.roles[&by].createrole {
            return Err(Refusal::denied("drop role"));
        }
        if !server.roles.contains_key(name) {
            return Err(Refusal::no_role(name));
        }
        if name == by {
            return Err(Refusal::own_role());
        }
        if !server.administers(&by, name) {
            return Err(Refusal::denied("drop role"));
        }
        let has = |rights: bool, owns: bool, holds: bool| rights || owns || holds;
        let depends = server.databases.values().any(|database| {
            has(database.rights.contains_key(name), database.owner == name, database.holdings.contains_key(name))
        });
        if depends || server.memberships.keys().any(|edge| edge.grantor == name) {
            return Err(Refusal::depended_on(name));
        }
        server.roles.remove(name);
        server.memberships.retain(|edge, _| edge.member != name && edge.role != name);
        for database in server.databases.values_mut() {
            database.acts_as.remove(name);
        }
        self.tell(Event::RoleDropped { role: name.to_owned(), by });
        Ok(())
    }

    /// `GRANT role TO member`. Up to PostgreSQL 15 what it inherits is the member's own; from 16 on it is the grant's.
    pub(super) fn grant(&mut self, role: &str, member: &str, grant: Grant) -> Result<(), Refusal> {
        let by = self.me();
        let server = &mut *self.server;
        for name in [role, member] {
            if !server.roles.contains_key(name) {
                return Err(Refusal::no_role(name));
            }
        }
        let grantor = server.may_grant(&by, role).ok_or_else(|| Refusal::denied(&format!("role \"{role}\"")))?;
        if server.is_member(role, member) {
            return Err(Refusal::circular(member, role));
        }
        let edge = server.membership(role, member, &grantor);
        let before = server.memberships.get(&edge).copied();
        let admin = grant.admin || before.is_some_and(|before| before.admin);
        let after = Grant { admin, ..grant };
        server.memberships.insert(edge, after);
        if before != Some(after) {
            self.tell(Event::Granted { role: role.to_owned(), to: member.to_owned(), by });
        }
        Ok(())
    }

    /// `REVOKE role FROM member CASCADE`: what another has granted stays, from PostgreSQL 16 on.
    pub(super) fn revoke(&mut self, role: &str, member: &str) -> Result<(), Refusal> {
        let by = self.me();
        let server = &mut *self.server;
        for name in [role, member] {
            if !server.roles.contains_key(name) {
                return Err(Refusal::no_role(name));
            }
        }
        let grantor = server.may_grant(&by, role).ok_or_else(|| Refusal::denied(&format!("role \"{role}\"")))?;
        let edge = server.membership(role, member, &grantor);
        if server.memberships.remove(&edge).is_some() {
            self.tell(Event::Revoked { role: role.to_owned(), from: member.to_owned(), by });
        }
        Ok(())
    }

    /// `DROP OWNED BY` in this database: all that a role was granted here and on databases, and what it granted.
    pub(super) fn drop_owned(&mut self, name: &str) -> Result<(), Refusal> {
        if !self.server.roles.contains_key(name) {
            return Err(Refusal::no_role(name));
        }
        if !self.server.has_rights_of(&self.by, name) || name == PUBLIC {
            return Err(Refusal::denied("drop objects"));
        }
        self.server.memberships.retain(|edge, _| edge.grantor != name);
        let here = self.database.clone();
        if let Some(database) = self.server.databases.get_mut(&here) {
            database.holdings.remove(name);
        }
        let granted =
            |(_, database): &(&String, &super::Database)| database.owner != name && database.rights.contains_key(name);
        let places: Vec<String> =
            self.server.databases.iter().filter(granted).map(|(place, _)| place.clone()).collect();
        for place in places {
            self.revoke_on(&place, name, Rights::ALL)?;
        }
        Ok(())
    }
}
