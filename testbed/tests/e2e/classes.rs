//! What becomes of a class while databases live in it.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Result, ensure};
use aws_sdk_rds::types::DbInstance;
use libtest_mimic::Trial;
use testbed::{eventually::eventually, stack::SECURITY_GROUPS};

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "classes::tags_and_security_groups_follow_the_class", tags_and_groups_follow),
        trial(world, "classes::one_that_has_databases_is_not_deleted", one_that_has_databases_is_not_deleted),
    ]
}

fn class(name: &str, spec: &str) -> String {
    format!("apiVersion: matrixmind.cloud/v1\nkind: RDSDatabaseClass\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

async fn tags_and_groups_follow(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "followers").await?;
    let [one, other] = SECURITY_GROUPS;
    let before = class("followed", &format!("{{tags: {{team: shop, floor: first}}, securityGroups: [{one}]}}"));
    scene.kubectl().apply(&before).await?;
    scene.apply("follower", "{className: followed}").await?;
    let identifier = scene.ready("follower").await?.text("/status/instance/identifier").to_owned();
    let born = cloud::existing(stack.rds(), &identifier).await?;
    ensure!(tags(&born)["team"] == "shop" && groups(&born) == [one], "{born:?}");

    let after = format!(
        "{{tags: {{team: warehouse, owner: jane}}, securityGroups: [{one}, {other}], instanceClass: db.t4g.large}}"
    );
    scene.kubectl().apply(&class("followed", &after)).await?;
    eventually("tags and security groups of the class", async || {
        let instance = cloud::existing(stack.rds(), &identifier).await?;
        let tags = tags(&instance);
        ensure!(tags["team"] == "warehouse" && tags.get("owner").is_some_and(|owner| owner == "jane"), "{tags:?}");
        ensure!(groups(&instance) == [one, other], "{instance:?}");
        Ok(())
    })
    .await?;
    eventually("the status to say what stays", async || {
        let settings = scene.database("follower").await?.expect("SettingsApplied", "True")?;
        let said = "the class says db.t4g.large for new databases; this one stays db.t4g.micro";
        ensure!(settings.message.contains(said), "{settings:?}");
        Ok(())
    })
    .await?;
    let instance = cloud::existing(stack.rds(), &identifier).await?;
    ensure!(instance.db_instance_class() == Some("db.t4g.micro"), "{instance:?}");
    ensure!(tags(&instance)["floor"] == "first", "a tag that left the class: {instance:?}");
    scene.delete("follower").await
}

async fn one_that_has_databases_is_not_deleted(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "tenants").await?;
    let kubectl = scene.kubectl();
    let counted = async |wanted: &str| {
        eventually(&format!("the class to count {wanted}"), async || {
            let count = kubectl.ok(&["get", "rdsclass", "rented", "-o", "jsonpath={.status.databases}"]).await?;
            ensure!(count == wanted, "it has {count:?} databases");
            Ok(())
        })
        .await
    };
    kubectl.apply(&class("rented", "{}")).await?;
    counted("0").await?;
    scene.apply("tenant", "{className: rented}").await?;
    scene.ready("tenant").await?;
    counted("1").await?;
    let shown = kubectl.ok(&["get", "rdsclass", "rented"]).await?;
    ensure!(shown.contains("DATABASES"), "{shown}");

    let refused = kubectl.run(&["delete", "rdsclass", "rented"]).await?;
    ensure!(!refused.success, "deleted with a database in it");
    for said in ["(Forbidden)", "the class has 1 databases", "kubectl get rds -A -o wide", "deletionPolicy: Retain"] {
        ensure!(refused.stderr.contains(said), "{said:?} is not in {}", refused.stderr);
    }
    scene.delete("tenant").await?;
    counted("0").await?;
    kubectl.ok(&["delete", "rdsclass", "rented"]).await?;
    Ok(())
}

fn tags(instance: &DbInstance) -> BTreeMap<String, String> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    instance.tag_list().iter().map(|tag| (text(tag.key()), text(tag.value()))).collect()
}

fn groups(instance: &DbInstance) -> Vec<&str> {
    instance.vpc_security_groups().iter().filter_map(|group| group.vpc_security_group_id()).collect()
}
