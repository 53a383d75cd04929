//! One object from `kubectl apply` to Ready, beside what the local RDS says of its instance.
//!
//! CreateDBInstance was accepted, at the latest, when the instance is first listed. It becomes available when its first backup ends, which
//! is an event that the local RDS dates to the millisecond, by the clock of this machine.

use std::fmt;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use aws_sdk_rds::Client;
use aws_sdk_rds::primitives::DateTime;
use aws_sdk_rds::types::SourceType;
use kube::api::DynamicObject;
use kube::runtime::wait::await_condition;
use testbed::eventually::eventually_within;
use testbed::resource::databases;
use testbed::stack::Stack;
use tokio::time::{sleep, timeout};

use super::object::{self, NAMESPACE};
use crate::latencies::show;

/// The longest for one object; the first waits for the download of PostgreSQL.
const LIMIT: Duration = Duration::from_mins(5);

/// Between two looks for the instance. The local RDS admits 12 calls a second from everyone together, and a burst of 300: the looks are few,
/// as they end with the creation.
const LOOK: Duration = Duration::from_millis(25);

/// The event with which RDS, and the local one, announces the end of a backup.
const AVAILABLE: &str = "Finished DB Instance backup";

/// Durations of one object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Journey {
    /// From the start of kubectl to its end.
    pub(super) kubectl: Duration,
    /// From the start of kubectl until CreateDBInstance was accepted.
    pub(super) accepted: Duration,
    /// The local RDS's own time: from there until the instance was available.
    pub(super) cloud: Duration,
    /// From the start of kubectl until a watch saw the object Ready.
    pub(super) total: Duration,
}

impl Journey {
    /// The time that was not the cloud's own.
    pub(super) fn over(&self) -> Duration {
        self.total.saturating_sub(self.cloud)
    }

    /// From the instance's availability until Ready; zero when Ready came first.
    pub(super) fn finishing(&self) -> Duration {
        self.over().saturating_sub(self.accepted)
    }
}

impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ready after {}, {} of it the cloud's", show(self.total), show(self.cloud))
    }
}

/// Applies an object and follows it.
pub(super) async fn follow(stack: &Stack, name: &str) -> Result<Journey> {
    let rds = stack.rds().client();
    let began = SystemTime::now();
    let kubectl = async {
        stack.controlplane().kubectl().apply(&object::manifest(name)).await?;
        anyhow::Ok(SystemTime::now())
    };
    let ready = async {
        let api = databases(stack.controlplane().client(), NAMESPACE);
        let condition = |object: Option<&DynamicObject>| object.is_some_and(object::is_ready);
        await_condition(api, name, condition).await?;
        anyhow::Ok(SystemTime::now())
    };
    let all = async { tokio::try_join!(kubectl, ready, creation(&rds, name)) };
    let (applied, ready, (identifier, accepted)) =
        timeout(LIMIT, all).await.with_context(|| format!("{name} is not Ready after {LIMIT:?}"))??;
    let available =
        eventually_within(LIMIT, "the event of the first backup", async || availability(&rds, &identifier).await)
            .await?;
    Ok(Journey {
        kubectl: applied.duration_since(began)?,
        accepted: accepted.duration_since(began)?,
        cloud: available.duration_since(accepted)?,
        total: ready.duration_since(began)?,
    })
}

/// The identifier of the object's instance, and when it was there: what this is late, counts as the reconciler's time.
async fn creation(rds: &Client, name: &str) -> Result<(String, SystemTime)> {
    let prefix = format!("{name}-{NAMESPACE}-");
    loop {
        let answer = rds.describe_db_instances().send().await?;
        let ours = answer.db_instances().iter().find(|instance| {
            instance.db_instance_identifier().is_some_and(|identifier| identifier.starts_with(&prefix))
        });
        if let Some(instance) = ours {
            let identifier = instance.db_instance_identifier().unwrap_or_default().to_owned();
            return Ok((identifier, SystemTime::now()));
        }
        sleep(LOOK).await;
    }
}

/// When the instance became available.
async fn availability(rds: &Client, identifier: &str) -> Result<SystemTime> {
    let events = rds.describe_events().source_identifier(identifier).source_type(SourceType::DbInstance).send().await?;
    let event = events.events().iter().find(|event| event.message() == Some(AVAILABLE));
    moment(event.and_then(|event| event.date()).context("no such event yet")?)
}

fn moment(at: &DateTime) -> Result<SystemTime> {
    SystemTime::try_from(*at).context("a moment that this machine cannot tell")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clouds_own_time_does_not_count() {
        let [kubectl, accepted, cloud, total] = [200, 300, 2000, 3500].map(Duration::from_millis);
        let journey = Journey { kubectl, accepted, cloud, total };
        assert_eq!((journey.over(), journey.finishing()), (Duration::from_millis(1500), Duration::from_millis(1200)));
        let early = Journey { total: Duration::from_millis(2100), ..journey };
        assert_eq!(early.finishing(), Duration::ZERO);
    }

    #[test]
    fn moments_keep_their_milliseconds() {
        let at = DateTime::from_millis(1_795_392_000_123);
        let since = moment(&at).unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::from_millis(1_795_392_000_123));
    }
}
