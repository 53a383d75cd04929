//! What `kubectl apply` refuses: at once, with the field named and everything that is wrong, and without leaving anything behind.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use testbed::kubectl::Output;

use crate::{
    scene::Scene,
    world::{World, trial},
};

/// Specs with one mistake each: the field that must be named, and a piece of what must be said of it.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("{type: oracle}", "spec.type", "\"oracle\" is not an engine: write Postgresql or MySQL"),
    ("{type: postgres}", "spec.type", "did you mean \"Postgresql\"?"),
    ("{type: true}", "spec.type", "must be a text, not the boolean true"),
    ("{version: 11}", "spec.version", "write 12, 13, 14, 15, 16, 17 or 18"),
    ("{version: latest}", "spec.version", "\"latest\" is not a version"),
    ("{version: 12.22}", "spec.version", "quote it, such as \"12.22\""),
    ("{type: MySQL, version: \"5.7\"}", "spec.version", "write 8.0 or 8.4"),
    ("{size: \"10\"}", "spec.size", "did you mean \"10GB\"?"),
    ("{size: 10}", "spec.size", "10 has no unit"),
    ("{size: 0GB}", "spec.size", "is no size"),
    ("{size: ten}", "spec.size", "\"ten\" is not a size"),
    ("{size: 65537Gi}", "spec.size", "larger than RDS's largest volume"),
    ("{masteruser: admin}", "spec.masteruser", "reserved by RDS"),
    ("{masteruser: Sys-Admin}", "spec.masteruser", "did you mean \"sys_admin\"?"),
    ("{masteruser: \"\"}", "spec.masteruser", "is not a master user name"),
    ("{users: [app]}", "spec.users", "must be a map"),
    ("{users: {App: []}}", "spec.users[App]", "did you mean \"app\"?"),
    ("{users: {master: []}}", "spec.users[master]", "the Secret of the master user has this name"),
    ("{users: {sysadmin: []}}", "spec.users[sysadmin]", "is the master user already"),
    ("{users: {pg_app: []}}", "spec.users[pg_app]", "begin with pg_"),
    ("{users: {select: []}}", "spec.users[select]", "key word of SQL"),
    ("{users: {app: createdb}}", "spec.users[app]", "must be a list of role flags"),
    ("{users: {app: [creatdb]}}", "spec.users[app][0]", "did you mean \"createdb\"?"),
    ("{users: {app: [login, nologin]}}", "spec.users[app][1]", "contradicts \"login\""),
    ("{users: {app: [login, LOGIN]}}", "spec.users[app][1]", "is written twice"),
    ("{databases: orders}", "spec.databases", "must be a map"),
    ("{databases: {Orders: []}}", "spec.databases[Orders]", "did you mean \"orders\"?"),
    ("{databases: {postgres: []}}", "spec.databases[postgres]", "every PostgreSQL server has it"),
    ("{databases: {orders: [app]}}", "spec.databases[orders][0]", "\"app\" is not in spec.users"),
    (
        "{users: {report: []}, databases: {orders: [report, repot]}}",
        "spec.databases[orders][1]",
        "did you mean \"report\"?",
    ),
    ("{databases: {orders: [sysadmin]}}", "spec.databases[orders][0]", "is the master user"),
    ("{users: {app: []}, databases: {orders: [app, app]}}", "spec.databases[orders][1]", "is listed twice"),
    ("{backup: daily}", "spec.backup", "must be a map"),
    ("{backup: {every: daily}}", "spec.backup.every", "is not a duration"),
    ("{backup: {every: 5m}}", "spec.backup.every", "is 30m to 365d"),
    ("{backup: {retention: 0d}}", "spec.backup.retention", "would turn automated backups off"),
    ("{backup: {retention: 90d}}", "spec.backup.every", "write 5d or more"),
    ("{backup: {retention: 36h}}", "spec.backup.retention", "whole number of days"),
    ("{className: Gold}", "spec.className", "cannot be the name of an RDSDatabaseClass"),
    ("{instanceClass: t4g.micro}", "spec.instanceClass", "did you mean \"db.t4g.micro\"?"),
    ("{deletionPolicy: delete}", "spec.deletionPolicy", "did you mean \"Delete\"?"),
    ("{deletionProtection: \"yes\"}", "spec.deletionProtection", "must be true or false"),
    ("{paused: 1}", "spec.paused", "not the number 1"),
];

/// Names that an `RDSDatabase` cannot have, though Kubernetes would let it.
const NAMES: &[(&str, &str)] = &[
    ("1st", "first a letter"),
    ("shop.orders", "write lower-case letters, digits and -"),
    ("a-name-of-sixty-characters-leaves-no-room-for-the-service-xx", "has 60 characters"),
];

/// What the object of the updates was created with. It is paused: nothing has to be made for it.
const BEFORE: &str =
    "{paused: true, version: \"15.6\", size: 100GB, users: {app: [], report: []}, databases: {orders: [app]}}";

