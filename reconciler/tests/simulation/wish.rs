//! What somebody wants of an object, and how they change their mind.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, RngExt as _};
use serde_json::{Value, json};

use crate::classes::CLASSES;
use crate::console::Console;

const USERS: [&str; 4] = ["app", "report", "etl", "audit_log"];
const DATABASES: [&str; 3] = ["main", "orders", "stock"];
const FLAGS: [&[&str]; 6] = [&[], &[], &["createdb"], &["createrole"], &["nologin"], &["noinherit", "createdb"]];
const SIZES: [u32; 4] = [10, 20, 30, 50];
const SUPPORTS: [Option<&str>; 3] =
    [None, Some("open-source-rds-extended-support"), Some("open-source-rds-extended-support-disabled")];
const INSTANCE_CLASSES: [Option<&str>; 3] = [None, Some("db.t4g.small"), Some("db.t4g.micro")];
const POLICIES: [Option<&str>; 5] = [None, None, Some("Snapshot"), Some("Retain"), Some("Delete")];
/// I/O operations and MiB a second of a volume that is large enough to be told.
const IOPS: [Option<u32>; 4] = [None, Some(12_000), Some(13_000), Some(20_000)];
const THROUGHPUTS: [Option<u32>; 3] = [None, Some(500), Some(600)];
/// From here on gp3 is in four volumes, and takes more than the least.
const LARGE: u32 = 500;

/// What is asked of the server, without a restart's worth of difference to any other part of a life.
const PARAMETERS: [&[(&str, u32)]; 3] = [&[], &[("work_mem", 65_536)], &[("work_mem", 1024), ("max_connections", 50)]];

/// How often backups are made, and for how many days they are kept: in the half of these there are copies.
const BACKUPS: [(Option<&str>, u32); 6] =
    [(None, 7), (Some("6h"), 10), (Some("24h"), 35), (Some("48h"), 2), (Some("2w"), 7), (Some("5d"), 60)];

/// UTC; a life ends before most of them open.
const MAINTENANCE: [Option<&str>; 3] = [None, Some("sun:04:00-sun:05:00"), Some("fri:09:00-fri:10:00")];

/// The newest minor version of the same major one.
fn newest(version: &'static str) -> &'static str {
    match version {
        "12.20" => "12.22",
        "16" | "16.14" => "16.15",
        "17" => "17.11",
        newest => newest,
    }
}

/// A version of a later major one, where there is one.
fn later(version: Option<&'static str>) -> &'static str {
    match version {
        None | Some("12.20" | "12.22") => "16",
        Some("16" | "16.14" | "16.15") => "17",
        Some(_) => "18",
    }
}

/// A manifest of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wish {
    version: Option<&'static str>,
    size: u32,
    master_user: Option<&'static str>,
    users: BTreeMap<&'static str, &'static [&'static str]>,
    databases: BTreeMap<&'static str, BTreeSet<&'static str>>,
    every: Option<&'static str>,
    retention: u32,
    class: Option<&'static str>,
    instance_class: Option<&'static str>,
    policy: Option<&'static str>,
    protected: bool,
    paused: bool,
    iops: Option<u32>,
    throughput: Option<u32>,
    standby: Option<bool>,
    maintenance: Option<&'static str>,
    at_once: bool,
    support: Option<&'static str>,
    parameters: &'static [(&'static str, u32)],
    /// Whether another major version may run than did.
    rises: bool,
    /// Whether a new instance is to be made of the snapshot that somebody has made by hand.
    restored: bool,
    slip: Option<Slip>,
    /// As it was before the last edit.
    before: Option<Box<Wish>>,
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
    /// A class that is there, and not the object's.
    OtherClass,
    /// Fewer than any volume has.
    Iops,
    Retention,
    Policy,
    /// A parameter that no server has: only the cloud knows.
    Parameter,
    /// Flags that contradict each other.
    Flags,
    /// A user of a name that is not to be had.
    Reserved,
}

const SLIPS: [Slip; 14] = [
    Slip::Type,
    Slip::Size,
    Slip::Member,
    Slip::Version,
    Slip::InstanceClass,
    Slip::MasterUser,
    Slip::Class,
    Slip::OtherClass,
    Slip::Iops,
    Slip::Retention,
    Slip::Policy,
    Slip::Parameter,
    Slip::Flags,
    Slip::Reserved,
];

