//! Alerts and dashboard ask for what the services really show.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result, anyhow, ensure};
use kube::client::Body;
use promql_parser::{
    label::Matcher,
    parser::{self, Expr, LabelModifier, VectorSelector},
    util::{ExprVisitor, walk_expr},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;

use testbed::{controlplane::pki::Authority, eventually::eventually, go_programs, prometheus};
use tokio::process::Command;

use super::{Empty, MANIFESTS, SelfManaged, install};
use crate::{replica::page_of, scene::Scene, world::World};

/// Labels that Prometheus itself gives to what it scrapes from Pods, and to buckets.
const LABELS_OF_PROMETHEUS: [&str; 5] = ["job", "namespace", "pod", "instance", "le"];

/// A metric, with the labels that its samples have.
type Metrics = BTreeMap<String, BTreeSet<String>>;

pub(super) async fn what_is_asked_for_is_there(world: &World) -> Result<()> {
    let stack = world.stack().await?;
    let scene = Scene::new(&stack, "watched").await?;
    // A family without a sample is not shown: each must have been needed once. Bytes that are no request are an HTTP error.
    scene.apply("orders", "{users: {app: []}, databases: {orders: [app]}}").await?;
    scene.ready("orders").await?;
    // One that is not Ready, for as long as it takes.
    scene.apply("mysql", "{type: MySQL}").await?;
    no_review(stack.webhook_url(), &stack.webhook_ca()).await?;
    let stranger = Authority::new("nobody's")?;
    let path = stack.dir().join("stranger.crt");
    std::fs::write(&path, stranger.certificate())?;
    ensure!(no_review(stack.webhook_url(), &path).await.is_err(), "a stranger's authority is good too");
    let empty = Empty::start(world).await?;
    install(empty.kubectl(), "overlays/self-managed", &[]).await?;
    let self_managed = SelfManaged::start(&empty).await?;
    let admins = [stack.webhook_admin(), stack.reconciler_admin(), &self_managed.admin];
    for admin in &admins[..2] {
        each_form_is_had(admin).await?;
    }
    // Some of it is counted when the one who caused it has already gone on.
    let forgotten = eventually("all that is asked for to be shown", async || forgotten(&shown(&admins).await?)).await?;
    drop(self_managed);
    empty.stop().await?;
    ensure!(forgotten.is_empty(), "neither dashboard nor alerts look at {forgotten:?}");
    scene.delete("mysql").await?;
    scene.delete("orders").await
}

/// Lets promtool judge the alerts. See `testbed/prometheus/alerts.yaml`.
pub(super) async fn alerts_fire_as_tested(_: &World) -> Result<()> {
    let promtool = go_programs::build("prometheus").await?.join("promtool");
    let object = std::fs::read_to_string(format!("{MANIFESTS}/components/monitoring/alerts.yaml"))?;
    let cases = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/prometheus/alerts.yaml"))?;
    let folder = tempfile::tempdir()?;
    let rules = prometheus::rules(&object)?;
    std::fs::write(folder.path().join("rules.yaml"), &rules)?;
    let tests = folder.path().join("tests.yaml");
    std::fs::write(&tests, prometheus::tests("rules.yaml", &rules, &cases)?)?;
    let output = Command::new(promtool).args(["test", "rules"]).arg(tests).kill_on_drop(true).output().await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    Ok(())
}

/// Prometheus 3 asks for OpenMetrics, many others for what Prometheus 1 wrote.
async fn each_form_is_had(admin: &str) -> Result<()> {
    const OPEN: &str = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
    for (accept, kind, counter) in [
        (OPEN, "application/openmetrics-text; version=1.0.0", "build info"),
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4", "build_info gauge"),
    ] {
        let request = reqwest::Client::new().get(format!("{admin}/metrics")).header("accept", accept);
        let answer = request.send().await?;
        let given = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        ensure!(given.starts_with(kind), "{accept}: {given}");
        let text = answer.text().await?;
        let told = text.lines().any(|line| line.starts_with("# TYPE rds_") && line.ends_with(counter));
        ensure!(told, "{accept}: {text}");
    }
    Ok(())
}

/// What these services show, and what Prometheus itself does.
async fn shown(admins: &[&str]) -> Result<Metrics> {
    let mut shown = Metrics::from([("up".to_owned(), BTreeSet::new())]);
    for admin in admins {
        let (status, text) = page_of(admin, "metrics").await?;
        ensure!(status == 200, "{status}: {text}");
        for (metric, labels) in metrics(&text) {
            shown.entry(metric).or_default().extend(labels);
        }
    }
    Ok(shown)
}

/// What is shown and never looked at: noise, or forgotten. An error where something is asked for that nobody shows.
fn forgotten(shown: &Metrics) -> Result<Vec<String>> {
    let mut asked = BTreeSet::new();
    for (place, expression) in expressions()? {
        let expression = expression.replace("$__rate_interval", "5m");
        let parsed = parser::parse(&expression).map_err(|why| anyhow!("{place}: {expression}: {why}"))?;
        let mut questions = Questions::default();
        walk_expr(&mut questions, &parsed)?;
        ensure!(!questions.metrics.is_empty(), "{place} asks for nothing: {expression}");
        for (metric, labels) in questions.metrics {
            let known = shown.get(&metric).with_context(|| format!("{place}: nobody shows {metric}"))?;
            for label in labels.iter().chain(&questions.grouped) {
                let good = known.contains(label) || LABELS_OF_PROMETHEUS.contains(&label.as_str());
                ensure!(good, "{place}: {metric} has no label {label}, but {known:?}");
            }
            asked.insert(metric);
        }
    }
    let own = shown.keys().filter(|metric| !metric.ends_with("_sum") && !metric.ends_with("_count"));
    Ok(own.filter(|metric| !asked.contains(*metric)).cloned().collect())
}

/// Sends what no API server sends.
async fn no_review(url: &str, ca: &Path) -> Result<()> {
    let mut config = kube::Config::new(url.parse()?);
    config.root_cert = Some(vec![CertificateDer::from_pem_file(ca)?.to_vec()]);
    let request = http::Request::post("/mutate").body(Body::from(b"no review".to_vec()))?;
    let answer = kube::Client::try_from(config)?.send(request).await?;
    ensure!(answer.status().is_client_error(), "{}", answer.status());
    Ok(())
}

/// What an expression asks for.
#[derive(Default)]
struct Questions {
    metrics: Vec<(String, Vec<String>)>,
    grouped: Vec<String>,
}

impl Questions {
    fn selector(&mut self, selector: &VectorSelector) -> Result<()> {
        let name = selector.name.clone().context("a selector without a name")?;
        let labels = selector.matchers.matchers.iter().map(|Matcher { name, .. }| name.clone()).collect();
        self.metrics.push((name, labels));
        Ok(())
    }
}

impl ExprVisitor for Questions {
    type Error = anyhow::Error;

    fn pre_visit(&mut self, expression: &Expr) -> Result<bool> {
        match expression {
            Expr::VectorSelector(selector) => self.selector(selector)?,
            Expr::MatrixSelector(selector) => self.selector(&selector.vs)?,
            Expr::Aggregate(aggregate) => {
                if let Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) = &aggregate.modifier {
                    self.grouped.extend(labels.labels.iter().cloned());
                }
            }
            _ => {}
        }
        Ok(true)
    }
}

