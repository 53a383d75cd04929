//! Who works in a database, and what is everybody's there.

use std::collections::BTreeMap;

use super::planner::Planner;
use crate::engine::postgres::naming::owner_role;
use crate::engine::postgres::step::SqlStep;

impl Planner<'_> {
    /// What users own themselves becomes everybody's, and what they will own can be used by everybody.
    pub(super) fn share(&mut self) {
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

    pub(super) fn admit(&mut self) {
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

    pub(super) fn available(&self, user: &str, database: &str) -> bool {
        !self.unavailable.users.contains(user) && !self.unavailable.databases.contains(database)
    }
}
