//! Killed between any two effects, a new plan ends where an undisturbed one would have ended.

use reconciler::engine::postgres::{script, verifier};
use reconciler::engine::{Engine as _, SqlPlan};
use serde_json::json;
use shared::rules::Desired;

use crate::world::World;

pub(crate) async fn building_up_survives_a_kill(world: &mut World) {
    let wanted = json!({"app": [], "chief": ["createdb", "superuser"], "away": ["createrole"]});
    let wanted = world.desired(&wanted, &json!({"shop": ["app", "chief"], "other": ["app"]}));
    kill_everywhere(world, None, &wanted).await;
}

pub(crate) async fn tearing_down_survives_a_kill(world: &mut World) {
    let users = json!({"app": [], "report": ["createdb"], "gone": ["createdb"]});
    let before = world.desired(&users, &json!({"shop": ["app", "report", "gone"], "old": ["app", "gone"]}));
    let after = world.desired(&json!({"app": ["superuser"], "report": []}), &json!({"shop": ["report"]}));
    kill_everywhere(world, Some(&before), &after).await;
}

/// Does one thing after the other, and plans anew after each, as a reconciler would that is killed and started again all the time.
async fn kill_everywhere(world: &mut World, before: Option<&Desired>, wanted: &Desired) {
    let plan = prepare(world, before, wanted).await;
    let master = world.server.master();
    for (index, step) in plan.steps.iter().enumerate() {
        let (due, later) = (&plan.steps[index..], &plan.steps[index + 1..]);
        let batches = script(step, verifier);
        for done in 1..=batches.len() {
            for batch in &batches[..done] {
                world.engine.run(&master, batch).await.unwrap();
            }
            let left = world.plan(wanted).await.steps;
            if done < batches.len() {
                assert!(left == due || left == later, "killed inside of: {step}\nleft: {left:#?}");
            } else {
                assert_eq!(left, later, "killed after: {step}");
            }
        }
        // Done, and nobody heard of it.
        world.apply(step).await;
    }
    let disturbed = world.catalog().await;
    prepare(world, before, wanted).await;
    world.converge(wanted).await;
    assert_eq!(disturbed, world.catalog().await);
}

/// A new server as it was before, with something in it that has to be handed over.
async fn prepare(world: &World, before: Option<&Desired>, wanted: &Desired) -> SqlPlan {
    world.server.reset().await;
    if let Some(before) = before {
        let steps = world.plan(before).await.steps;
        world.engine.apply_all(&world.server.master(), &steps).await;
        world.run("gone", "shop", "CREATE TABLE by_gone (id int)").await;
        world.run("gone", "old", "CREATE TABLE by_gone (id int)").await;
        world.run("gone", "old", "CREATE DATABASE scratch").await;
    }
    world.plan(wanted).await
}
