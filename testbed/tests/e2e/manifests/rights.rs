//! Who may do what, and under which constraints Pods run.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use testbed::{eventually::eventually, kubectl::Kubectl};

use super::{MANIFESTS, rendered};

const WEBHOOK: &str = "system:serviceaccount:rds-system:rds-webhook";
pub(super) const RECONCILER: &str = "system:serviceaccount:rds-system:rds-reconciler";

/// Whoever has `view`, `edit` or `admin` in a namespace has it for databases too; classes need the role in the whole cluster.
pub(super) async fn people(kubectl: &Kubectl) -> Result<()> {
    kubectl.ok(&["create", "namespace", "people"]).await?;
    for (user, role) in [("viewer", "view"), ("editor", "edit"), ("owner", "admin")] {
        let (role, subject) = (format!("--clusterrole={role}"), format!("--user={user}"));
        kubectl.ok(&["create", "rolebinding", "-n", "people", user, &role, &subject]).await?;
    }
    kubectl.ok(&["create", "clusterrolebinding", "auditor", "--clusterrole=view", "--user=auditor"]).await?;
    // What a controller of Service Bindings collects by this label.
    let binders = ["get", "clusterroles", "-l", "servicebinding.io/controller=true", "-o", "name"];
    let role = kubectl.ok(&binders).await?.replace("clusterrole.rbac.authorization.k8s.io/", "--clusterrole=");
    kubectl.ok(&["create", "clusterrolebinding", "binder", role.trim(), "--user=binder"]).await?;
    for (user, verb, resource, allowed) in [
        ("viewer", "watch", "rdsdatabases", true),
        ("viewer", "create", "rdsdatabases", false),
        ("viewer", "list", "rdsdatabaseclasses", false),
        ("editor", "get", "rdsdatabases", true),
        ("editor", "create", "rdsdatabases", true),
        ("editor", "delete", "rdsdatabases", true),
        ("editor", "deletecollection", "rdsdatabases", false),
        ("editor", "patch", "rdsdatabases/status", false),
        ("owner", "patch", "rdsdatabases", true),
        ("owner", "deletecollection", "rdsdatabases", true),
        ("owner", "create", "rdsdatabaseclasses", false),
        ("auditor", "list", "rdsdatabaseclasses", true),
        ("auditor", "update", "rdsdatabaseclasses", false),
        ("binder", "watch", "rdsdatabases", true),
        ("binder", "patch", "rdsdatabases/status", false),
    ] {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let resource = format!("{resource}.matrixmind.cloud");
        let subresource = format!("--subresource={subresource}");
        let place = if resource.contains("classes") { "--all-namespaces" } else { "--namespace=people" };
        may(kubectl, user, &[verb, &resource, &subresource, place], allowed).await?;
    }
    Ok(())
}

/// The reconciler may keep the leader's Lease, and none of the others.
pub(super) async fn the_reconciler_has_its_lease(kubectl: &Kubectl) -> Result<()> {
    const LEASES: &str = "leases.coordination.k8s.io";
    for (verb, name, allowed) in [
        ("create", "", true),
        ("get", "/rds-reconciler", true),
        ("update", "/rds-reconciler", true),
        ("delete", "/rds-reconciler", false),
        ("get", "/another", false),
        ("update", "/another", false),
    ] {
        may(kubectl, RECONCILER, &[verb, &format!("{LEASES}{name}"), "-n", "rds-system"], allowed).await?;
    }
    may(kubectl, RECONCILER, &["create", LEASES, "-n", "default"], false).await
}

/// The Pods of an overlay's Deployments, asked for in their own namespace. The API server warns of what `restricted` forbids.
pub(super) async fn pods_are_restricted(kubectl: &Kubectl, folder: &str) -> Result<()> {
    let rendered = kubectl.ok(&["kustomize", &format!("{MANIFESTS}/{folder}")]).await?;
    rendered_pods_are_restricted(kubectl, &rendered).await
}

