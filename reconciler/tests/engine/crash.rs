//! Killed between any two effects, a new plan ends where an undisturbed one would have ended.

use reconciler::engine::SqlPlan;
use reconciler::engine::postgres::{Batch, script, verifier};
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

async fn kill_everywhere(world: &mut World, before: Option<&Desired>, wanted: &Desired) {
    let plan = prepare(world, before, wanted).await;
    let batches: Vec<Batch> = plan.steps.iter().flat_map(|step| script(step, verifier)).collect();
    world.converge(wanted).await;
    let undisturbed = world.catalog().await;
    for done in 0..batches.len() {
        prepare(world, before, wanted).await;
        for batch in &batches[..done] {
            world.engine.run(&world.server.master(), batch).await.unwrap();
        }
        // The last thing may have been done without the reconciler's having heard of it.
        if let Some(last) = done.checked_sub(1).map(|last| &batches[last]) {
            world.engine.run(&world.server.master(), last).await.unwrap();
        }
        world.converge(wanted).await;
        assert_eq!(
            world.catalog().await,
            undisturbed,
            "killed after {done} of {}: {:?}",
            batches.len(),
            batches[done].work
        );
    }
}

/// A new server as it was before, with something in it that has to be handed over.
async fn prepare(world: &World, before: Option<&Desired>, wanted: &Desired) -> SqlPlan {
    world.server.reset().await;
    if let Some(before) = before {
        for step in &world.plan(before).await.steps {
            world.apply(step).await;
        }
        world.run("gone", "shop", "CREATE TABLE by_gone (id int)").await;
        world.run("gone", "old", "CREATE TABLE by_gone (id int); CREATE DATABASE scratch").await;
    }
    world.plan(wanted).await
}
