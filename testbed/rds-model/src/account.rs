//! One account in one region: what the actions are told of it, and never change.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::state::Instance;
use crate::timetable::Timetable;

/// One account in one region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// `eu-central-1`.
    pub region: String,
    /// Security groups of the VPC, besides its default one.
    pub security_groups: Vec<String>,
    /// DB subnet groups, besides `default`, in lower case.
    pub subnet_groups: Vec<String>,
    /// What it may have.
    pub quotas: Quotas,
    /// How long things take.
    pub timetable: Timetable,
    /// How long they take with some instances, by resource id.
    pub timetables: BTreeMap<String, Timetable>,
}

/// How many an account may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quotas {
    /// Without one there is no limit.
    pub instances: Option<usize>,
    /// Final snapshots are among them.
    pub manual_snapshots: usize,
    /// Automated backups of instances that are gone.
    pub retained_backups: usize,
    /// The default ones are not among them.
    pub parameter_groups: usize,
}

/// As RDS has them [RDS User Guide, "Quotas"], but for instances, which are not limited.
impl Default for Quotas {
    fn default() -> Self {
        Self { instances: None, manual_snapshots: 100, retained_backups: 40, parameter_groups: 50 }
    }
}

impl Account {
    /// An account with the default network and quotas.
    pub fn new(id: impl Into<String>, region: impl Into<String>, timetable: Timetable) -> Self {
        Self {
            id: id.into(),
            region: region.into(),
            security_groups: Vec::new(),
            subnet_groups: Vec::new(),
            quotas: Quotas::default(),
            timetable,
            timetables: BTreeMap::new(),
        }
    }

    /// `arn:aws:rds:<region>:<account>:<kind>:<id>`.
    pub fn arn(&self, kind: &str, id: &str) -> String {
        format!("arn:aws:rds:{}:{}:{kind}:{id}", self.region, self.id)
    }

    /// The timetable of an instance.
    pub fn times(&self, instance: &Instance) -> &Timetable {
        self.timetables.get(&instance.resource_id).unwrap_or(&self.timetable)
    }

    /// The `DBInstanceStatus` to show.
    pub fn status<'a>(&self, instance: &'a Instance, now: Timestamp) -> &'a str {
        self.times(instance).status(instance, now)
    }

    /// The identifier that a listing is asked for: in lower case, and in an ARN of this account and region what follows the kind.
    pub(crate) fn id_of(&self, kind: &str, name: &str) -> String {
        name.strip_prefix(&self.arn(kind, "")).unwrap_or(name).to_ascii_lowercase()
    }

    /// A key of KMS, which is shown by its ARN.
    pub(crate) fn key_arn(&self, key: &str) -> String {
        let Self { id, region, .. } = self;
        if key.starts_with("arn:") { key.to_owned() } else { format!("arn:aws:kms:{region}:{id}:key/{key}") }
    }
}
