//! The operator on the node: each way to install it as it is shipped, from nothing to a database that an application is logged in to.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use testbed::{
    certmanager::{CertManager, Certificate},
    eventually::eventually,
    helm::Helm,
    kubectl::Kubectl,
    load::Load,
    node::{Node, SELF_MANAGED},
};

use crate::world::{World, trial};

/// As [`SELF_MANAGED`], with cert-manager.
const CERT_MANAGER: &str = "testbed/node/cert-manager";

/// The chart, and the values that make of it what [`SELF_MANAGED`] is.
const CHART: &str = "manifests/helm/rds-operator";
const VALUES: &str = "testbed/node/values.yaml";

/// What `docs/install.md` has people set on a namespace that is not from the manifests.
const RESTRICTED: &str = "pod-security.kubernetes.io/enforce=restricted";

/// All that belongs to the operator and to no namespace, but for what an uninstalled release leaves.
const OF_THE_CLUSTER: &str = "mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,\
    validatingadmissionpolicybindings,clusterroles,clusterrolebindings";

/// From the apply to a database that is Ready.
const READY: &str = "--timeout=170s";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![
        trial(world, "operator::cert_manager_signs_and_renews_under_load", cert_manager),
        trial(world, "operator::the_chart_comes_and_goes", chart),
        // The last one: the trials of other files go on with it.
        trial(world, "operator::the_self_managed_overlay_brings_a_database_up", async |world| {
            let node = world.operator(SELF_MANAGED).await?;
            an_application_logs_in(node.kubectl()).await
        }),
    ]
}

/// cert-manager gives the Service its certificate. Another one reaches both replicas through kubelet, and no request sees a wrong one.
async fn cert_manager(world: &World) -> Result<()> {
    let node = world.without_operator().await?;
    let kubectl = node.kubectl();
    let issuer = CertManager::start(node.plane(), node.logs()).await?;
    node.install(CERT_MANAGER).await?;
    an_application_can_log_in(kubectl).await?;

    let certificate = Certificate::new(kubectl, "rds-webhook");
    let (revision, shown) = (certificate.revision().await?, not_after(kubectl).await?);
    let load = Load::start(&node.plane().client(), "shop");
    certificate.renew().await?;
    eventually("another certificate", async || {
        let now = certificate.revision().await?;
        ensure!(now > revision, "it is still revision {now}");
        Ok(())
    })
    .await?;
    // kubelet looks at a Pod that is changed at once, and at others about once a minute.
    let changed = format!("testbed/revision={revision}");
    let pods = ["annotate", "pods", "-n", "rds-system", "-l", "app.kubernetes.io/name=rds-webhook", &changed];
    kubectl.ok(&pods).await?;
    eventually("another certificate in each replica", async || {
        let now = not_after(kubectl).await?;
        ensure!(now.len() == 2 && now.iter().all(|one| shown.iter().all(|old| one > old)), "{shown:?}, now {now:?}");
        Ok(())
    })
    .await?;
    // Each burst makes connections, which see the new certificate.
    load.sent(load.count() + 200).await?;
    load.stop().await?.without_failure("a certificate of cert-manager was renewed")?;
    issuer.stop().await
}

/// When the certificates end that the replicas of the webhook show, in seconds since 1970.
async fn not_after(kubectl: &Kubectl) -> Result<Vec<f64>> {
    let path = "jsonpath={.items[*].status.podIP}";
    let args = ["get", "pods", "-n", "rds-system", "-l", "app.kubernetes.io/name=rds-webhook", "-o", path];
    let mut all = Vec::new();
    for address in kubectl.ok(&args).await?.split_whitespace() {
        let metrics = reqwest::get(format!("http://{address}:8080/metrics")).await?.text().await?;
        let line = metrics.lines().find_map(|line| line.strip_prefix("rds_webhook_cert_not_after_seconds "));
        all.push(line.context("no rds_webhook_cert_not_after_seconds")?.parse()?);
    }
    Ok(all)
}

/// `helm upgrade --install` as docs/install.md has it, and `helm uninstall` when the objects are gone.
async fn chart(world: &World) -> Result<()> {
    let node = world.without_operator().await?;
    let kubectl = node.kubectl();
    let helm = Helm::new(&node.logs().with_file_name("helm")).await?;
    let kubeconfig = kubectl.kubeconfig().to_str().context("the kubeconfig's path is not UTF-8")?;
    let release = ["rds-operator", "--namespace=rds-system", "--kubeconfig", kubeconfig];
    let (chart, values) = (workspace(CHART), workspace(VALUES));
    let install = ["--create-namespace", "--values", &values];
    helm.ok(&[&["upgrade", "--install"][..], &release, &[&chart], &install].concat()).await?;
    kubectl.ok(&["label", "namespace", "rds-system", RESTRICTED]).await?;
    node.trust_local_rds().await?;
    node.works().await?;
    an_application_can_log_in(kubectl).await?;

    remove_objects(kubectl).await?;
    helm.ok(&[&["uninstall"][..], &release].concat()).await?;
    let ours = ["-l", "app.kubernetes.io/part-of=rds-operator", "-o", "name"];
    let left = kubectl.ok(&[&["get", OF_THE_CLUSTER][..], &ours].concat()).await?;
    ensure!(left.is_empty(), "helm has left {left}");
    let crds = kubectl.ok(&[&["get", "crds,namespaces"][..], &ours].concat()).await?;
    let kept = ["rdsdatabaseclasses.matrixmind.cloud", "rdsdatabases.matrixmind.cloud", "namespace/rds"];
    ensure!(kept.iter().all(|one| crds.contains(one)) && crds.lines().count() == kept.len(), "there are {crds}");
    Ok(())
}

