//! What changes in a database that lives: its size, its users, its databases.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use sqlx::{Connection as _, Executor as _, PgConnection};
use testbed::eventually::eventually;

use crate::{
    cloud,
    scene::Scene,
    world::{World, trial},
};

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "changes::storage_grows_by_ten_percent_and_holds_up_nobody", storage_grows),
        trial(world, "changes::storage_changes_its_size_and_speed_by_one_request", storage_changes_speed),
        trial(world, "changes::extended_support_is_declined_at_birth_and_taken_up_later", extended_support),
        trial(world, "changes::i3_a_removed_database_is_kept_and_comes_back", i3_a_removed_database_is_kept),
        trial(world, "changes::a_removed_user_leaves_its_work_behind", a_removed_user_leaves_its_work_behind),
    ]
}

async fn storage_grows(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "growing").await?;
    // 100 GB are 93.1 GiB.
    scene.apply("bigger", "{size: 100GB, users: {app: []}, databases: {one: [app]}}").await?;
    let before = scene.ready("bigger").await?;
    ensure!(before.at("/status/allocatedStorageGiB") == 94, "{:?}", before.at("/status"));
    let identifier = before.text("/status/instance/identifier").to_owned();
    let mut session = scene.connect("bigger", "app").await?;

    // 105 GB would be 98 GiB, and RDS takes no less than 10 % more: 103.4.
    let grown = "{size: 105GB, users: {app: []}, databases: {one: [app]}}";
    let applied = scene.apply("bigger", grown).await?;
    ensure!(applied.stderr.contains("spec.size: RDS grows volumes by at least 10 %: 94Gi become 104Gi"), "{applied:?}");
    let after = scene.ready("bigger").await?;
    ensure!(after.at("/status/allocatedStorageGiB") == 104, "{:?}", after.at("/status"));
    let instance = cloud::existing(stack.rds(), &identifier).await?;
    ensure!(instance.allocated_storage() == Some(104), "{instance:?}");
    session.execute("SELECT 1").await.context("growing ended the session of app")?;

    // RDS takes no second growth for hours. A new user need not wait for that.
    scene.apply("bigger", "{size: 200GB, users: {app: [], late: []}, databases: {one: [app, late]}}").await?;
    eventually("the new user to log in", async || {
        scene.connect("bigger", "late").await?.close().await?;
        Ok(())
    })
    .await?;
    eventually("the growth to say what it waits to do", async || {
        let waiting = scene.database("bigger").await?;
        waiting.expect("Ready", "False")?;
        let storage = waiting.expect("StorageReady", "False")?;
        ensure!(storage.message.contains("187"), "{storage:?}");
        Ok(())
    })
    .await?;

    // What was not allocated yet can be taken back, and nothing waits any more; what is allocated stays.
    let users = "users: {app: [], late: []}, databases: {one: [app, late]}";
    let shrunk = scene.manifest("bigger", &format!("{{size: 100GB, {users}}}"));
    let refused = scene.kubectl().run_with_input(&["apply", "-f", "-"], &shrunk).await?;
    let told = refused.stderr.contains("spec.size: RDS cannot shrink a volume: 104Gi are allocated, 94Gi would be");
    ensure!(!refused.success && told, "{refused:?}");
    scene.apply("bigger", &format!("{{size: 104Gi, {users}}}")).await?;
    scene.ready("bigger").await?;
    Ok(())
}