impl Wish {
    /// The first one.
    pub(crate) fn any(rng: &mut StdRng) -> Self {
        let mut wish = Self {
            version: *[None, Some("12.20"), Some("16"), Some("16.14"), Some("17")].choose(rng).unwrap_or(&None),
            size: *SIZES.choose(rng).unwrap_or(&10),
            master_user: *[None, None, Some("root")].choose(rng).unwrap_or(&None),
            users: BTreeMap::new(),
            databases: BTreeMap::new(),
            every: None,
            retention: rng.random_range(1..15),
            class: None,
            instance_class: None,
            policy: *POLICIES.choose(rng).unwrap_or(&None),
            protected: rng.random_range(0..8) == 0,
            paused: false,
            iops: None,
            throughput: None,
            standby: None,
            maintenance: None,
            at_once: false,
            support: None,
            parameters: PARAMETERS.choose(rng).copied().unwrap_or_default(),
            rises: false,
            restored: false,
            slip: None,
            before: None,
        };
        if rng.random_range(0..10) == 0 {
            wish.size = LARGE;
            wish.storage(rng);
        }
        if rng.random_range(0..4) == 0 {
            wish.backups(rng);
        }
        if rng.random_range(0..2) == 0 {
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

    /// Somebody changes their mind about one thing, or takes the last change back. What was wrong is mended first.
    pub(crate) fn edit(&mut self, rng: &mut StdRng) {
        if self.slip.take().is_some() {
            return;
        }
        if self.paused {
            self.paused = false;
            return;
        }
        let before = self.before.take().filter(|_| rng.random_range(0..5) == 0);
        let now = self.clone();
        match before {
            // No storage shrinks, and no version goes back.
            Some(before) => *self = Self { size: self.size.max(before.size), version: self.version, ..*before },
            None => self.change(rng),
        }
        self.before = Some(Box::new(now));
    }

    fn change(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..30) {
            29 => self.support = *SUPPORTS.choose(rng).unwrap_or(&None),
            23..=24 => self.parameters = PARAMETERS.choose(rng).copied().unwrap_or_default(),
            20 => self.standby = *[None, Some(true), Some(false)].choose(rng).unwrap_or(&None),
            21 => self.maintenance = *MAINTENANCE.choose(rng).unwrap_or(&None),
            22 => self.at_once = !self.at_once,
            0..=4 => self.user(rng),
            5..=8 => self.database(rng),
            9 => self.size = SIZES.into_iter().filter(|size| *size >= self.size).max().unwrap_or(self.size),
            10 => self.retention = rng.random_range(1..15),
            27..=28 => self.backups(rng),
            11 => self.instance_class = *INSTANCE_CLASSES.choose(rng).unwrap_or(&None),
            12 => self.policy = *POLICIES.choose(rng).unwrap_or(&None),
            13 => self.protected = !self.protected,
            14 => self.paused = true,
            16..=17 if self.size >= LARGE => self.storage(rng),
            15 => self.version = self.version.map(newest),
            25..=26 => self.rise(rng),
            _ => self.slip = SLIPS.choose(rng).copied(),
        }
    }

    /// A later major version, in the window or at once; now and then somebody forgets the word that it takes.
    fn rise(&mut self, rng: &mut StdRng) {
        self.version = Some(later(self.version));
        self.rises = rng.random_range(0..5) > 0;
        self.at_once = rng.random_range(0..4) > 0;
    }

    /// Backups in another way.
    fn backups(&mut self, rng: &mut StdRng) {
        (self.every, self.retention) = *BACKUPS.choose(rng).unwrap_or(&(None, 7));
    }

    /// Copies are kept, for days.
    pub(crate) fn keep(&mut self) {
        self.let_go();
        (self.every, self.retention) = (Some("48h"), 2);
    }

    /// Whether something in it keeps the object from going.
    pub(crate) fn is_held(&self) -> bool {
        self.protected || self.paused
    }

    /// The object may go.
    pub(crate) fn let_go(&mut self) {
        (self.protected, self.paused, self.slip) = (false, false, None);
    }

    /// It may go, with a snapshot.
    pub(crate) fn plain(&mut self) {
        self.let_go();
        self.policy = None;
    }

    /// It may go, and its instance stays.
    pub(crate) fn retain(&mut self) {
        self.let_go();
        self.policy = Some("Retain");
    }

    /// It may go with all its data.
    pub(crate) fn give_up(&mut self) {
        self.let_go();
        self.policy = Some("Delete");
    }

    /// It is to be made of the snapshot of somebody's.
    pub(crate) fn come_back(&mut self) {
        self.let_go();
        self.restored = true;
    }

    /// One more user, and backups that are kept for longer.
    pub(crate) fn more(&mut self) {
        self.let_go();
        let new = USERS.into_iter().find(|user| !self.users.contains_key(user));
        self.users.extend(new.map(|user| (user, FLAGS[0])));
        self.retention += 1;
    }

    /// More storage, which nobody notices.
    pub(crate) fn grow(&mut self) {
        self.let_go();
        self.size += 20;
    }

    pub(crate) fn pause(&mut self) {
        self.slip = None;
        self.paused = true;
    }

    /// A database that it declares, from now on at least.
    pub(crate) fn some_database(&mut self, rng: &mut StdRng) -> &'static str {
        let declared: Vec<_> = self.databases.keys().copied().collect();
        let chosen = declared.choose(rng).or(DATABASES.choose(rng)).copied().unwrap_or("main");
        self.databases.entry(chosen).or_default();
        chosen
    }

