//! What is an outage waits for its window, and comes at once where the object says so.

use std::sync::Arc;

use anyhow::{Result, ensure};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use testbed::eventually::eventually;

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "windows::an_outage_waits_and_what_nobody_notices_does_not", an_outage_waits),
        trial(world, "windows::the_full_resource_is_born_as_it_is_written", the_full_resource),
    ]
}

/// A maintenance window that does not open for days.
pub(crate) fn away() -> String {
    let then = Timestamp::now() + SignedDuration::from_hours(72);
    let day = then.strftime("%a").to_string().to_lowercase();
    format!("{day}:04:00-{day}:05:00")
}

async fn an_outage_waits(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "windows").await?;
    scene.apply("patient", "{instanceClass: db.t4g.micro, users: {app: []}, databases: {one: [app]}}").await?;
    let identifier = scene.ready("patient").await?.text("/status/instance/identifier").to_owned();

    let window = away();
    let wish = format!(
        "instanceClass: db.t4g.small, multiAZ: true, maintenanceWindow: \"{window}\", users: {{app: []}}, databases: {{one: [app]}}"
    );
    let applied = scene.apply("patient", &format!("{{{wish}}}")).await?;
    for said in [
        format!("spec.instanceClass: outage, in the maintenance window {window} UTC: it takes minutes"),
        "spec.multiAZ: cost: a standby is billed".into(),
    ] {
        ensure!(applied.stderr.contains(&said), "{said} is not in {}", applied.stderr);
    }
    eventually("the outage to wait and the rest to be made", async || {
        let waiting = scene.database("patient").await?;
        waiting.expect("Ready", "True")?;
        let settings = waiting.expect("SettingsApplied", "False")?;
        ensure!(settings.reason == "WaitingForWindow", "{settings:?}");
        let said = format!(
            "instance class db.t4g.micro to db.t4g.small, an outage, waits for the maintenance window {window} UTC"
        );
        ensure!(settings.message.starts_with(&said), "{settings:?}");
        let instance = cloud::existing(stack.rds(), &identifier).await?;
        ensure!(
            instance.multi_az() == Some(true) && instance.db_instance_class() == Some("db.t4g.micro"),
            "{instance:?}"
        );
        ensure!(instance.preferred_maintenance_window() == Some(&window), "{instance:?}");
        Ok(())
    })
    .await?;

    let applied = scene.apply("patient", &format!("{{applyImmediately: true, {wish}}}")).await?;
    ensure!(
        applied.stderr.contains("spec.applyImmediately: what waits for the maintenance window is made now"),
        "{applied:?}"
    );
    eventually("the outage to come", async || {
        let instance = cloud::existing(stack.rds(), &identifier).await?;
        ensure!(instance.db_instance_class() == Some("db.t4g.small"), "{instance:?}");
        scene.database("patient").await?.expect("SettingsApplied", "True").map(drop)
    })
    .await
}

async fn the_full_resource(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "full-resource").await?;
    let spec = "{size: 100Gi, storage: {type: io2, iops: 3000, autoscaling: {maxSize: 500Gi}}, multiAZ: true, \
                maintenanceWindow: sun:04:00-sun:05:00, backup: {window: \"02:00-03:00\", retention: 14d}, tags: {team: shop}}";
    scene.apply("whole", spec).await?;
    let database = scene.ready("whole").await?;
    let instance = cloud::existing(stack.rds(), database.text("/status/instance/identifier")).await?;
    ensure!(instance.storage_type() == Some("io2") && instance.iops() == Some(3000), "{instance:?}");
    ensure!(instance.max_allocated_storage() == Some(500) && instance.multi_az() == Some(true), "{instance:?}");
    ensure!(instance.preferred_maintenance_window() == Some("sun:04:00-sun:05:00"), "{instance:?}");
    ensure!(instance.preferred_backup_window() == Some("02:00-03:00"), "{instance:?}");
    ensure!(
        instance.tag_list().iter().any(|tag| tag.key() == Some("team") && tag.value() == Some("shop")),
        "{instance:?}"
    );
    ensure!(database.text("/status/backups/window") == "02:00-03:00", "{:?}", database.at("/status/backups"));
    scene.apply("whole", &spec.replace("3000, autoscaling: {maxSize: 500Gi}", "3000, autoscaling: {}")).await?;
    eventually("the storage to grow by itself no more", async || {
        let instance = cloud::existing(stack.rds(), database.text("/status/instance/identifier")).await?;
        ensure!(instance.max_allocated_storage().is_none(), "{instance:?}");
        Ok(())
    })
    .await
}
