//! I12: what a user of a database makes, names or comments is neither believed nor carried by the operator.

use std::collections::{BTreeMap, BTreeSet};

use reconciler::engine::postgres::{HEIR, KEEPER, owner_role};

use super::Violation;
use crate::history::{Event, Happened};
use crate::server::Record;
use crate::server::postgres::{ADMIN, Event as Inside};

/// What is known of a server.
#[derive(Clone, Default)]
struct Server<'a> {
    master: &'a str,
    databases: BTreeSet<&'a str>,
    /// Roles, and who made them.
    roles: BTreeMap<&'a str, &'a str>,
}

/// No role that a user made is dropped by the master, and nothing of anybody's is given to a role with rights: it goes to the owner role of
/// its database, or to the heir, which have none outside.
pub(super) fn kept_apart(events: &[Happened]) -> Result<(), Violation> {
    let mut servers: BTreeMap<&str, Server<'_>> = BTreeMap::new();
    for Happened { at, what } in events {
        let Event::Server(record) = what else { continue };
        let Record { resource, event, .. } = &**record;
        if let Inside::CopiedFrom { resource: from } = event {
            let copy = servers.get(from.as_str()).cloned().unwrap_or_default();
            servers.insert(resource, copy);
            continue;
        }
        let server = servers.entry(resource).or_default();
        if let Some(what) = server.follow(event) {
            return Err(Violation { invariant: "I12", what: format!("in {resource} {what}"), when: *at });
        }
    }
    Ok(())
}

impl<'a> Server<'a> {
    fn follow(&mut self, event: &'a Inside) -> Option<String> {
        match event {
            Inside::RoleCreated { role, by } => {
                // The first one who makes a role is the operator: nobody else can log in.
                if self.roles.is_empty() {
                    self.master = by;
                }
                self.roles.insert(role, by);
            }
            Inside::RoleDropped { role, by } => {
                let maker = self.roles.remove(role.as_str());
                let tenants = maker.is_some_and(|maker| maker != self.master);
                return (tenants && by == self.master).then(|| format!("the role {role} of {maker:?} was dropped"));
            }
            Inside::DatabaseCreated { name, .. } => drop(self.databases.insert(name)),
            Inside::DatabaseRenamed { name, to, .. } => {
                // The owner role keeps the name that it had.
                self.databases.extend([name.as_str(), to.as_str()]);
            }
            Inside::ObjectsGiven { from, to, .. } => {
                let owner = self.databases.iter().any(|name| owner_role(name) == *to);
                return (!owner && ![HEIR, KEEPER].contains(&to.as_str())).then(|| format!("{to} got what {from} had"));
            }
            Inside::Granted { role, to, by } => {
                let raised = role.starts_with("rds_") && to != self.master && *by != ADMIN;
                let tenants = self.roles.get(to.as_str()).is_some_and(|maker| *maker != self.master);
                return (raised && tenants && by == self.master)
                    .then(|| format!("{to}, a user's own role, got {role}"));
            }
            Inside::Gone => *self = Self::default(),
            _ => {}
        }
        None
    }
}
