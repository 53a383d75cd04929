//! `manifests/examples/application.yaml`: a cluster takes it, and what it mounts is what the clients here are given.

use anyhow::{Context, Result, ensure};
use serde::Deserialize as _;
use serde_yaml_ng::Value;

use crate::{scene::Scene, world::World};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples");

pub(super) async fn is_admitted_and_mounts_the_binding(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "example-application").await?;
    scene.ok(&["label", "namespace", &scene.namespace, "pod-security.kubernetes.io/enforce=restricted"]).await?;
    let (orders, application) = (example("orders.yaml", "RDSDatabase")?, example("application.yaml", "Deployment")?);
    ensure!(orders["metadata"]["namespace"] == application["metadata"]["namespace"], "they are in two namespaces");

    let template = &application["spec"]["template"];
    let pod = as_pod(template, &scene.namespace);
    let create = ["create", "--dry-run=server", "-f", "-"];
    let admitted = scene.kubectl().run_with_input(&create, &pod).await?;
    ensure!(admitted.success, "{}", admitted.stderr);
    // Only a namespace that refuses something has admitted it.
    let mut careless = template.clone();
    careless["spec"]["containers"][0]["securityContext"] = Value::Null;
    let refused = scene.kubectl().run_with_input(&create, &as_pod(&careless, &scene.namespace)).await?;
    ensure!(refused.stderr.contains("violates PodSecurity"), "{refused:?}");

    let name = orders["metadata"]["name"].as_str().context("no name")?;
    scene.apply(name, &serde_json::to_string(&orders["spec"])?).await?;
    let binding = scene.ready(name).await?.at("/status/binding/name").as_str().map(str::to_owned);
    let (spec, container) = (&template["spec"], &template["spec"]["containers"][0]);
    ensure!(spec["volumes"][0]["secret"]["secretName"].as_str() == binding.as_deref(), "the binding is {binding:?}");

    let variable = |name: &str| {
        let found = container["env"].as_sequence().into_iter().flatten().find(|variable| variable["name"] == name);
        found.and_then(|variable| variable["value"].as_str()).with_context(|| format!("no {name}"))
    };
    let folder = container["volumeMounts"][0]["mountPath"].as_str().context("no mount")?;
    ensure!(folder == format!("{}/orders", variable("SERVICE_BINDING_ROOT")?), "{folder}");
    ensure!(variable("PGSSLROOTCERT")? == format!("{folder}/root.crt"), "{folder}");
    Ok(())
}

/// The object of a kind in an example.
fn example(file: &str, kind: &str) -> Result<Value> {
    let text = std::fs::read_to_string(format!("{EXAMPLES}/{file}"))?;
    let documents = serde_yaml_ng::Deserializer::from_str(&text).map(Value::deserialize);
    let objects: Vec<Value> = documents.collect::<Result<_, _>>().with_context(|| file.to_owned())?;
    objects.into_iter().find(|object| object["kind"] == kind).with_context(|| format!("{file} has no {kind}"))
}

/// The Pod of a template, in this namespace.
fn as_pod(template: &Value, namespace: &str) -> String {
    let metadata = serde_json::json!({"name": "application", "namespace": namespace});
    let pod = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]});
    pod.to_string()
}
