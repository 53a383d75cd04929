//! What a visit found, in the words of the status: pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use shared::rules::Desired;

use super::logins::{Doorway, LoginKnown, doorways};
use crate::clock::Moment;
use crate::engine::{Dialect, Left, Report, Why};
use crate::plan::world::SqlReport;

/// Between a visit that failed and the next.
const PAUSE: Duration = Duration::from_secs(5);
const PAUSE_FOR_PEOPLE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// The pause doubles so often while something inside stands in the way: who mends it calls nobody, and waits for two minutes at most.
const MOST_ATTEMPTS: u32 = 5;
const MOST_ATTEMPTS_FOR_PEOPLE: u32 = 2;
/// So much of what stands in the way of one user or database is told.
const MOST_TEXTS: usize = 5;

/// What was seen when there was nothing left to do, or nothing more that could be done.
pub(crate) struct Seen<'a> {
    /// What the visit left.
    pub(crate) report: Report,
    /// What every login showed last.
    pub(crate) logins: &'a BTreeMap<Doorway, LoginKnown>,
    /// How many visits in a row have left something to be tried again, until this one.
    pub(crate) attempts: u32,
    /// A number below 1 that no two visits share, so that they do not all come back at once.
    pub(crate) jitter: f64,
}

/// Who an obstacle stands in the way of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum About {
    User(String),
    Database(String),
    /// A user or database that left the spec, or the server as a whole.
    Rest,
}

pub(crate) fn report(dialect: &dyn Dialect, desired: &Desired, seen: Seen<'_>, now: Moment) -> SqlReport {
    let Report { left, leisurely, lost, oids, removed_databases } = seen.report;
    let mut obstacles = obstacles(desired, &left);
    let mut take =
        |about: About, what: String| obstacles.remove(&about).map(|texts| format!("{what}: {}", texts.join("; ")));
    let users = desired.users.keys().map(ToString::to_string);
    let users = users.map(|user| (user.clone(), take(About::User(user.clone()), format!("user {user}")))).collect();
    let databases = desired.databases.keys().map(ToString::to_string);
    let databases =
        databases.map(|name| (name.clone(), take(About::Database(name.clone()), format!("database {name}")))).collect();
    let doors: BTreeSet<_> = doorways(dialect, desired).into_iter().collect();
    let logins: Vec<_> = seen.logins.iter().filter(|(door, _)| doors.contains(*door)).collect();
    let steps_pass = left.iter().all(|left| matches!(left.why, Why::Failed { passing: true } | Why::Undone));
    let logins_pass = logins.iter().all(|(_, login)| login.fault.is_none() || login.passing);
    let failed = left.iter().any(|left| matches!(left.why, Why::Failed { .. }))
        || logins.iter().any(|(_, login)| login.fault.is_some());
    let passing = failed && steps_pass && logins_pass;
    let attempts = if failed { seen.attempts.saturating_add(1) } else { 0 };
    let most = if passing { MOST_ATTEMPTS } else { MOST_ATTEMPTS_FOR_PEOPLE };
    SqlReport {
        users,
        databases,
        unfinished: obstacles.into_values().flatten().collect(),
        notes: leisurely.into_iter().take(MOST_TEXTS).collect(),
        lost,
        oids,
        removed_databases: removed_databases.into_iter().map(|(name, shut)| (name, kept(shut.as_deref()))).collect(),
        logins: logins
            .into_iter()
            .map(|(door, login)| (format!("{}@{}", door.user, door.database), login.fault.clone()))
            .collect(),
        retry_at: failed.then(|| retry_at(now, !passing, attempts.min(most), seen.jitter)),
        attempts,
        passing,
    }
}

/// What is told of a database that left the spec; `shut` is why even the master cannot enter it.
pub(crate) fn kept(shut: Option<&str>) -> String {
    format!("left the spec; its data is kept, and {}", shut.unwrap_or("only the master user works in it"))
}

fn obstacles(desired: &Desired, left: &[Left]) -> BTreeMap<About, Vec<String>> {
    let mut obstacles: BTreeMap<About, Vec<String>> = BTreeMap::new();
    for Left { user, database, text, .. } in left {
        let texts = obstacles.entry(about(desired, user.as_deref(), database.as_deref())).or_default();
        if texts.len() < MOST_TEXTS {
            texts.push(text.clone());
        }
    }
    obstacles
}

fn about(desired: &Desired, user: Option<&str>, database: Option<&str>) -> About {
    let user = user.filter(|user| desired.users.keys().any(|wanted| wanted.as_str() == *user));
    let database = database.filter(|name| desired.databases.keys().any(|wanted| wanted.as_str() == *name));
    match (user, database) {
        (Some(user), _) => About::User(user.to_owned()),
        (None, Some(database)) => About::Database(database.to_owned()),
        (None, None) => About::Rest,
    }
}

/// The pause doubles with each failure in a row, up to ten minutes, with up to a quarter of jitter.
pub(crate) fn retry_at(now: Moment, needs_person: bool, attempts: u32, jitter: f64) -> Moment {
    let first = if needs_person { PAUSE_FOR_PEOPLE } else { PAUSE };
    let doubled = first.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1))).min(LONGEST_PAUSE);
    now + doubled + doubled.mul_f64(jitter / 4.0)
}
