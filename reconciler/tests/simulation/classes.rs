//! What the platform wants of a class, and how it changes its mind.

use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

pub(crate) const CLASSES: [&str; 2] = ["gold", "silver"];

const INSTANCE_CLASSES: [Option<&str>; 3] = [None, Some("db.t4g.small"), Some("db.t4g.micro")];
const GROUPS: [&[&str]; 4] = [&[], &[], &["sg-1"], &["sg-1", "sg-2"]];
const TAGS: [&[(&str, &str)]; 4] = [&[], &[], &[("team", "data")], &[("team", "web"), ("cost-center", "7")]];
const KEYS: [Option<&str>; 3] = [None, None, Some("alias/databases")];
const ALLOWED_INSTANCE_CLASSES: [Option<&[&str]>; 4] =
    [None, None, Some(&["db.t4g.*"]), Some(&["db.t4g.micro", "db.t4g.small"])];
const ALLOWED_VERSIONS: [Option<&[&str]>; 4] = [None, None, Some(&["12", "16", "17"]), Some(&["12", "16.15"])];
const SIZES: [Option<&str>; 4] = [None, None, Some("1Ti"), Some("20Gi")];
const IOPS: [Option<u32>; 3] = [None, Some(16_000), Some(3_000)];
const RETENTIONS: [Option<&str>; 4] = [None, None, Some("14d"), Some("7d")];
const POLICIES: [Option<&[&str]>; 4] = [None, None, None, Some(&["Snapshot", "Delete"])];
const CREATEROLE: [Option<bool>; 3] = [None, Some(true), Some(false)];

/// A manifest of a class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassWish {
    pub(crate) name: &'static str,
    /// Objects that name no class get it.
    pub(crate) default: bool,
    /// It is there.
    there: bool,
    instance_class: Option<&'static str>,
    groups: &'static [&'static str],
    tags: &'static [(&'static str, &'static str)],
    key: Option<&'static str>,
    allowed_instance_classes: Option<&'static [&'static str]>,
    allowed_versions: Option<&'static [&'static str]>,
    max_size: Option<&'static str>,
    max_iops: Option<u32>,
    max_retention: Option<&'static str>,
    policies: Option<&'static [&'static str]>,
    createrole: Option<bool>,
    /// Only namespaces with a label that none has.
    closed: bool,
    /// It cannot be read.
    spoiled: bool,
}

fn any<T: Copy>(rng: &mut StdRng, among: &[T], otherwise: T) -> T {
    among.choose(rng).copied().unwrap_or(otherwise)
}

impl ClassWish {
    /// The first one: half of all say nothing.
    pub(crate) fn any(name: &'static str, rng: &mut StdRng) -> Self {
        let mut class = Self {
            name,
            default: rng.random_range(0..8) == 0,
            there: true,
            instance_class: None,
            groups: &[],
            tags: &[],
            key: None,
            allowed_instance_classes: None,
            allowed_versions: None,
            max_size: None,
            max_iops: None,
            max_retention: None,
            policies: None,
            createrole: None,
            closed: false,
            spoiled: false,
        };
        if rng.random() {
            class.instance_class = any(rng, &INSTANCE_CLASSES, None);
            class.key = any(rng, &KEYS, None);
            for _ in 0..4 {
                class.change(rng);
            }
            class.closed = false;
        }
        class
    }

    /// The platform changes its mind about one thing. What is wrong or gone is mended first.
    pub(crate) fn edit(&mut self, rng: &mut StdRng) {
        if self.spoiled || self.closed || !self.there {
            (self.spoiled, self.closed, self.there) = (false, false, true);
            return;
        }
        match rng.random_range(0..12) {
            0 => self.spoiled = true,
            1 => self.there = false,
            2 => self.default = !self.default,
            _ => self.change(rng),
        }
    }

    fn change(&mut self, rng: &mut StdRng) {
        match rng.random_range(0..10) {
            0 => self.groups = any(rng, &GROUPS, &[]),
            1 => self.tags = any(rng, &TAGS, &[]),
            2 => self.allowed_instance_classes = any(rng, &ALLOWED_INSTANCE_CLASSES, None),
            3 => self.allowed_versions = any(rng, &ALLOWED_VERSIONS, None),
            4 => self.max_size = any(rng, &SIZES, None),
            5 => self.max_iops = any(rng, &IOPS, None),
            6 => self.max_retention = any(rng, &RETENTIONS, None),
            7 => self.policies = any(rng, &POLICIES, None),
            8 => self.createrole = any(rng, &CREATEROLE, None),
            _ => self.closed = true,
        }
    }

    /// As it is written down; `None` where it is taken away.
    pub(crate) fn spec(&self) -> Option<Value> {
        let Self {
            name: _,
            default: _,
            there,
            instance_class,
            groups,
            tags,
            key,
            allowed_instance_classes,
            allowed_versions,
            max_size,
            max_iops,
            max_retention,
            policies,
            createrole,
            closed,
            spoiled,
        } = self;
        let tags: serde_json::Map<String, Value> =
            tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        // Null is absent.
        let mut spec = json!({
            "instanceClass": instance_class,
            "securityGroups": groups,
            "tags": tags,
            "kmsKey": key,
            "allowedInstanceClasses": allowed_instance_classes,
            "allowedVersions": allowed_versions,
            "maxSize": max_size,
            "maxIops": max_iops,
            "maxRetention": max_retention,
            "allowedDeletionPolicies": policies,
            "allowCreaterole": createrole,
        });
        if *closed {
            spec["allowedNamespaces"] = json!({"matchLabels": {"team": "nobody"}});
        }
        if *spoiled {
            spec["maxIops"] = "many".into();
        }
        there.then_some(spec)
    }
}
