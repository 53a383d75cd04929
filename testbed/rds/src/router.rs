//! HTTP: the Query API on `/`, and what only a local server has on `/_local/`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use rds_model::order::InstanceFault;
use rds_model::{ApiError, Ordered, Params, order as orders};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::actions::{self, Call};
use crate::faults::{Age, CallFault, Order, Others};
use crate::postgres::logs::count_writes;
use crate::service::Service;
use crate::switchover::switch_over;
use crate::wire::{RDS_NAMESPACE, STS_NAMESPACE, auth, error, xml};

pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", post(query))
        .route("/_local/counters", get(counters))
        .route("/_local/faults", get(faults).post(order))
        .with_state(service)
}

/// A call of the Query API. The version says which service is meant.
async fn query(State(service): State<Arc<Service>>, headers: HeaderMap, body: String) -> Response {
    let params = Params::parse(&body);
    let action = params.text("Action").unwrap_or_default().to_owned();
    let version = params.text("Version").unwrap_or_default();
    let namespace = match version {
        "2011-06-15" => STS_NAMESPACE,
        _ => RDS_NAMESPACE,
    };
    service.counters.count(&action).await;
    let request_id = request_id();
    let answer = perform(&service, &headers, &params, &action, version).await;
    let (status, body) = match answer {
        Ok(result) => {
            tracing::debug!(action, "answered");
            let body = xml::response(&action, namespace, result.as_deref(), &request_id);
            (StatusCode::OK, body)
        }
        Err(error) => {
            tracing::debug!(action, code = error.code, "refused");
            let (kind, code) = (error.kind(), &error.code);
            let body = xml::error(namespace, kind, code, &error.message, &request_id);
            (status(&error), body)
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "text/xml".to_owned()),
        (header::HeaderName::from_static("x-amzn-requestid"), request_id),
    ];
    (status, headers, body).into_response()
}

async fn perform(
    service: &Arc<Service>,
    headers: &HeaderMap,
    params: &Params,
    action: &str,
    version: &str,
) -> actions::Answer {
    let sts = version == "2011-06-15";
    if !sts && version != "2014-10-31" {
        return Err(error::unknown_action(action, version));
    }
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scope = if sts { "sts" } else { "rds" };
    let caller = auth::authenticate(authorization, &service.account.region, scope)?;
    let struck = service.faults.strike(action, params).await;
    if let Some((fault, late)) = struck.as_ref().and_then(|fault| Some((fault, fault.late()?))) {
        let carried_out = deliver_late(service, late, sts, action, params, caller);
        return match fault.error() {
            Some(error) => Err(error),
            None => carried_out.await.map_err(|error| error::internal(&error))?,
        };
    }
    let lost = struck.as_ref().and_then(CallFault::error);
    if let (Some(error), Some(false)) = (&lost, struck.map(|fault| fault.carried_out)) {
        return Err(error.clone());
    }
    // STS has limits of its own, far above these.
    if !sts && !service.throttle.admit().await {
        return Err(error::throttled());
    }
    let call = Call { service, params, caller: &caller, now: Timestamp::now() };
    let answer = carry_out(sts, action, call).await;
    match lost {
        Some(error) => Err(error),
        None => answer,
    }
}

async fn carry_out(sts: bool, action: &str, call: Call<'_>) -> actions::Answer {
    if sts { actions::sts(action, &call) } else { actions::rds(action, call).await }
}

/// Carries a call out later, also when the caller has hung up by then.
fn deliver_late(
    service: &Arc<Service>,
    late: Duration,
    sts: bool,
    action: &str,
    params: &Params,
    caller: auth::Caller,
) -> JoinHandle<actions::Answer> {
    let (on, action, params) = (Arc::clone(service), action.to_owned(), params.clone());
    service.tasks.spawn(async move {
        tokio::select! {
            () = sleep(late) => {}
            () = on.stopping.cancelled() => return Err(error::internal(&"the server stops")),
        }
        let call = Call { service: &on, params: &params, caller: &caller, now: Timestamp::now() };
        carry_out(sts, &action, call).await
    })
}

async fn counters(State(service): State<Arc<Service>>) -> Response {
    if !service.engines {
        return Json(service.counters.report(BTreeMap::new()).await).into_response();
    }
    let folders: Vec<_> = service
        .store
        .read(|state| {
            let instances = state.instances.values();
            instances
                .map(|instance| {
                    let folder = service.env.layout.logs(&instance.resource_id);
                    (instance.id.clone(), folder)
                })
                .collect()
        })
        .await;
    let counting = tokio::task::spawn_blocking(move || {
        folders
            .into_iter()
            .map(|(id, folder)| Ok((id, count_writes(&folder)?)))
            .collect::<std::io::Result<BTreeMap<_, _>>>()
    });
    match counting.await.map_err(std::io::Error::other).flatten() {
        Ok(writes) => Json(service.counters.report(writes).await).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn faults(State(service): State<Arc<Service>>) -> Json<serde_json::Value> {
    let calls: Vec<CallFault> = service.faults.list().await;
    let instances: BTreeMap<String, Ordered> = service
        .store
        .read(|state| {
            let bearing = state.instances.values().filter(|instance| instance.ordered != Ordered::default());
            bearing.map(|instance| (instance.id.clone(), instance.ordered.clone())).collect()
        })
        .await;
    Json(json!({"calls": calls, "instances": instances}))
}

async fn order(State(service): State<Arc<Service>>, Json(order): Json<Order>) -> Response {
    let done = match order {
        Order::Call(fault) => service.faults.order(fault).await,
        Order::Instance(fault) => suffer(&service, fault).await,
        Order::SwitchOver(order) => switch_over(&service, &order.switch_over).await,
        Order::Allowance(allowance) => {
            service.throttle.refill(allowance.tokens).await;
            Ok(())
        }
        Order::Age(Age { age_snapshots, hours }) => {
            service.store.update(|state| orders::age_snapshots(state, &age_snapshots, hours)).await
        }
        Order::Others(Others { snapshots_of_others }) => {
            service.snapshots_of_others.store(snapshots_of_others, Ordering::Relaxed);
            Ok(())
        }
        Order::Remove(removal) => remove(&service, &removal.remove_instance).await,
    };
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (status(&error), error.message).into_response(),
    }
}

/// What an instance is to suffer may begin now.
async fn suffer(service: &Arc<Service>, fault: InstanceFault) -> Result<(), ApiError> {
    let id = fault.instance().to_owned();
    service.store.update(|state| fault.order(state)).await?;
    let resource_id =
        service.store.read(|state| state.instances.get(&id).map(|instance| instance.resource_id.clone())).await;
    if let Some(resource_id) = resource_id {
        service.attend(&resource_id).await;
    }
    Ok(())
}

/// The instance is out of the listing at once; its worker clears up behind it.
async fn remove(service: &Arc<Service>, id: &str) -> Result<(), ApiError> {
    let removed = service.store.update(|state| orders::remove(state, id)).await?;
    service.attend(&removed.resource_id).await;
    Ok(())
}

fn status(error: &ApiError) -> StatusCode {
    StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// A random UUID.
fn request_id() -> String {
    let (high, low): (u64, u64) = (rand::random(), rand::random());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 52,
        low & 0xffff_ffff_ffff
    )
}
