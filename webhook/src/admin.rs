//! Probes and metrics on a plain port of their own: they answer also when the TLS side cannot.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use shared::telemetry::{self, Form};
use tokio_util::sync::CancellationToken;

use crate::router::Clock;
use crate::tls::{CertificateStore, Validity};

struct Admin {
    registry: Registry,
    store: Arc<CertificateStore>,
    clock: Clock,
    draining: CancellationToken,
}

/// `/healthz`, `/readyz` and `/metrics`.
pub fn router(registry: Registry, store: Arc<CertificateStore>, clock: Clock, draining: CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(Admin { registry, store, clock, draining }))
}

async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, String) {
    if admin.draining.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    let validity = admin.store.validity((admin.clock)());
    let code = if validity == Validity::Valid { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, format!("{}\n", validity.as_str()))
}

async fn metrics(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    let form = Form::accepted(headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()));
    match telemetry::encode(&admin.registry, form) {
        Ok(text) => ([(CONTENT_TYPE, form.content_type())], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}
