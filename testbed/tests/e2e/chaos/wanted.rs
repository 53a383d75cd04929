//! What people want of an object.

use std::{collections::BTreeSet, fmt};

use serde_json::{Value, json};

use super::clients::DATABASE;

/// The manifest of an object: one user and one database that are always there, and others that come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Tells an object from an earlier one of its name.
    pub(crate) life: u32,
    /// It is made of the last snapshot of the one before, where that has left one.
    pub(crate) returns: bool,
    grown: bool,
    upgraded: bool,
    users: BTreeSet<u32>,
    databases: BTreeSet<u32>,
}

/// A change of a manifest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    Grow,
    /// To another major version.
    Upgrade,
    /// This user comes, or goes if it is there.
    User(u32),
    /// This database comes, or goes if it is there.
    Database(u32),
}

impl Wanted {
    pub(crate) fn new(life: u32) -> Self {
        let (users, databases) = (BTreeSet::new(), BTreeSet::new());
        Self { life, returns: false, grown: false, upgraded: false, users, databases }
    }

    /// The next of this name: the same, with the data of this one.
    pub(crate) fn returned(&self, life: u32) -> Self {
        Self { life, returns: true, ..self.clone() }
    }

    pub(crate) fn edit(&mut self, edit: Edit) {
        let toggle = |set: &mut BTreeSet<u32>, number| {
            if !set.remove(&number) {
                set.insert(number);
            }
        };
        match edit {
            Edit::Grow => self.grown = true,
            Edit::Upgrade => self.upgraded = true,
            Edit::User(number) => toggle(&mut self.users, number),
            Edit::Database(number) => toggle(&mut self.databases, number),
        }
    }

    /// The major version.
    pub(crate) fn version(&self) -> &'static str {
        if self.upgraded { "17" } else { "12" }
    }

    /// The names of its users.
    pub(crate) fn users(&self) -> Vec<String> {
        std::iter::once("app".to_owned()).chain(self.users.iter().map(|number| format!("user{number}"))).collect()
    }

    pub(crate) fn spec(&self) -> Value {
        let users = self.users();
        let databases = self.databases.iter().map(|number| format!("more{number}"));
        let of_users: serde_json::Map<_, _> = users.iter().map(|user| (user.clone(), json!([]))).collect();
        let of_databases: serde_json::Map<_, _> =
            std::iter::once(DATABASE.to_owned()).chain(databases).map(|name| (name, json!(users))).collect();
        let size = if self.grown { "30GiB" } else { "20GiB" };
        let mut spec = json!({"size": size, "version": self.version(), "users": of_users, "databases": of_databases});
        if self.upgraded {
            // No window comes in these minutes.
            (spec["allowMajorVersionUpgrade"], spec["applyImmediately"]) = (json!(true), json!(true));
        }
        spec
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { life, returns, grown, upgraded: _, users, databases } = self;
        let (size, version) = (if *grown { 30 } else { 20 }, self.version());
        let of = if *returns { " of the one before" } else { "" };
        write!(
            f,
            "life {life}{of}: {version}, {size} GiB, {} users, {} databases",
            users.len() + 1,
            databases.len() + 1
        )
    }
}