async fn extended_support(world: &World) -> Result<()> {
    const ON: &str = "open-source-rds-extended-support";
    const OFF: &str = "open-source-rds-extended-support-disabled";
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "supported").await?;
    // What RDS refuses is told before it does.
    let applied = scene.apply("old", &format!("{{version: 13, size: 20Gi, engineLifecycleSupport: {OFF}}}")).await?;
    let said =
        "spec.engineLifecycleSupport: RDS creates no PostgreSQL 13 with it: standard support ended on 2026-02-28";
    ensure!(applied.stderr.contains(said), "{applied:?}");
    eventually("the object to have RDS's words", async || {
        let told = scene.database("old").await?;
        let told = told.expect("InstanceReady", "False")?;
        ensure!(told.message.contains("past its end of standard support"), "{told:?}");
        Ok(())
    })
    .await?;
    ensure!(scene.instances().await?.is_empty(), "something was made");

    let spec =
        |support: &str| format!("{{version: 17, size: 20Gi, users: {{app: []}}, databases: {{one: [app]}}{support}}}");
    scene.apply("new", &spec(&format!(", engineLifecycleSupport: {OFF}"))).await?;
    let identifier = scene.ready("new").await?.text("/status/instance/identifier").to_owned();
    let support = async || {
        let instance = cloud::existing(stack.rds(), &identifier).await?;
        anyhow::Ok(instance.engine_lifecycle_support().unwrap_or_default().to_owned())
    };
    ensure!(support().await? == OFF, "born with {}", support().await?);

    // The line that left keeps its value; another one is asked for at once, and nobody's session ends.
    let mut session = scene.connect("new", "app").await?;
    scene.apply("new", &spec("")).await?;
    scene.ready("new").await?;
    ensure!(support().await? == OFF, "{} without a word", support().await?);
    let applied = scene.apply("new", &spec(&format!(", engineLifecycleSupport: {ON}"))).await?;
    let said = "spec.engineLifecycleSupport: cost: PostgreSQL 17 is billed as Extended Support from 2030-03-01";
    ensure!(applied.stderr.contains(said), "{applied:?}");
    eventually("RDS to have the other word", async || {
        ensure!(support().await? == ON, "{}", support().await?);
        Ok(())
    })
    .await?;
    scene.ready("new").await?;
    session.execute("SELECT 1").await.context("another word ended the session of app")?;
    Ok(())
}

async fn storage_changes_speed(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "faster").await?;
    // RDS lets nobody choose what gp3 does below 400 GiB. The object says so, and nothing is made.
    scene.apply("quick", "{size: 100GB, storage: {iops: 12500}}").await?;
    eventually("the object to say what is offered", async || {
        let told = scene.database("quick").await?;
        let told = told.expect("InstanceReady", "False")?;
        ensure!(told.reason == "NotOffered" && told.message.contains("spec.storage.iops: 12500"), "{told:?}");
        Ok(())
    })
    .await?;
    ensure!(scene.instances().await?.is_empty(), "something was made");

    scene.apply("quick", "{size: 450Gi, storage: {iops: 12500}}").await?;
    let ready = scene.ready("quick").await?;
    let identifier = ready.text("/status/instance/identifier").to_owned();
    let born = cloud::existing(stack.rds(), &identifier).await?;
    ensure!((born.iops(), born.storage_throughput()) == (Some(12_500), Some(500)), "{born:?}");

    // RDS takes no second change of the storage for hours, so this was one.
    scene.apply("quick", "{size: 500Gi, storage: {iops: 13000, throughput: 600}}").await?;
    scene.ready("quick").await?;
    let grown = cloud::existing(stack.rds(), &identifier).await?;
    let volume = (grown.allocated_storage(), grown.iops(), grown.storage_throughput());
    ensure!(volume == (Some(500), Some(13_000), Some(600)), "{grown:?}");

    scene.apply("quick", "{size: 500Gi, storage: {iops: 14000}}").await?;
    eventually("the next change to wait", async || {
        let waiting = scene.database("quick").await?;
        let storage = waiting.expect("StorageReady", "False")?;
        ensure!(storage.reason == "StorageCooldown", "{storage:?}");
        Ok(())
    })
    .await?;
    // Nothing is wanted of it any more: it stays as it is.
    scene.apply("quick", "{size: 500Gi, storage: {}}").await?;
    scene.ready("quick").await?;
    Ok(())
}

