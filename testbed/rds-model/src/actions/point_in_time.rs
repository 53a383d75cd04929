//! RestoreDBInstanceToPointInTime.

use jiff::Timestamp;

use super::backups::{Backup, Wanted, backups};
use super::{create, elsewhere, fields, restore};
use crate::account::Account;
use crate::backups::{base, expire};
use crate::error::ApiError;
use crate::fresh::Fresh;
use crate::params::Params;
use crate::state::{Instance, PointInTime, State};

/// A new instance with what was committed in another one, there or gone, until a moment: an automated snapshot from before it, and the
/// write-ahead log from there on.
pub fn restore_to_point_in_time(
    account: &Account,
    state: &mut State,
    params: &Params,
    now: Timestamp,
    fresh: &mut impl Fresh,
) -> Result<Instance, ApiError> {
    elsewhere::refuse(params)?;
    let id = fields::identifier(params, "TargetDBInstanceIdentifier", 63)?;
    expire(account, state, now);
    let backup = source(account, state, params, now)?;
    let (earliest, latest) = backup.window(account, now).ok_or_else(|| no_backup(&backup.source))?;
    let at = moment(params, latest)?;
    if at > latest {
        return Err(ApiError::invalid_value(format!(
            "The specified instance cannot be restored to a time later than {latest:.0}."
        )));
    }
    if at < earliest {
        let days = backup.source.backup_retention;
        return Err(ApiError::invalid_value(format!(
            "The specified instance cannot be restored to a time earlier than {earliest:.0} because its backup retention period is set to \
             {days} days."
        )));
    }
    let base = base(state, &backup.source, at).ok_or_else(|| no_backup(&backup.source))?;
    let point = PointInTime { resource_id: backup.source.resource_id.clone(), source: backup.source.id.clone(), at };
    let phase = create::creating(Some(base.id.clone()), Some(point), now);
    // The write-ahead log is of the version that wrote it; an upgrade in between begins with a backup of its own.
    let data = Instance { engine_version: base.source.engine_version, ..backup.source };
    let instance = restore::restored(account, state, params, data, (id, fresh.resource_id()), phase)?;
    create::insert(account, state, instance, fresh)
}

/// The backup of the source, which a request names in one of three ways.
fn source(account: &Account, state: &State, params: &Params, now: Timestamp) -> Result<Backup, ApiError> {
    const WAYS: [&str; 3] =
        ["SourceDBInstanceIdentifier", "SourceDbiResourceId", "SourceDBInstanceAutomatedBackupsArn"];
    let named: Vec<_> = WAYS.iter().filter_map(|name| Some((*name, params.text(name)?))).collect();
    let [(way, name)] = named[..] else {
        return Err(ApiError::invalid_combination(format!("Exactly one of {} must be specified.", WAYS.join(", "))));
    };
    let wanted = match way {
        "SourceDBInstanceIdentifier" => {
            let id = account.id_of("db", name);
            let instance = state.instances.get(&id).ok_or_else(|| ApiError::instance_not_found(&id))?;
            if instance.backup_retention == 0 {
                return Err(ApiError::of(
                    "PointInTimeRestoreNotEnabled",
                    format!(
                        "SourceDBInstanceIdentifier {id} refers to a DB instance with BackupRetentionPeriod equal to 0."
                    ),
                ));
            }
            Wanted::Resource(instance.resource_id.clone())
        }
        "SourceDbiResourceId" => Wanted::Resource(name.to_owned()),
        _ => Wanted::Arn(name.to_owned()),
    };
    let found = backups(account, state, now).into_iter().find(|backup| wanted.is(account, &backup.source));
    found.ok_or_else(|| wanted.not_found())
}

/// The moment that is asked for.
fn moment(params: &Params, latest: Timestamp) -> Result<Timestamp, ApiError> {
    let at = params.parsed("RestoreTime")?;
    match (at, params.boolean("UseLatestRestorableTime")?.unwrap_or(false)) {
        (Some(at), false) => Ok(at),
        (None, true) => Ok(latest),
        (Some(_), true) => {
            Err(ApiError::invalid_combination("RestoreTime can't be specified if UseLatestRestorableTime is enabled."))
        }
        (None, false) => {
            Err(ApiError::invalid_combination("Either RestoreTime or UseLatestRestorableTime must be specified."))
        }
    }
}

