//! Everything that the oracle wants to know, asked when all has come to rest: every database is entered, every final snapshot restored.

use anyhow::{Context, Result, ensure};
use aws_sdk_rds::types::DbSnapshot;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use sqlx::Connection as _;
use testbed::sql::Login;

use super::{
    census::{Census, tag},
    clients::{self, Client, DATABASE, Ledger},
    gitops::Objects,
    oracle::{Found, Instance, Object},
    schedule::name,
};
use crate::{cloud, scene::Scene};

/// Restores at a time.
const RESTORES: usize = 2;

/// Finds out what there is.
pub(crate) async fn gather(
    scene: &Scene<'_>,
    objects: &Objects<'_>,
    census: &Census<'_>,
    clients: Vec<Client>,
) -> Result<Found> {
    let mut found = Found::default();
    let instances = census.look().await?;
    found.instances = instances
        .iter()
        .map(|instance| Instance {
            resource: instance.dbi_resource_id().unwrap_or_default().to_owned(),
            owner: tag(instance, "uid"),
        })
        .collect();
    found.seen = census.seen();
    for (object, wanted) in objects.wanted() {
        let (name, (uid, resource)) = (name(object), objects.living(object).await?);
        for user in wanted.users().iter().map(String::as_str).chain(["master"]) {
            let database = if user == "master" { "postgres" } else { DATABASE };
            if let Err(error) = scene.connect_to(&name, user, database).await {
                found.locked_out.push(format!("{user} of {name}: {error:#}"));
            }
        }
        let mut session = scene.connect_to(&name, "app", DATABASE).await?;
        found.holds(clients::read(&mut session).await?);
        found.objects.push(Object { name, uid, resource });
    }
    let snapshots = scene.stack.rds().client().describe_db_snapshots().snapshot_type("manual");
    let snapshots: Vec<DbSnapshot> = snapshots.into_paginator().items().send().try_collect().await?;
    for snapshot in &snapshots {
        let (id, of) = (snapshot.db_snapshot_identifier(), snapshot.db_instance_identifier().unwrap_or_default());
        let (id, resource) = (id.unwrap_or_default(), snapshot.dbi_resource_id().unwrap_or_default());
        if id.starts_with(&format!("{of}-final-")) && snapshot.status() == Some("available") {
            found.final_snapshots.insert(resource.to_owned(), id.to_owned());
        }
    }
    for held in restored(scene, &found).await? {
        found.holds(Some(held));
    }
    found.acknowledged = clients.into_iter().map(|client| (name(client.object()), client.acknowledged)).collect();
    Ok(found)
}

/// What the final snapshots hold, read with the Secrets that stayed.
async fn restored(scene: &Scene<'_>, found: &Found) -> Result<Ledger> {
    let snapshots = found.final_snapshots.iter().enumerate().map(async |(number, (resource, snapshot))| {
        let object = found.seen.born.get(resource).with_context(|| format!("nobody saw {resource} alive"))?;
        let login = scene.login(object, "app").await?;
        restore(scene, number, snapshot, login).await.with_context(|| format!("the snapshot {snapshot}"))
    });
    let ledgers: Vec<_> = stream::iter(snapshots).buffer_unordered(RESTORES).try_collect().await?;
    Ok(ledgers.into_iter().flatten().collect())
}

async fn restore(
    scene: &Scene<'_>,
    number: usize,
    snapshot: &str,
    login: Login,
) -> Result<Option<(String, std::collections::BTreeSet<i64>)>> {
    let (rds, identifier) = (scene.stack.rds(), format!("restored-{number}"));
    let restore = rds.client().restore_db_instance_from_db_snapshot().db_snapshot_identifier(snapshot);
    restore.db_instance_identifier(&identifier).send().await?;
    let instance = cloud::until(rds, &identifier, "available").await?;
    let endpoint = instance.endpoint().context("an available instance without an endpoint")?;
    let login = login.at(endpoint.address().unwrap_or_default(), u16::try_from(endpoint.port().unwrap_or_default())?);
    let held = match login.connect_to(DATABASE, &rds.ca()).await {
        Ok(mut session) => {
            let held = clients::read(&mut session).await?;
            session.close().await?;
            held
        }
        // Deleted before the user was made: whatever was acknowledged is elsewhere, or the oracle says so.
        Err(error) => {
            let refused = error.downcast_ref::<sqlx::Error>().is_some_and(|error| error.as_database_error().is_some());
            ensure!(refused, "{error:#}");
            None
        }
    };
    cloud::discard(rds, &identifier).await?;
    Ok(held)
}
