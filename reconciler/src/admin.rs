//! Probes and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shared::serve::{self, Limits, Server};
use shared::telemetry::{self, Form};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Whether the operator can do its work, and if not, why.
pub(crate) type Readiness = watch::Receiver<Result<(), String>>;

#[derive(Clone)]
struct Admin {
    registry: Arc<Registry>,
    readiness: Readiness,
}

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, registry: Registry, readiness: Readiness) {
    let admin = Admin { registry: Arc::new(registry), readiness };
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin);
    Server::new(router, Limits::PROBES, Gauge::default()).run(listener, serve::plain, CancellationToken::new()).await;
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    match &*admin.readiness.borrow() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn metrics(State(admin): State<Admin>, headers: HeaderMap) -> impl IntoResponse {
    let form = Form::accepted(headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()));
    match telemetry::encode(&admin.registry, form) {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, form.content_type())], text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/plain")], error.to_string()),
    }
}
