//! An oracle judges by what could be known when a call was sent.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reconciler::plan::ACCEPT_ANNOTATION;
use reconciler::providers::Instance;
use serde_json::{Value, json};

use super::{asked, broken, cloud, created, gone, history, instance, object};
use crate::chance::beginning;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::Event;
use crate::oracle::{data, instances, restarts};

/// What a call brings about that was sent so many seconds after the beginning, and comes now.
fn late(sent: i64, event: CloudEvent, object: Value) -> Event {
    let sent = Some(beginning() + SignedDuration::from_secs(sent));
    let record = Record { at: beginning(), by: By::Operator, sent, event };
    Event::Cloud { record: Arc::new(record), object: Some(Arc::new(object)) }
}

#[test]
fn i2_and_i3_a_late_call_is_judged_by_what_was_when_it_was_sent() {
    let pinned = |sent| late(sent, CloudEvent::Created { instance: Box::new(instance("db-2")) }, object(false));
    let lost_at_5 = |then| {
        let mut events = history([created("db-1"), gone("db-1"), then]);
        (events[1].at, events[2].at) = (Duration::from_secs(5), Duration::from_secs(100));
        events
    };
    assert_eq!(instances::single(&lost_at_5(pinned(4))), Ok(()), "it was there when the call was sent");
    assert_eq!(broken(instances::single(&lost_at_5(pinned(6)))), "I2");

    let declared = |goes| Event::Declared { object: Arc::new(object(goes)) };
    let deletes = |final_snapshot: Option<&str>, sent| {
        let (before, final_snapshot) = (Box::new(instance("db-1")), final_snapshot.map(str::to_owned));
        late(sent, CloudEvent::DeletionAsked { before, final_snapshot }, object(false))
    };
    // An older state of Kubernetes is put back five seconds after the beginning.
    let put_back_at_5 = |then| {
        let mut events = history([declared(true), declared(false), then]);
        (events[1].at, events[2].at) = (Duration::from_secs(5), Duration::from_secs(100));
        events
    };
    assert_eq!(data::kept(&put_back_at_5(deletes(Some("final"), 4))), Ok(()));
    assert_eq!(broken(data::kept(&put_back_at_5(deletes(Some("final"), 8)))), "I3");
    assert_eq!(broken(data::kept(&put_back_at_5(deletes(None, 4)))), "I3", "nobody gave the data up");
    assert_eq!(broken(data::kept(&put_back_at_5(asked(Some("final"), object(false))))), "I3", "it was sent just now");
    let in_flight = history([declared(true), declared(false), asked(Some("final"), object(false))]);
    assert_eq!(data::kept(&in_flight), Ok(()));
}

#[test]
fn i11_a_restart_out_of_the_window_is_found_by_the_clock_that_the_operator_has() {
    let mut windowed = instance("db-1");
    // The beginning is a Friday at 08:00.
    windowed.running.maintenance_window = Some("fri:09:00-fri:10:00".into());
    let began = |instance: &Instance| {
        let event = CloudEvent::Created { instance: Box::new(instance.clone()) };
        [Event::Begun, cloud(By::Operator, event, Some(object(false)))]
    };
    let restarted = || {
        let about = "restart the instance db-1".to_owned();
        let event = CloudEvent::Called { action: "RebootDBInstance", about, mutates: true, code: None };
        let record = Record { at: beginning(), by: By::Operator, sent: None, event };
        Event::Cloud { record: Arc::new(record), object: None }
    };
    let judged = |between: Vec<Event>| {
        restarts::permitted(&history(began(&windowed).into_iter().chain(between).chain([restarted()])))
    };
    assert_eq!(broken(judged(Vec::new())), "I11");
    let set = |seconds| Event::ClockSet { seconds };
    assert_eq!(judged(vec![set(3_600)]), Ok(()), "its clock shows nine");
    assert_eq!(broken(judged(vec![set(-3_600)])), "I11");
    let says = |uid: &str, accepts: &str| {
        let metadata = json!({"uid": uid, "annotations": {ACCEPT_ANNOTATION: accepts}});
        let object = json!({"metadata": metadata, "spec": {"applyImmediately": true}});
        vec![Event::Declared { object: Arc::new(object) }]
    };
    assert_eq!(judged(says("uid", "")), Ok(()), "its object says so");
    assert_eq!(judged(says("successor", "db-1")), Ok(()), "who accepts it says so");
    assert_eq!(broken(judged(says("successor", "db-2"))), "I11");
}
