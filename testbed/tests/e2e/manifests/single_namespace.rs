//! The component that leaves the reconciler its rights in one namespace.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testbed::{
    eventually::eventually,
    process::Process,
    stack::{Part, Stack},
};

use super::{
    MANIFESTS, rendered,
    rights::{RECONCILER, may},
};
use crate::{replica::Replica, scene::Scene, world::World};

/// With these rights and no others it takes a database from its creation to its end, alias included, and looks at nobody else's. Elsewhere no
/// new ones are admitted.
pub(super) async fn one_namespace_is_enough(world: &World) -> Result<()> {
    let stack = world.own_stack("one-namespace").await?;
    let kubectl = stack.controlplane().kubectl();
    stack.stop_part(Part::Reconciler).await?;
    let (inside, outside) = (Scene::new(&stack, "inside").await?, Scene::new(&stack, "outside").await?);

    // It is there before the operator is narrowed.
    outside.apply("beside", "{}").await?;
    ends_and_says_why(&stack, "nowhere", "there is no such namespace").await?;

    let overlay = tempfile::tempdir_in(format!("{MANIFESTS}/overlays"))?;
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../base]\n\
        components: [../../components/single-namespace]\nconfigMapGenerator:\n  - name: rds-operator-single-namespace\n    \
        literals: [namespace=inside]\n    options: {annotations: {config.kubernetes.io/local-config: \"true\"}}\n";
    std::fs::write(overlay.path().join("kustomization.yaml"), kustomization)?;
    let folder = overlay.path().to_str().context("the folder's path is not UTF-8")?;
    let objects = rendered::objects(&kubectl.ok(&["kustomize", folder]).await?)?;
    overlay.close()?;
    for ((kind, _, name), object) in objects {
        let role = kind.contains("Role") && name.starts_with("rds-reconciler");
        if role || kind.starts_with("ValidatingAdmissionPolicy") && name == "rds-single-namespace" {
            kubectl.apply(&object.to_string()).await?;
        }
    }
    may(kubectl, RECONCILER, &["list", "secrets", "-n", "outside"], false).await?;
    may(kubectl, RECONCILER, &["list", "rdsdatabases.matrixmind.cloud", "--all-namespaces"], false).await?;

    ends_and_says_why(&stack, "outside", "this service may not read that namespace").await?;
    let replica = Replica::start(&stack, "one-namespace", |spec| spec.args(["--watch-namespace=inside"])).await?;
    only_what_is_there_stays(&outside).await?;
    inside.apply("orders", "{users: {app: []}, databases: {orders: [app]}}").await?;
    inside.ready("orders").await?;
    inside.wait_for("orders", "AliasReady", "True").await?;
    let alias = ["get", "service", "-n", "rds", "orders", "-o", "jsonpath={.spec.type}"];
    ensure!(kubectl.ok(&alias).await? == "ExternalName", "no alias");

    // Its watches are there: what somebody takes away comes back at once, in both namespaces.
    inside.ok(&["delete", "secret", "orders.rds.app"]).await?;
    kubectl.ok(&["delete", "service", "-n", "rds", "orders"]).await?;
    eventually("the Secret and the alias to be back", async || {
        inside.ok(&["get", "secret", "orders.rds.app"]).await?;
        kubectl.ok(&alias).await
    })
    .await?;

    ensure!(outside.database("beside").await?.at("/metadata/finalizers").is_null(), "it works elsewhere too");
    counted(&replica, &["rds_reconciler_objects{state=\"ready\"} 1"]).await?;
    inside.delete("orders").await?;
    the_policy_in_aws_is_enough(&stack).await?;
    let refused: Vec<_> = replica.log()?.into_iter().filter(|line| line.to_string().contains("forbidden")).collect();
    ensure!(refused.is_empty(), "it asked for more than it may: {refused:?}");
    counted(&replica, &["rds_reconciler_objects{state=\"deleting\"} 0", "rds_reconciler_objects{state=\"ready\"} 0"])
        .await?;

    // Without the right to look at aliases nothing else is missing.
    kubectl.ok(&["delete", "rolebinding", "-n", "rds", "rds-reconciler-aliases"]).await?;
    may(kubectl, RECONCILER, &["get", "services", "-n", "rds"], false).await?;
    inside.apply("bare", "{users: {app: []}, databases: {orders: [app]}}").await?;
    let told = inside.ready("bare").await?.expect("AliasReady", "False")?;
    ensure!(told.reason == "ClusterUnavailable" && told.message.contains("forbidden"), "{told:?}");
    Ok(())
}

/// A reconciler for this namespace ends, and its log says why.
async fn ends_and_says_why(stack: &Stack, namespace: &str, why: &str) -> Result<()> {
    let flag = format!("--watch-namespace={namespace}");
    let prepared = stack.further_reconciler(&format!("watches-{namespace}")).await?;
    let process = Process::start(prepared.adjusted(|spec| spec.args([&flag])).spec.clone()).await?;
    eventually(&format!("a reconciler with {flag} to end"), async || {
        let log = std::fs::read_to_string(process.log())?;
        ensure!(log.contains(&format!("{flag}: {why}")), "{log}");
        Ok(())
    })
    .await
}

/// Waits until all of these are among the replica's metrics: it counts what its watch has seen.
async fn counted(replica: &Replica, wanted: &[&str]) -> Result<()> {
    eventually(&format!("the metrics {wanted:?}"), async || {
        let (_, metrics) = replica.get("metrics").await?;
        ensure!(wanted.iter().all(|line| metrics.lines().any(|found| found == *line)), "{metrics}");
        Ok(())
    })
    .await
}

/// A namespace where nobody works gets no new objects; what it has may be changed, and goes when somebody deletes it.
async fn only_what_is_there_stays(outside: &Scene<'_>) -> Result<()> {
    // A new policy takes a moment to be in force.
    eventually("the policy to be in force", async || {
        let create = ["create", "--dry-run=server", "-f", "-"];
        let tried = outside.kubectl().run_with_input(&create, &outside.manifest("new", "{}")).await?;
        let told = "works in the namespace 'inside' only";
        ensure!(!tried.success && tried.stderr.contains(told), "admitted where nobody works: {tried:?}");
        Ok(())
    })
    .await?;
    outside
        .ok(&["patch", "rds", "beside", "--type=merge", "-p", r#"{"spec": {"deletionPolicy": "Retain"}}"#])
        .await
        .map(drop)
}

/// What was asked of AWS from the creation to the final snapshot is what `manifests/aws/iam-policy.json` allows.
async fn the_policy_in_aws_is_enough(stack: &Stack) -> Result<()> {
    let policy: Value = serde_json::from_str(&std::fs::read_to_string(format!("{MANIFESTS}/aws/iam-policy.json"))?)?;
    let calls = stack.rds().counters().await?.calls;
    for action in ["CreateDBInstance", "DeleteDBInstance"] {
        ensure!(calls.contains_key(action), "no {action} among {calls:?}");
    }
    for action in calls.into_keys().filter(|action| action != "GetCallerIdentity") {
        let quoted = format!("\"rds:{action}\"");
        ensure!(policy["Statement"].to_string().contains(&quoted), "the policy does not allow rds:{action}");
    }
    Ok(())
}
