//! What is admitted and not built yet: said at the apply and in the status, never silently.

use std::sync::Arc;

use anyhow::{Result, ensure};
use libtest_mimic::Trial;

use crate::{
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "not_yet::mysql_is_admitted_and_nothing_is_created", mysql)]
}

async fn mysql(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "mysql").await?;
    let applied = scene.apply("orders", "{type: MySQL, users: {app: []}, databases: {orders: [app]}}").await?;
    let warned = "Warning: spec.type: MySQL is not supported yet: the object is kept, but nothing is created";
    ensure!(applied.stderr.lines().any(|line| line == warned), "{}", applied.stderr);

    let database = scene.wait_for("orders", "Stalled", "True").await?;
    ensure!(database.text("/spec/version") == "8.4", "{}", database.at("/spec"));
    for (condition, status) in [("Stalled", "True"), ("Ready", "False"), ("Accepted", "False")] {
        let found = database.expect(condition, status)?;
        ensure!(found.reason == "EngineNotSupported" && found.message.contains("MySQL"), "{found:?}");
    }
    for kind in ["secrets", "services"] {
        let names = scene.names(kind).await?;
        ensure!(names.is_empty(), "{kind} were made: {names:?}");
    }
    let instances = scene.instances().await?;
    ensure!(instances.is_empty(), "instances were made: {instances:?}");
    scene.delete("orders").await
}