/// The same for manifests that are rendered already.
pub(super) async fn rendered_pods_are_restricted(kubectl: &Kubectl, rendered: &str) -> Result<()> {
    let labels = kubectl.ok(&["get", "namespace", "rds-system", "-o", "jsonpath={.metadata.labels}"]).await?;
    ensure!(labels.contains(r#""pod-security.kubernetes.io/enforce":"restricted""#), "{labels}");
    let mut pods = 0;
    for ((kind, namespace, name), deployment) in rendered::objects(rendered)? {
        if kind != "Deployment" {
            continue;
        }
        let pod = pod(&namespace, &name, &deployment["spec"]["template"]);
        let args = ["create", "--dry-run=server", "-f", "-"];
        let created = kubectl.run_with_input(&args, &pod.to_string()).await?;
        ensure!(created.success && !created.stderr.contains("Warning:"), "{name}: {}", created.stderr);

        // The same Pod with one mistake, to see that somebody looks.
        let mut careless = pod;
        careless["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = json!(true);
        let created = kubectl.run_with_input(&args, &careless.to_string()).await?;
        ensure!(!created.success && created.stderr.contains("restricted"), "{name}: {created:?}");
        pods += 1;
    }
    ensure!(pods == 2, "{pods} Deployments");
    Ok(())
}

fn pod(namespace: &str, name: &str, template: &Value) -> Value {
    let mut metadata = template["metadata"].clone();
    metadata["namespace"] = json!(namespace);
    metadata["name"] = json!(name);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// With certificates by cert-manager it has no business with the API server.
pub(super) async fn the_webhook_has_none(kubectl: &Kubectl) -> Result<()> {
    for question in [
        &["get", "secrets", "-n", "rds-system"][..],
        &["list", "rdsdatabases.matrixmind.cloud", "--all-namespaces"],
        &["patch", "mutatingwebhookconfigurations.admissionregistration.k8s.io/rds-webhook"],
        &["get", "namespaces"],
    ] {
        may(kubectl, WEBHOOK, question, false).await?;
    }
    Ok(())
}

/// Making its own certificates, it may touch the one Secret and the two registrations, by name.
pub(super) async fn the_webhook_has_its_own_names(kubectl: &Kubectl) -> Result<()> {
    for verb in ["get", "patch"] {
        may(kubectl, WEBHOOK, &[verb, "secrets/rds-webhook-authority", "-n", "rds-system"], true).await?;
    }
    for kind in ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"] {
        let kind = format!("{kind}.admissionregistration.k8s.io");
        let (ours, other) = (format!("{kind}/rds-webhook"), format!("{kind}/another"));
        for verb in ["get", "patch"] {
            may(kubectl, WEBHOOK, &[verb, &ours], true).await?;
            may(kubectl, WEBHOOK, &[verb, &other], false).await?;
        }
        may(kubectl, WEBHOOK, &["delete", &ours], false).await?;
    }
    for question in [
        &["get", "secrets/rds-webhook-tls", "-n", "rds-system"][..],
        &["create", "secrets", "-n", "rds-system"],
        &["delete", "secrets/rds-webhook-authority", "-n", "rds-system"],
        &["get", "secrets/rds-webhook-authority", "-n", "default"],
    ] {
        may(kubectl, WEBHOOK, question, false).await?;
    }
    Ok(())
}

/// Asks the API server. A controller fills aggregated roles a moment after they are there.
pub(super) async fn may(kubectl: &Kubectl, who: &str, question: &[&str], allowed: bool) -> Result<()> {
    let args = [&["auth", "can-i"][..], question, &["--as", who]].concat();
    let answer = if allowed { "yes" } else { "no" };
    eventually(&format!("{who} {}: {answer}", question.join(" ")), async || {
        let output = kubectl.run(&args).await?;
        ensure!(output.stdout.trim() == answer, "{output:?}");
        Ok(())
    })
    .await
}
