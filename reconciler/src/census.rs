//! How many objects there are, by how they fare, by why and for how long: counted when somebody asks.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use kube::runtime::reflector::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use shared::api::RDSDatabase;

use crate::clock::Clock;
use crate::context::Guarded;
use crate::memory::Memory;
use crate::plan::{Acts, Reason};
use crate::status::{Phase, under_way};

/// What the conditions of an object sum up to, as kstatus reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Deleting,
    Stalled,
    Ready,
    Reconciling,
}

impl State {
    const ALL: [Self; 4] = [Self::Deleting, Self::Stalled, Self::Ready, Self::Reconciling];

    fn of(object: &RDSDatabase) -> Self {
        let holds = |kind: &str| {
            let conditions = object.status.iter().flat_map(|status| &status.conditions);
            conditions.into_iter().any(|condition| condition.type_ == kind && condition.status == "True")
        };
        // One that is deleted and needs a person is first of all one that needs a person.
        if holds("Stalled") {
            Self::Stalled
        } else if object.metadata.deletion_timestamp.is_some() {
            Self::Deleting
        } else if holds("Ready") {
            Self::Ready
        } else {
            Self::Reconciling
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Deleting => "deleting",
            Self::Stalled => "stalled",
            Self::Ready => "ready",
            Self::Reconciling => "reconciling",
        }
    }
}

/// What is counted of one object.
#[derive(Clone, Copy, Debug)]
struct Seen {
    state: State,
    /// Why it is not Ready; `None` where it is, and where an operator of another version has given a reason that is not known here.
    reason: Option<Reason>,
    under_way: Option<(Phase, Timestamp)>,
}

impl Seen {
    fn of(object: &RDSDatabase) -> Self {
        let conditions = object.status.iter().flat_map(|status| &status.conditions);
        let ready = conditions.into_iter().find(|condition| condition.type_ == "Ready" && condition.status != "True");
        Self {
            state: State::of(object),
            reason: ready.and_then(|ready| ready.reason.parse().ok()),
            under_way: under_way(object),
        }
    }

    /// One that cannot be decoded waits for a person who corrects it.
    const UNDECODABLE: Self = Self { state: State::Stalled, reason: Some(Reason::Undecodable), under_way: None };

    fn acts(&self) -> Acts {
        self.reason.map_or(Acts::Nobody, Reason::acts)
    }
}

/// Counts the objects that the watch has seen. A replica that stands by has seen none.
pub(crate) struct Census {
    pub(crate) objects: Store<Guarded>,
    pub(crate) memory: Memory,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Census").field(&self.objects.len()).finish()
    }
}

impl Collector for Census {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let objects = self.objects.state();
        let seen: Vec<Seen> =
            objects.iter().map(|object| object.0.as_ref().map_or(Seen::UNDECODABLE, Seen::of)).collect();
        encode(&seen, self.memory.observed(), self.clock.wall(), encoder)
    }
}