/// Where each expression stands, and the expression.
fn expressions() -> Result<Vec<(String, String)>> {
    let folder = format!("{MANIFESTS}/components/monitoring");
    let rules: Value = serde_yaml_ng::from_str(&std::fs::read_to_string(format!("{folder}/alerts.yaml"))?)?;
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(format!("{folder}/dashboard.json"))?)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for rule in list(&rules["spec"]["groups"]).iter().flat_map(|group| list(&group["rules"])) {
        for word in ["summary", "description", "runbook"] {
            ensure!(!text(&rule["annotations"][word]).is_empty(), "{} has no {word}", rule["alert"]);
        }
        found.push((text(&rule["alert"]), text(&rule["expr"])));
    }
    ensure!(!found.is_empty(), "no alerts");
    let alerts = found.len();
    for panel in list(&dashboard["panels"]) {
        found.extend(list(&panel["targets"]).iter().map(|target| (text(&panel["title"]), text(&target["expr"]))));
    }
    ensure!(found.len() > alerts, "no panels");
    Ok(found)
}

/// Names and labels of the samples of a page of metrics.
fn metrics(page: &str) -> Metrics {
    let mut found = Metrics::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or(line.len()));
        let labels = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(labels, _)| labels);
        let keys = labels.split("\",").filter_map(|pair| pair.split_once('=')).map(|(key, _)| key.to_owned());
        found.entry(name.to_owned()).or_default().extend(keys);
    }
    found
}
