//! What is admitted with a warning.

use jiff::civil::date;

use super::Example;
use crate::rules::Rule;

/// An instance that is there: 100 GiB, PostgreSQL 17.4.
macro_rules! running {
    ($spec:literal) => {
        concat!(
            "spec:\n  version: \"17\"\n  size: 100Gi\n",
            $spec,
            "status:\n  instance: {created: true}\n  allocatedStorageGiB: 100\n  engineVersion: \"17.4\""
        )
    };
}

/// At least one example for each rule that warns.
pub(super) const EXAMPLES: &[Example] = &[
    Example::create(Rule::EngineNotBuilt, "spec: {type: MySQL, size: 20Gi}"),
    Example::create(Rule::ExtendedSupport, "spec: {version: 13, size: 20Gi}"),
    Example::create(
        Rule::SupportDeclined,
        "spec: {version: 13, size: 20Gi, engineLifecycleSupport: open-source-rds-extended-support-disabled}",
    ),
    Example::create(
        Rule::SupportDeclined,
        "spec:\n  version: 13\n  size: 20Gi\n  engineLifecycleSupport: open-source-rds-extended-support-disabled\n  \
         restoreFrom: {snapshot: orders-before}",
    ),
    Example::update(
        Rule::SupportDeclined,
        "spec: {version: 13, size: 20Gi}\nstatus:\n  instance: {created: true}\n  engineVersion: \"13.23\"",
        "spec: {version: 13, size: 20Gi, engineLifecycleSupport: open-source-rds-extended-support-disabled}",
    ),
    Example::create(Rule::SupportEnded, "spec: {version: 12, size: 20Gi}").on(date(2028, 3, 1)),
    Example::create(Rule::RoleNotKept, "spec: {version: \"16.4\", size: 20Gi}"),
    Example::create(Rule::RoleNotKept, "spec: {version: \"17.1\", size: 20Gi}"),
    Example::create(Rule::SizeBelowMinimum, "spec: {version: 18, size: 10GB}"),
    Example::update(Rule::GrowthRoundedUp, running!(""), "spec: {version: \"17\", size: 105Gi}")
        .besides(&[Rule::IrreversibleGrowth, Rule::DearerStorage]),
    Example::update(Rule::IrreversibleGrowth, running!(""), "spec: {version: \"17\", size: 200Gi}")
        .besides(&[Rule::DearerStorage]),
    Example::update(Rule::DearerStorage, running!(""), "spec: {version: \"17\", size: 200Gi}")
        .besides(&[Rule::IrreversibleGrowth]),
    Example::update(Rule::IrreversibleUpgrade, running!(""), "spec: {version: \"17.6\", size: 100Gi}")
        .besides(&[Rule::UpgradeOutage]),
    Example::update(Rule::UpgradeOutage, running!(""), "spec: {version: \"17.6\", size: 100Gi}")
        .besides(&[Rule::IrreversibleUpgrade]),
    Example::update(
        Rule::UpgradeOutage,
        running!(""),
        "spec: {version: \"18\", allowMajorVersionUpgrade: true, size: 100Gi}",
    )
    .besides(&[Rule::IrreversibleUpgrade]),
    Example::update(
        Rule::InstanceClassOutage,
        running!("  instanceClass: db.t4g.large\n"),
        "spec: {version: \"17\", size: 100Gi, instanceClass: db.t4g.micro}",
    ),
    Example::update(
        Rule::InstanceClassOutage,
        running!(""),
        "spec: {version: \"17\", size: 100Gi, instanceClass: db.t4g.micro}",
    )
    .besides(&[Rule::DearerInstance]),
    Example::update(
        Rule::InstanceClassOutage,
        running!("  instanceClass: db.t4g.large\n  maintenanceWindow: sun:04:00-sun:05:00\n"),
        "spec: {version: \"17\", size: 100Gi, maintenanceWindow: sun:04:00-sun:05:00, instanceClass: db.t4g.micro}",
    ),
    Example::update(
        Rule::ParametersOutage,
        running!(""),
        "spec: {version: \"17\", size: 100Gi, parameters: {work_mem: 65536}}",
    ),
    Example::update(
        Rule::AppliedImmediately,
        running!(""),
        "spec: {version: \"17\", size: 100Gi, applyImmediately: true}",
    ),
    Example::update(
        Rule::OriginTooLate,
        running!(""),
        "spec: {version: \"17\", size: 100Gi, restoreFrom: {snapshot: orders-before}}",
    ),
    Example::update(Rule::DearerStandby, running!(""), "spec: {version: \"17\", size: 100Gi, multiAZ: true}"),
    Example::update(
        Rule::DearerSupport,
        running!("  engineLifecycleSupport: open-source-rds-extended-support-disabled\n"),
        "spec: {version: \"17\", size: 100Gi, engineLifecycleSupport: open-source-rds-extended-support}",
    ),
    Example::update(
        Rule::DearerInstance,
        running!("  instanceClass: db.t4g.micro\n"),
        "spec: {version: \"17\", size: 100Gi, instanceClass: db.t4g.large}",
    )
    .besides(&[Rule::InstanceClassOutage]),
    Example::update(
        Rule::DearerInstance,
        running!("  instanceClass: db.t4g.large\n"),
        "spec: {version: \"17\", size: 100Gi, instanceClass: db.r8g.large}",
    )
    .besides(&[Rule::InstanceClassOutage]),
    Example::update(
        Rule::DearerBackups,
        running!(""),
        "spec: {version: \"17\", size: 100Gi, backup: {retention: 35d}}",
    ),
    Example::update(
        Rule::BackupsDiscarded,
        running!(""),
        "spec: {version: \"17\", size: 100Gi, backup: {retention: 3d}}",
    ),
    Example::update(
        Rule::BackupsDiscarded,
        running!("  backup: {every: 5d, retention: 90d}\n"),
        "spec: {version: \"17\", size: 100Gi, backup: {every: 5d, retention: 60d}}",
    )
    .besides(&[Rule::BackupCopies]),
    Example::update(
        Rule::CopiesStay,
        running!("  backup: {every: 5d, retention: 90d}\n"),
        "spec: {version: \"17\", size: 100Gi, backup: {every: 24h, retention: 35d}}",
    ),
    Example::create(Rule::SuperuserMapped, "spec: {version: 18, size: 20Gi, users: {app: [superuser]}}"),
    Example::create(Rule::ReplicationMapped, "spec: {version: 18, size: 20Gi, users: {cdc: [replication]}}"),
    Example::create(Rule::WideCreaterole, "spec: {version: 15, size: 20Gi, users: {app: [createrole]}}"),
    Example::create(Rule::BypassrlsUncertain, "spec: {version: 18, size: 20Gi, users: {app: [bypassrls]}}"),
    Example::create(Rule::BackupCopies, "spec: {version: 18, size: 20Gi, backup: {every: 5d, retention: 90d}}"),
    Example::create(Rule::RetentionBelowInterval, "spec: {version: 18, size: 20Gi, backup: {every: 2w}}")
        .besides(&[Rule::BackupCopies]),
    Example::create(Rule::NoFinalSnapshot, "spec: {version: 18, size: 20Gi, deletionPolicy: Delete}"),
    Example::create(Rule::NullEntry, "spec: {version: 18, size: 20Gi, users: {app: }}"),
    Example::update(Rule::ValueKept, "spec: {version: 18, size: 100GB, users: {app: []}}", "spec: {version: 18}"),
    Example::update(
        Rule::UserRemoved,
        running!("  users: {app: [], report: []}\n"),
        "spec: {version: \"17\", size: 100Gi, users: {app: []}}",
    ),
    Example::update(
        Rule::DatabaseKept,
        running!("  databases: {orders: [], invoices: []}\n"),
        "spec: {version: \"17\", size: 100Gi, databases: {orders: []}}",
    ),
    Example::update(
        Rule::UnchangedMistake,
        "spec: {version: 18, size: 20Gi, users: {App: []}}",
        "spec: {version: 18, size: 20Gi, users: {App: []}, paused: true}",
    ),
];
