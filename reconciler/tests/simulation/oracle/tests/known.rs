//! An oracle judges by what could be known when a call was sent.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::{asked, broken, created, gone, history, instance, object};
use crate::chance::beginning;
use crate::cloud::history::{By, CloudEvent, Record};
use crate::history::Event;
use crate::oracle::{data, instances};

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
