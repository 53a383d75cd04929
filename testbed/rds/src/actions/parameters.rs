//! Parameter groups and their parameters: the actions, and what they answer as XML.

use rds_model::actions::{self, ParameterOf};
use rds_model::{ApiError, Page, ParameterGroup};

use super::{Answer, Call, render};
use crate::wire::Node;

/// Performs an action of parameter groups; none where it is no such action.
pub(super) async fn perform(action: &str, call: &Call<'_>) -> Option<Answer> {
    let Call { service, params, now, .. } = *call;
    let account = &service.account;
    Some(match action {
        "CreateDBParameterGroup" => {
            let made = call.change(|state| actions::create_parameter_group(account, state, params)).await;
            made.map(|made| Some(vec![group(call, &made)]))
        }
        "DescribeDBParameterGroups" => {
            call.look(|state| {
                let page = actions::describe_parameter_groups(account, state, params)?;
                Ok(render::page("DBParameterGroups", &page, |found| group(call, found)))
            })
            .await
        }
        "DeleteDBParameterGroup" => {
            call.change(|state| actions::delete_parameter_group(state, params)).await.map(|_| None)
        }
        "DescribeDBParameters" => {
            call.look(|state| Ok(page(&actions::describe_parameters(account, state, params)?))).await
        }
        "DescribeEngineDefaultParameters" => actions::describe_engine_defaults(params).map(|(family, found)| {
            let family = Node::leaf("DBParameterGroupFamily", family);
            Some(vec![Node::tree("EngineDefaults", [family].into_iter().chain(page(&found)).collect())])
        }),
        "ModifyDBParameterGroup" => {
            changed(call, call.change(|state| actions::modify_parameter_group(state, params, now)).await).await
        }
        "ResetDBParameterGroup" => {
            changed(call, call.change(|state| actions::reset_parameter_group(state, params, now)).await).await
        }
        _ => return None,
    })
}

/// The workers of the instances that have the group bring them what it says now.
async fn changed(call: &Call<'_>, name: Result<String, ApiError>) -> Answer {
    let name = name?;
    let using: Vec<String> = call
        .service
        .store
        .read(|state| {
            let using = state.instances.values().filter(|instance| instance.parameter_group == name);
            using.map(|instance| instance.resource_id.clone()).collect()
        })
        .await;
    for resource_id in using {
        call.service.attend(&resource_id).await;
    }
    Ok(Some(vec![Node::leaf("DBParameterGroupName", name)]))
}

/// A `DBParameterGroup`.
fn group(call: &Call<'_>, group: &ParameterGroup) -> Node {
    Node::tree(
        "DBParameterGroup",
        vec![
            Node::leaf("DBParameterGroupName", &group.name),
            Node::leaf("DBParameterGroupFamily", &group.family),
            Node::leaf("Description", &group.description),
            Node::leaf("DBParameterGroupArn", call.service.account.arn("pg", &group.name)),
        ],
    )
}

fn page(page: &Page<ParameterOf>) -> Vec<Node> {
    render::page("Parameters", page, |shown| {
        let parameter = shown.parameter;
        let nodes = [
            Some(Node::leaf("ParameterName", parameter.name)),
            render::optional("ParameterValue", shown.value.as_ref()),
            Some(Node::leaf("Description", parameter.description)),
            Some(Node::leaf("Source", shown.source)),
            Some(Node::leaf("ApplyType", parameter.apply_type())),
            Some(Node::leaf("DataType", parameter.data_type)),
            render::optional("AllowedValues", parameter.allowed),
            Some(Node::leaf("IsModifiable", parameter.modifiable)),
            Some(Node::leaf("ApplyMethod", shown.method.name())),
        ];
        Node::tree("Parameter", nodes.into_iter().flatten().collect())
    })
}
