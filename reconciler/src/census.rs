//! How many objects there are, by how they fare: counted when somebody asks.

use std::fmt;

use kube::runtime::reflector::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use shared::api::RDSDatabase;

use crate::watches::Guarded;

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

/// Counts the objects that the watch has seen. A replica that stands by has seen none.
pub(crate) struct Census(pub(crate) Store<Guarded>);

impl fmt::Debug for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Census").field(&self.0.len()).finish()
    }
}

impl Collector for Census {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let states: Vec<State> = self
            .0
            .state()
            .iter()
            // One that cannot be decoded waits for a person who corrects it.
            .map(|object| object.0.as_ref().map_or(State::Stalled, State::of))
            .collect();
        encode(&states, encoder)
    }
}

fn encode(states: &[State], mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "rds_reconciler_objects",
        "RDSDatabase objects by state, as the leader sees them",
        None,
        MetricType::Gauge,
    )?;
    for state in State::ALL {
        let count = states.iter().filter(|found| **found == state).count();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        ConstGauge::new(count).encode(family.encode_family(&[("state", state.label())])?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;
    use serde_json::json;

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
    struct Fixed(Vec<State>);

    impl Collector for Fixed {
        fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
            encode(&self.0, encoder)
        }
    }

    #[test]
    fn every_state_is_shown_also_where_no_object_is_in_it() {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Fixed(vec![State::Ready, State::Ready, State::Stalled])));
        let text = shared::telemetry::encode(&registry).unwrap();
        for line in [
            "# TYPE rds_reconciler_objects gauge",
            "rds_reconciler_objects{state=\"deleting\"} 0",
            "rds_reconciler_objects{state=\"stalled\"} 1",
            "rds_reconciler_objects{state=\"ready\"} 2",
            "rds_reconciler_objects{state=\"reconciling\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
    }
}