async fn i3_a_removed_database_is_kept(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "keeping").await?;
    let both = "{users: {app: [], audit: []}, databases: {current: [app, audit], former: [app, audit]}}";
    scene.apply("archive", both).await?;
    scene.ready("archive").await?;
    let mut inside = scene.connect_to("archive", "app", "former").await?;
    inside.execute("CREATE TABLE deed (words text); INSERT INTO deed VALUES ('kept')").await?;

    let applied = scene.apply("archive", "{users: {app: [], audit: []}, databases: {current: [app, audit]}}").await?;
    ensure!(applied.stderr.contains("spec.databases[former]: is kept with its data"), "{}", applied.stderr);
    let database = scene.ready("archive").await?;
    ensure!(database.at("/status/databases/former/removed") == true, "{:?}", database.at("/status/databases"));
    ensure!(database.at("/status/databases/former/users").is_null(), "{:?}", database.at("/status/databases"));
    let condition = database.expect("DatabasesReady", "True")?;
    ensure!(condition.message.contains("former"), "{condition:?}");
    ensure!(inside.execute("SELECT 1").await.is_err(), "app's session in the removed database lives on");
    for user in ["app", "audit"] {
        ensure!(scene.connect_to("archive", user, "former").await.is_err(), "{user} still gets in");
        scene.connect_to("archive", user, "current").await?.close().await?;
    }
    let mut master = scene.connect_to("archive", "master", "former").await?;
    let words: Vec<(String,)> = sqlx::query_as("SELECT words FROM deed").fetch_all(&mut master).await?;
    ensure!(words == [("kept".to_owned(),)], "the removed database holds {words:?}");
    master.close().await?;

    scene.apply("archive", both).await?;
    let database = scene.ready("archive").await?;
    ensure!(database.at("/status/databases/former/removed").is_null(), "{:?}", database.at("/status/databases"));
    let mut again = scene.connect_to("archive", "audit", "former").await?;
    let words: Vec<(String,)> = sqlx::query_as("SELECT words FROM deed").fetch_all(&mut again).await?;
    ensure!(words == [("kept".to_owned(),)], "audit finds {words:?}");
    again.close().await?;
    Ok(())
}

async fn a_removed_user_leaves_its_work_behind(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "leaving").await?;
    let before = "{users: {app: [], temp: [createdb]}, databases: {orders: [app, temp]}}";
    scene.apply("shop", before).await?;
    scene.ready("shop").await?;
    let login = scene.login("shop", "temp").await?;
    let mut temp = scene.connect("shop", "temp").await?;
    // With createdb it does not act as the owner role: the table and the database are its own.
    temp.execute("CREATE TABLE basket (item text); INSERT INTO basket VALUES ('apple')").await?;
    temp.execute("CREATE DATABASE own_account").await?;
    ensure!(owner_of(&mut temp, "basket").await? == "temp", "temp does not own what it makes");

    scene.apply("shop", "{users: {app: [], fresh: []}, databases: {orders: [app, fresh], returns: [fresh]}}").await?;
    let database = scene.ready("shop").await?;
    ensure!(database.at("/status/users/temp").is_null(), "{:?}", database.at("/status/users"));
    ensure!(temp.execute("SELECT 1").await.is_err(), "temp's session lives on");
    ensure!(login.connect(&stack.rds().ca()).await.is_err(), "temp can still log in");
    eventually("the Secret of temp to go", async || {
        let secrets = scene.names("secrets").await?;
        let wanted = ["shop.rds.app", "shop.rds.fresh", "shop.rds.master"];
        ensure!(secrets.iter().eq(wanted), "{secrets:?}");
        Ok(())
    })
    .await?;

    let mut app = scene.connect("shop", "app").await?;
    ensure!(
        owner_of(&mut app, "basket").await? == "orders-owner",
        "the table is {}'s",
        owner_of(&mut app, "basket").await?
    );
    let (login_possible,): (bool,) =
        sqlx::query_as("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'orders-owner'").fetch_one(&mut app).await?;
    ensure!(!login_possible, "the owner role can log in");
    let left: Vec<(String,)> =
        sqlx::query_as("SELECT rolname::text FROM pg_roles WHERE rolname = 'temp'").fetch_all(&mut app).await?;
    ensure!(left.is_empty(), "the role temp is still there");
    app.execute("INSERT INTO basket VALUES ('pear'); ALTER TABLE basket ADD COLUMN price int").await?;
    app.close().await?;

    let mut fresh = scene.connect("shop", "fresh").await?;
    let items: Vec<(String,)> = sqlx::query_as("SELECT item FROM basket ORDER BY item").fetch_all(&mut fresh).await?;
    ensure!(items == [("apple".to_owned(),), ("pear".to_owned(),)], "fresh reads {items:?}");
    fresh.close().await?;
    scene.connect_to("shop", "fresh", "returns").await?.close().await?;
    ensure!(scene.connect_to("shop", "app", "returns").await.is_err(), "app gets into a database of fresh's");
    // A database that a user made by itself is no less worth keeping.
    scene.connect_to("shop", "master", "own_account").await?.close().await?;
    Ok(())
}

async fn owner_of(session: &mut PgConnection, table: &str) -> Result<String> {
    let owner = sqlx::query_as("SELECT tableowner::text FROM pg_tables WHERE tablename = $1").bind(table);
    let (owner,): (String,) = owner.fetch_one(session).await?;
    Ok(owner)
}
