//! The answer to a look, as `look/` of the engine asks it: what differs from what is wanted, and nothing else.

mod access;
mod databases;
mod roles;

use std::collections::BTreeMap;

use reconciler::engine::Question;
use reconciler::engine::postgres::{Catalog, HEIR, KEEPER, MAINTENANCE_DATABASE, Pair, RoleState, comment, owner_role};
use shared::rules::{RoleFlags, RoleName};

use super::{ADMIN, Database, Membership, Postgres, Role};

/// What a look goes by.
struct Look<'a> {
    server: &'a Postgres,
    question: Question<'a>,
    users: BTreeMap<&'a str, RoleFlags>,
    /// Roles with the mark, and whether the master may manage them.
    marked: BTreeMap<&'a str, (&'a Role, bool)>,
    kept: BTreeMap<&'a str, Kept<'a>>,
}

/// A database of ours.
struct Kept<'a> {
    database: &'a Database,
    owner_name: String,
    /// The owner role is there, and ours.
    has_owner: bool,
    /// In the form of v0.1.0.
    former: bool,
}

impl Postgres {
    /// Answers a look of the master's.
    pub(crate) fn look(&self, question: Question<'_>) -> Catalog {
        Look::at(self, question).catalog()
    }
}

impl<'a> Look<'a> {
    fn at(server: &'a Postgres, question: Question<'a>) -> Self {
        let mark = comment(question.mark);
        let users = question.desired.users.iter().map(|(name, flags)| (name.as_str(), *flags)).collect();
        let marked = server.roles.iter().filter(|(name, role)| {
            let own = role.superuser || **name == server.master || name.starts_with("rds") || name.starts_with("pg_");
            role.comment.as_ref() == Some(&mark) && !own
        });
        let marked = marked.map(|(name, role)| (name.as_str(), (role, server.manages(name)))).collect();
        let mut look = Self { server, question, users, marked, kept: BTreeMap::new() };
        let keeper = look.is_ours(KEEPER);
        for (name, database) in &server.databases {
            let owner_name = owner_role(name);
            let has_owner = look.is_ours(&owner_name);
            let former = has_owner && database.owner == owner_name;
            if former || (keeper && database.owner == KEEPER) {
                look.kept.insert(name, Kept { database, owner_name, has_owner, former });
            }
        }
        look
    }

    fn catalog(&self) -> Catalog {
        let server = self.server;
        let known_roles = ["rds_superuser", "rds_replication"].into_iter();
        let asleep = |role: &Role| !role.login && !role.createdb && !role.createrole;
        let joined = |role: &&str| {
            let grant = server.granted(role, &server.master);
            grant.is_some_and(|grant| grant.inherits && grant.sets && (grant.admin || server.grants_name_grantors()))
        };
        Catalog {
            version: server.version,
            master: server.master.clone(),
            grants_bypassrls: server.grants_name_grantors() && server.roles[&server.master].bypassrls,
            server_roles: known_roles.filter(|role| server.roles.contains_key(*role)).map(str::to_owned).collect(),
            roles: self.roles(),
            unjoined: self.ours().map(|(name, _)| name).filter(|name| !joined(name)).map(str::to_owned).collect(),
            awake: self
                .ours()
                .filter(|(name, role)| !is_person(name) && !asleep(role))
                .map(|(name, _)| name.to_owned())
                .collect(),
            users: self.users(),
            removed_users: self.removed_users(),
            databases: self.databases(),
            oids: self.oids(),
            removed_databases: self.removed_databases(),
            pairs: self.pairs(),
            strays: self.strays(),
            stray_members: self.stray_members(),
            unshared: self.unshared(),
            overshared: self.overshared(),
            possessions: self.possessions(),
            open: self.open(),
            given_away: self.given_away(),
            maintenance: self.maintenance(),
        }
    }

    fn ours(&self) -> impl Iterator<Item = (&'a str, &'a Role)> {
        self.marked.iter().filter(|(_, (_, manageable))| *manageable).map(|(name, (role, _))| (*name, *role))
    }

    fn is_ours(&self, role: &str) -> bool {
        self.marked.get(role).is_some_and(|(_, manageable)| *manageable)
    }

    fn is_wanted(&self, database: &str) -> bool {
        self.question.desired.databases.keys().any(|name| name.as_str() == database)
    }

    /// Wanted pairs, by database and user.
    fn wanted_pairs(&self) -> impl Iterator<Item = (Pair, RoleFlags)> {
        self.question.desired.databases.iter().flat_map(|(database, users)| {
            users.iter().map(RoleName::as_str).filter_map(|user| {
                let pair = Pair { user: user.to_owned(), database: database.as_str().to_owned() };
                Some((pair, *self.users.get(user)?))
            })
        })
    }

    fn is_mapped(&self, user: &str, database: &str) -> bool {
        let wanted = self.question.desired.databases.iter().find(|(name, _)| name.as_str() == database);
        wanted.is_some_and(|(_, users)| users.iter().any(|found| found.as_str() == user))
    }

    fn state(&self, role: &str) -> RoleState {
        match (self.server.roles.contains_key(role), self.marked.get(role)) {
            (false, _) => RoleState::Missing,
            (true, None) => RoleState::Taken,
            (true, Some((_, false))) => RoleState::Unmanageable,
            (true, Some((_, true))) => RoleState::Ours,
        }
    }

    fn asked_roles(&self) -> impl Iterator<Item = String> {
        let owners = self.question.desired.databases.keys().map(|name| owner_role(name.as_str()));
        [KEEPER, HEIR].map(str::to_owned).into_iter().chain(owners)
    }

    /// Databases that a server begins with, and where the master says who enters.
    fn places(&self) -> impl Iterator<Item = (&'a String, &'a Database)> {
        let begins = self
            .server
            .databases
            .iter()
            .filter(|(name, _)| [MAINTENANCE_DATABASE, "template1"].contains(&name.as_str()));
        begins.filter(|(_, database)| self.server.has_rights_of(&self.server.master, &database.owner))
    }
}

impl Postgres {
    /// Up to PostgreSQL 15 the master manages what carries the mark; from 16 on only what it made itself, as the server's own grant shows.
    fn manages(&self, role: &str) -> bool {
        let made = |edge: &Membership| edge.role == role && edge.member == self.master && edge.grantor == ADMIN;
        !self.grants_name_grantors() || self.memberships.iter().any(|(edge, grant)| grant.admin && made(edge))
    }
}

/// Roles of ours that are no users have a hyphen in their names.
fn is_person(role: &str) -> bool {
    !role.contains('-')
}
