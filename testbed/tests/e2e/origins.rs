//! Databases that come back, and databases that were there before their object.

use std::sync::Arc;

use anyhow::{Result, ensure};
use aws_sdk_rds::types::Tag;
use libtest_mimic::Trial;
use serde_json::json;
use sqlx::{Connection as _, Executor as _};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "origins::a_deleted_database_comes_back_by_one_field", a_deleted_database_comes_back),
        trial(world, "origins::what_was_there_at_a_moment_and_nothing_later_comes_back", what_was_there_at_a_moment),
        trial(world, "origins::i10_nobody_restores_what_is_another_namespaces", i10_nobody_restores),
        trial(world, "origins::an_instance_made_by_hand_is_taken_over", an_instance_made_by_hand_is_taken_over),
    ]
}

async fn a_deleted_database_comes_back(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "returning").await?;
    let spec = "{users: {app: []}, databases: {letters: [app]}, multiAZ: true}";
    scene.apply("dear", spec).await?;
    let first = scene.ready("dear").await?;
    let identifier = first.text("/status/instance/identifier").to_owned();
    let mut session = scene.connect("dear", "app").await?;
    session.execute("CREATE TABLE letter (words text)").await?;
    session.execute("INSERT INTO letter VALUES ('until tomorrow')").await?;
    session.close().await?;
    scene.delete("dear").await?;
    let snapshot = cloud::final_snapshot(rds, &identifier).await?;

    let restored = format!(
        "{{users: {{app: []}}, databases: {{letters: [app]}}, multiAZ: true, restoreFrom: {{snapshot: {snapshot}}}}}"
    );
    scene.apply("dear", &restored).await?;
    let second = scene.ready("dear").await?;
    ensure!(
        second.text("/status/instance/identifier") == identifier,
        "another name: {:?}",
        second.at("/status/instance")
    );
    // The Secret that stayed opens it.
    let mut session = scene.connect("dear", "app").await?;
    let words: Vec<(String,)> = sqlx::query_as("SELECT words FROM letter").fetch_all(&mut session).await?;
    ensure!(words == [("until tomorrow".to_owned(),)], "it holds {words:?}");
    session.execute("CREATE TABLE answer (words text)").await?;
    session.close().await?;
    // What a restore does not bring was said with it, and the marks are those of the new object.
    let instance = cloud::existing(rds, &identifier).await?;
    ensure!(instance.multi_az() == Some(true) && instance.copy_tags_to_snapshot() == Some(true), "{instance:?}");
    let uid = instance.tag_list().iter().find(|tag| tag.key() == Some("matrixmind.cloud/uid"));
    ensure!(uid.and_then(Tag::value) == Some(second.text("/metadata/uid")), "{uid:?}");
    Ok(())
}

async fn what_was_there_at_a_moment(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "moments").await?;
    let spec = "users: {app: []}, databases: {ledger: [app]}";
    scene.apply("books", &format!("{{{spec}}}")).await?;
    let identifier = scene.ready("books").await?.text("/status/instance/identifier").to_owned();
    cloud::until(stack.rds(), &identifier, "available").await?;
    let mut session = scene.connect("books", "app").await?;
    session.execute("CREATE TABLE entry (words text)").await?;
    session.execute("INSERT INTO entry VALUES ('before')").await?;
    // The server's own clock; RDS restores to whole seconds.
    let moment = "SELECT to_char((clock_timestamp() + interval '1 s') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), pg_sleep(2)::text";
    let (moment, _): (String, String) = sqlx::query_as(moment).fetch_one(&mut session).await?;
    session.execute("INSERT INTO entry VALUES ('after')").await?;
    session.close().await?;

    // Another object of the namespace looks back, while the first one goes on.
    let back = format!("{{{spec}, restoreFrom: {{pointInTime: {{database: books, time: \"{moment}\"}}}}}}");
    scene.apply("books-before", &back).await?;
    let restored = scene.wait_for("books-before", "InstanceReady", "True").await?;
    ensure!(restored.text("/status/instance/identifier") != identifier, "it took the place of the first");
    let first = scene.login("books", "app").await?;
    let endpoint = cloud::existing(stack.rds(), restored.text("/status/instance/identifier")).await?;
    let endpoint = endpoint.endpoint().cloned().unwrap_or_else(|| unreachable!("it serves"));
    let port = u16::try_from(endpoint.port().unwrap_or_default())?;
    let mut session = first.at(endpoint.address().unwrap_or_default(), port).connect(&stack.rds().ca()).await?;
    let words: Vec<(String,)> = sqlx::query_as("SELECT words FROM entry").fetch_all(&mut session).await?;
    ensure!(words == [("before".to_owned(),)], "at {moment} it held {words:?}");
    session.close().await?;
    scene.ready("books").await.map(drop)
}