/// What may not become of [`BEFORE`].
const TRANSITIONS: &[(&str, &str, &str)] = &[
    ("{paused: true, version: \"8.4\", type: MySQL}", "spec.type", "the engine never changes"),
    ("{paused: true, masteruser: root_of_all}", "spec.masteruser", "it stays \"sysadmin\""),
    ("{paused: true, version: \"14\"}", "spec.version", "cannot go back from 15.6 to 14"),
    ("{paused: true, version: \"15.5\"}", "spec.version", "cannot go back from 15.6 to 15.5"),
    ("{paused: true, version: \"16\"}", "spec.version", "a major upgrade from 15 to 16"),
];

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "refusals::every_mistake_is_refused_with_its_field", every_mistake_is_refused_with_its_field),
        trial(world, "refusals::all_mistakes_are_told_at_once", all_mistakes_are_told_at_once),
        trial(world, "refusals::warnings_are_told_all_the_same", warnings_are_told_all_the_same),
        trial(world, "refusals::an_unknown_field_is_refused", an_unknown_field_is_refused),
        trial(world, "refusals::updates_that_lose_something_are_refused", updates_that_lose_something_are_refused),
        trial(world, "refusals::a_key_that_left_the_manifest_stays", a_key_that_left_the_manifest_stays),
        trial(world, "refusals::a_null_does_not_remove_a_user", a_null_does_not_remove_a_user),
    ]
}

async fn every_mistake_is_refused_with_its_field(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "mistakes").await?;
    let specs = MISTAKES.iter().enumerate().map(|(n, &(spec, field, said))| (format!("bad-{n}"), spec, field, said));
    let names = NAMES.iter().map(|&(name, said)| (name.to_owned(), "{}", "metadata.name", said));
    let cases: Vec<_> = specs.chain(names).collect();
    for (name, spec, field, said) in &cases {
        let output = apply(&scene, &scene.manifest(name, spec), &[]).await?;
        ensure!(!output.success, "{name} {spec} was admitted");
        ensure!(names_field(&output, field, said), "{name} {spec}: wanted {field} and {said:?}: {}", output.stderr);
    }

    // A pipeline's dry run of all of them says the same of each.
    let manifests: Vec<_> = cases.iter().map(|(name, spec, ..)| scene.manifest(name, spec)).collect();
    let output = apply(&scene, &manifests.join("---\n"), &["--dry-run=server"]).await?;
    ensure!(!output.success && output.stdout.is_empty(), "admitted: {}", output.stdout);
    for (name, spec, field, said) in &cases {
        let (name, field) = (format!("\"{name}\""), format!("{field}: "));
        let told = |line: &str| line.contains(&name) && line.contains(&field) && line.contains(said);
        ensure!(output.stderr.lines().any(told), "{name} {spec}: wanted {field} and {said:?}: {}", output.stderr);
    }
    nothing_is_there(&scene).await
}

async fn all_mistakes_are_told_at_once(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "at-once").await?;
    let spec = "{size: ten, version: 11, users: {App: [], app: [root]}, databases: {orders: [app, nobody]}, backup: {retention: 1y}}";
    let fields = [
        "spec.size",
        "spec.version",
        "spec.users[App]",
        "spec.users[app][0]",
        "spec.databases[orders][1]",
        "spec.backup.retention",
    ];
    for dry_run in [&[][..], &["--dry-run=server"]] {
        let output = apply(&scene, &scene.manifest("bad", spec), dry_run).await?;
        ensure!(!output.success, "admitted: {}", output.stdout);
        for field in fields {
            ensure!(output.stderr.contains(&format!("* {field}: ")), "no line for {field}: {}", output.stderr);
        }
        let told = output.stderr.lines().filter(|line| line.starts_with("* ")).count();
        ensure!(told == fields.len(), "wanted {} lines: {}", fields.len(), output.stderr);
    }

    // One bad document of several does not hide its mistakes, and does not stop the good one.
    let both = format!("{}---\n{}", scene.manifest("bad", spec), scene.manifest("good", "{paused: true}"));
    let output = apply(&scene, &both, &[]).await?;
    ensure!(!output.success, "admitted: {}", output.stdout);
    for field in fields {
        ensure!(output.stderr.contains(&format!("{field}: ")), "{field} is not named: {}", output.stderr);
    }
    let there = scene.names("rdsdatabases").await?;
    ensure!(there.iter().eq(["good"]), "wanted the good one alone: {there:?}");
    scene.delete("good").await
}

/// Whoever mends the mistakes should not meet the warnings only then.
async fn warnings_are_told_all_the_same(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "warned").await?;
    let manifest = scene.manifest("bad", "{version: 12, users: {app: [superuser]}, databases: {orders: [nobody]}}");
    for args in [&[][..], &["--dry-run=server"], &["--server-side"]] {
        let output = apply(&scene, &manifest, args).await?;
        ensure!(!output.success, "{args:?} was admitted");
        ensure!(names_field(&output, "spec.databases[orders][0]", "is not in spec.users"), "{}", output.stderr);
        for field in ["spec.version", "spec.users[app]"] {
            let warned = output.stderr.lines().any(|line| line.starts_with(&format!("Warning: {field}: ")));
            ensure!(warned, "{args:?}: no warning of {field}: {}", output.stderr);
        }
        let longest = output.stderr.lines().filter_map(|line| line.strip_prefix("Warning: ")).map(str::len).max();
        ensure!(longest.is_some_and(|longest| longest <= 120), "a warning has {longest:?} bytes: {}", output.stderr);
    }
    nothing_is_there(&scene).await
}

