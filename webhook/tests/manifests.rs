//! What is installed and what is built agree: flags, ports, paths and times of `manifests/base`.

use std::path::Path;
use std::time::Duration;

use clap::Parser;
use serde::Deserialize;
use serde_yaml_ng::Value;
use webhook::admission::Endpoint;
use webhook::args::Args;

fn objects(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/base").join(file);
    let text = std::fs::read_to_string(path).expect("the manifest is there");
    serde_yaml_ng::Deserializer::from_str(&text).map(|document| Value::deserialize(document).expect("YAML")).collect()
}

fn of_kind(file: &str, kind: &str) -> Value {
    objects(file).into_iter().find(|object| object["kind"] == kind).expect("the object is there")
}

fn args(deployment: &Value) -> Args {
    let args = deployment["spec"]["template"]["spec"]["containers"][0]["args"].as_sequence().expect("arguments");
    let args = args.iter().map(|arg| arg.as_str().expect("a text"));
    Args::try_parse_from(std::iter::once("rds-webhook").chain(args)).expect("the binary knows every flag")
}

#[test]
fn the_deployment_starts_the_binary_as_it_is() {
    let deployment = of_kind("webhook.yaml", "Deployment");
    let args = args(&deployment);
    let pod = &deployment["spec"]["template"]["spec"];
    let port = |name: &str| {
        let ports = pod["containers"][0]["ports"].as_sequence().expect("ports");
        let port = ports.iter().find(|port| port["name"] == name).expect("the port is there");
        port["containerPort"].as_u64().expect("a number")
    };
    assert_eq!(u64::from(args.listen.port()), port("https"));
    assert_eq!(u64::from(args.admin_listen.port()), port("admin"));
    let grace = Duration::from_secs(pod["terminationGracePeriodSeconds"].as_u64().expect("a number"));
    assert!(args.drain_delay + args.drain_timeout < grace, "it is killed before it is done");
    let mount = pod["containers"][0]["volumeMounts"][0]["mountPath"].as_str().expect("a path");
    assert!(args.tls_cert.starts_with(mount) && args.tls_key.starts_with(mount));
}

#[test]
fn the_registrations_lead_to_the_service() {
    let service = of_kind("webhook.yaml", "Service");
    for (kind, endpoint, policy) in [
        ("MutatingWebhookConfiguration", Endpoint::Mutate, "Ignore"),
        ("ValidatingWebhookConfiguration", Endpoint::Validate, "Fail"),
    ] {
        let webhook = &of_kind("admission.yaml", kind)["webhooks"][0];
        let target = &webhook["clientConfig"]["service"];
        assert_eq!(target["name"], service["metadata"]["name"]);
        assert_eq!(target["namespace"], service["metadata"]["namespace"]);
        assert_eq!(target["port"], service["spec"]["ports"][0]["port"]);
        assert_eq!(target["path"], format!("/{}", endpoint.as_str()));
        assert_eq!(webhook["failurePolicy"], policy);
        let operations = webhook["rules"][0]["operations"].as_sequence().expect("operations");
        assert!(!operations.iter().any(|operation| operation == "DELETE"), "a deletion never waits for the webhook");
    }
}