async fn i10_nobody_restores(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let (theirs, scene) = (Scene::new(&stack, "treasury").await?, Scene::new(&stack, "thief").await?);
    theirs.apply("gold", "{users: {app: []}, databases: {bars: [app]}}").await?;
    let identifier = theirs.ready("gold").await?.text("/status/instance/identifier").to_owned();
    theirs.delete("gold").await?;
    let snapshot = cloud::final_snapshot(rds, &identifier).await?;
    for (name, spec) in [
        ("by-name", format!("{{restoreFrom: {{snapshot: {snapshot}}}}}")),
        ("by-guess", "{restoreFrom: {snapshot: there-is-none}}".to_owned()),
        ("gold", "{restoreFrom: {pointInTime: {}}}".to_owned()),
        ("by-moment", "{restoreFrom: {pointInTime: {database: gold}}}".to_owned()),
        ("by-adoption", format!("{{adopt: {identifier}}}")),
    ] {
        scene.apply(name, &spec).await?;
        let said = scene.wait_for(name, "Stalled", "True").await?.expect("Stalled", "True")?;
        ensure!(
            ["NotPermitted", "NotRestorable", "ClassNotPermitted"].contains(&said.reason.as_str()),
            "{name} says {said:?}"
        );
        ensure!(cloud::instances_of(rds, "thief", name).await?.is_empty(), "{name} has an instance");
    }
    let by_arn = "{restoreFrom: {snapshot: 'arn:aws:rds:eu-central-1:000000000000:snapshot:gold'}}";
    let refused = scene.refused("by-arn", by_arn).await?;
    ensure!(refused.contains("is not the name of a snapshot"), "{refused}");
    Ok(())
}

async fn an_instance_made_by_hand_is_taken_over(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let rds = stack.rds();
    let scene = Scene::new(&stack, "adoption").await?;
    let class = json!({
        "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabaseClass", "metadata": {"name": "adopting"},
        "spec": {"allowAdoption": true, "allowedNamespaces": {"matchLabels": {"kubernetes.io/metadata.name": "adoption"}}},
    });
    scene.kubectl().apply(&class.to_string()).await?;
    let made = rds
        .client()
        .create_db_instance()
        .db_instance_identifier("legacy-orders")
        .engine("postgres")
        .engine_version("17")
        .db_instance_class("db.t4g.micro")
        .allocated_storage(20)
        .storage_type("gp3")
        .backup_retention_period(7)
        .master_username("sysadmin")
        .master_user_password("made-by-hand-9")
        .send()
        .await?;
    let arn = made.db_instance().and_then(|instance| instance.db_instance_arn()).unwrap_or_default().to_owned();
    let before = cloud::until(rds, "legacy-orders", "available").await?;
    scene
        .apply(
            "legacy",
            "{version: '17', className: adopting, adopt: legacy-orders, users: {app: []}, databases: {shop: [app]}}",
        )
        .await?;
    let said = scene.wait_for("legacy", "Stalled", "True").await?.expect("Stalled", "True")?;
    ensure!(said.reason == "NotPermitted" && said.message.contains("Value=adoption/legacy"), "{said:?}");

    // The password that is in use goes into the Secret before anybody consents: it is not set anew.
    let password = r#"{"stringData": {"password": "made-by-hand-9"}}"#;
    scene.ok(&["patch", "secret", "legacy.rds.master", "-p", password]).await?;
    let consent = Tag::builder().key("matrixmind.cloud/adopt").value("adoption/legacy").build();
    rds.client().add_tags_to_resource().resource_name(&arn).tags(consent).send().await?;
    // An edit calls the object, which else looks again within a minute.
    scene.ok(&["annotate", "rds", "legacy", "consent=given"]).await?;
    let database = scene.ready("legacy").await?;
    ensure!(database.text("/status/instance/identifier") == "legacy-orders", "{:?}", database.at("/status/instance"));
    ensure!(before.dbi_resource_id() == Some(database.text("/status/instance/resourceId")), "another instance");
    scene.connect("legacy", "app").await?.close().await?;
    let told = scene.ok(&["get", "events", "-o", "jsonpath={.items[*].reason}"]).await?;
    let asked = ["CreateInstance", "RestoreInstance", "ModifyInstance", "GrowStorage", "ResetMasterPassword"];
    ensure!(told.contains("TakeUpInstance") && !asked.iter().any(|reason| told.contains(reason)), "{told}");
    let owned = cloud::instances_of(rds, "adoption", "legacy").await?;
    ensure!(owned.len() == 1, "{owned:?}");
    scene.delete("legacy").await?;
    cloud::final_snapshot(rds, "legacy-orders").await.map(drop)
}
