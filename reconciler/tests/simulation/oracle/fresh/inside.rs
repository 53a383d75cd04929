//! What is seen on the server.

use std::collections::{BTreeMap, BTreeSet};

use reconciler::engine::postgres::{KEEPER, owner_role};
use shared::rules::Desired;

use super::Picture;
use crate::server::postgres::{Database, Grant, PUBLIC, Postgres, Role};

impl Picture {
    /// The declared users and databases. What people have made themselves, and what has left the spec, is kept as it is.
    pub(super) fn inside(&mut self, desired: &Desired, server: &Postgres) {
        let users: BTreeSet<&str> = desired.users.keys().map(shared::rules::RoleName::as_str).collect();
        let mut ours: BTreeSet<String> = desired.databases.keys().map(|name| owner_role(name.as_str())).collect();
        if !desired.databases.is_empty() {
            ours.insert(KEEPER.to_owned());
        }
        ours.extend(users.iter().map(|user| (*user).to_owned()).chain([server.master.clone()]));
        for name in &ours {
            self.add(format_args!("the role {name}"), server.roles.get(name).map(attributes));
        }
        let mut grants: BTreeMap<(&String, &String), Grant> = BTreeMap::new();
        for (edge, grant) in &server.memberships {
            // Users with createrole may grant each other what they have.
            let among_users = users.contains(edge.role.as_str()) && users.contains(edge.member.as_str());
            let of_ours = ours.contains(&edge.member) && (ours.contains(&edge.role) || edge.role.starts_with("rds_"));
            if of_ours && !among_users {
                // Up to 15 only the member's own attribute tells, which may have been another one.
                let grant = Grant { inherits: grant.inherits || server.version < 160_000, ..*grant };
                // An upgrade from 15 or before makes all of them the server's own: who granted what is lost.
                let all = grants.entry((&edge.member, &edge.role)).or_insert(grant);
                all.admin |= grant.admin;
                all.inherits |= grant.inherits;
                all.sets |= grant.sets;
            }
        }
        for ((member, role), grant) in grants {
            self.add(format_args!("{member} in {role}"), grant);
        }
        for name in desired.databases.keys() {
            if let Some(database) = server.databases.get(name.as_str()) {
                self.database(name.as_str(), database, &ours);
            }
        }
    }

    fn database(&mut self, name: &str, database: &Database, ours: &BTreeSet<String>) {
        let Database {
            oid: _,
            owner,
            admits,
            limit,
            template,
            rights,
            // Whoever has the master's password may set what nobody declares.
            settings: _,
            acts_as,
            public,
            // What is in it is its users'.
            holdings: _,
        } = database;
        self.add(format_args!("the database {name}"), (owner, admits, limit, template, public));
        for (role, rights) in rights.iter().filter(|(role, _)| *role == PUBLIC || ours.contains(*role)) {
            self.add(format_args!("the rights of {role:?} in {name}"), rights);
        }
        for (user, role) in acts_as.iter().filter(|(user, _)| ours.contains(*user)) {
            self.add(format_args!("{user} in {name} acts"), role);
        }
    }
}

/// Without its password.
fn attributes(
    Role { login, createdb, createrole, inherit, bypassrls, superuser, password, comment }: &Role,
) -> impl std::fmt::Debug {
    (*login, *createdb, *createrole, *inherit, *bypassrls, *superuser, password.is_some(), comment.clone())
}