/// kubectl asks the API server to be strict: it refuses what the schema does not know, and the field is named as well.
async fn an_unknown_field_is_refused(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "unknown-fields").await?;
    for (spec, field) in [("{storage: 10GB}", "spec.storage"), ("{backup: {evry: 6h}}", "spec.backup.evry")] {
        for args in [&[][..], &["--dry-run=server"], &["--server-side"]] {
            let output = apply(&scene, &scene.manifest("bad", spec), args).await?;
            ensure!(!output.success, "{spec} {args:?} was admitted");
            let named = output.stderr.contains(field);
            ensure!(named, "{spec} {args:?}: {field} is not named: {}", output.stderr);
        }
    }
    nothing_is_there(&scene).await
}

async fn updates_that_lose_something_are_refused(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "updates").await?;
    scene.apply("fixed", BEFORE).await?;
    let before = scene.database("fixed").await?;
    for &(spec, field, said) in TRANSITIONS {
        for args in [&[][..], &["--dry-run=server"], &["--server-side", "--force-conflicts"]] {
            let output = apply(&scene, &scene.manifest("fixed", spec), args).await?;
            ensure!(!output.success, "{spec} {args:?} was admitted");
            ensure!(names_field(&output, field, said), "{spec}: wanted {field} and {said:?}: {}", output.stderr);
        }
    }
    let after = scene.database("fixed").await?;
    ensure!(after.at("/spec") == before.at("/spec"), "changed to {}", after.at("/spec"));
    // What was never allocated can be taken back.
    scene.apply("fixed", "{paused: true, size: 50GB}").await?;
    scene.delete("fixed").await
}

/// Dropping `size: 100GB` is no shrink to the default, and a line less is no upgrade.
async fn a_key_that_left_the_manifest_stays(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "left").await?;
    scene.apply("kept", BEFORE).await?;
    let output = scene.apply("kept", "{paused: true}").await?;
    for said in ["spec.size: left the manifest and keeps 100GB", "spec.version: left the manifest and keeps 15.6"] {
        ensure!(output.stderr.contains(said), "no warning {said:?}: {}", output.stderr);
    }
    let kept = scene.database("kept").await?;
    ensure!(kept.text("/spec/size") == "100GB" && kept.text("/spec/version") == "15.6", "{}", kept.at("/spec"));
    ensure!(kept.at("/spec/users/app").is_array(), "{}", kept.at("/spec"));
    scene.delete("kept").await
}

/// Client-side apply strips nulls, so `app:` in place of `app: []` would ask to remove the user.
async fn a_null_does_not_remove_a_user(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "nulls").await?;
    scene.apply("orders", BEFORE).await?;
    let nulled = scene.manifest("orders", "{paused: true, users: {app: , report: []}, databases: {orders: [app]}}");
    for args in [&[][..], &["--dry-run=server"], &["--server-side", "--force-conflicts"]] {
        let output = apply(&scene, &nulled, args).await?;
        ensure!(!output.success, "{args:?} was admitted");
        let said = names_field(&output, "spec.users[app]", "write app: [] to keep it");
        ensure!(said, "{args:?}: {}", output.stderr);
    }
    let users = || async { anyhow::Ok(scene.database("orders").await?.at("/spec/users").clone()) };
    ensure!(users().await?.get("app").is_some(), "the user is gone: {}", users().await?);

    // A line that is gone is a wish.
    scene.apply("orders", "{paused: true, users: {report: []}, databases: {orders: []}}").await?;
    ensure!(users().await?.get("app").is_none(), "the user stayed: {}", users().await?);
    scene.delete("orders").await
}

async fn apply(scene: &Scene<'_>, manifest: &str, args: &[&str]) -> Result<Output> {
    let mut all = vec!["apply", "-f", "-"];
    all.extend(args);
    scene.kubectl().run_with_input(&all, manifest).await
}

/// Whether one line names the field and says this of it.
fn names_field(output: &Output, field: &str, said: &str) -> bool {
    let field = format!("{field}: ");
    output.stderr.lines().any(|line| line.contains(&field) && line.contains(said))
}

async fn nothing_is_there(scene: &Scene<'_>) -> Result<()> {
    for kind in ["rdsdatabases", "secrets", "services"] {
        let names = scene.names(kind).await.with_context(|| kind.to_owned())?;
        ensure!(names.is_empty(), "a refused apply left {kind}: {names:?}");
    }
    let instances = scene.instances().await?;
    ensure!(instances.is_empty(), "a refused apply left instances: {instances:?}");
    Ok(())
}
