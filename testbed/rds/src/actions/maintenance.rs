//! Pending maintenance as XML.

use rds_model::Instance;

use super::{Call, render};
use crate::wire::Node;

/// A `ResourcePendingMaintenanceActions`.
pub(super) fn pending(call: &Call<'_>, instance: &Instance) -> Node {
    let details = Node::list("PendingMaintenanceActionDetails", &instance.maintenance, |(action, pending)| {
        let time = |name, at: Option<_>| at.map(|at| Node::time(name, at));
        let applied = pending.applied_at(&instance.maintenance_window, call.now);
        let nodes = [
            Some(Node::leaf("Action", action.name())),
            time("AutoAppliedAfterDate", pending.auto_applied_after),
            time("ForcedApplyDate", pending.forced_apply),
            render::optional("OptInStatus", pending.opt_in.map(rds_model::OptIn::name)),
            time("CurrentApplyDate", applied),
            render::optional("Description", pending.description.as_ref()),
        ];
        Node::tree("PendingMaintenanceAction", nodes.into_iter().flatten().collect())
    });
    let arn = call.service.account.arn("db", &instance.id);
    Node::tree("ResourcePendingMaintenanceActions", vec![Node::leaf("ResourceIdentifier", arn), details])
}
