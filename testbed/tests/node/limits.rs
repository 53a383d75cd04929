//! What the Pods are allowed and what they use, as the kernel counts it.

use std::{io::Write as _, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use kube::api::PostParams;
use libtest_mimic::Trial;
use serde_json::{Map, Value, json};
use testbed::{
    eventually::eventually_within,
    node::{Container, Node, SELF_MANAGED},
    resource::databases,
};
use tokio::task::JoinSet;

use crate::world::{World, trial};

/// Creates at once.
const AT_ONCE: usize = 40;

/// What an API server takes of a request, less what is around it, in bytes (`limitRequestBody` is 3 MiB).
const MUCH: usize = 2_900_000;

/// Objects that the reconciler has to keep; `NODE_OBJECTS` says otherwise. A server of PostgreSQL stands behind each.
const OBJECTS: usize = 12;

/// From the first of them to the last that is Ready, for each.
const EACH: Duration = Duration::from_secs(20);

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "limits::containers_have_no_rights_that_nobody_gave_them", no_rights),
        trial(world, "limits::i13_the_heaviest_reviews_stay_within_the_webhooks_memory", heaviest_reviews),
        trial(world, "limits::many_objects_stay_within_the_reconcilers_memory", many_objects),
    ]
}

/// Not root, no capability, no way to get any, nothing to write to; and Pod Security refuses whoever asks for more.
async fn no_rights(world: &World) -> Result<()> {
    let node = world.operator(SELF_MANAGED).await?;
    for deployment in ["rds-webhook", "rds-reconciler"] {
        for container in node.containers(deployment).await? {
            for (line, wanted) in [
                ("Uid", "65532\t65532\t65532\t65532"),
                ("Gid", "65532\t65532\t65532\t65532"),
                ("CapEff", "0000000000000000"),
                ("CapPrm", "0000000000000000"),
                ("CapBnd", "0000000000000000"),
                ("NoNewPrivs", "1"),
                // A filter.
                ("Seccomp", "2"),
            ] {
                let found = container.status(line)?;
                ensure!(found == wanted, "{}: {line} is {found:?}", container.pod);
            }
            let root = container.root_mount()?;
            ensure!(root.split(',').any(|option| option == "ro"), "{}: its root is mounted {root}", container.pod);
        }
    }
    let pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "greedy", "namespace": "rds-system"},
        "spec": {"containers": [{"name": "greedy", "image": "postgres:18"}]},
    });
    let refused = node.kubectl().run_with_input(&["apply", "-f", "-"], &pod.to_string()).await?;
    ensure!(refused.stderr.contains("violates PodSecurity \"restricted"), "{}", refused.stderr);
    Ok(())
}

async fn heaviest_reviews(world: &World) -> Result<()> {
    let node = world.operator(SELF_MANAGED).await?;
    let before = reached(node).await?;
    let names = |count: usize| (0..count).map(|number| format!("{}{number:06}", "u".repeat(57)));
    let users = |count: usize| names(count).map(|name| (name, json!([]))).collect::<Map<String, Value>>();
    // As large as a request may be, which the schema refuses after /mutate; and as much as the schema admits, full of mistakes, for both.
    let large = json!({"users": users(MUCH / 70)});
    let strange: Map<String, Value> =
        (0..100).map(|number| (format!("database-{number}"), names(50).collect())).collect();
    let wrong = json!({"users": users(500), "databases": strange, "type": "Postgre", "size": "x".repeat(1000)});
    for spec in [large, wrong] {
        burst(node, &spec).await?;
    }
    let reached = reached(node).await? - before;
    ensure!(reached >= AT_ONCE as u64 / 2, "only {reached} reviews came to the webhook: this shows nothing");
    within_limits(node, "rds-webhook", &format!("{reached} of the heaviest reviews")).await
}

