//! Killed between any two effects, a new plan ends where an undisturbed one would have ended (I11).

use reconciler::engine::postgres::{script, verifier};
use serde_json::json;
use shared::rules::Desired;

use crate::world::World;

pub(crate) async fn i11_building_up_survives_a_kill(world: &mut World) {
    let wanted = json!({"app": [], "chief": ["createdb", "superuser"], "away": ["createrole"]});
    let wanted = world.desired(&wanted, &json!({"shop": ["app", "chief"], "other": ["app"]}));
    kill_everywhere(world, None, &wanted).await;
}

pub(crate) async fn i11_tearing_down_survives_a_kill(world: &mut World) {
    let users = json!({"app": [], "report": ["createdb"], "gone": ["createdb"]});
    let before = world.desired(&users, &json!({"shop": ["app", "report", "gone"], "old": ["app", "gone"]}));
    let after = world.desired(&json!({"app": ["superuser"], "report": []}), &json!({"shop": ["report"]}));
    kill_everywhere(world, Some(&before), &after).await;
}

async fn kill_everywhere(world: &mut World, before: Option<&Desired>, wanted: &Desired) {
    prepare(world, before).await;
    kill_after_each_statement(world, wanted).await;
    let disturbed = world.state().await;
    prepare(world, before).await;
    world.converge(wanted).await;
    assert_eq!(disturbed, world.state().await);
}

/// Does one thing after the other, and plans anew after each, as a reconciler would that is killed and started again all the time.
pub(crate) async fn kill_after_each_statement(world: &World, wanted: &Desired) {
    let master = world.server.master();
    let mut lives = 0;
    while let Some(step) = world.plan(wanted).await.steps.first().cloned() {
        lives += 1;
        assert!(lives < 200, "no end: {step}");
        let batches = script(&step, verifier);
        for done in 1..batches.len() {
            for batch in &batches[..done] {
                world.engine.run(&master, batch).await.unwrap();
            }
            let left = world.plan(wanted).await.steps;
            assert!(!left.is_empty(), "killed inside of: {step}, and nobody goes on");
            if left.first() != Some(&step) {
                // What was done has left its mark: the new plan goes on from there.
                break;
            }
        }
        if world.plan(wanted).await.steps.first() == Some(&step) {
            world.apply(&step).await;
            let left = world.plan(wanted).await.steps;
            assert_ne!(left.first(), Some(&step), "done, and asked for again");
            // Done, and nobody heard of it.
            world.apply(&step).await;
        }
    }
}

/// A new server as it was before, with something in it that has to be handed over.
async fn prepare(world: &mut World, before: Option<&Desired>) {
    world.reset().await;
    if let Some(before) = before {
        world.converge(before).await;
        world.run("gone", "shop", "CREATE TABLE by_gone (id int)").await;
        world.run("gone", "old", "CREATE TABLE by_gone (id int)").await;
        world.run("gone", "old", "CREATE DATABASE scratch").await;
    }
}