/// Backups are on, and the first one is not complete.
fn no_backup(source: &Instance) -> ApiError {
    ApiError::of("InvalidRestoreFault", format!("No automated backup of {} is available yet.", source.id))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::lifecycle;
    use crate::state::{Activity, Phase, RetainedBackup};
    use crate::testing::{Counted, account, at, instance};

    /// An instance whose backups were complete after 60 s and after a day.
    fn state() -> State {
        let mut state = State::default();
        state.instances.insert("orders".into(), instance("orders"));
        for second in [0, 86_400] {
            lifecycle::begin_backup(&account(), &mut state, "db-ORDERS", at(second));
            lifecycle::finish(&mut state, "db-ORDERS", at(second + 60));
        }
        state
    }

    fn restore(state: &mut State, source: &[(&str, &str)], second: Option<i64>) -> Result<Instance, ApiError> {
        let time = second.map(|second| at(second).to_string());
        let time = time.as_deref().map_or(("UseLatestRestorableTime", "true"), |time| ("RestoreTime", time));
        let params = [("TargetDBInstanceIdentifier", "again"), time].into_iter().chain(source.iter().copied());
        restore_to_point_in_time(&account(), state, &params.collect(), at(100_000), &mut Counted::default())
    }

    #[test]
    fn the_backup_before_the_moment_is_the_base() {
        let by_name = [("SourceDBInstanceIdentifier", "Orders")];
        let first = state().snapshots.keys().next().cloned();
        for (second, is_first) in [(Some(60), true), (Some(86_459), true), (Some(86_460), false), (None, false)] {
            let again = restore(&mut state(), &by_name, second).unwrap();
            let Activity::Creating { from_snapshot, point_in_time: Some(point) } = again.phase.activity else {
                panic!("not restored: {again:?}");
            };
            assert_eq!(from_snapshot == first, is_first, "{second:?}");
            assert_eq!(point.at, at(second.unwrap_or(100_000 - 300)));
            assert_eq!((point.resource_id.as_str(), point.source.as_str()), ("db-ORDERS", "orders"));
        }
    }

    #[test]
    fn what_is_not_kept_cannot_be_restored() {
        let by_name = [("SourceDBInstanceIdentifier", "orders")];
        let message = |second| restore(&mut state(), &by_name, Some(second)).unwrap_err();
        assert!(message(59).message.contains("earlier than"), "{}", message(59));
        assert!(message(99_701).message.contains("later than"), "{}", message(99_701));
        let mut off = state();
        off.by_resource_mut("db-ORDERS").unwrap().backup_retention = 0;
        let mut young = state();
        young.snapshots.clear();
        young.by_resource_mut("db-ORDERS").unwrap().restorable_since = None;
        let both = [("SourceDBInstanceIdentifier", "orders"), ("SourceDbiResourceId", "db-ORDERS")];
        let cases = [
            (&mut off, &by_name[..], "PointInTimeRestoreNotEnabled"),
            (&mut young, &by_name[..], "InvalidRestoreFault"),
            (&mut state(), &both[..], "InvalidParameterCombination"),
            (&mut state(), &[][..], "InvalidParameterCombination"),
            (&mut state(), &[("SourceDBInstanceIdentifier", "none")][..], "DBInstanceNotFound"),
            (&mut state(), &[("SourceDbiResourceId", "db-NONE")][..], "DBInstanceAutomatedBackupNotFound"),
        ];
        for (state, source, code) in cases {
            assert_eq!(restore(state, source, None).unwrap_err().code, code, "{source:?}");
        }
    }

    #[test]
    fn an_instance_that_is_gone_is_restored_from_what_it_left() {
        let mut state = state();
        let source = state.instances.remove("orders").unwrap();
        let gone = Phase::begin(Activity::Deleting { final_snapshot: None, published: false }, at(90_000));
        let backup = RetainedBackup { source: Instance { phase: gone, ..source }, since: at(90_180) };
        state.retained.insert("db-ORDERS".into(), backup);
        let by_id = [("SourceDbiResourceId", "db-orders")];
        let again = restore(&mut state.clone(), &by_id, None).unwrap();
        let Activity::Creating { point_in_time: Some(point), .. } = again.phase.activity else {
            panic!("not restored");
        };
        assert_eq!(point.at, at(90_000), "nothing was written later");
        let late = at(90_180) + SignedDuration::from_hours(7 * 24);
        let params = [("TargetDBInstanceIdentifier", "again"), by_id[0], ("UseLatestRestorableTime", "true")];
        let over = restore_to_point_in_time(
            &account(),
            &mut state,
            &params.into_iter().collect(),
            late,
            &mut Counted::default(),
        );
        assert_eq!(over.unwrap_err().code, "DBInstanceAutomatedBackupNotFound");
    }
}
