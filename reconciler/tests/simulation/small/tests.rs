//! The explorer itself: it finds what is planted, what it prints can be taken again, and what it leaves out makes no difference.

use reconciler::clock::Moment;
use reconciler::plan::{Concern, Outcome, Plan, Reason, World, plan};
use reconciler::subject::Subject;

use super::node::Budget;
use super::play::SmallWorld;
use super::worlds::{alone, rivals};
use crate::mutants::{ALIAS_TAKEN, Mutant, NO_FINAL_SNAPSHOT, SHIPPED};

/// What it says of an instance changes with every look.
static RESTLESS: Mutant = Mutant { name: "restless", without: "", plan: restless, ..SHIPPED };
/// It waits for an instance that is there.
static STUCK: Mutant = Mutant { name: "stuck", without: "", plan: stuck, ..SHIPPED };

fn of_the_instance(plan: &mut Plan, change: impl Fn(&mut Outcome)) {
    plan.outcomes
        .iter_mut()
        .filter(|(concern, _)| *concern == Concern::Instance)
        .for_each(|(_, outcome)| change(outcome));
}

fn restless(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    let turn = now.since(Moment::START).as_secs() / 600 % 2;
    of_the_instance(&mut plan, |outcome| {
        if let Outcome::Done { message } = outcome {
            *message = format!("{message} {turn}");
        }
    });
    plan
}

fn stuck(subject: &Subject, world: &World, now: Moment) -> Plan {
    let mut plan = plan(subject, world, now);
    of_the_instance(&mut plan, |outcome| {
        if let Outcome::Done { message } = outcome {
            *outcome = Outcome::Wait { reason: Reason::InstanceNotReady, message: message.clone(), until: None };
        }
    });
    plan
}

#[test]
fn i5_and_i7_a_world_that_never_rests_or_waits_for_nothing_is_found() {
    let found = |mutant| alone(Budget::NONE, mutant).explore(usize::MAX).found.expect("it was planted");
    let (restless, stuck) = (found(&RESTLESS), found(&STUCK));
    assert_eq!(restless.violation.invariant, "I5", "{restless}");
    assert_eq!(stuck.violation.invariant, "I7", "{stuck}");
    let lines = stuck.to_string();
    assert!(lines.contains("** pass of shop/orders") && lines.contains("** time passes"), "{lines}");
}

#[test]
fn the_steps_of_a_counterexample_lead_to_the_violation_again() {
    let small = alone(Budget { deletions: 1, ..Budget::NONE }, &NO_FINAL_SNAPSHOT);
    let found = small.explore(usize::MAX).found.expect("it was planted");
    let mut last = None;
    small.replay(&found.steps, |_, _, played| last.clone_from(&played.violation));
    assert_eq!(last.as_ref(), Some(&found.violation));
    let fewer = found.steps.len() - 1;
    small.replay(&found.steps[..fewer], |_, step, played| assert_eq!(played.violation, None, "already by: {step}"));
}

/// What is left out as making no difference makes none: all comes to rest in the same moments, and the same goes wrong.
#[test]
fn a_reduced_search_finds_what_an_unreduced_one_does() {
    let worlds = [
        alone(Budget { deletions: 1, kills: 1, ..Budget::NONE }, &SHIPPED),
        alone(Budget { edits: 1, stale: 1, ..Budget::NONE }, &SHIPPED),
        rivals(Budget { stale: 1, ..Budget::NONE }, &SHIPPED),
        rivals(Budget::NONE, &ALIAS_TAKEN),
    ];
    for small in worlds {
        let reduced = small.explore(usize::MAX);
        let plain = SmallWorld { reduced: false, ..small }.explore(usize::MAX);
        println!("reduced {reduced}\nplain   {plain}");
        let invariant = |found: &Option<super::counterexample::Counterexample>| {
            found.as_ref().map(|found| found.violation.invariant)
        };
        assert_eq!(invariant(&reduced.found), invariant(&plain.found));
        let differs: Vec<_> = reduced.resting.symmetric_difference(&plain.resting).collect();
        assert!(differs.is_empty(), "{} of {} rests", differs.len(), plain.resting.len());
        assert!(reduced.moments < plain.moments);
    }
}
