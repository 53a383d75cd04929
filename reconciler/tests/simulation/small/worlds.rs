//! The small worlds, and how much of them is looked at.

use std::time::Duration;

use serde_json::json;

use super::deeds::{COPY_MARKS, DELETE_NAMESAKE, DROP_DATABASE, LOSE, MAKE_NAMESAKE, SNAPSHOT};
use super::node::Budget;
use super::play::{Deed, SmallWorld};
use crate::cluster::key;
use crate::faults::{Fault, Port};
use crate::mutants::Mutant;
use crate::weather::Spell;

/// Longer than anything lasts that RDS does in a small world.
const LASTS: Duration = Duration::from_mins(10);

/// One object with one user and one database; the volume may grow, and another user come.
pub(crate) fn alone(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let first = json!({"size": "10GB", "users": {"app": []}, "databases": {"orders": ["app"]}});
    let then = json!({"size": "40GB", "users": {"app": [], "report": []}, "databases": {"orders": ["app"]}});
    SmallWorld::of(vec![key("shop", "orders")], vec![first, then], budget, mutant)
}

/// Two objects of one name, each of which would have the alias.
pub(crate) fn rivals(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let objects = vec![key("market", "orders"), key("shop", "orders")];
    let wishes = vec![json!({}), json!({"users": {"app": []}})];
    SmallWorld::of(objects, wishes, budget, mutant)
}

/// One object whose data may go with it.
pub(crate) fn careless(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    SmallWorld { wishes: vec![json!({"deletionPolicy": "Delete"})], ..alone(budget, mutant) }
}

/// One object that may be paused.
pub(crate) fn pausing(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    SmallWorld { wishes: vec![json!({}), json!({"paused": true})], ..alone(budget, mutant) }
}

/// One object, of which the user may be removed.
pub(crate) fn leaving_user(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let (first, then) = (json!({"users": {"app": [], "report": []}}), json!({"users": {"app": []}}));
    SmallWorld { wishes: vec![first, then], ..alone(budget, mutant) }
}

/// One object, somebody's instance of whose name was there before it and has left its final snapshot; its own may be lost.
pub(crate) fn after_a_namesake(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    SmallWorld { earlier: vec![(MAKE_NAMESAKE, LASTS), (DELETE_NAMESAKE, LASTS)], ..doing(vec![LOSE], budget, mutant) }
}

/// One object that finds an instance of its name, with marks that another cluster has made.
pub(crate) fn beside_a_copy(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let earlier = vec![(MAKE_NAMESAKE, LASTS), (COPY_MARKS, LASTS)];
    SmallWorld { earlier, wishes: vec![json!({}), json!({"size": "40GB"})], ..alone(budget, mutant) }
}

/// One object of whose instance a snapshot is made before it is lost.
pub(crate) fn with_an_old_snapshot(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    SmallWorld { wishes: vec![json!({})], ..doing(vec![SNAPSHOT, LOSE], budget, mutant) }
}

/// One object whose database somebody drops.
pub(crate) fn with_a_dropped_database(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    doing(vec![DROP_DATABASE], budget, mutant)
}

/// One object, while no instance can be seen in a pass.
pub(crate) fn careless_in_fog(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let spells = vec![broken(Port::Cloud, "DescribeDBInstances")];
    SmallWorld { spells, ..careless(budget, mutant) }
}

/// One object, while no Secret can be read in a pass.
pub(crate) fn alone_in_fog(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let spells = vec![broken(Port::Cluster, "list secrets"), broken(Port::Cluster, "get secret")];
    SmallWorld { spells, ..alone(budget, mutant) }
}

fn doing(deeds: Vec<Deed>, budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let budget = Budget { deeds: u8::try_from(deeds.len()).unwrap_or(u8::MAX), ..budget };
    SmallWorld { deeds, ..alone(budget, mutant) }
}

fn broken(port: Port, action: &'static str) -> Spell {
    Spell { port, action: Some(action), fault: Fault::Broken, calls: 9, odds: 100 }
}
