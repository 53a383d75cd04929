//! RestoreDBInstanceFromDBSnapshot, and what every restore makes of the instance that its data are of.

use jiff::Timestamp;

use super::storage::{self, Storage};
use super::{create, elsewhere, fields, parameter_groups, settings};
use crate::account::Account;
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::params::Params;
use crate::state::{Insights, Instance, Monitoring, Phase, State, default_group};

/// What creations and modifications take and restores do not: it can only be changed afterwards [botocore, rds/2014-10-31].
const NOT_OF_RESTORES: [&str; 5] = [
    "DatabaseInsightsMode",
    "EnablePerformanceInsights",
    "PerformanceInsightsKMSKeyId",
    "PerformanceInsightsRetentionPeriod",
    "PreferredMaintenanceWindow",
];
/// What a restore to a point in time takes besides.
const NOT_OF_SNAPSHOTS: [&str; 1] = ["MaxAllocatedStorage"];

/// A new instance with the data, users and passwords of a snapshot.
pub fn restore_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    elsewhere::refuse(params)?;
    let params = &params.without(&NOT_OF_SNAPSHOTS);
    let id = fields::identifier(params, "DBInstanceIdentifier", 63)?;
    let snapshot_id = account.id_of("snapshot", params.required("DBSnapshotIdentifier")?);
    let found = state.snapshots.get(&snapshot_id).cloned();
    let snapshot = found.ok_or_else(|| ApiError::snapshot_not_found(&snapshot_id))?;
    if !snapshot.available() {
        return Err(ApiError::invalid_snapshot_state(format!("The snapshot {snapshot_id} is not available.")));
    }
    let phase = create::creating(Some(snapshot_id), None, now);
    let instance = restored(account, state, params, snapshot.source, (id, fresh.resource_id()), phase)?;
    create::insert(account, state, instance, fresh)
}

