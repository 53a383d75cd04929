//! DescribeDBInstances.

use super::{Answer, Call, filters, render};
use crate::model::Instance;
use crate::wire::page::paginate;
use crate::wire::{ApiError, Node};

const FILTERS: [&str; 5] = ["db-cluster-id", "db-instance-id", "dbi-resource-id", "domain", "engine"];

/// All instances, the one that is named, or those that the filters accept, page by page.
pub(super) async fn instances(call: &Call<'_>) -> Answer {
    let filters = filters::parse(call.params, &FILTERS)?;
    let named = call.params.text("DBInstanceIdentifier").map(|name| call.service.id_of("db", name));
    call.service
        .store
        .read(|state| {
            if let Some(id) = named.as_ref().filter(|id| !state.instances.contains_key(*id)) {
                return Err(ApiError::instance_not_found(id));
            }
            let accepted = state.instances.values().filter(|instance| {
                named.as_ref().is_none_or(|id| *id == instance.id)
                    && filters::all(&filters, |name, value| accepts(call, instance, name, value))
            });
            let page = paginate(accepted, |instance| instance.id.clone(), call.params)?;
            let list = Node::list("DBInstances", &page.items, |instance| render::instance(call, instance));
            Ok(Some(page.marker_node().into_iter().chain([list]).collect()))
        })
        .await
}

/// There are neither clusters nor domains here.
fn accepts(call: &Call<'_>, instance: &Instance, name: &str, value: &str) -> bool {
    match name {
        "db-instance-id" => call.service.id_of("db", value) == instance.id,
        "dbi-resource-id" => value == instance.resource_id,
        "engine" => value == "postgres",
        _ => false,
    }
}
