//! Values for the unit tests.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::account::Account;
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::state::{Activity, Change, Insights, Instance, Monitoring, Ordered, Phase, Running, Tags};
use crate::timetable::Timetable;
use crate::versions::EngineVersion;

/// So many seconds after an arbitrary beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let beginning = Timestamp::from_second(1_772_000_000).unwrap();
    beginning + SignedDuration::from_secs(seconds)
}

/// An available instance.
pub(crate) fn instance(id: &str) -> Instance {
    Instance {
        id: id.to_owned(),
        resource_id: format!("db-{}", id.to_uppercase()),
        class: "db.t4g.micro".to_owned(),
        engine_version: EngineVersion::default_of(12).unwrap(),
        master_username: "sysadmin".to_owned(),
        master_verifier: "SCRAM-SHA-256$".to_owned(),
        db_name: None,
        allocated_storage: 20,
        max_allocated_storage: None,
        storage_type: "gp3".to_owned(),
        iops: Some(3000),
        storage_throughput: Some(125),
        storage_encrypted: true,
        kms_key_id: None,
        port: 20_000,
        created_at: at(0),
        backup_retention: 7,
        backup_window: "03:00-04:00".to_owned(),
        maintenance_window: "sun:05:00-sun:06:00".to_owned(),
        availability_zone: "eu-central-1a".to_owned(),
        multi_az: false,
        publicly_accessible: false,
        auto_minor_version_upgrade: true,
        copy_tags_to_snapshot: true,
        deletion_protection: false,
        iam_authentication: false,
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_group: "default.postgres12".to_owned(),
        running: Running::default(),
        ca_certificate: "rds-ca-rsa2048-g1".to_owned(),
        lifecycle_support: "open-source-rds-extended-support".to_owned(),
        log_exports: Vec::new(),
        monitoring: Monitoring::default(),
        insights: Insights::default(),
        dedicated_log_volume: false,
        tags: Tags::new(),
        backup_tags: Tags::new(),
        pending: Change::default(),
        maintenance: BTreeMap::new(),
        storage_changed_at: None,
        restorable_since: None,
        backed_up_at: None,
        restored_at: None,
        replicas: Vec::new(),
        replica_source: None,
        delete_automated_backups: true,
        ordered: Ordered::default(),
        failed_upgrade: None,
        phase: Phase { activity: Activity::Available, since: at(0), worked: true },
    }
}

/// An account as slow as RDS.
pub(crate) fn account() -> Account {
    Account::new("000000000000", "eu-central-1", Timetable::scaled(1.0, 1.0))
}

/// What is fresh, counted.
#[derive(Debug, Default)]
pub(crate) struct Counted(u16);

impl Counted {
    fn next(&mut self) -> u16 {
        self.0 += 1;
        self.0
    }
}

impl Fresh for Counted {
    fn resource_id(&mut self) -> String {
        format!("db-{:0>26}", self.next())
    }

    fn port(&mut self, taken: &[u16], wanted: Option<u16>) -> Result<u16, ApiError> {
        let free = wanted.into_iter().chain(20_000..=u16::MAX).find(|port| !taken.contains(port));
        free.ok_or_else(ApiError::internal)
    }

    fn verifier(&mut self, _: &str) -> String {
        format!("SCRAM-SHA-256${}", self.next())
    }
}
