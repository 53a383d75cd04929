//! `/mutate` and `/validate`: bounds on size, time and memory around [`admission::decide`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::rules::DefaultVersions;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::admission::{self, Endpoint, Malformed};
use crate::body::{self, BodyError};
use crate::judged::Judged;
use crate::metrics::Metrics;
use crate::turns::Turns;

/// Where the time comes from.
pub type Clock = fn() -> Timestamp;

/// A review from this weight on, some ten times an ordinary one, is judged on a thread of its own, so that it does not hold up the others.
const LARGE: usize = 256 * 1024;

/// Memory is accounted for in pieces of this size.
const PIECE: usize = 16 * 1024;

/// How often what a review holds is in memory while it is judged: as it was read, and in the patch of an update that leaves it out.
const COPIES: usize = 2;

/// Bounds of the service.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest body, in bytes.
    pub body: usize,
    /// Bytes that reviews take in memory at a time.
    pub in_flight: usize,
    /// Longest time of a request.
    pub request: Duration,
}

struct Service {
    limits: Limits,
    pieces: Arc<Semaphore>,
    /// Where large reviews are judged.
    turns: Turns,
    /// Pieces of the whole.
    total: usize,
    versions: DefaultVersions,
    metrics: Metrics,
    clock: Clock,
    draining: CancellationToken,
}

/// The router of the TLS listener. `versions` are those of objects that name none. Once `draining` is cancelled every answer closes its connection.
pub fn router(
    limits: Limits,
    versions: DefaultVersions,
    metrics: Metrics,
    clock: Clock,
    draining: CancellationToken,
) -> Router {
    // One body of the largest size always fits.
    let total = limits.in_flight.max(limits.body).div_ceil(PIECE);
    let service = Arc::new(Service {
        limits,
        pieces: Arc::new(Semaphore::new(total)),
        turns: Turns::default(),
        total,
        versions,
        metrics,
        clock,
        draining,
    });
    Router::new()
        .route("/mutate", post(mutate))
        .route("/validate", post(validate))
        .fallback(nothing_here)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&service), close_when_draining))
        .with_state(service)
}

async fn mutate(State(service): State<Arc<Service>>, request: Request) -> Response {
    service.answer(Endpoint::Mutate, request).await
}

async fn validate(State(service): State<Arc<Service>>, request: Request) -> Response {
    service.answer(Endpoint::Validate, request).await
}

async fn nothing_here() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "nothing is here but /mutate and /validate\n")
}

async fn close_when_draining(
    State(service): State<Arc<Service>>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let mut response = next.run(request).await;
    if service.draining.is_cancelled() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Service {
    async fn answer(&self, endpoint: Endpoint, request: Request) -> Response {
        let start = Instant::now();
        let answered = timeout(self.limits.request, self.review(endpoint, request))
            .await
            .unwrap_or(Err(HttpError::TooSlow { limit: self.limits.request }));
        match answered {
            Ok(answer) => {
                let took = start.elapsed();
                self.metrics.answered(endpoint, answer.operation(), answer.allowed(), took);
                answer.log(endpoint, took);
                ([(CONTENT_TYPE, "application/json")], answer.into_json()).into_response()
            }
            Err(error) => {
                let code = error.code();
                self.metrics.failed(endpoint, code.as_u16());
                tracing::warn!(path = endpoint.as_str(), code = code.as_u16(), %error, "request without an answer");
                error.into_response()
            }
        }
    }

    async fn review(&self, endpoint: Endpoint, request: Request) -> Result<Judged, HttpError> {
        let body = request.into_body();
        let mut memory = match self.reserve(1) {
            Ok(memory) => memory,
            Err(overloaded) => {
                body::discard(body).await;
                return Err(overloaded);
            }
        };
        let bytes = body::read(body, self.limits.body, |bytes| {
            memory.merge(self.reserve(bytes.div_ceil(PIECE).saturating_sub(memory.num_permits()))?);
            Ok::<_, HttpError>(())
        })
        .await?;
        let weight = admission::weight(&bytes);
        let judging = weight.saturating_mul(COPIES).div_ceil(PIECE);
        // What is too heavy by itself is never read, so nothing takes more than this in the end; and beside it there is room for small ones.
        let most = (self.total * 7 / 8).saturating_sub(memory.num_permits());
        memory.merge(self.reserve(judging.min(most))?);
        let (today, versions) = ((self.clock)().to_zoned(TimeZone::UTC).date(), self.versions);
        if weight < LARGE {
            return Ok(Judged::of(endpoint, &bytes, today, versions)?);
        }
        let judged = self.turns.take(move || {
            // Taken until it is done, also when nobody waits for it any more.
            let _memory = memory;
            Judged::of(endpoint, &bytes, today, versions)
        });
        Ok(judged.await.ok_or(HttpError::Stopped)??)
    }

    fn reserve(&self, pieces: usize) -> Result<OwnedSemaphorePermit, HttpError> {
        let pieces = u32::try_from(pieces).map_err(|_| HttpError::Overloaded)?;
        Arc::clone(&self.pieces).try_acquire_many_owned(pieces).map_err(|_| HttpError::Overloaded)
    }
}

/// Why there is no review to answer with.
#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("too many requests at a time; come again")]
    Overloaded,
    #[error("the request took longer than {limit:?}")]
    TooSlow { limit: Duration },
    #[error("the service is stopping")]
    Stopped,
}

impl HttpError {
    fn code(&self) -> StatusCode {
        match self {
            Self::Malformed(_) | Self::Body(BodyError::Incomplete(_)) => StatusCode::BAD_REQUEST,
            Self::Body(BodyError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Overloaded => StatusCode::TOO_MANY_REQUESTS,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let mut response = (self.code(), format!("{self}\n")).into_response();
        if matches!(self, Self::Overloaded) {
            // The API server's client comes again after this many seconds, within the webhook's timeout.
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
