//! RebootDBInstance, StopDBInstance and StartDBInstance.

use jiff::Timestamp;

use super::{elsewhere, fields, snapshots};
use crate::abilities::Abilities;
use crate::account::Account;
use crate::error::ApiError;
use crate::params::Params;
use crate::state::{Activity, Instance, Phase, State};

/// Restarts an instance.
pub fn reboot_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Instance, ApiError> {
    let failover = params.boolean("ForceFailover")?.unwrap_or(false);
    let instance = allowed(account, state, params, now, |can| can.reboot, "available")?;
    if failover && !instance.multi_az {
        return Err(ApiError::invalid_combination(
            "Cannot force failover: the DB instance isn't a Multi-AZ deployment.",
        ));
    }
    instance.phase = Phase::begin(Activity::Rebooting, now);
    let restarted = instance.clone();
    Ok(loaded(state, restarted))
}

/// Stops an instance, after a snapshot where the request names one.
pub fn stop_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Instance, ApiError> {
    elsewhere::refuse(params)?;
    let snapshot = match params.text("DBSnapshotIdentifier") {
        None => None,
        Some(_) => Some(fields::identifier(params, "DBSnapshotIdentifier", 255)?),
    };
    let named = state.instances.get(&fields::instance_id(params)?);
    if named.is_some_and(|instance| instance.replica_source.is_some() || !instance.replicas.is_empty()) {
        return Err(ApiError::invalid_instance_state(
            "Cannot stop a DB instance that is a read replica or the source of one.",
        ));
    }
    let mut stopping = allowed(account, state, params, now, |can| can.stop, "available")?.clone();
    if let Some(snapshot) = &snapshot {
        snapshots::begin_manual(account, state, &stopping, snapshot, None, now)?;
    }
    stopping.phase = Phase::begin(Activity::Stopping { snapshot }, now);
    state.instances.insert(stopping.id.clone(), stopping.clone());
    Ok(stopping)
}

/// Starts a stopped instance.
pub fn start_instance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Instance, ApiError> {
    elsewhere::refuse(params)?;
    let instance = allowed(account, state, params, now, |can| can.start, "stopped")?;
    instance.phase = Phase::begin(Activity::Starting, now);
    let started = instance.clone();
    Ok(loaded(state, started))
}

/// The instance with what its server is started with.
fn loaded(state: &mut State, mut instance: Instance) -> Instance {
    instance.load_parameters(&state.parameter_groups);
    state.instances.insert(instance.id.clone(), instance.clone());
    instance
}

/// The instance, if its state allows what is asked for.
fn allowed<'a>(
    account: &Account,
    state: &'a mut State,
    params: &Params,
    now: Timestamp,
    asked: impl Fn(&Abilities) -> bool,
    needed: &str,
) -> Result<&'a mut Instance, ApiError> {
    let id = fields::instance_id(params)?;
    let instance = state.instances.get_mut(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
    if !Abilities::of(instance, account.status(instance, now)).iter().all(asked) {
        return Err(ApiError::invalid_instance_state(format!("Instance {id} is not in {needed} state.")));
    }
    Ok(instance)
}
