//! The port on an API server, as it goes over the wire.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use webhook::authority::cluster::{Cluster, ClusterError, Registered, Registrar, Registration};
use webhook::authority::kubernetes::{Kubernetes, Names};

/// What was asked: method, path with query, type of the body, body.
type Asked = (String, String, String, Value);

/// An API server that gives this answer to everything, at a time of its own.
fn api_server(code: u16, answer: &Value) -> (Kubernetes, Arc<Mutex<Vec<Asked>>>) {
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let (log, answer) = (Arc::clone(&asked), answer.to_string());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (log, answer) = (Arc::clone(&log), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            let kind = parts.headers.get("content-type").map(|kind| kind.to_str().expect("text").to_owned());
            let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
            let entry = (parts.method.to_string(), parts.uri.to_string(), kind.unwrap_or_default(), body);
            log.lock().expect("a log").push(entry);
            let response = Response::builder().status(code).header("date", "Mon, 23 Nov 2026 11:33:00 GMT");
            Ok::<_, Infallible>(response.body(Full::new(Bytes::from(answer))).expect("an answer"))
        }
    });
    let names = Names {
        namespace: "rds-system".into(),
        service: "rds-webhook".into(),
        secret: "rds-webhook-authority".into(),
        configuration: "rds-webhook".into(),
    };
    (Kubernetes::new(Client::new(service, "default"), names), asked)
}

fn configuration(annotations: &Value) -> Value {
    let webhook = |name: &str, service: &str| {
        let service = json!({"name": service, "namespace": "rds-system", "port": 443});
        json!({"name": name, "clientConfig": {"service": service, "caBundle": STANDARD.encode("a bundle")}})
    };
    json!({
        "metadata": {"name": "rds-webhook", "resourceVersion": "7", "annotations": annotations},
        "webhooks": [webhook("ours", "rds-webhook"), webhook("theirs", "other"), {"name": "url", "clientConfig": {"url": "https://x"}}],
    })
}

const CONFIGURATION: &str = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/rds-webhook";
const SECRET: &str = "/api/v1/namespaces/rds-system/secrets/rds-webhook-authority";

#[tokio::test]
async fn a_secret_is_read_with_the_time_and_changed_key_by_key() {
    let read = json!({"metadata": {"resourceVersion": "7"}, "data": {"current.crt": STANDARD.encode("one")}});
    let (cluster, asked) = api_server(200, &read);
    let stored = cluster.secret().await.expect("read");
    assert_eq!(stored.version, "7");
    assert_eq!(stored.time, Some("2026-11-23T11:33:00Z".parse().expect("a time")));
    assert_eq!(stored.data, BTreeMap::from([("current.crt".to_owned(), b"one".to_vec())]));
    let changes = BTreeMap::from([("current.crt", Some("two".to_owned())), ("next.crt", None)]);
    assert_eq!(cluster.amend("6", changes).await, Ok("7".to_owned()));
    let patch = json!({"metadata": {"resourceVersion": "6"}, "data": {"current.crt": STANDARD.encode("two"), "next.crt": null}});
    let asked = asked.lock().expect("a log");
    assert_eq!(asked[0], ("GET".into(), SECRET.into(), String::new(), Value::Null));
    let path = format!("{SECRET}?&fieldManager=rds-webhook");
    assert_eq!(asked[1], ("PATCH".into(), path, "application/merge-patch+json".into(), patch));
}

#[tokio::test]
async fn of_a_configuration_only_our_bundles_are_written() {
    let (cluster, asked) = api_server(200, &configuration(&json!({"a": "b"})));
    let read = cluster.registration(Registrar::Mutating).await.expect("read").expect("there");
    let webhooks = vec![Registered { name: "ours".into(), bundle: b"a bundle".to_vec() }];
    assert_eq!(read, Registration { version: "7".into(), injected: None, webhooks });
    assert_eq!(cluster.publish(Registrar::Mutating, &read, "new").await, Ok("7".to_owned()));
    let patch = json!({
        "metadata": {"resourceVersion": "7"},
        "webhooks": [{"name": "ours", "clientConfig": {"caBundle": STANDARD.encode("new")}}],
    });
    let asked = asked.lock().expect("a log");
    assert_eq!(asked[0], ("GET".into(), CONFIGURATION.into(), String::new(), Value::Null));
    let path = format!("{CONFIGURATION}?&fieldManager=rds-webhook");
    assert_eq!(asked[1], ("PATCH".into(), path, "application/strategic-merge-patch+json".into(), patch));
}

#[tokio::test]
async fn what_cert_manager_injects_is_known_by_its_annotations() {
    for annotation in ["cert-manager.io/inject-ca-from", "cert-manager.io/inject-ca-from-secret"] {
        let (cluster, _) = api_server(200, &configuration(&json!({annotation: "rds-system/rds-webhook"})));
        let read = cluster.registration(Registrar::Validating).await.expect("read").expect("there");
        assert_eq!(read.injected.as_deref(), Some(annotation));
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let object = || "Secret rds-system/rds-webhook-authority".to_owned();
    for (code, answer, error) in [
        (401, json!({}), ClusterError::Unauthorized { object: object() }),
        (403, json!({}), ClusterError::Forbidden { verb: "get", object: object() }),
        (404, json!({}), ClusterError::Missing { object: object(), flag: "--authority-secret" }),
        (409, json!({}), ClusterError::Conflict { object: object() }),
        (
            500,
            json!({"kind": "Status", "message": "etcd is away"}),
            ClusterError::Refused { verb: "get", object: object(), why: "etcd is away".into() },
        ),
        (502, json!("<html>"), ClusterError::Refused { verb: "get", object: object(), why: "502 Bad Gateway".into() }),
        (
            200,
            json!({"metadata": {"resourceVersion": "7"}, "data": {"current.key": "no base64"}}),
            ClusterError::Refused { verb: "get", object: object(), why: "the answer is no such object".into() },
        ),
    ] {
        assert_eq!(api_server(code, &answer).0.secret().await.err(), Some(error), "{code}");
    }
    let (cluster, _) = api_server(404, &json!({}));
    assert_eq!(cluster.registration(Registrar::Mutating).await, Ok(None));
}