/// An instance with the data of `source` under other names. What it does not say of itself is the data's own, or a default.
pub(super) fn restored(
    account: &Account,
    state: &State,
    params: &Params,
    source: Instance,
    (id, resource_id): (String, String),
    phase: Phase,
) -> Result<Instance, ApiError> {
    let params = &params.without(&NOT_OF_RESTORES);
    if let Some(engine) = params.text("Engine") {
        fields::postgres_only(engine)?;
    }
    if params.text("DBName").is_some() {
        return Err(ApiError::invalid_value("DBName must be null when Restoring for this Engine."));
    }
    let (version, now) = (source.engine_version, phase.since);
    // The size comes with the data; the type does not.
    let volume = Storage::parse(params, Some(source.allocated_storage))?;
    if volume.size != source.allocated_storage {
        storage::check_growth(source.allocated_storage, volume.size)?;
    }
    let tags = fields::tags(params)?;
    // One that is past its standard support, and is kept out of the extended one, is upgraded when it is there.
    let lifecycle = fields::lifecycle_support(params)?.unwrap_or(fields::EXTENDED_SUPPORT);
    let mut instance = Instance {
        id,
        resource_id,
        class: params.text("DBInstanceClass").map_or(Ok(source.class.clone()), |text| fields::class(text, version))?,
        allocated_storage: volume.size,
        storage_type: volume.kind,
        iops: volume.iops,
        storage_throughput: volume.throughput,
        max_allocated_storage: None,
        created_at: now,
        backup_retention: fields::backup_retention(params)?.unwrap_or(source.backup_retention),
        // Without tags in the request, those that the source has, or had when the snapshot was made [RDS User Guide, "Tagging"].
        tags: if tags.is_empty() { source.tags.clone() } else { tags },
        lifecycle_support: lifecycle.to_owned(),
        phase,
        // Nothing of this is inherited.
        backup_window: create::DEFAULT_BACKUP_WINDOW.to_owned(),
        maintenance_window: create::DEFAULT_MAINTENANCE_WINDOW.to_owned(),
        availability_zone: account.first_zone(),
        multi_az: false,
        publicly_accessible: false,
        auto_minor_version_upgrade: true,
        copy_tags_to_snapshot: false,
        deletion_protection: false,
        iam_authentication: false,
        subnet_group: None,
        security_groups: Vec::new(),
        parameter_group: parameter_groups::named(account, state, params, version)?
            .unwrap_or_else(|| default_group(version)),
        ca_certificate: create::DEFAULT_CA.to_owned(),
        log_exports: Vec::new(),
        monitoring: Monitoring::default(),
        insights: Insights::default(),
        dedicated_log_volume: false,
        // Of the source: the engine, the master user and its password, the database's name, the encryption.
        ..source.without_a_past()
    };
    settings::at_once(account, params, &mut instance)?;
    settings::at_birth(account, params, &mut instance)?;
    Ok(instance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Snapshot, SnapshotStatus};
    use crate::testing::{Counted, account, at, instance};
    use crate::versions::EngineVersion;
    use crate::{backups, lifecycle};

    #[test]
    fn what_is_of_other_actions_is_ignored_and_what_is_said_holds() {
        let mut state = State::default();
        let source = Instance { max_allocated_storage: Some(100), ..instance("orders") };
        let automated = backups::automated(&state, &source, at(0));
        let id = automated.id.clone();
        state.snapshots.insert(id.clone(), Snapshot { status: SnapshotStatus::Available, ..automated });
        let params = [
            ("DBInstanceIdentifier", "again"),
            ("DBSnapshotIdentifier", id.as_str()),
            ("BackupRetentionPeriod", "3"),
            // A modification says these, afterwards.
            ("MaxAllocatedStorage", "200"),
            ("PreferredMaintenanceWindow", "mon:01:00-mon:01:30"),
            ("EnablePerformanceInsights", "true"),
            ("MonitoringInterval", "60"),
            ("EngineVersion", "17"),
            ("MasterUserPassword", "another-horse"),
        ];
        let params = params.into_iter().collect();
        let again = restore_instance(&account(), &mut state, &params, at(9), &mut Counted::default()).unwrap();
        assert_eq!((again.backup_retention, again.max_allocated_storage), (3, None));
        assert_eq!(again.maintenance_window, create::DEFAULT_MAINTENANCE_WINDOW);
        assert_eq!((again.insights, again.monitoring), (Insights::default(), Monitoring::default()));
        assert_eq!((again.engine_version, again.master_verifier), (source.engine_version, source.master_verifier));
        lifecycle::finish(&mut state, &again.resource_id, at(309));
        assert_eq!(state.instances["again"].restored_at, Some(at(309)));
        assert_eq!(state.events.last().unwrap().message, format!("Restored from snapshot {id}"));
    }

    #[test]
    fn one_that_is_kept_out_of_extended_support_is_upgraded_when_it_is_restored() {
        let now: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        for (major, support, runs) in [
            (13, fields::EXTENDED_SUPPORT_DISABLED, 14),
            (13, fields::EXTENDED_SUPPORT, 13),
            (14, fields::EXTENDED_SUPPORT_DISABLED, 14),
        ] {
            let version = EngineVersion::default_of(major).unwrap();
            let source =
                Instance { engine_version: version, parameter_group: default_group(version), ..instance("orders") };
            let mut state = State::default();
            let snapshot = Snapshot { status: SnapshotStatus::Available, ..backups::automated(&state, &source, now) };
            let id = snapshot.id.clone();
            state.snapshots.insert(id.clone(), snapshot);
            let params = [
                ("DBInstanceIdentifier", "again"),
                ("DBSnapshotIdentifier", id.as_str()),
                ("EngineLifecycleSupport", support),
            ];
            let params = params.into_iter().collect();
            let again = restore_instance(&account(), &mut state, &params, now, &mut Counted::default()).unwrap();
            assert_eq!(again.engine_version, version);
            // The creation, and what follows from it.
            for _ in 0..2 {
                lifecycle::finish(&mut state, &again.resource_id, now);
            }
            let again = &state.instances["again"];
            let runs = EngineVersion::default_of(runs).unwrap();
            assert_eq!((again.engine_version, &again.parameter_group), (runs, &default_group(runs)), "{support}");
        }
    }
}