/// Creates at once, of which none is admitted. On a busy machine, with programs that are not optimized, an API server waits for some in vain.
async fn burst(node: &Node, spec: &Value) -> Result<()> {
    let mut burst = JoinSet::new();
    for number in 0..AT_ONCE {
        let api = databases(node.plane().client(), "default");
        let object = serde_json::from_value(json!({
            "apiVersion": "matrixmind.cloud/v1",
            "kind": "RDSDatabase",
            "metadata": {"name": format!("heavy-{number}"), "annotations": {"note": "n".repeat(200_000)}},
            "spec": spec,
        }))?;
        burst.spawn(async move { api.create(&PostParams { dry_run: true, field_manager: None }, &object).await });
    }
    for answer in burst.join_all().await {
        let refused = match answer {
            Ok(_) => bail!("it was admitted"),
            // Busy with so many of them, an API server closes a connection: how many have come, the webhook tells.
            Err(kube::Error::Service(_)) => continue,
            Err(refused) => refused.to_string(),
        };
        ensure!(refused.contains("is invalid") || refused.contains("failed calling webhook"), "{refused:.500}");
    }
    Ok(())
}

/// Reviews that have come to the webhook's Pods, whether or not somebody waited for the answer.
async fn reached(node: &Node) -> Result<u64> {
    let mut sum = 0;
    for Container { pod, .. } in node.containers("rds-webhook").await? {
        let path = format!("/api/v1/namespaces/rds-system/pods/{pod}:8080/proxy/metrics");
        let metrics = node.kubectl().ok(&["get", "--raw", &path]).await?;
        let counted = ["rds_webhook_requests_total{", "rds_webhook_http_errors_total{"];
        let counters = metrics.lines().filter(|line| counted.iter().any(|name| line.starts_with(name)));
        sum += counters.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>();
    }
    Ok(sum)
}

async fn many_objects(world: &World) -> Result<()> {
    let node = world.operator(SELF_MANAGED).await?;
    let objects = std::env::var("NODE_OBJECTS").map_or(Ok(OBJECTS), |text| text.parse()).context("NODE_OBJECTS")?;
    let kubectl = node.kubectl();
    kubectl.ok(&["create", "namespace", "many"]).await?;
    let manifest: String = (0..objects)
        .map(|number| {
            let spec = json!({"version": "17", "users": {"app": []}, "databases": {"orders": ["app"]}});
            let metadata = json!({"name": format!("db-{number}"), "namespace": "many"});
            let object =
                json!({"apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase", "metadata": metadata, "spec": spec});
            format!("---\n{object}\n")
        })
        .collect();
    kubectl.apply(&manifest).await?;
    let deadline = EACH * u32::try_from(objects)?;
    eventually_within(deadline, &format!("{objects} databases that are Ready"), async || {
        let ready = kubectl
            .ok(&[
                "get",
                "rds",
                "-n",
                "many",
                "-o",
                "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}",
            ])
            .await?;
        let ready = ready.split(' ').filter(|status| *status == "True").count();
        ensure!(ready == objects, "{ready} are");
        Ok(())
    })
    .await?;
    within_limits(node, "rds-reconciler", &format!("{objects} objects")).await?;
    kubectl.ok(&["delete", "namespace", "many", "--timeout=170s"]).await?;
    Ok(())
}

/// Nothing was killed or started again, and there was room left.
async fn within_limits(node: &Node, deployment: &str, under: &str) -> Result<()> {
    for container in node.containers(deployment).await? {
        let Container { pod, restarts, starved, .. } = &container;
        let memory = container.memory()?;
        let mib = |bytes: u64| bytes / (1 << 20);
        writeln!(
            std::io::stderr(),
            "{under}: {pod} may have {} MiB, has {} MiB, {} MiB at most with the pages of its files",
            mib(memory.limit),
            mib(memory.anonymous),
            mib(memory.peak)
        )?;
        // On a busy machine a leader may have lost its Lease, and have ended as it should.
        ensure!(memory.killed == 0 && !starved, "{pod}: {restarts} restarts, {memory:?}");
        ensure!(memory.anonymous < memory.limit * 3 / 4, "{pod}: {memory:?}");
    }
    Ok(())
}
