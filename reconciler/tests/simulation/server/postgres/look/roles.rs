//! Roles that differ: wanted ones, and those that are to go.

use std::collections::{BTreeMap, BTreeSet};

use reconciler::engine::postgres::{HEIR, KEEPER, LeftIn, Member, RemovedUser, RoleState, User};

use super::super::Role;
use super::{Look, is_person};

impl Look<'_> {
    pub(super) fn roles(&self) -> BTreeMap<String, RoleState> {
        let states = self.asked_roles().map(|role| (self.state(&role), role));
        states.filter(|(state, _)| *state != RoleState::Ours).map(|(state, role)| (role, state)).collect()
    }

    pub(super) fn users(&self) -> Vec<User> {
        let none = Role::new();
        let found = self.users.iter().filter_map(|(name, flags)| {
            let role = self.marked.get(name).map_or(&none, |(role, _)| *role);
            let has = |group: &str| self.server.granted(group, name).is_some();
            let user = User {
                name: (*name).to_owned(),
                state: self.state(name),
                login: role.login,
                createdb: role.createdb,
                createrole: role.createrole,
                inherit: role.inherit,
                bypassrls: role.bypassrls,
                superuser: has("rds_superuser"),
                replication: has("rds_replication"),
            };
            let as_declared = user.state == RoleState::Ours
                && user.login == flags.can_login()
                && user.createdb == flags.createdb.unwrap_or(false)
                && user.createrole == flags.createrole.unwrap_or(false)
                && user.inherit == flags.inherit.unwrap_or(true)
                && user.bypassrls == flags.bypassrls.unwrap_or(false)
                && user.superuser == flags.superuser.unwrap_or(false)
                && user.replication == flags.replication.unwrap_or(false);
            (!as_declared).then_some(user)
        });
        found.collect()
    }

    pub(super) fn removed_users(&self) -> Vec<RemovedUser> {
        let gone = self.ours().filter(|(name, _)| is_person(name) && !self.users.contains_key(name));
        let found = gone.map(|(name, role)| {
            let places = self.places().map(|(_, database)| database);
            let entered = self.kept.values().map(|kept| kept.database).chain(places);
            let enters = entered.into_iter().any(|database| database.rights.contains_key(name));
            let inside = self.server.clients.iter().any(|client| client.user == name);
            let left_in = self.server.databases.iter().filter(|(_, database)| database.holdings.contains_key(name));
            let left_in = left_in.map(|(place, _)| {
                let kept = self.kept.get(place.as_str()).filter(|kept| kept.has_owner);
                LeftIn { database: place.clone(), heir: kept.map(|kept| kept.owner_name.clone()) }
            });
            RemovedUser {
                name: name.to_owned(),
                active: role.login || role.createdb || role.createrole || inside || enters,
                owns_databases: self.server.databases.values().any(|database| database.owner == name),
                shared: self.server.memberships.keys().any(|edge| edge.grantor == name),
                left_in: left_in.collect(),
            }
        });
        found.collect()
    }

    pub(super) fn stray_members(&self) -> Vec<Member> {
        let asked: BTreeSet<String> = self.asked_roles().collect();
        let has_database = |role: &str| self.kept.values().any(|kept| kept.has_owner && kept.owner_name == role);
        let strays = self.server.memberships.keys().filter(|edge| {
            let (role, member) = (edge.role.as_str(), edge.member.as_str());
            let reserved = [KEEPER, HEIR].contains(&role);
            let theirs = self.is_ours(member) && is_person(member) && !asked.contains(role);
            let own = member == self.server.master || self.server.is_superuser(member);
            self.is_ours(role) && !own && !has_database(role) && (reserved || theirs)
        });
        let strays: BTreeSet<_> = strays.map(|edge| (edge.role.clone(), edge.member.clone())).collect();
        strays.into_iter().map(|(role, user)| Member { role, user }).collect()
    }
}
