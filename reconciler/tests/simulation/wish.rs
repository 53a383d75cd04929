//! What somebody wants of an object, and how they change their mind.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _};
use serde_json::{Value, json};

const USERS: [&str; 4] = ["app", "report", "etl", "audit_log"];
const DATABASES: [&str; 3] = ["main", "orders", "stock"];
const FLAGS: [&[&str]; 6] = [&[], &[], &["createdb"], &["createrole"], &["nologin"], &["noinherit", "createdb"]];
const SIZES: [u32; 4] = [10, 20, 30, 50];
const INSTANCE_CLASSES: [Option<&str>; 3] = [None, Some("db.t4g.small"), Some("db.t4g.micro")];
const POLICIES: [Option<&str>; 5] = [None, None, Some("Snapshot"), Some("Retain"), Some("Delete")];
pub(crate) const CLASSES: [&str; 2] = ["gold", "silver"];

/// A manifest of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wish {
    version: Option<&'static str>,
    size: u32,
    master_user: Option<&'static str>,
    users: BTreeMap<&'static str, &'static [&'static str]>,
    databases: BTreeMap<&'static str, BTreeSet<&'static str>>,
    retention: u32,
    class: Option<&'static str>,
    instance_class: Option<&'static str>,
    policy: Option<&'static str>,
    pub(crate) protected: bool,
    paused: bool,
    slip: Option<Slip>,
}

/// A value that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slip {
    /// A field of another type than it should have: the object cannot be read.
    Type,
    Size,
    Member,
    Version,
    InstanceClass,
    MasterUser,
    Class,
}

const SLIPS: [Slip; 7] =
    [Slip::Type, Slip::Size, Slip::Member, Slip::Version, Slip::InstanceClass, Slip::MasterUser, Slip::Class];

impl Wish {
    /// The first one.
    pub(crate) fn any(rng: &mut StdRng) -> Self {
        let mut wish = Self {
            version: *[None, Some("12.22"), Some("16"), Some("17")].choose(rng).unwrap_or(&None),
            size: *SIZES.choose(rng).unwrap_or(&10),
            master_user: *[None, None, Some("root")].choose(rng).unwrap_or(&None),
            users: BTreeMap::new(),
            databases: BTreeMap::new(),
            retention: rng.random_range(1..15),
            class: None,
            instance_class: None,
            policy: *POLICIES.choose(rng).unwrap_or(&None),
            protected: rng.random_range(0..8) == 0,
            paused: false,
            slip: None,
        };
        if rng.random_range(0..4) == 0 {
            wish.class = CLASSES.choose(rng).copied();
        }
        for _ in 0..rng.random_range(0..5) {
            wish.user(rng);
        }
        for _ in 0..rng.random_range(0..4) {
            wish.database(rng);
        }
        wish
    }

    /// Somebody changes their mind about one thing. What was wrong is mended first.
    pub(crate) fn edit(&mut self, rng: &mut StdRng) {
        if self.slip.take().is_some() {
            return;
        }
        if self.paused {
            self.paused = false;
            return;
        }
        match rng.random_range(0..18) {
            0..=4 => self.user(rng),
            5..=8 => self.database(rng),
            9 => self.size = *SIZES.iter().filter(|size| **size >= self.size).max().unwrap_or(&50),
            10 => self.retention = rng.random_range(1..15),
            11 => self.instance_class = *INSTANCE_CLASSES.choose(rng).unwrap_or(&None),
            12 => self.policy = *POLICIES.choose(rng).unwrap_or(&None),
            13 => self.protected = !self.protected,
            14 => self.paused = true,
            15 => self.version = self.version.map(|version| if version == "16" { "16.9" } else { version }),
            _ => self.slip = SLIPS.choose(rng).copied(),
        }
    }

    /// A user comes, goes, or gets other flags.
    fn user(&mut self, rng: &mut StdRng) {
        let Some(user) = USERS.choose(rng).copied() else { return };
        if self.users.contains_key(user) && rng.random_range(0..2) == 0 {
            self.users.remove(user);
            self.databases.values_mut().for_each(|members| members.retain(|member| *member != user));
        } else {
            self.users.insert(user, FLAGS.choose(rng).copied().unwrap_or_default());
        }
    }

    /// A database comes, goes, or gets other members.
    fn database(&mut self, rng: &mut StdRng) {
        let Some(database) = DATABASES.choose(rng).copied() else { return };
        if self.databases.contains_key(database) && rng.random_range(0..3) == 0 {
            self.databases.remove(database);
        } else {
            let members = self.users.keys().copied().filter(|_| !rng.next_u32().is_multiple_of(3)).collect();
            self.databases.insert(database, members);
        }
    }

    /// As it is written down.
    pub(crate) fn spec(&self) -> Value {
        let Self {
            version,
            size,
            master_user,
            users,
            databases,
            retention,
            class,
            instance_class,
            policy,
            protected,
            paused,
            slip,
        } = self;
        let mut spec = json!({
            "size": format!("{size}GB"),
            "users": users,
            "databases": databases,
            "backup": {"retention": format!("{retention}d")},
        });
        let mut put = |field: &str, value: Option<Value>| {
            if let Some(value) = value {
                spec[field] = value;
            }
        };
        put("version", version.map(Value::from));
        put("masteruser", master_user.map(Value::from));
        put("className", class.map(Value::from));
        put("instanceClass", instance_class.map(Value::from));
        put("deletionPolicy", policy.map(Value::from));
        put("deletionProtection", protected.then_some(true.into()));
        put("paused", paused.then_some(true.into()));
        match slip {
            None => {}
            Some(Slip::Type) => put("users", Some("app".into())),
            Some(Slip::Size) => put("size", Some("10XB".into())),
            Some(Slip::Member) => put("databases", Some(json!({"main": ["nobody"]}))),
            Some(Slip::Version) => put("version", Some("14".into())),
            Some(Slip::InstanceClass) => put("instanceClass", Some("db.none.huge".into())),
            Some(Slip::MasterUser) => put("masteruser", Some("chief".into())),
            Some(Slip::Class) => put("className", Some("bronze".into())),
        }
        spec
    }
}
