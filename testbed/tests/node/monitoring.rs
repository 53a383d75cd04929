//! Prometheus scrapes both services and judges the shipped rules.
//!
//! A replica that it does not find, a label or a family of another name, and a rule that it cannot evaluate are seen here.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use testbed::{
    eventually::eventually,
    go_programs,
    kubectl::Kubectl,
    node::{Node, SELF_MANAGED},
    process::{Process, Spec},
    prometheus,
};
use tokio::process::Command;

use crate::{
    operator::workspace,
    world::{World, trial},
};

/// The component whose Services and rules are used. Its ServiceMonitor is for the prometheus-operator, which is not here.
const MONITORING: &str = "manifests/components/monitoring";

/// Where it answers, on the node.
const ADDRESS: &str = "127.0.0.1:9090";

/// The time of the local RDS goes a hundred times as fast as AWS's, and so does that of alerts.
const FASTER: u32 = 100;

/// What is raised: it asks for metrics of one Pod together, by the labels that Prometheus has given them.
const ALERT: &str = "RDSCloudUnreachable";

/// Families that have no sample before something has gone wrong.
const OF_FAULTS: [&str; 3] =
    ["rds_webhook_authority_errors_total", "rds_webhook_handshakes_failed_total", "rds_webhook_http_errors_total"];

/// What lets the services count and raises nothing: its owner has to mend it.
const DATABASE: &str = "{apiVersion: matrixmind.cloud/v1, kind: RDSDatabase, metadata: {name: watched, namespace: default}, spec: {type: MySQL}}";

/// A Prometheus's own account, with no more rights than prometheus.yaml asks for.
const ACCOUNT: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: prometheus, namespace: rds-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: prometheus, namespace: rds-system}
rules:
  - {apiGroups: [''], resources: [services, pods], verbs: [list, watch]}
  - {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: prometheus, namespace: rds-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: prometheus}
subjects: [{kind: ServiceAccount, name: prometheus, namespace: rds-system}]
";

pub(crate) fn trials(world: &Arc<World>) -> Vec<Trial> {
    vec![trial(world, "monitoring::an_alert_fires_and_resolves", async |world| {
        let node = world.operator(SELF_MANAGED).await?;
        let services = services()?;
        node.kubectl().apply(&services).await?;
        node.kubectl().apply(ACCOUNT).await?;
        let prometheus = Prometheus::start(node, &world.folder("prometheus")?).await?;
        let seen = watched(node, &prometheus).await;
        prometheus.stop().await?;
        for manifest in [ACCOUNT, &services] {
            node.kubectl().run_with_input(&["delete", "-f", "-"], manifest).await?;
        }
        seen
    })]
}

/// Builds it: a node has nowhere to fetch it from.
pub(crate) async fn ensure_prometheus() -> Result<()> {
    go_programs::build_also("prometheus", &["prometheus"]).await.map(drop)
}

async fn watched(node: &Node, prometheus: &Prometheus) -> Result<()> {
    let kubectl = node.kubectl();
    eventually("both services, each replica of them", async || {
        // Those that an earlier rollout ended may not be gone yet.
        let replicas = replicas(kubectl).await?;
        ensure!(replicas.len() == 3, "{replicas:?}");
        let up = prometheus.ask("up == 1").await?;
        let up: BTreeSet<_> = up.iter().map(|one| (one.label("job"), one.label("pod"))).collect();
        ensure!(up == replicas, "up are {up:?} of {replicas:?}");
        Ok(())
    })
    .await?;
    kubectl.apply(DATABASE).await?;
    eventually("every rule to be evaluated, and what it asks for to be there", async || prometheus.judges_all().await)
        .await?;
    let firing = prometheus.firing().await?;
    ensure!(firing.is_empty(), "although nothing is wrong, {firing:?}");
    kubectl.ok(&["delete", "-n", "default", "rds/watched", "--timeout=60s"]).await?;

    let cut = Cut::between(node).await?;
    let fires = fires(kubectl, prometheus).await;
    cut.mend().await?;
    fires?;
    eventually("the alert to be over", async || {
        let firing = prometheus.firing().await?;
        ensure!(!firing.contains(ALERT), "firing are {firing:?}");
        Ok(())
    })
    .await?;
    // It is not over because nobody is asked any more.
    ensure!(!prometheus.ask("rds_reconciler_cloud_ready == 1").await?.is_empty(), "nobody has the cloud");
    node.works().await
}

/// The alert, once a reconciler starts that has no way to the cloud.
async fn fires(kubectl: &Kubectl, prometheus: &Prometheus) -> Result<()> {
    // The one that starts anew asks at once, and from then on every ten seconds; one that has an answer would ask again in two minutes.
    kubectl.ok(&["delete", "pod", "-n", "rds-system", "-l", "app.kubernetes.io/name=rds-reconciler"]).await?;
    eventually("the alert", async || {
        let firing = prometheus.firing().await?;
        ensure!(firing.contains(ALERT), "firing are {firing:?}");
        Ok(())
    })
    .await
}

/// The shipped Services by which Prometheus finds replicas.
fn services() -> Result<String> {
    let shipped = fs::read_to_string(workspace(&format!("{MONITORING}/scrape.yaml")))?;
    let services: Vec<&str> = shipped.split("\n---\n").filter(|one| one.contains("\nkind: Service\n")).collect();
    ensure!(services.len() == 2, "{} Services", services.len());
    Ok(services.join("\n---\n"))
}

