//! CreateDBInstanceReadReplica, and what a source and its replicas know of each other.

use jiff::Timestamp;

use super::storage::{self, Storage};
use super::{create, elsewhere, fields, parameter_groups, settings};
use crate::account::Account;
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::params::Params;
use crate::state::{Activity, Insights, Instance, Monitoring, State, default_group};

/// What a source may have [RDS User Guide, "Quotas"].
const MOST_REPLICAS: usize = 15;
/// What creations take and replicas do not: they have it from their source, or have none.
const NOT_OF_REPLICAS: [&str; 3] = ["BackupRetentionPeriod", "PreferredBackupWindow", "PreferredMaintenanceWindow"];

/// A new instance with the data of another one, which it knows as its source. It has no tags but those of the request, and no backups.
pub fn create_read_replica(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    elsewhere::refuse(params)?;
    let params = &params.without(&NOT_OF_REPLICAS);
    let id = fields::identifier(params, "DBInstanceIdentifier", 63)?;
    let source_id = account.id_of("db", params.required("SourceDBInstanceIdentifier")?);
    let source = state.instances.get(&source_id).ok_or_else(|| ApiError::instance_not_found(&source_id))?.clone();
    if source.phase.activity != Activity::Available {
        return Err(ApiError::invalid_instance_state(format!(
            "DB Instance {source_id} is not in the available state."
        )));
    }
    if source.backup_retention == 0 || source.restorable_since.is_none() {
        return Err(ApiError::invalid_instance_state(
            "Automated backups are not enabled for this database instance. To enable automated backups, use ModifyDBInstance to set the \
             backup retention period to a non-zero value.",
        ));
    }
    if source.replicas.len() >= MOST_REPLICAS {
        return Err(ApiError::of(
            "InstanceQuotaExceeded",
            format!("{source_id} has the maximum number of read replicas."),
        ));
    }
    let version = source.engine_version;
    let volume = Storage::parse(params, Some(source.allocated_storage))?;
    if volume.size != source.allocated_storage {
        storage::check_growth(source.allocated_storage, volume.size)?;
    }
    let mut replica = Instance {
        id: id.clone(),
        resource_id: fresh.resource_id(),
        class: params.text("DBInstanceClass").map_or(Ok(source.class.clone()), |text| fields::class(text, version))?,
        allocated_storage: volume.size,
        storage_type: volume.kind,
        iops: volume.iops,
        storage_throughput: volume.throughput,
        max_allocated_storage: None,
        created_at: now,
        backup_retention: 0,
        availability_zone: account.first_zone(),
        copy_tags_to_snapshot: false,
        deletion_protection: false,
        publicly_accessible: false,
        parameter_group: parameter_groups::named(account, state, params, version)?
            .unwrap_or_else(|| default_group(version)),
        security_groups: Vec::new(),
        log_exports: Vec::new(),
        monitoring: Monitoring::default(),
        insights: Insights::default(),
        tags: fields::tags(params)?,
        replica_source: Some(source_id.clone()),
        phase: create::creating(None, None, now),
        ..source.without_a_past()
    };
    settings::at_once(account, params, &mut replica)?;
    settings::at_birth(account, params, &mut replica)?;
    let replica = create::insert(account, state, replica, fresh)?;
    if let Some(source) = state.instances.get_mut(&source_id) {
        source.replicas.push(id);
    }
    Ok(replica)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::{delete_instance, modify_instance, stop_instance};
    use crate::lifecycle::finish;
    use crate::state::Phase;
    use crate::testing::{Counted, account, at, instance};

    fn replicated() -> State {
        let mut state = State::default();
        let tags = [("team".to_owned(), "shop".to_owned())].into();
        state.instances.insert("orders".into(), Instance { restorable_since: Some(at(0)), tags, ..instance("orders") });
        create(&mut state, "reports").unwrap();
        let reports = state.instances.get_mut("reports").unwrap();
        reports.phase = Phase { activity: Activity::Available, since: at(1), worked: true };
        state
    }

    fn create(state: &mut State, id: &str) -> Result<Instance, ApiError> {
        let params = [("DBInstanceIdentifier", id), ("SourceDBInstanceIdentifier", "Orders")];
        create_read_replica(&account(), state, &params.into_iter().collect(), at(0), &mut Counted::default())
    }

    fn asked(id: &str, more: &[(&str, &str)]) -> Params {
        [("DBInstanceIdentifier", id)].iter().chain(more).copied().collect()
    }

    #[test]
    fn a_source_and_its_replica_know_each_other_also_by_new_names() {
        let mut state = replicated();
        assert_eq!(state.instances["orders"].replicas, ["reports"]);
        let reports = &state.instances["reports"];
        assert_eq!((reports.replica_source.as_deref(), reports.backup_retention), (Some("orders"), 0));
        assert!(reports.tags.is_empty());
        for (id, new) in [("orders", "shop"), ("reports", "figures")] {
            let rename = asked(id, &[("NewDBInstanceIdentifier", new), ("ApplyImmediately", "true")]);
            let renamed = modify_instance(&account(), &mut state, &rename, at(2), &mut Counted::default()).unwrap();
            finish(&mut state, &renamed.resource_id, at(3));
        }
        assert_eq!(state.instances["shop"].replicas, ["figures"]);
        assert_eq!(state.instances["figures"].replica_source.as_deref(), Some("shop"));
    }

    #[test]
    fn a_deletion_of_the_source_promotes_and_one_of_the_replica_leaves_the_source_alone() {
        for (deleted, left) in [("orders", "reports"), ("reports", "orders")] {
            let mut state = replicated();
            let delete = asked(deleted, &[("SkipFinalSnapshot", "true")]);
            let gone = delete_instance(&account(), &mut state, &delete, at(5)).unwrap();
            finish(&mut state, &gone.resource_id, at(6));
            let left = &state.instances[left];
            assert_eq!((&left.replica_source, left.replicas.len()), (&None, 0));
            // A promoted replica is restarted.
            assert_eq!(left.phase.activity == Activity::Rebooting, deleted == "orders");
        }
    }

    #[test]
    fn what_replication_forbids_is_refused() {
        let mut state = replicated();
        let code = |answer: Result<Instance, ApiError>| answer.unwrap_err().code;
        for id in ["orders", "reports"] {
            assert_eq!(code(stop_instance(&account(), &mut state, &asked(id, &[]), at(1))), "InvalidDBInstanceState");
        }
        let last = asked("reports", &[("FinalDBSnapshotIdentifier", "last")]);
        assert_eq!(code(delete_instance(&account(), &mut state, &last, at(1))), "InvalidParameterCombination");
        let off = asked("orders", &[("BackupRetentionPeriod", "0")]);
        let refused = modify_instance(&account(), &mut state, &off, at(1), &mut Counted::default());
        assert_eq!(code(refused), "InvalidParameterCombination");
        assert_eq!(code(create(&mut state, "reports")), "DBInstanceAlreadyExists");
        state.instances.get_mut("orders").unwrap().backup_retention = 0;
        assert_eq!(code(create(&mut state, "more")), "InvalidDBInstanceState");
    }
}
