//! Databases: what nobody is to have of them is taken, and those that are missing are made.

use super::planner::Planner;
use crate::engine::port::Question;
use crate::engine::postgres::catalog::{Catalog, Database};
use crate::engine::postgres::naming::MAINTENANCE_DATABASE;
use crate::engine::postgres::naming::owner_role;
use crate::engine::postgres::step::SqlStep;
use crate::engine::postgres::step::blocked::BlockedReason;

/// Why a database can be neither made nor used.
pub(super) fn obstacle(question: Question<'_>, database: &Database) -> Option<BlockedReason> {
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

impl Planner<'_> {
    pub(super) fn provide_databases(&mut self) {
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

    /// Whether something is to be taken from users inside of it.
    fn has_work_in(&self, database: &str) -> bool {
        let Catalog { strays, overshared, possessions, removed_users, .. } = self.catalog;
        strays.iter().chain(overshared).any(|pair| pair.database == database)
            || possessions.iter().any(|found| found.database == database)
            || removed_users.iter().flat_map(|user| &user.left_in).any(|left| left.database == database)
    }

    /// Takes what nobody is to have: databases first, because what is inside of one can only be taken by its owner.
    pub(super) fn take(&mut self) {
        let catalog = self.catalog;
        for user in catalog.removed_users.iter().filter(|user| user.owns_databases) {
            self.step(SqlStep::TakeDatabases { user: user.name.clone() });
        }
        for database in catalog.databases.iter().filter(|database| database.ours) {
            if !self.unavailable.databases.contains(database.name.as_str()) {
                self.secure(database);
            }
        }
        for kept in catalog.removed_databases.iter().filter(|kept| !kept.broken) {
            // Whoever shut one that nobody needs to enter may have meant it: it is told of.
            if !kept.admits && (kept.former || self.has_work_in(&kept.name)) {
                let database = kept.name.clone();
                self.step(SqlStep::Secure { database, shut: true, template: false, locks: Vec::new() });
            }
            if kept.former {
                let (database, owner, pinned) = (kept.name.clone(), kept.owner.clone(), self.pinned());
                self.step(SqlStep::TakeOver { database, owner, pinned });
            }
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
}