fn encode(seen: &[Seen], observed: usize, now: Timestamp, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
    let count = |number: usize| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
    let mut family = encoder.encode_descriptor(
        "rds_reconciler_objects",
        "RDSDatabase objects by state, as the leader sees them",
        None,
        MetricType::Gauge,
    )?;
    for state in State::ALL {
        let number = seen.iter().filter(|found| found.state == state).count();
        count(number).encode(family.encode_family(&[("state", state.label())])?)?;
    }

    let observed_objects =
        "RDSDatabase objects of which this process has seen whether their instance is there, since it began to work";
    let encoder_of_observed =
        encoder.encode_descriptor("rds_reconciler_objects_observed", observed_objects, None, MetricType::Gauge)?;
    count(observed).encode(encoder_of_observed)?;

    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    for reason in seen.iter().filter_map(|found| found.reason) {
        *reasons.entry(reason).or_default() += 1;
    }
    let mut family = encoder.encode_descriptor(
        "rds_reconciler_objects_not_ready",
        "RDSDatabase objects that are not Ready by reason, and by who can act: user, platform or nobody",
        None,
        MetricType::Gauge,
    )?;
    for (reason, number) in reasons {
        let labels = [("reason", reason.as_str()), ("acts", reason.acts().as_str())];
        count(number).encode(family.encode_family(&labels)?)?;
    }

    let mut family = encoder.encode_descriptor(
        "rds_reconciler_oldest_not_ready_seconds",
        "How long the object has been on its way that has been so for the longest, by what it is on its way to and by who can act",
        None,
        MetricType::Gauge,
    )?;
    for phase in Phase::ALL {
        for acts in Acts::ALL {
            let those = seen.iter().filter(|found| found.acts() == acts).filter_map(|found| found.under_way);
            let oldest = those.filter(|(found, _)| *found == phase).map(|(_, since)| since).min();
            let age = oldest.map_or(0, |since| now.duration_since(since).as_secs().max(0));
            let labels = [("phase", phase.label()), ("acts", acts.as_str())];
            ConstGauge::new(age).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use prometheus_client::registry::Registry;
    use serde_json::json;
    use shared::telemetry::Form;

    use super::*;

    fn object(deleting: bool, conditions: &[(&str, &str)]) -> RDSDatabase {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(kind, status)| {
                json!({"type": kind, "status": status, "reason": "Test", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"})
            })
            .collect();
        let deletion = deleting.then_some("2026-01-01T00:00:00Z");
        serde_json::from_value(json!({
            "apiVersion": "matrixmind.cloud/v1", "kind": "RDSDatabase",
            "metadata": {"name": "orders", "deletionTimestamp": deletion},
            "spec": {}, "status": {"conditions": conditions},
        }))
        .unwrap()
    }

    #[test]
    fn an_object_has_one_state() {
        assert_eq!(State::of(&object(false, &[])), State::Reconciling);
        assert_eq!(State::of(&object(false, &[("Ready", "False"), ("Stalled", "False")])), State::Reconciling);
        assert_eq!(State::of(&object(false, &[("Ready", "True")])), State::Ready);
        assert_eq!(State::of(&object(false, &[("Ready", "False"), ("Stalled", "True")])), State::Stalled);
        assert_eq!(State::of(&object(true, &[("Ready", "True")])), State::Deleting);
        assert_eq!(State::of(&object(true, &[("Stalled", "True")])), State::Stalled);
    }

    #[derive(Debug)]
    struct Fixed(Vec<Seen>);

    impl Collector for Fixed {
        fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
            encode(&self.0, 2, "2026-01-01T03:00:00Z".parse().unwrap(), encoder)
        }
    }

    fn page(objects: &[RDSDatabase]) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Fixed(objects.iter().map(Seen::of).collect())));
        shared::telemetry::encode(&registry, Form::Prometheus).unwrap()
    }

    #[track_caller]
    fn shows(page: &str, lines: &[&str]) {
        for line in lines {
            assert!(page.lines().any(|found| found == *line), "{line}: {page}");
        }
    }

    #[test]
    fn every_state_is_shown_also_where_no_object_is_in_it() {
        let ready = || object(false, &[("Ready", "True")]);
        let page = page(&[ready(), ready(), object(false, &[("Stalled", "True")])]);
        shows(
            &page,
            &[
                "# TYPE rds_reconciler_objects gauge",
                "rds_reconciler_objects{state=\"deleting\"} 0",
                "rds_reconciler_objects{state=\"stalled\"} 1",
                "rds_reconciler_objects{state=\"ready\"} 2",
                "rds_reconciler_objects{state=\"reconciling\"} 0",
                "rds_reconciler_objects_observed 2",
            ],
        );
    }

    fn for_a_reason(reason: &str, deleting: bool) -> RDSDatabase {
        let mut object = object(deleting, &[("Ready", "False")]);
        object.metadata.creation_timestamp = Some(Time("2026-01-01T01:00:00Z".parse().unwrap()));
        object.status.as_mut().unwrap().conditions[0].reason = reason.into();
        object
    }

    #[test]
    fn a_users_slip_is_told_from_what_hangs() {
        let objects = ["InvalidSpec", "InvalidSpec", "NotAuthorized", "SomethingOfTheFuture"]
            .map(|reason| for_a_reason(reason, false));
        let page = page(&[objects.as_slice(), &[for_a_reason("DeletingInstance", true)]].concat());
        shows(
            &page,
            &[
                "rds_reconciler_objects_not_ready{reason=\"InvalidSpec\",acts=\"user\"} 2",
                "rds_reconciler_objects_not_ready{reason=\"NotAuthorized\",acts=\"platform\"} 1",
                "rds_reconciler_oldest_not_ready_seconds{phase=\"creating\",acts=\"user\"} 7200",
                "rds_reconciler_oldest_not_ready_seconds{phase=\"creating\",acts=\"nobody\"} 7200",
                "rds_reconciler_oldest_not_ready_seconds{phase=\"deleting\",acts=\"nobody\"} 10800",
                "rds_reconciler_oldest_not_ready_seconds{phase=\"deleting\",acts=\"user\"} 0",
                "rds_reconciler_oldest_not_ready_seconds{phase=\"changing\",acts=\"user\"} 0",
            ],
        );
        assert!(!page.contains("Future"), "a label has a closed set of values: {page}");
    }
}
