//! At rest: an operator that has nothing to do does nothing.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use aws_sdk_rds::types::PendingModifiedValues;
use libtest_mimic::Trial;
use serde_json::json;
use testbed::{
    controlplane::{Mark, WriteRequest},
    eventually::eventually,
    stack::{Counters, Part, Stack},
};

use crate::{
    cloud,
    scene::Scene,
    windows::away,
    world::{World, trial},
};

/// Long enough for two slow sweeps of the account and for every Lease to be renewed many times.
const REST: Duration = Duration::from_mins(2);

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "rest::i5_two_minutes_without_a_write", i5_two_minutes_without_a_write)]
}

async fn i5_two_minutes_without_a_write(world: &World) -> Result<()> {
    let stack = world.own_stack("rest").await?;
    let scene = Scene::new(&stack, "rest").await?;
    scene.apply("calm", "{users: {app: [], report: [createdb]}, databases: {sea: [app, report]}}").await?;
    scene.apply("quiet", &format!("{{maintenanceWindow: \"{}\"}}", away())).await?;
    for name in ["calm", "quiet"] {
        let database = scene.ready(name).await?;
        cloud::until(stack.rds(), database.text("/status/instance/identifier"), "available").await?;
    }
    // The last change of the cloud was seen, the last Event told.
    let mut quiet = Still::begin(&stack).await?;
    eventually("ten seconds without a write", async || {
        let since = std::mem::replace(&mut quiet, Still::begin(&stack).await?);
        tokio::time::sleep(Duration::from_secs(10)).await;
        since.holds(&stack).await
    })
    .await?;

    let rest = Still::begin(&stack).await?;
    tokio::time::sleep(REST).await;
    rest.holds(&stack).await.context("at rest")?;
    ensure!(rest.leases(&stack)? >= 10, "the audit log did not even see the Lease renewed");

    // One that has just been started knows nothing, looks at everything, and finds all as it should be.
    let restart = Still::begin(&stack).await?;
    let before = passes(&stack).await?;
    ensure!(before > 0, "the reconciler counts no passes");
    stack.stop_part(Part::Reconciler).await?;
    stack.restart(Part::Reconciler).await?;
    eventually("a pass over each object by the new reconciler", async || {
        let passes = passes(&stack).await?;
        ensure!(passes >= 4, "{passes} passes");
        Ok(())
    })
    .await?;
    // A pass under way is part of it.
    tokio::time::sleep(Duration::from_secs(10)).await;
    restart.holds(&stack).await.context("after a restart")?;
    i11_required_maintenance_is_told_and_not_brought_forward(&stack, &scene).await
}

/// Maintenance is asked for once in ten minutes, and by an operator that begins.
async fn i11_required_maintenance_is_told_and_not_brought_forward(stack: &Stack, scene: &Scene<'_>) -> Result<()> {
    let quiet = scene.database("quiet").await?;
    let identifier = quiet.text("/status/instance/identifier");
    stack.stop_part(Part::Reconciler).await?;
    let required =
        json!({"action": "db-upgrade", "auto_applied_after": "2099-01-01T00:00:00Z", "description": "a fix"});
    stack.rds().order(&json!({"instance": identifier, "maintenance": required})).await?;
    stack.restart(Part::Reconciler).await?;
    eventually("the maintenance in the plan", async || {
        let plan = scene.database("quiet").await?.at("/status/plan").clone();
        let told =
            plan[0]["step"] == "maintenance by RDS: db-upgrade (a fix)" && plan[0]["impact"] == json!(["outage"]);
        ensure!(told && plan[0]["when"].as_str().is_some_and(|when| when.starts_with("on 2099-01-")), "{plan}");
        Ok(())
    })
    .await?;
    scene.ok(&["patch", "rds", "quiet", "--type=merge", "-p", r#"{"spec": {"size": "40Gi"}}"#]).await?;
    eventually("the growth to wait with it", async || {
        let told = scene.database("quiet").await?.condition("StorageReady").context("no condition")?;
        ensure!(
            told.message.contains("behind what else waits for it: maintenance by RDS: db-upgrade (a fix)"),
            "{told:?}"
        );
        Ok(())
    })
    .await?;
    let instance = cloud::existing(stack.rds(), identifier).await?;
    let waits = instance.pending_modified_values().and_then(PendingModifiedValues::allocated_storage);
    ensure!(waits == Some(40) && instance.allocated_storage() == Some(20), "{instance:?}");
    Ok(())
}

/// How many passes the reconciler has made, by its own count.
async fn passes(stack: &Stack) -> Result<u64> {
    let text = reqwest::get(format!("{}/metrics", stack.reconciler_admin())).await?.text().await?;
    let samples = text.lines().filter(|line| line.starts_with("rds_reconciler_passes_total{"));
    Ok(samples.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum())
}

/// A moment, and what had been written until then.
struct Still {
    mark: Mark,
    counters: Counters,
}

impl Still {
    async fn begin(stack: &Stack) -> Result<Self> {
        let (_, mark) = stack.controlplane().writes_since(Mark::default())?;
        Ok(Self { mark, counters: stack.rds().counters().await? })
    }

    /// Nothing has been written since: not to Kubernetes but for Leases, not to RDS, not in SQL.
    async fn holds(&self, stack: &Stack) -> Result<()> {
        let (writes, _) = stack.controlplane().writes_since(self.mark)?;
        let writes: Vec<&WriteRequest> = writes.iter().filter(|write| of_ours(write) && !is_lease(write)).collect();
        ensure!(writes.is_empty(), "written to Kubernetes: {writes:?}");
        let now = stack.rds().counters().await?;
        ensure!(now.mutating == self.counters.mutating, "calls that change the cloud: {:?}", now.calls);
        ensure!(
            now.sql_writes == self.counters.sql_writes,
            "SQL: {:?} became {:?}",
            self.counters.sql_writes,
            now.sql_writes
        );
        Ok(())
    }

    fn leases(&self, stack: &Stack) -> Result<usize> {
        let (writes, _) = stack.controlplane().writes_since(self.mark)?;
        Ok(writes.iter().filter(|write| of_ours(write) && is_lease(write)).count())
    }
}

/// What the control plane's own parts write is their business.
fn of_ours(write: &WriteRequest) -> bool {
    write.user.starts_with("system:serviceaccount:rds-system:")
}

fn is_lease(write: &WriteRequest) -> bool {
    write.resource == "leases"
}