    /// What the storage is to do.
    fn storage(&mut self, rng: &mut StdRng) {
        self.iops = *IOPS.choose(rng).unwrap_or(&None);
        self.throughput = *THROUGHPUTS.choose(rng).unwrap_or(&None);
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
            every,
            retention,
            class,
            instance_class,
            policy,
            protected,
            paused,
            iops,
            throughput,
            standby,
            maintenance,
            at_once,
            support,
            parameters,
            rises,
            restored,
            slip,
            before: _,
        } = self;
        let mut spec = json!({
            "size": format!("{size}GB"),
            "users": users,
            "databases": databases,
            "backup": {"every": every, "retention": format!("{retention}d")},
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
        let storage = iops.or(*throughput).map(|_| json!({"iops": iops, "throughput": throughput}));
        put("storage", storage);
        put("paused", paused.then_some(true.into()));
        put("multiAZ", standby.map(Value::from));
        put("maintenanceWindow", maintenance.map(Value::from));
        put("applyImmediately", at_once.then_some(true.into()));
        put("engineLifecycleSupport", support.map(Value::from));
        let asked: serde_json::Map<_, _> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        put("parameters", Some(Value::Object(asked)));
        put("allowMajorVersionUpgrade", rises.then_some(true.into()));
        put("restoreFrom", restored.then(|| json!({"snapshot": Console::SNAPSHOT})));
        match slip {
            None => {}
            Some(Slip::Type) => put("users", Some("app".into())),
            Some(Slip::Size) => put("size", Some("10XB".into())),
            Some(Slip::Member) => put("databases", Some(json!({"main": ["nobody"]}))),
            Some(Slip::Version) => put("version", Some("14".into())),
            Some(Slip::InstanceClass) => put("instanceClass", Some("db.none.huge".into())),
            Some(Slip::MasterUser) => put("masteruser", Some("chief".into())),
            Some(Slip::Class) => put("className", Some("bronze".into())),
            Some(Slip::OtherClass) => {
                put("className", CLASSES.into_iter().find(|other| *class != Some(*other)).map(Value::from));
            }
            Some(Slip::Iops) => put("storage", Some(json!({"iops": 5}))),
            Some(Slip::Retention) => put("backup", Some(json!({"retention": "99999d"}))),
            Some(Slip::Policy) => put("deletionPolicy", Some("Keep".into())),
            Some(Slip::Parameter) => put("parameters", Some(json!({"work_memory": 1}))),
            Some(Slip::Flags) => put("users", Some(json!({"app": ["createdb", "nocreatedb"]}))),
            Some(Slip::Reserved) => put("users", Some(json!({"master": []}))),
        }
        spec
    }
}
