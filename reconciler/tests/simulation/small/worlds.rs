//! The small worlds, and how much of them is looked at.

use serde_json::json;

use super::node::Budget;
use super::play::SmallWorld;
use crate::cluster::key;
use crate::mutants::{Mutant, SHIPPED};

/// One object with one user and one database; the volume may grow, and another user come.
pub(crate) fn alone(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let first = json!({"size": "10GB", "users": {"app": []}, "databases": {"orders": ["app"]}});
    let then = json!({"size": "40GB", "users": {"app": [], "report": []}, "databases": {"orders": ["app"]}});
    SmallWorld { objects: vec![key("shop", "orders")], wishes: vec![first, then], budget, mutant }
}

/// One object whose data may go with it.
pub(crate) fn careless(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let wishes = vec![json!({"deletionPolicy": "Delete"})];
    SmallWorld { objects: vec![key("shop", "orders")], wishes, budget, mutant }
}

/// Two objects of one name, each of which would have the alias.
pub(crate) fn rivals(budget: Budget, mutant: &'static Mutant) -> SmallWorld {
    let objects = vec![key("market", "orders"), key("shop", "orders")];
    let wishes = vec![json!({}), json!({"users": {"app": []}})];
    SmallWorld { objects, wishes, budget, mutant }
}

fn asked<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok().and_then(|value| value.parse().ok())
}

/// `SMALL_EDITS`, `SMALL_DELETIONS`, `SMALL_KILLS` and `SMALL_STALE` say otherwise; `SMALL_MOMENTS` is how many moments are looked at.
fn explored(world: fn(Budget, &'static Mutant) -> SmallWorld, otherwise: Budget) {
    let Budget { edits, deletions, kills, stale } = otherwise;
    let budget = Budget {
        edits: asked("SMALL_EDITS").unwrap_or(edits),
        deletions: asked("SMALL_DELETIONS").unwrap_or(deletions),
        kills: asked("SMALL_KILLS").unwrap_or(kills),
        stale: asked("SMALL_STALE").unwrap_or(stale),
    };
    let most = asked("SMALL_MOMENTS");
    let explored = world(budget, &SHIPPED).explore(most.unwrap_or(usize::MAX));
    #[allow(clippy::print_stdout, reason = "what was explored is for a person")]
    {
        println!("{budget:?}: {explored}");
    }
    assert!(explored.found.is_none(), "an invariant is broken");
    assert!(explored.whole || most.is_some(), "not all was looked at");
}

#[test]
fn i11_one_object_that_is_changed_deleted_and_left_by_its_process_comes_to_rest() {
    explored(alone, Budget { edits: 1, deletions: 1, kills: 1, stale: 0 });
}

#[test]
fn i11_one_object_that_is_deleted_and_whose_process_is_told_a_stale_truth_comes_to_rest() {
    explored(alone, Budget { edits: 0, deletions: 1, kills: 0, stale: 1 });
}

#[test]
#[ignore = "takes minutes: -- --ignored"]
fn i11_two_objects_that_want_one_alias_come_to_rest_where_the_process_is_killed() {
    explored(rivals, Budget { kills: 1, ..Budget::NONE });
}

#[test]
#[ignore = "takes minutes: -- --ignored"]
fn i11_two_objects_that_want_one_alias_come_to_rest_where_one_is_deleted() {
    explored(rivals, Budget { deletions: 1, ..Budget::NONE });
}