/// Applies a kustomization, wherever it lies.
pub(crate) async fn apply(kubectl: &Kubectl, folder: &str) -> Result<()> {
    kubectl.ok(&["apply", "--server-side", "-k", folder]).await?;
    Ok(())
}

/// Removes it, however it was installed, in the order of docs/install.md, whose own commands `readme` runs: objects, operator, CRDs.
pub(crate) async fn remove(node: &Node) -> Result<()> {
    let kubectl = node.kubectl();
    remove_objects(kubectl).await?;
    let ours = ["-l", "app.kubernetes.io/part-of=rds-operator"];
    delete(kubectl, "mutatingwebhookconfigurations,validatingwebhookconfigurations", &ours).await?;
    // A namespace waits for the longest grace of a Pod in it, and not for the Pod: those go before.
    delete(kubectl, "deployments", &["-n", "rds-system", "--all"]).await?;
    kubectl.ok(&["wait", "--for=delete", "pods", "-n", "rds-system", "--all", "--timeout=60s"]).await?;
    delete(kubectl, "namespaces", &["rds-system", "rds"]).await?;
    delete(kubectl, "validatingadmissionpolicybindings,validatingadmissionpolicies", &ours).await?;
    delete(kubectl, "clusterrolebindings,clusterroles", &ours).await?;
    delete(kubectl, "rolebindings,roles", &["-A", ours[0], ours[1]]).await?;
    delete(kubectl, "crds", &ours).await
}

async fn delete(kubectl: &Kubectl, what: &str, which: &[&str]) -> Result<()> {
    kubectl.ok(&[&["delete", what, "--ignore-not-found", "--timeout=170s"][..], which].concat()).await?;
    Ok(())
}

/// Removes all objects while the operator runs, and the example's namespace with its application and its Secrets.
async fn remove_objects(kubectl: &Kubectl) -> Result<()> {
    if !kubectl.ok(&["get", "crd", "rdsdatabases.matrixmind.cloud", "--ignore-not-found"]).await?.is_empty() {
        kubectl.ok(&["delete", "rds", "-A", "--all", "--timeout=170s"]).await?;
    }
    // The application is a shell in a loop, which would use up its whole grace.
    kubectl.ok(&["delete", "deployments,replicasets", "-n", "shop", "--all", "--cascade=orphan"]).await?;
    kubectl.ok(&["delete", "pods", "-n", "shop", "--all", "--grace-period=1"]).await?;
    delete(kubectl, "namespaces", &["shop"]).await
}

/// A path of the workspace.
pub(crate) fn workspace(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// The example's database becomes Ready, and the example's application logs in with nothing but its Secret.
pub(crate) async fn an_application_logs_in(kubectl: &Kubectl) -> Result<()> {
    an_application_runs(kubectl).await?;
    eventually("an application that is logged in", async || {
        let said = kubectl.ok(&["logs", "-n", "shop", "deployment/orders-application"]).await?;
        let answer = said.lines().find(|line| line.contains('|') && line.contains("orders"));
        let answer = answer.with_context(|| format!("it said {said:?}"))?;
        ensure!(answer.trim().starts_with("app"), "{said}");
        Ok(())
    })
    .await
}

/// As [`an_application_logs_in`], without waiting for the minute after which it does so by itself.
pub(crate) async fn an_application_can_log_in(kubectl: &Kubectl) -> Result<()> {
    an_application_runs(kubectl).await?;
    let answer = ask(kubectl, "SELECT session_user, current_database()").await?;
    ensure!(answer == "app|orders", "it is logged in as {answer}");
    Ok(())
}

/// The example's database is Ready, and the example's application has started.
pub(crate) async fn an_application_runs(kubectl: &Kubectl) -> Result<()> {
    kubectl.ok(&["apply", "-f", &workspace("manifests/examples/orders.yaml")]).await?;
    kubectl.ok(&["label", "namespace", "shop", "--overwrite", RESTRICTED]).await?;
    kubectl.ok(&["wait", "-n", "shop", "rds/orders", "--for=condition=Ready", READY]).await?;
    kubectl.ok(&["apply", "-f", &workspace("manifests/examples/application.yaml")]).await?;
    kubectl.ok(&["rollout", "status", "-n", "shop", "deployment/orders-application", "--timeout=60s"]).await?;
    Ok(())
}

/// What the server answers the application, which has nothing but the files of its Secret.
pub(crate) async fn ask(kubectl: &Kubectl, sql: &str) -> Result<String> {
    ask_with(kubectl, "$(cat sslmode)", sql).await
}

/// As [`ask`], with an `sslmode` for a Secret that has none.
pub(crate) async fn ask_with(kubectl: &Kubectl, sslmode: &str, sql: &str) -> Result<String> {
    let login = format!(
        r#"cd /bindings/orders && PGPASSWORD=$(cat password) exec psql --quiet --no-psqlrc -At -c "$0" \
        "host=$(cat host) port=$(cat port) user=$(cat username) dbname=$(cat database) sslmode={sslmode}""#
    );
    let args = ["exec", "-n", "shop", "deployment/orders-application", "--", "sh", "-c", &login, sql];
    Ok(kubectl.ok(&args).await?.trim().to_owned())
}
