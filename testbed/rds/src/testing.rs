//! Values for the unit tests.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Activity, Change, Insights, Instance, Monitoring, Ordered, Phase, Tags};
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
        ca_certificate: "rds-ca-rsa2048-g1".to_owned(),
        lifecycle_support: "open-source-rds-extended-support".to_owned(),
        log_exports: Vec::new(),
        monitoring: Monitoring::default(),
        insights: Insights::default(),
        dedicated_log_volume: false,
        tags: Tags::new(),
        backup_tags: Tags::new(),
        pending: Change::default(),
        storage_changed_at: None,
        restorable_since: None,
        delete_automated_backups: true,
        ordered: Ordered::default(),
        phase: Phase { activity: Activity::Available, since: at(0), worked: true },
    }
}
