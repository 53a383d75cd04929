//! What Prometheus's own programs read: alerts as the operator ships them, and what raises which of them as tests for promtool.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

/// All alerts that fire, each once. promtool's own question asks for one alert by name, and nobody would see another one that wakes somebody.
const FIRING: &str = r#"group by (alertname) (ALERTS{alertstate="firing"})"#;

/// Prometheus evaluates rules this often, unless it is told otherwise. Samples stand as far apart.
const STEP: &str = "1m";

/// The file of rules that is in a `PrometheusRule`.
///
/// # Errors
/// When there is none.
pub fn rules(object: &str) -> Result<String> {
    let object: serde_yaml_ng::Value = serde_yaml_ng::from_str(object)?;
    let spec = object.get("spec").context("a PrometheusRule without a spec")?;
    Ok(serde_yaml_ng::to_string(spec)?)
}

/// What raises which alerts: `testbed/prometheus/alerts.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    /// What every test starts from; its own series replace those of the same name.
    healthy: BTreeMap<String, String>,
    tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    series: BTreeMap<String, String>,
    at: String,
    fire: BTreeSet<String>,
}

/// The file of tests that promtool runs on a file of rules, `rules_file`, which has the text `rules`.
///
/// # Errors
/// When there is no test, or none that lets one of the alerts fire.
pub fn tests(rules_file: &str, rules: &str, cases: &str) -> Result<String> {
    let Cases { healthy, tests } = serde_yaml_ng::from_str(cases)?;
    ensure!(!tests.is_empty(), "no tests");
    let fired: BTreeSet<&str> = tests.iter().flat_map(|case| &case.fire).map(String::as_str).collect();
    let alerts = alerts(rules)?;
    let untried: Vec<_> = alerts.iter().filter(|alert| !fired.contains(alert.as_str())).collect();
    ensure!(untried.is_empty(), "no test lets {untried:?} fire");
    let tests: Vec<Value> = tests.into_iter().map(|case| case.for_promtool(&healthy)).collect();
    // JSON is YAML whose strings stay strings: 0x240 is no number.
    Ok(json!({"rule_files": [rules_file], "evaluation_interval": STEP, "tests": tests}).to_string())
}

impl Case {
    fn for_promtool(self, healthy: &BTreeMap<String, String>) -> Value {
        let mut all = healthy.clone();
        all.extend(self.series);
        let series: Vec<Value> =
            all.into_iter().map(|(series, values)| json!({"series": series, "values": values})).collect();
        let fire: Vec<Value> =
            self.fire.iter().map(|alert| json!({"labels": format!("{{alertname={alert:?}}}"), "value": 1})).collect();
        json!({
            "name": self.name,
            "interval": STEP,
            "input_series": series,
            // promtool repeats the expression where it fails, and nothing else that would tell the tests apart.
            "promql_expr_test": [{"expr": format!("{FIRING} # {}", self.name), "eval_time": self.at, "exp_samples": fire}],
        })
    }
}

/// The names of all alerts in a file of rules.
fn alerts(rules: &str) -> Result<BTreeSet<String>> {
    let rules: Value = serde_yaml_ng::from_str(rules)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let groups = list(&rules["groups"]);
    let all: BTreeSet<String> = groups
        .iter()
        .flat_map(|group| list(&group["rules"]))
        .filter_map(|rule| rule["alert"].as_str().map(str::to_owned))
        .collect();
    ensure!(!all.is_empty(), "no alerts");
    Ok(all)
}
