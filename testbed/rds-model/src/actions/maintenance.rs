//! DescribePendingMaintenanceActions and ApplyPendingMaintenanceAction.

use jiff::Timestamp;

use super::filters;
use crate::abilities::Abilities;
use crate::account::Account;
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::params::Params;
use crate::state::{Instance, MaintenanceAction, OptIn, State};

/// The instances for which maintenance is pending, or the one that is named.
pub fn describe_maintenance<'a>(
    account: &Account,
    state: &'a State,
    params: &Params,
) -> Result<Page<&'a Instance>, ApiError> {
    let filters = filters::parse(params, &["db-cluster-id", "db-instance-id"])?;
    let named = match params.text("ResourceIdentifier") {
        None => None,
        Some(arn) => Some(&named(account, state, arn)?.id),
    };
    let accepted = state.instances.values().filter(|instance| {
        !instance.maintenance.is_empty()
            && named.is_none_or(|id| *id == instance.id)
            && filters::all(&filters, |name, value| {
                name == "db-instance-id" && account.id_of("db", value) == instance.id
            })
    });
    paginate(accepted, |instance| instance.id.clone(), params)
}

/// Has pending maintenance applied, now or in the next window, or takes that back.
pub fn apply_maintenance(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
) -> Result<Instance, ApiError> {
    let arn = params.required("ResourceIdentifier")?;
    let action = params.required("ApplyAction")?;
    let opt_in = match params.required("OptInType")? {
        "immediate" => Some(OptIn::Immediate),
        "next-maintenance" => Some(OptIn::NextMaintenance),
        "undo-opt-in" => None,
        other => {
            return Err(ApiError::invalid_value(format!(
                "Invalid value {other} for OptInType. Must be immediate, next-maintenance or undo-opt-in"
            )));
        }
    };
    let instance = named(account, state, arn)?;
    let id = instance.id.clone();
    let shown = account.status(instance, now);
    let ready = Abilities::of(instance, shown).iter().all(|can| can.reboot);
    let pending = MaintenanceAction::named(action).and_then(|action| instance.maintenance.get(&action));
    let Some(pending) = pending else {
        return Err(ApiError::of(
            "ResourceNotFoundFault",
            format!("No pending maintenance action {action} was found for {arn}."),
        ));
    };
    if pending.opt_in == Some(OptIn::Immediate) && opt_in != pending.opt_in {
        return Err(ApiError::invalid_combination(format!(
            "The opt-in for the immediate application of {action} can't be undone."
        )));
    }
    if opt_in == Some(OptIn::Immediate) && !ready {
        return Err(ApiError::invalid_instance_state(format!("Instance {id} is not in available state.")));
    }
    let instance = state.instances.get_mut(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
    if let Some(pending) = MaintenanceAction::named(action).and_then(|action| instance.maintenance.get_mut(&action)) {
        pending.opt_in = opt_in;
    }
    Ok(instance.clone())
}

/// Resources are named by ARN.
fn named<'a>(account: &Account, state: &'a State, arn: &str) -> Result<&'a Instance, ApiError> {
    let id = arn.strip_prefix(&account.arn("db", "")).map(str::to_ascii_lowercase);
    id.and_then(|id| state.instances.get(&id))
        .ok_or_else(|| ApiError::of("ResourceNotFoundFault", format!("Resource {arn} was not found.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Maintenance, Phase};
    use crate::testing::{account, at, instance};

    #[test]
    fn an_opt_in_is_of_what_is_pending_and_only_an_immediate_one_is_final() {
        let account = account();
        let mut state = State::default();
        let mut orders = instance("orders");
        orders.maintenance.insert(MaintenanceAction::OsUpgrade, Maintenance::default());
        state.instances.insert("orders".into(), orders);
        state.instances.insert("quiet".into(), instance("quiet"));
        let listed = |state: &State, body: &str| {
            let page = describe_maintenance(&account, state, &Params::parse(body));
            page.map(|page| page.items.len()).map_err(|error| error.code)
        };
        assert_eq!(listed(&state, ""), Ok(1));
        assert_eq!(listed(&state, &format!("ResourceIdentifier={}", account.arn("db", "quiet"))), Ok(0));
        assert_eq!(listed(&state, "ResourceIdentifier=orders"), Err("ResourceNotFoundFault".to_owned()));

        let apply = |state: &mut State, action: &str, opt_in: &str| {
            let arn = account.arn("db", "orders");
            let params = [("ResourceIdentifier", arn.as_str()), ("ApplyAction", action), ("OptInType", opt_in)];
            let applied = apply_maintenance(&account, state, &params.into_iter().collect(), at(0));
            applied.map(|orders| orders.maintenance[&MaintenanceAction::OsUpgrade].opt_in).map_err(|error| error.code)
        };
        assert_eq!(apply(&mut state, "db-upgrade", "immediate"), Err("ResourceNotFoundFault".to_owned()));
        assert_eq!(apply(&mut state, "os-upgrade", "later"), Err("InvalidParameterValue".to_owned()));
        assert_eq!(apply(&mut state, "os-upgrade", "next-maintenance"), Ok(Some(OptIn::NextMaintenance)));
        assert_eq!(apply(&mut state, "os-upgrade", "undo-opt-in"), Ok(None));
        state.instances.get_mut("orders").unwrap().phase = Phase::begin(crate::state::Activity::Rebooting, at(0));
        assert_eq!(apply(&mut state, "os-upgrade", "immediate"), Err("InvalidDBInstanceState".to_owned()));
        state.instances.get_mut("orders").unwrap().phase = instance("orders").phase;
        assert_eq!(apply(&mut state, "os-upgrade", "immediate"), Ok(Some(OptIn::Immediate)));
        assert_eq!(apply(&mut state, "os-upgrade", "undo-opt-in"), Err("InvalidParameterCombination".to_owned()));
    }
}
