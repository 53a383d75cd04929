//! What visits to the database come to.

use std::time::Duration;

use super::super::{endpoint, now, orders};
use super::wanted::{accept, asked, grown, in_cloud_state};
use super::{FAILED, IN_PROGRESS, State, Verdict};
use crate::plan::reason::Reason;
use crate::plan::world::{SqlFailure, SqlReport, World};

/// Users and databases.
pub(super) fn visits() -> Vec<State> {
    let report = |name, verdict, report: SqlReport| {
        grown(name, verdict, |world| world.visit.as_mut().expect("the fixture has one").result = Ok(report))
    };
    let told = |text: &str| Some(text.to_owned());
    let busy = "user report: still to do: end its sessions";
    let mut states = vec![
        grown("visiting-database", IN_PROGRESS, |world| world.visit = None),
        report(
            "not-as-declared",
            FAILED,
            SqlReport {
                users: [("app".into(), told("user app: the role app exists and is not ours")), ("report".into(), None)]
                    .into(),
                databases: [("orders".into(), None)].into(),
                ..SqlReport::default()
            },
        ),
        report(
            "not-as-declared-yet",
            IN_PROGRESS,
            SqlReport { users: [("report".into(), told(busy))].into(), passing: true, ..SqlReport::default() },
        ),
        report(
            "database-lost",
            FAILED,
            SqlReport {
                databases: [("orders".into(), told("database orders: it was there and is gone"))].into(),
                lost: true,
                ..SqlReport::default()
            },
        ),
        report(
            "access-failed",
            FAILED,
            SqlReport {
                logins: [("app@orders".into(), told("permission denied for database orders"))].into(),
                ..SqlReport::default()
            },
        ),
        failed_visit("master-password-refused", IN_PROGRESS, Reason::MasterPasswordRefused, true, |_| {}),
        failed_visit("master-password-being-reset", IN_PROGRESS, Reason::MasterPasswordRefused, true, |world| {
            let request = asked(&orders(), world);
            accept(world, &request, 1, now());
        }),
        failed_visit("master-password-refused-while-busy", IN_PROGRESS, Reason::MasterPasswordRefused, true, |world| {
            in_cloud_state(world, "backing-up");
        }),
    ];
    let failures = [
        ("database-unreachable", IN_PROGRESS, Reason::DatabaseUnreachable),
        ("database-busy", IN_PROGRESS, Reason::DatabaseBusy),
        ("database-timeout", IN_PROGRESS, Reason::DatabaseTimeout),
        ("certificate-not-trusted", FAILED, Reason::CertificateNotTrusted),
        ("not-permitted", FAILED, Reason::NotPermitted),
        ("database-error", FAILED, Reason::DatabaseError),
    ];
    states.extend(failures.map(|(name, verdict, reason)| failed_visit(name, verdict, reason, false, |_| {})));
    states
}

fn failed_visit(
    name: &'static str,
    verdict: Verdict,
    reason: Reason,
    master_refused: bool,
    change: impl FnOnce(&mut World),
) -> State {
    grown(name, verdict, |world| {
        world.visit.as_mut().expect("the fixture has one").result = Err(SqlFailure {
            reason,
            message: format!("{}:5432: what the server said", endpoint().host),
            needs_person: verdict == FAILED,
            master_refused,
            retry_at: now() + Duration::from_secs(5),
            attempts: 1,
        });
        change(world);
    })
}