/// Service and name of each Pod that runs.
async fn replicas(kubectl: &Kubectl) -> Result<BTreeSet<(String, String)>> {
    let columns =
        r#"jsonpath={range .items[*]}{.metadata.labels.app\.kubernetes\.io/name} {.metadata.name}{"\n"}{end}"#;
    let pods = kubectl.ok(&["get", "pods", "-n", "rds-system", "-o", columns]).await?;
    Ok(pods.lines().filter_map(|line| line.split_once(' ')).map(|(job, pod)| (job.into(), pod.into())).collect())
}

/// No packet reaches the cloud; who tries is told so.
struct Cut(String);

impl Cut {
    async fn between(node: &Node) -> Result<Self> {
        let cloud = node.rds().address();
        let cut = Self(format!(
            "INPUT --protocol tcp --destination {} --dport {} --jump REJECT --reject-with tcp-reset",
            cloud.ip(),
            cloud.port()
        ));
        cut.rule("--insert").await?;
        Ok(cut)
    }

    async fn mend(self) -> Result<()> {
        self.rule("--delete").await
    }

    async fn rule(&self, action: &str) -> Result<()> {
        let output = Command::new("iptables").arg(action).args(self.0.split(' ')).output().await?;
        ensure!(output.status.success(), "iptables: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }
}

/// A sample that Prometheus answers with.
#[derive(Deserialize)]
struct Sample {
    metric: BTreeMap<String, String>,
}

impl Sample {
    fn label(&self, name: &str) -> String {
        self.metric.get(name).cloned().unwrap_or_default()
    }
}

/// A Prometheus that runs on the node.
struct Prometheus {
    process: Process,
    rules: String,
}

impl Prometheus {
    /// Starts it with the shipped configuration, faster.
    async fn start(node: &Node, folder: &Path) -> Result<Self> {
        let program = go_programs::build_also("prometheus", &["prometheus"]).await?.join("prometheus");
        let account = node.plane().service_account_kubeconfig("rds-system", "prometheus").await?;
        fs::copy(account, folder.join("kubeconfig"))?;
        let rules = prometheus::rules(&fs::read_to_string(workspace(&format!("{MONITORING}/alerts.yaml")))?)?;
        fs::write(folder.join("rules.yaml"), faster(&rules)?)?;
        let shipped = fs::read_to_string(workspace("testbed/node/prometheus.yaml"))?;
        ensure!(shipped.matches(": 30s").count() == 2 && shipped.contains(": 10s"), "other intervals than thought");
        let config = folder.join("prometheus.yaml");
        fs::write(&config, shipped.replace(": 30s", ": 1s").replace(": 10s", ": 1s"))?;
        let spec = Spec::new("prometheus", program, node.logs()).args([
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("data").display()),
            format!("--web.listen-address={ADDRESS}"),
        ]);
        Ok(Self { process: Process::start(spec).await?, rules })
    }

    /// The samples of an expression, at this moment.
    async fn ask(&self, expression: &str) -> Result<Vec<Sample>> {
        let query = utf8_percent_encode(expression, NON_ALPHANUMERIC);
        let answer = self.get(&format!("query?query={query}")).await?;
        Ok(serde_json::from_value(answer["data"]["result"].clone())?)
    }

    async fn get(&self, what: &str) -> Result<Value> {
        let answer = reqwest::get(format!("http://{ADDRESS}/api/v1/{what}")).await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }

    /// The alerts that fire.
    async fn firing(&self) -> Result<BTreeSet<String>> {
        let alerts = self.ask(r#"ALERTS{alertstate="firing"}"#).await?;
        Ok(alerts.iter().map(|alert| alert.label("alertname")).collect())
    }

    /// Each shipped rule has been evaluated without an error, and each family that it asks for has a sample.
    async fn judges_all(&self) -> Result<()> {
        let loaded = self.get("rules").await?;
        let groups = loaded["data"]["groups"].as_array().into_iter().flatten();
        let rules: Vec<&Value> = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten()).collect();
        let shipped = self.rules.matches("alert: ").count();
        ensure!(rules.len() == shipped, "{} of {shipped} rules are loaded", rules.len());
        let ill: Vec<&&Value> = rules.iter().filter(|rule| rule["health"] != "ok").collect();
        ensure!(ill.is_empty(), "{ill:?}");
        let mut missing = BTreeSet::new();
        for name in families(&self.rules).difference(&OF_FAULTS.map(str::to_owned).into()) {
            if self.ask(name).await?.is_empty() {
                missing.insert(name.clone());
            }
        }
        ensure!(missing.is_empty(), "nobody shows {missing:?}");
        Ok(())
    }

    async fn stop(mut self) -> Result<()> {
        self.process.check()?;
        self.process.stop(Duration::from_secs(10)).await?;
        Ok(())
    }
}

/// The families of the operator that expressions ask for.
fn families(rules: &str) -> BTreeSet<String> {
    let words = rules.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words
        .filter(|word| ["rds_webhook_", "rds_reconciler_"].iter().any(|own| word.starts_with(own)))
        .map(Into::into)
        .collect()
}

/// The rules, each of which waits for a hundredth of its time.
fn faster(rules: &str) -> Result<String> {
    let mut rules: Value = serde_yaml_ng::from_str(rules)?;
    for group in rules["groups"].as_array_mut().context("no groups")? {
        for rule in group["rules"].as_array_mut().context("no rules")? {
            let waits = rule["for"].as_str().context("an alert that waits for nothing")?;
            let seconds: u32 = match waits.split_at_checked(waits.len() - 1) {
                Some((minutes, "m")) => minutes.parse::<u32>()? * 60,
                Some((hours, "h")) => hours.parse::<u32>()? * 3600,
                _ => return Err(anyhow::anyhow!("{waits}")),
            };
            rule["for"] = format!("{}ms", seconds * 1000 / FASTER).into();
        }
    }
    // JSON is YAML.
    Ok(rules.to_string())
}
