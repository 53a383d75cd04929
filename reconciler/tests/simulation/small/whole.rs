//! The small worlds, explored whole.

use super::node::Budget;
use super::play::SmallWorld;
use super::worlds::{alone, rivals};
use crate::figures::tell;
use crate::mutants::{Mutant, SHIPPED};

type World = fn(Budget, &'static Mutant) -> SmallWorld;

const NONE: Budget = Budget::NONE;

fn asked<T: std::str::FromStr>(variable: &str) -> Option<T> {
    std::env::var(variable).ok().and_then(|value| value.parse().ok())
}

/// Explores each of these worlds whole, and says how large it is.
fn explored(worlds: &[(&str, World, Budget)]) {
    for (name, world, budget) in worlds {
        let explored = world(*budget, &SHIPPED).explore(usize::MAX);
        assert!(explored.found.is_none(), "an invariant is broken: {name}, {budget}: {explored}");
        assert!(explored.whole, "not all was looked at");
        let figure = |name, number: usize| (name, number.to_string());
        tell(
            "small worlds",
            &[
                ("world", (*name).to_owned()),
                ("with", budget.to_string()),
                figure("moments", explored.moments),
                figure("steps", explored.steps),
                figure("depth", explored.depth),
                figure("rests", explored.rests),
                ("seconds", format!("{:.1}", explored.took.as_secs_f64())),
            ],
        );
    }
}

#[test]
fn i11_one_object_comes_to_rest_whatever_three_of_an_edit_a_deletion_a_death_and_a_stale_truth_come_when() {
    let all = Budget { edits: 1, deletions: 1, kills: 1, stale: 1, ..NONE };
    explored(&[
        ("alone", alone, Budget { stale: 0, ..all }),
        ("alone", alone, Budget { edits: 0, ..all }),
        ("alone", alone, Budget { deletions: 0, ..all }),
        ("alone", alone, Budget { kills: 0, ..all }),
    ]);
}

#[test]
fn i11_two_objects_that_want_one_alias_come_to_rest() {
    explored(&[
        ("rivals", rivals, Budget { edits: 1, ..NONE }),
        ("rivals", rivals, Budget { deletions: 1, ..NONE }),
        ("rivals", rivals, Budget { kills: 1, ..NONE }),
        ("rivals", rivals, Budget { stale: 1, ..NONE }),
    ]);
}

/// `SMALL_WORLD` chooses one, `alone` or `rivals`, and `SMALL_EDITS`, `SMALL_DELETIONS`, `SMALL_KILLS` and `SMALL_STALE` say what happens there.
#[test]
#[ignore = "takes minutes: -- --ignored"]
fn larger_worlds() {
    let how_often = |variable| asked(variable).unwrap_or_default();
    let budget = Budget {
        edits: how_often("SMALL_EDITS"),
        deletions: how_often("SMALL_DELETIONS"),
        kills: how_often("SMALL_KILLS"),
        stale: how_often("SMALL_STALE"),
        deeds: 0,
    };
    match asked::<String>("SMALL_WORLD").as_deref() {
        Some("rivals") => explored(&[("rivals", rivals, budget)]),
        Some(_) => explored(&[("alone", alone, budget)]),
        None => explored(&[
            ("alone", alone, Budget { edits: 1, deletions: 1, kills: 1, stale: 1, ..NONE }),
            ("rivals", rivals, Budget { deletions: 1, kills: 1, ..NONE }),
            ("rivals", rivals, Budget { kills: 1, stale: 1, ..NONE }),
            ("rivals", rivals, Budget { edits: 1, stale: 1, ..NONE }),
            ("rivals", rivals, Budget { edits: 1, kills: 1, ..NONE }),
            ("rivals", rivals, Budget { edits: 1, deletions: 1, ..NONE }),
            ("rivals", rivals, Budget { deletions: 1, stale: 1, ..NONE }),
        ]),
    }
}
