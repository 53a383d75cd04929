//! Orders that make no difference. Two objects have nothing in common but the alias: a step of one and a step of the other lead to the same
//! moment in either order, unless one of them makes or takes away the Service that every pass of the other reads.
//!
//! So the steps of one object that is due are enough for now, where no step of the others at this instant can touch the alias: whatever
//! happens, a step of this object comes before time goes on, and what the others do before it could as well come after it. It is enough too
//! where the budget is shared: a change that one of the others takes away was not made. A death of the process is a step of all, and so is what
//! somebody does past it: while one may come all orders are looked at.

use reconciler::triggers;
use reconciler::turns::Key;

use super::node::Node;
use crate::cluster::key;
use crate::watching::ALIASES;

/// The object whose steps are enough, unless one of them touches the alias.
pub(super) fn first_alone(node: &Node) -> Option<&Key> {
    if node.left.kills > 0 || node.left.deeds > 0 || node.kubernetes.databases.len() < 2 {
        return None;
    }
    let mut due: Vec<_> = node.process.queue.iter().filter(|(_, at)| **at <= node.at).collect();
    due.sort_by_key(|(_, at)| **at);
    let others =
        |object: &Key| node.kubernetes.databases.keys().filter(move |other| *other != object).collect::<Vec<_>>();
    due.into_iter()
        .map(|(object, _)| object)
        .find(|object| others(object).iter().all(|other| !reaches_alias(node, other)))
}

/// Whether an object can make the alias or take it away before time goes on: it has it, or there is none and its instance has an endpoint.
fn reaches_alias(node: &Node, object: &Key) -> bool {
    match node.kubernetes.services.get(&key(ALIASES, &object.name)) {
        Some(alias) => triggers::owner(&alias.metadata, Some(ALIASES)).is_none_or(|owner| owner == *object),
        None => node.instances_of(object).iter().any(|instance| instance.endpoint.is_some()),
    }
}

/// Whether the alias is what it was.
pub(super) fn alias_stays(node: &Node, next: &Node, object: &Key) -> bool {
    let alias = |node: &Node| node.kubernetes.services.get(&key(ALIASES, &object.name)).map(std::sync::Arc::as_ptr);
    alias(node) == alias(next)
}
