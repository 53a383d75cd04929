//! Databases that differ, and those that others made.

use std::collections::BTreeMap;

use reconciler::engine::postgres::{Database, GivenAway, HEIR, KEEPER, RemovedDatabase, owner_role};

use super::super::PUBLIC;
use super::{Look, is_person};

/// What keeps people out of a database or turns them into somebody else.
const LOCKS: [&str; 3] = ["local_preload_libraries", "role", "session_authorization"];

impl Look<'_> {
    pub(super) fn databases(&self) -> Vec<Database> {
        let found = self.question.desired.databases.keys().map(|name| {
            let name = name.as_str();
            let kept = self.kept.get(name);
            let Some(database) = self.server.databases.get(name) else {
                let known = self.question.known.iter().find(|(known, _)| known.as_str() == name);
                let oid = known.and_then(|(_, known)| known.oid);
                let mut others = self.server.databases.iter();
                let renamed_to = others.find(|(_, other)| Some(other.oid) == oid).map(|(other, _)| other.clone());
                return Database { name: name.to_owned(), renamed_to, ..Database::default() };
            };
            let owner = kept.filter(|kept| kept.has_owner).and_then(|kept| database.rights.get(&kept.owner_name));
            Database {
                name: name.to_owned(),
                oid: Some(database.oid),
                ours: kept.is_some(),
                owner: kept.is_none().then(|| database.owner.clone()),
                former: kept.is_some_and(|kept| kept.former),
                admits: database.admits && database.limit != 0,
                broken: database.limit == -2,
                template: database.template,
                public: database.rights.contains_key(PUBLIC),
                laid_out: owner.is_some_and(|rights| rights.creates && rights.temporary),
                locks: LOCKS
                    .map(str::to_owned)
                    .into_iter()
                    .filter(|lock| database.settings.contains_key(lock))
                    .collect(),
                renamed_to: None,
            }
        });
        let differs = |found: &Database| {
            !found.ours
                || found.former
                || !found.admits
                || found.broken
                || found.template
                || found.public
                || !found.laid_out
                || !found.locks.is_empty()
        };
        found.filter(differs).collect()
    }

    pub(super) fn oids(&self) -> BTreeMap<String, u32> {
        let kept = self.kept.iter().filter(|(name, _)| self.is_wanted(name));
        let news = kept.filter(|(name, kept)| {
            let known = self.question.known.iter().find(|(known, _)| known.as_str() == **name);
            known.and_then(|(_, known)| known.oid) != Some(kept.database.oid)
        });
        news.map(|(name, kept)| ((*name).to_owned(), kept.database.oid)).collect()
    }

    pub(super) fn removed_databases(&self) -> Vec<RemovedDatabase> {
        let removed = self.kept.iter().filter(|(name, _)| !self.is_wanted(name));
        let found = removed.map(|(name, kept)| RemovedDatabase {
            name: (*name).to_owned(),
            former: kept.former,
            owner: kept.owner_name.clone(),
            admits: kept.database.admits && kept.database.limit != 0,
            broken: kept.database.limit == -2,
        });
        found.collect()
    }

    pub(super) fn open(&self) -> Vec<String> {
        let found = self.server.databases.iter().filter(|(name, database)| {
            let ours = self.is_ours(&database.owner) && !self.is_wanted(name);
            let closable = ours || self.places().any(|(place, _)| place == *name);
            database.rights.contains_key(PUBLIC) && database.limit != -2 && closable
        });
        found.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn given_away(&self) -> Vec<GivenAway> {
        let found = self.server.databases.iter().filter(|(name, database)| {
            let owner = database.owner.as_str();
            self.is_ours(owner) && !is_person(owner) && ![KEEPER, HEIR].contains(&owner) && owner != owner_role(name)
        });
        found.map(|(name, database)| GivenAway { database: name.clone(), owner: database.owner.clone() }).collect()
    }
}
