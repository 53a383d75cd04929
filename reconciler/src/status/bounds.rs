//! What a status may take up: pure. Kubernetes stores it in one piece with its object, and a tenant must not be able to make one that it cannot.

use std::collections::BTreeMap;
use std::io;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use serde::Serialize;
use shared::api::{DatabaseStatus, LoginsStatus, RDSDatabase, RDSDatabaseStatus};
use shared::number::counted;

use super::backups::quiet;
use crate::plan::Reason;

/// Bytes of a condition's message.
pub(super) const LONGEST_MESSAGE: usize = 4096;
/// Bytes of a condition's message in a status that was shortened.
const SHORT_MESSAGE: usize = 512;
/// Bytes of what is said of one user, database or login.
const LONGEST_TEXT: usize = 300;
/// Bytes of what is said of a step to come.
pub(super) const LONGEST_STEP: usize = 600;
/// Of so many users, databases and logins each it is said what stands in the way; of the others only that something does.
const MOST_TEXTS: usize = 50;
/// So many databases that left the spec are listed: as many as a look finds.
const MOST_REMOVED: usize = 500;
/// The newest snapshots that are listed.
const MOST_SNAPSHOTS: usize = 100;
/// Bytes of an object that are left to Kubernetes, of the 1.5 MiB that etcd takes in one request (`--max-request-bytes`).
const LARGEST: usize = 1_400 * 1024;

/// A condition that is there, and true, where the status says less than there is to say.
pub(crate) const SHORTENED: &str = "StatusShortened";

/// Takes from a status what goes beyond its bounds.
pub(super) fn bounded(mut status: RDSDatabaseStatus) -> RDSDatabaseStatus {
    for condition in &mut status.conditions {
        clip(&mut condition.message, LONGEST_MESSAGE);
    }
    status.plan.iter_mut().for_each(|planned| clip(&mut planned.step, LONGEST_STEP));
    bound_texts(status.users.values_mut().map(|user| &mut user.message));
    bound_texts(status.databases.values_mut().map(|database| &mut database.message));
    let mut removed = 0;
    status.databases.retain(|_, database| {
        removed += usize::from(database.removed);
        !database.removed || removed <= MOST_REMOVED
    });
    let beyond = status.snapshots.len().saturating_sub(MOST_SNAPSHOTS);
    status.snapshots.drain(..beyond);
    status
}

fn bound_texts<'a>(texts: impl Iterator<Item = &'a mut Option<String>>) {
    for (number, text) in texts.filter(|text| text.is_some()).enumerate() {
        match text {
            Some(text) if number < MOST_TEXTS => clip(text, LONGEST_TEXT),
            _ => *text = None,
        }
    }
}

/// Counts logins, and tells of the first that failed. Each comes with what was wrong, if anything.
pub(super) fn logins<'a>(seen: impl Iterator<Item = (&'a String, Option<&'a str>)>) -> LoginsStatus {
    let mut logins = LoginsStatus::default();
    for (login, fault) in seen {
        let Some(fault) = fault else {
            logins.verified += 1;
            continue;
        };
        logins.failed += 1;
        if logins.failures.len() < MOST_TEXTS {
            logins.failures.insert(login.clone(), clipped(fault, LONGEST_TEXT));
        }
    }
    logins
}

/// Whether Kubernetes can store an object with this status.
pub(crate) fn fits(object: &RDSDatabase, status: &RDSDatabaseStatus) -> bool {
    size(&object.metadata) + size(&object.spec) + size(status) <= LARGEST
}

/// Bytes of something as JSON.
fn size(of: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // What cannot be written as JSON was never read from it.
    serde_json::to_writer(&mut count, of).map_or(0, |()| count.0)
}

/// A status of which Kubernetes cannot store the whole: conditions and counts. The oids stay, because a database that is lost is known by its own.
pub(crate) fn shortened(status: &RDSDatabaseStatus, before: &RDSDatabaseStatus, now: Timestamp) -> RDSDatabaseStatus {
    let mut short = RDSDatabaseStatus {
        users: BTreeMap::new(),
        databases: status.databases.iter().filter_map(|(name, found)| Some((name.clone(), known(found)?))).collect(),
        access: BTreeMap::new(),
        ..status.clone()
    };
    if let Some(logins) = &mut short.logins {
        logins.failures.clear();
    }
    let snapshots = short.snapshots.len().saturating_sub(1);
    short.snapshots.drain(..snapshots);
    for condition in &mut short.conditions {
        clip(&mut condition.message, SHORT_MESSAGE);
    }
    let since = before.conditions.iter().find(|found| found.type_ == SHORTENED);
    short.conditions.retain(|condition| condition.type_ != SHORTENED);
    short.conditions.push(Condition {
        type_: SHORTENED.to_owned(),
        status: "True".to_owned(),
        reason: Reason::StatusTooLarge.to_string(),
        message: format!(
            "Kubernetes cannot store the object with its whole status, so {} and {} are not listed; give some of them to another object",
            counted(status.users.len(), "user"),
            counted(status.databases.len(), "database")
        ),
        observed_generation: status.observed_generation,
        last_transition_time: since.map_or(Time(now), |found| found.last_transition_time.clone()),
    });
    quiet(short, before)
}

/// What is kept of a database so that it can be missed.
fn known(found: &DatabaseStatus) -> Option<DatabaseStatus> {
    (found.oid.is_some() || found.ready).then(|| DatabaseStatus { users: Vec::new(), message: None, ..found.clone() })
}

/// What a status says of its having been shortened.
pub(crate) fn why_shortened(status: &RDSDatabaseStatus) -> Option<&str> {
    status.conditions.iter().find(|found| found.type_ == SHORTENED).map(|found| found.message.as_str())
}

fn clip(text: &mut String, most: usize) {
    if text.len() > most / 6 {
        *text = clipped(text, most);
    }
}

/// The beginning of a text that takes at most so many bytes in JSON as the API server writes it.
pub(super) fn clipped(text: &str, most: usize) -> String {
    const MORE: char = '…';
    let mut taken = 0;
    let mut fits = text.len();
    for (at, c) in text.char_indices() {
        if taken + MORE.len_utf8() <= most {
            fits = at;
        }
        taken += width(c);
        if taken > most {
            return format!("{}{MORE}", &text[..fits]);
        }
    }
    text.to_owned()
}

/// Source: Go, `encoding/json`: HTML is escaped as well.
const fn width(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
