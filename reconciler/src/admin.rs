//! Probes and metrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Whether the operator can do its work, and if not, why.
pub(crate) type Readiness = watch::Receiver<Result<(), String>>;

#[derive(Clone)]
struct Admin {
    registry: Arc<Registry>,
    readiness: Readiness,
}

/// Serves until the process ends.
pub(crate) async fn serve(listener: TcpListener, registry: Registry, readiness: Readiness) -> std::io::Result<()> {
    let admin = Admin { registry: Arc::new(registry), readiness };
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin);
    axum::serve(listener, router).await
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    match &*admin.readiness.borrow() {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    match shared::telemetry::encode(&admin.registry) {
        Ok(text) => (StatusCode::OK, [(CONTENT_TYPE, shared::telemetry::METRICS_CONTENT_TYPE)], text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, "text/plain")], error.to_string()),
    }
}
