//! What a visit found, in the words of the status: pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use shared::rules::{DatabaseName, Desired};

use super::{Logins, retry_at};
use crate::engine::{AccessReport, Blocked, Catalog, EngineError, Mark, SqlPlan, SqlStep};
use crate::plan::SqlReport;

/// What was seen when there was nothing left to do, or nothing more that could be done.
pub(super) struct Seen<'a> {
    /// What is still to do, and what cannot be done.
    pub(super) plan: &'a SqlPlan,
    /// The catalog.
    pub(super) catalog: &'a Catalog,
    /// The logins.
    pub(super) logins: &'a Logins,
    /// The steps that failed.
    pub(super) failures: &'a [(SqlStep, EngineError)],
}

/// Who an obstacle stands in the way of.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum About {
    User(String),
    Database(String),
    /// A user or database that left the spec, or the server as a whole.
    Rest,
}

pub(super) fn report(desired: &Desired, mark: &Mark, seen: &Seen<'_>, now: Timestamp) -> SqlReport {
    let mut obstacles = obstacles(desired, seen);
    let mut take =
        |about: About, what: String| obstacles.remove(&about).map(|texts| format!("{what}: {}", texts.join("; ")));
    let users = desired.users.keys().map(ToString::to_string);
    let users = users.map(|user| (user.clone(), take(About::User(user.clone()), format!("user {user}")))).collect();
    let databases = desired.databases.keys().map(ToString::to_string);
    let databases =
        databases.map(|name| (name.clone(), take(About::Database(name.clone()), format!("database {name}")))).collect();
    let wanted = |name: &str| desired.databases.keys().any(|wanted| wanted.as_str() == name);
    let failures = seen.failures.iter().map(|(_, error)| error);
    let mut errors = failures.chain(seen.logins.values().filter_map(|login| login.as_ref().err())).peekable();
    let failed = errors.peek().is_some();
    let passing = failed && seen.plan.blocked.is_empty() && errors.all(EngineError::is_transient);
    SqlReport {
        users,
        databases,
        unfinished: obstacles.into_values().flatten().collect(),
        removed_databases: seen
            .catalog
            .our_databases(mark)
            .map(|(name, _)| name.to_owned())
            .filter(|name| !wanted(name))
            .collect(),
        access: access(desired, mark, seen),
        retry_at: failed.then(|| retry_at(now, !passing, 1)),
        passing,
    }
}

fn obstacles(desired: &Desired, seen: &Seen<'_>) -> BTreeMap<About, Vec<String>> {
    let mut obstacles: BTreeMap<About, Vec<String>> = BTreeMap::new();
    for Blocked { user, database, reason } in &seen.plan.blocked {
        obstacles.entry(about(desired, user.as_deref(), database.as_deref())).or_default().push(reason.to_string());
    }
    for step in &seen.plan.steps {
        let failure = seen.failures.iter().find(|(failed, _)| failed == step);
        let text = match failure {
            Some((_, error)) => format!("{step}: {error}"),
            None => format!("still to do: {step}"),
        };
        obstacles.entry(about(desired, step.user(), step.database())).or_default().push(text);
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

/// What each login showed, as sentences; `None` where all is well.
fn access(desired: &Desired, mark: &Mark, seen: &Seen<'_>) -> BTreeMap<String, Option<String>> {
    let kept = seen.catalog.our_databases(mark).filter_map(|(name, _)| DatabaseName::parse(desired.engine, name).ok());
    let ours: BTreeSet<DatabaseName> = desired.databases.keys().cloned().chain(kept).collect();
    let verdict = |user: &str, outcome: &Result<AccessReport, EngineError>| match outcome {
        Err(error) => Some(error.to_string()),
        Ok(report) => {
            let mapped = desired.databases.iter().filter(|(_, users)| users.iter().any(|found| found.as_str() == user));
            let faults = report.faults(&mapped.map(|(name, _)| name.clone()).collect(), &ours);
            (!faults.is_empty()).then(|| faults.join("; "))
        }
    };
    seen.logins
        .iter()
        .map(|((user, database), outcome)| (format!("{user}@{database}"), verdict(user, outcome)))
        .collect()
}
