//! DescribeDBInstances.

use super::filters;
use crate::account::Account;
use crate::error::ApiError;
use crate::page::{Page, paginate};
use crate::params::Params;
use crate::state::{Instance, State};

const FILTERS: [&str; 5] = ["db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine"];

/// All instances, the one that is named, or those that the filters accept, page by page.
pub fn describe_instances<'a>(
    account: &Account,
    state: &'a State,
    params: &Params,
) -> Result<Page<&'a Instance>, ApiError> {
    let filters = filters::parse(params, &FILTERS)?;
    let named = params.text("DBInstanceIdentifier").map(|name| account.id_of("db", name));
    if let Some(id) = named.as_ref().filter(|id| !state.instances.contains_key(*id)) {
        return Err(ApiError::instance_not_found(id));
    }
    let accepted = state.instances.values().filter(|instance| {
        named.as_ref().is_none_or(|id| *id == instance.id)
            && filters::all(&filters, |name, value| accepts(account, instance, name, value))
    });
    paginate(accepted, |instance| instance.id.clone(), params)
}

/// There are neither clusters nor domains here.
fn accepts(account: &Account, instance: &Instance, name: &str, value: &str) -> bool {
    match name {
        "db-instance-id" => account.id_of("db", value) == instance.id,
        "dbi-resource-id" => value == instance.resource_id,
        "engine" => value == "postgres",
        _ => false,
    }
}
