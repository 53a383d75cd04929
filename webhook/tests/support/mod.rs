//! What the tests of this crate share: reviews as the API server writes them, and a router to ask.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

pub mod client;
pub mod cluster;
pub mod mutation;
pub mod oracle;
pub mod pki;
pub mod process;

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use shared::rules::DefaultVersions;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use webhook::metrics::Metrics;
use webhook::router::{Limits, router};

/// Limits as shipped.
pub const LIMITS: Limits =
    Limits { body: 7 * 1024 * 1024, in_flight: 80 * 1024 * 1024, request: Duration::from_secs(10) };

/// 2026-11-23, on which PostgreSQL 12 is in Extended Support.
pub fn clock() -> Timestamp {
    Timestamp::from_second(1_795_392_000).expect("a second of our time")
}

/// A router, its metrics, and the token that makes it drain.
pub fn service(limits: Limits) -> (Router, Registry, CancellationToken) {
    let (metrics, registry) = Metrics::new();
    let draining = CancellationToken::new();
    (router(limits, DefaultVersions::BUILT_IN, metrics, clock, draining.clone()), registry, draining)
}

/// A review of an RDSDatabase `shop/orders`.
pub fn review(operation: &str, spec: &Value, old_spec: Option<&Value>) -> Value {
    let object = |spec: &Value| {
        json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase",
            "metadata": {"name": "orders", "namespace": "shop", "managedFields": [{"manager": "kubectl"}]},
            "spec": spec,
        })
    };
    let mut review = json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "matrixmind.cloud", "version": "v1", "kind": "RDSDatabase"},
            "resource": {"group": "matrixmind.cloud", "version": "v1", "resource": "rdsdatabases"},
            "name": "orders", "namespace": "shop", "operation": operation,
            "userInfo": {"username": "admin"},
            "object": object(spec),
            "oldObject": null,
            "dryRun": false,
        }
    });
    if let Some(old_spec) = old_spec {
        review["request"]["oldObject"] = object(old_spec);
    }
    review
}

/// What came back.
pub struct Reply {
    pub code: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    /// `response` of the review, after the checks that hold for every answer.
    pub fn response(&self) -> Value {
        assert_eq!(self.code, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        let review: Value = serde_json::from_slice(&self.body).expect("the answer is JSON");
        assert_eq!(review["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(review["kind"], "AdmissionReview");
        assert!(review["response"]["allowed"].is_boolean());
        review["response"].clone()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an error is text")
    }
}

/// Posts a body.
pub async fn post(router: &Router, path: &str, body: impl Into<Body>) -> Reply {
    let request = Request::post(path).header("content-type", "application/json").body(body.into()).expect("a request");
    let reply = router.clone().oneshot(request).await.expect("a router never fails");
    let (parts, body) = reply.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("the answer is whole").to_vec();
    Reply { code: parts.status, headers: parts.headers, body }
}

/// Posts a review and reads its response.
pub async fn ask(path: &str, review: &Value) -> Value {
    let (router, _, _) = service(LIMITS);
    let response = post(&router, path, review.to_string()).await.response();
    assert_eq!(response["uid"], review["request"]["uid"]);
    response
}

/// The field and the reason of each cause of a refusal.
pub fn causes(response: &Value) -> Vec<(&str, &str)> {
    let causes = response["status"]["details"]["causes"].as_array().expect("causes");
    causes
        .iter()
        .map(|cause| (cause["field"].as_str().expect("a field"), cause["reason"].as_str().expect("a reason")))
        .collect()
}
