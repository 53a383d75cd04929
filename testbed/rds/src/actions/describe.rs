//! DescribeDBInstances.

use super::{Answer, Call, fields, render};
use crate::model::Instance;
use crate::wire::page::paginate;
use crate::wire::{ApiError, Node};

/// All instances, one of them, or those that the filters accept, page by page.
pub(super) async fn instances(call: &Call<'_>) -> Answer {
    let filters = call.params.filters()?;
    for (name, _) in &filters {
        if !["db-instance-id", "dbi-resource-id", "engine", "db-cluster-id", "domain"].contains(&name.as_str()) {
            return Err(ApiError::invalid_value(format!("Unrecognized filter name: {name}")));
        }
    }
    if call.params.text("DBInstanceIdentifier").is_some() {
        let id = fields::instance_id(call.params)?;
        let node = call
            .service
            .store
            .read(|state| {
                let found = state.instances.get(&id);
                found.map(|found| render::instance(call, found))
            })
            .await
            .ok_or_else(|| ApiError::instance_not_found(&id))?;
        return Ok(Some(vec![Node::tree("DBInstances", vec![node])]));
    }
    call.service
        .store
        .read(|state| {
            let accepted = state
                .instances
                .values()
                .filter(|instance| filters.iter().all(|(name, values)| accepts(call, instance, name, values)));
            let page = paginate(accepted, |instance| instance.id.clone(), call.params)?;
            let list = Node::list("DBInstances", &page.items, |instance| render::instance(call, instance));
            Ok(Some(page.marker_node().into_iter().chain([list]).collect()))
        })
        .await
}

/// An instance is named by its identifier or its ARN.
fn accepts(call: &Call<'_>, instance: &Instance, name: &str, values: &[String]) -> bool {
    values.iter().any(|value| match name {
        "db-instance-id" => value.eq_ignore_ascii_case(&instance.id) || *value == call.service.arn("db", &instance.id),
        "dbi-resource-id" => *value == instance.resource_id,
        "engine" => value == "postgres",
        _ => false,
    })
}
