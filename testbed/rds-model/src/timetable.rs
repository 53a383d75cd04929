//! How long things take, what status they show, and what comes next: pure functions of an instance and the time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::abilities::word;
use crate::state::{Activity, FailedUpgrade, Instance, RetainedBackup, Snapshot};
use crate::windows;

/// How long things take.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Timetable {
    /// Until a new instance is there.
    pub creation: Duration,
    /// A backup or a snapshot of a running instance.
    pub backup: Duration,
    /// Until a modification begins to show. Real clients must not take the `available` before it for the end.
    pub lag: Duration,
    /// A modification, with its lag.
    pub modification: Duration,
    /// An upgrade to another major version; where its checks find something in the way, it lasts as long as a modification.
    pub upgrade: Duration,
    /// How long the volume shows `storage-optimization` after it grew.
    pub optimization: Duration,
    /// How long the storage cannot be changed again [RDS User Guide, "Working with storage"].
    pub storage_cooldown: Duration,
    /// Until a running server has the dynamic parameters that its group was given.
    pub parameters: Duration,
    /// Another password of the master user.
    pub credentials: Duration,
    /// A restart.
    pub reboot: Duration,
    /// Until an instance is stopped.
    pub stop: Duration,
    /// Until a stopped instance is available.
    pub start: Duration,
    /// How long an instance may be stopped before RDS starts it again [RDS User Guide, "Stopping a DB instance"].
    pub longest_stop: Duration,
    /// Until an instance is gone.
    pub deletion: Duration,
    /// How long a final snapshot takes, from the beginning of the deletion.
    pub final_snapshot: Duration,
    /// How far the write-ahead log that is kept lies behind: RDS ships it every five minutes.
    pub restore_lag: Duration,
    /// How long a volume shows `Initializing` after its data came from a snapshot: RDS promises nothing, and this is an hour of it.
    pub initialization: Duration,
    /// A day of a backup's retention, and that between two daily backups.
    pub day: Duration,
    /// Whether there are daily backups: a simulation is at rest without them.
    pub daily_backups: bool,
}

/// What is to be done about an instance now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until something changes.
    Rest,
    /// Nothing before this moment.
    Wait(Timestamp),
    /// The real work of its activity.
    Work,
    /// The final snapshot becomes available.
    PublishFinalSnapshot,
    /// The activity is over.
    Finish,
    /// The running server gets what its parameter group says.
    ApplyParameters,
    /// The maintenance window is open and changes wait for it, or maintenance is due.
    BeginPending,
    /// The backup window is open and the day's backup has not been taken.
    BackUp,
}

impl Timetable {
    /// The durations of RDS times `scale`, and those of the storage's cooldown, six hours, times `cooldown`.
    pub fn scaled(scale: f64, cooldown: f64) -> Self {
        let seconds = |seconds| multiplied(Duration::from_secs(seconds), scale);
        let (minute, hour) = (60, 3600);
        Self {
            creation: seconds(5 * minute),
            backup: seconds(minute),
            lag: seconds(10),
            modification: seconds(2 * minute),
            upgrade: seconds(10 * minute),
            optimization: seconds(30 * minute),
            storage_cooldown: multiplied(Duration::from_hours(6), cooldown),
            parameters: seconds(20),
            credentials: seconds(minute),
            reboot: seconds(minute),
            stop: seconds(150),
            start: seconds(150),
            longest_stop: seconds(7 * 24 * hour),
            deletion: seconds(3 * minute),
            final_snapshot: seconds(90),
            restore_lag: seconds(5 * minute),
            initialization: seconds(hour),
            day: seconds(24 * hour),
            daily_backups: false,
        }
    }

    /// What comes next for `instance`.
    pub fn next(&self, instance: &Instance, now: Timestamp) -> Step {
        let phase = &instance.phase;
        match &phase.activity {
            Activity::Available => {
                let window = sooner(Self::window(instance, now), self.daily_backup(instance, now));
                sooner(self.parameters(instance, now), window)
            }
            Activity::Failed if phase.worked => Step::Rest,
            _ if !phase.worked => Step::Work,
            Activity::Deleting { final_snapshot: Some(_), published: false } => {
                after(plus(phase.since, self.final_snapshot), now, Step::PublishFinalSnapshot)
            }
            _ => after(plus(phase.since, self.duration(instance)), now, Step::Finish),
        }
    }

    /// What is on its way to the running server, and needs no restart.
    fn parameters(&self, instance: &Instance, now: Timestamp) -> Step {
        let since = instance.running.applying();
        since.map_or(Step::Rest, |since| after(plus(since, self.parameters), now, Step::ApplyParameters))
    }

    /// What waits for the maintenance window, and maintenance.
    fn window(instance: &Instance, now: Timestamp) -> Step {
        let pending = (!instance.pending.is_empty()).then(|| windows::opens(&instance.maintenance_window, now));
        let due = pending.into_iter().chain(instance.next_maintenance(now)).min();
        due.map_or(Step::Rest, |due| after(due, now, Step::BeginPending))
    }

    /// The day's backup.
    fn daily_backup(&self, instance: &Instance, now: Timestamp) -> Step {
        self.next_backup(instance, now).map_or(Step::Rest, |due| after(due, now, Step::BackUp))
    }

    /// The `DBInstanceStatus` to show.
    pub fn status<'a>(&self, instance: &'a Instance, now: Timestamp) -> &'a str {
        if let Some(status) = &instance.ordered.status {
            return status;
        }
        let lagging = now < plus(instance.phase.since, self.lag);
        match &instance.phase.activity {
            Activity::Modifying { .. } | Activity::ResettingCredentials { .. } if lagging => {
                self.resting_status(instance, now)
            }
            Activity::Available => self.resting_status(instance, now),
            activity => word(activity),
        }
    }

    /// When a stopped instance is started by itself.
    pub fn automatic_restart(&self, instance: &Instance) -> Option<Timestamp> {
        let stopped = instance.phase.activity == Activity::Stopped;
        stopped.then(|| plus(instance.phase.since, self.longest_stop))
    }

    /// The `LatestRestorableTime`: none before the first backup, and never before its end.
    pub fn latest_restorable(&self, instance: &Instance, now: Timestamp) -> Option<Timestamp> {
        let since = instance.restorable_since?;
        let lag = SignedDuration::try_from(self.restore_lag).unwrap_or_default();
        // A stopped server writes nothing.
        let written = if instance.phase.activity == Activity::Stopped { instance.phase.since } else { now };
        Some(written.checked_sub(lag).unwrap_or(Timestamp::MIN).max(since))
    }

    /// When the next daily backup is due: in the first window that opens, or is open, half a day after the one before. Days count from
    /// midnight UTC; scaled, from the beginning of Unix time. The first backup is none of them.
    fn next_backup(&self, instance: &Instance, now: Timestamp) -> Option<Timestamp> {
        let last = instance.backed_up_at.filter(|_| self.daily_backups && instance.backup_retention > 0)?;
        let (start, end) = windows::daily_minutes(&instance.backup_window)?;
        let day = i128::try_from(self.day.as_nanos()).ok().filter(|day| *day > 0)?;
        let minutes = |minutes: i32| day * i128::from(minutes) / 1440;
        let from = now.max(plus(last, self.day / 2));
        let into = (from.as_nanosecond() - minutes(start.into())).rem_euclid(day);
        let length = minutes((i32::from(end) - i32::from(start)).rem_euclid(1440));
        let wait = if into < length { 0 } else { day - into };
        Timestamp::from_nanosecond(from.as_nanosecond() + wait).ok()
    }

    /// When the copy of a snapshot is complete: it takes as long as a backup.
    pub fn copied(&self, copy: &Snapshot) -> Timestamp {
        plus(copy.created_at, self.backup)
    }

    /// The `StorageOperationStatus` and `StorageOperationPercentProgress`, while there are any.
    pub fn storage_operation(&self, instance: &Instance, now: Timestamp) -> Option<(&'static str, u8)> {
        let under_way = |since: Option<Timestamp>, lasts: Duration| {
            let passed = Duration::try_from(now.duration_since(since?)).unwrap_or_default();
            let hundredths = (passed.as_nanos() * 100).checked_div(lasts.as_nanos())?;
            u8::try_from(hundredths).ok().filter(|percent| *percent < 100)
        };
        let initializing =
            under_way(instance.restored_at, self.initialization).map(|percent| ("Initializing", percent));
        initializing.or_else(|| Some(("Optimizing", under_way(instance.storage_changed_at, self.optimization)?)))
    }

    /// Whether an automated snapshot is older than its instance's retention.
    pub(crate) fn outdated(&self, completed_at: Timestamp, retention: u32, now: Timestamp) -> bool {
        plus(completed_at, self.day.saturating_mul(retention)) <= now
    }

    /// Whether the retention of a deleted instance's automated backup is over.
    pub(crate) fn expired(&self, backup: &RetainedBackup, now: Timestamp) -> bool {
        self.end(backup) <= now
    }

    /// When it is.
    pub(crate) fn end(&self, backup: &RetainedBackup) -> Timestamp {
        plus(backup.since, self.day.saturating_mul(backup.source.backup_retention))
    }

    /// When a status shown or a refusal ends with time alone, before or after now.
    pub(crate) fn turns(&self, instance: &Instance) -> impl Iterator<Item = Timestamp> + use<> {
        let lag = plus(instance.phase.since, self.lag);
        let lag = matches!(instance.phase.activity, Activity::Modifying { .. } | Activity::ResettingCredentials { .. })
            .then_some(lag);
        let ends = [self.optimization, self.storage_cooldown];
        let storage = instance.storage_changed_at.map(|changed| ends.map(|lasts| plus(changed, lasts)));
        lag.into_iter().chain(storage.into_iter().flatten())
    }

    /// Whether the last change of the storage forbids another one.
    pub(crate) fn storage_locked(&self, instance: &Instance, now: Timestamp) -> bool {
        instance
            .storage_changed_at
            .is_some_and(|changed| now < plus(changed, self.storage_cooldown.max(self.optimization)))
    }

    fn resting_status(&self, instance: &Instance, now: Timestamp) -> &'static str {
        let optimizing = instance.storage_changed_at.is_some_and(|changed| now < plus(changed, self.optimization));
        if optimizing { "storage-optimization" } else { "available" }
    }

    fn duration(&self, instance: &Instance) -> Duration {
        match &instance.phase.activity {
            Activity::Stopped => self.longest_stop,
            Activity::Creating { .. } => self.creation,
            Activity::BackingUp { .. } => self.backup,
            Activity::Rebooting => self.reboot,
            Activity::ResettingCredentials { .. } => self.credentials,
            Activity::Modifying { .. } => {
                let refused = matches!(instance.failed_upgrade, Some(FailedUpgrade::Refused(_)));
                if instance.major_upgrade().is_some() && !refused { self.upgrade } else { self.modification }
            }
            Activity::Stopping { .. } => self.stop,
            Activity::Starting => self.start,
            Activity::Deleting { .. } => self.deletion,
            Activity::Available | Activity::Failed => Duration::ZERO,
        }
    }
}

/// As long as can be said where the product is longer.
fn multiplied(duration: Duration, scale: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * scale).unwrap_or(Duration::MAX)
}

fn after(due: Timestamp, now: Timestamp, step: Step) -> Step {
    if due <= now { step } else { Step::Wait(due) }
}

/// Of two things to be done, the one that is due, else the one that is due first.
fn sooner(one: Step, other: Step) -> Step {
    match (one, other) {
        (Step::Wait(one), Step::Wait(other)) => Step::Wait(one.min(other)),
        (Step::Rest | Step::Wait(_), step) if step != Step::Rest => step,
        (step, _) => step,
    }
}

fn plus(at: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration).ok().and_then(|duration| at.checked_add(duration).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Change, Phase};
    use crate::testing::{at, instance};

    fn times() -> Timetable {
        Timetable::scaled(1.0, 1.0)
    }

    fn busy(activity: Activity, worked: bool) -> Instance {
        Instance { phase: Phase { activity, since: at(0), worked }, ..instance("orders") }
    }

    #[test]
    fn work_comes_before_time() {
        let creating = |worked| busy(Activity::Creating { from_snapshot: None, point_in_time: None }, worked);
        assert_eq!(times().next(&creating(false), at(9_999)), Step::Work);
        assert_eq!(times().next(&creating(true), at(10)), Step::Wait(at(300)));
        assert_eq!(times().next(&creating(true), at(300)), Step::Finish);
        assert_eq!(times().next(&busy(Activity::Available, true), at(1)), Step::Rest);
    }

    #[test]
    fn a_final_snapshot_is_available_before_the_instance_is_gone() {
        let deleting = |published| busy(Activity::Deleting { final_snapshot: Some("last".into()), published }, true);
        assert_eq!(times().next(&deleting(false), at(500)), Step::PublishFinalSnapshot);
        assert_eq!(times().next(&deleting(true), at(100)), Step::Wait(at(180)));
        assert_eq!(times().next(&deleting(true), at(180)), Step::Finish);
    }

    #[test]
    fn the_status_lags_behind_a_modification() {
        let change = Box::new(Change { allocated_storage: Some(30), ..Change::default() });
        let modifying = busy(Activity::Modifying { change }, false);
        assert_eq!(times().status(&modifying, at(9)), "available");
        assert_eq!(times().status(&modifying, at(10)), "modifying");
    }

    #[test]
    fn storage_optimizes_then_cools_down() {
        let mut grown = busy(Activity::Available, true);
        grown.storage_changed_at = Some(at(0));
        let cases = [(60, "storage-optimization", true), (31 * 60, "available", true), (6 * 3600, "available", false)];
        for (second, status, locked) in cases {
            assert_eq!(times().status(&grown, at(second)), status, "{second}");
            assert_eq!(times().storage_locked(&grown, at(second)), locked, "{second}");
        }
    }

    #[test]
    fn pending_changes_wait_for_their_window() {
        let mut waiting = busy(Activity::Available, true);
        waiting.pending = Change { class: Some("db.t4g.small".into()), ..Change::default() };
        waiting.maintenance_window = "sun:05:00-sun:06:00".into();
        let now = |text: &str| text.parse::<Timestamp>().unwrap();
        // 2026-03-01 is a Sunday.
        assert_eq!(times().next(&waiting, now("2026-03-01T05:30:00Z")), Step::BeginPending);
        assert_eq!(times().next(&waiting, now("2026-03-01T06:00:00Z")), Step::Wait(now("2026-03-08T05:00:00Z")));
        assert_eq!(times().next(&waiting, now("2026-02-28T05:00:00Z")), Step::Wait(now("2026-03-01T05:00:00Z")));
    }

    #[test]
    fn a_stopped_instance_starts_after_a_week() {
        let week = 7 * 24 * 3600;
        let stopped = busy(Activity::Stopped, true);
        assert_eq!(times().automatic_restart(&stopped), Some(at(week)));
        assert_eq!(times().next(&stopped, at(week - 1)), Step::Wait(at(week)));
        assert_eq!(times().next(&stopped, at(week)), Step::Finish);
        assert_eq!(times().automatic_restart(&busy(Activity::Available, true)), None);
    }

    #[test]
    fn nothing_before_the_first_backup_can_be_restored() {
        let mut fresh = busy(Activity::Available, true);
        assert_eq!(times().latest_restorable(&fresh, at(9999)), None);
        fresh.restorable_since = Some(at(360));
        assert_eq!(times().latest_restorable(&fresh, at(400)), Some(at(360)));
        assert_eq!(times().latest_restorable(&fresh, at(1000)), Some(at(700)));
        fresh.phase = Phase { activity: Activity::Stopped, since: at(2000), worked: true };
        assert_eq!(times().latest_restorable(&fresh, at(9000)), Some(at(1700)), "a stopped server writes nothing");
    }

    #[test]
    fn a_backup_comes_once_a_day_in_its_window() {
        let now = |text: &str| text.parse::<Timestamp>().unwrap();
        let (mut orders, daily) = (busy(Activity::Available, true), Timetable { daily_backups: true, ..times() });
        orders.backup_window = "23:45-00:15".into();
        assert_eq!(daily.next(&orders, at(0)), Step::Rest, "the first one is none of them");
        orders.backed_up_at = Some(now("2026-03-01T15:00:00Z"));
        let cases = [
            ("2026-03-01T23:50:00Z", Step::Wait(now("2026-03-02T23:45:00Z"))),
            ("2026-03-02T23:44:59Z", Step::Wait(now("2026-03-02T23:45:00Z"))),
            ("2026-03-02T23:45:00Z", Step::BackUp),
            ("2026-03-03T00:14:59Z", Step::BackUp),
            ("2026-03-03T00:15:00Z", Step::Wait(now("2026-03-03T23:45:00Z"))),
        ];
        for (at, step) in cases {
            assert_eq!(daily.next(&orders, now(at)), step, "{at}");
        }
        assert_eq!(times().next(&orders, now("2026-03-02T23:45:00Z")), Step::Rest, "a simulation is at rest");
        let scaled = Timetable { daily_backups: true, ..Timetable::scaled(0.01, 1.0) };
        let Step::Wait(due) = scaled.next(&orders, now("2026-03-01T15:01:00Z")) else { panic!("no backup to come") };
        // Half an hour of a day of 864 s.
        assert!((due.as_second() - 855).rem_euclid(864) < 18, "{due} is not after 23:45");
        orders.backup_retention = 0;
        assert_eq!(daily.next(&orders, now("2026-03-02T23:45:00Z")), Step::Rest);
    }

    #[test]
    fn a_volume_tells_how_far_its_operation_is() {
        let mut orders = busy(Activity::Available, true);
        assert_eq!(times().storage_operation(&orders, at(1)), None);
        orders.restored_at = Some(at(0));
        for (second, shown) in [(0, Some(0)), (1800, Some(50)), (3599, Some(99)), (3600, None)] {
            let expected = shown.map(|percent| ("Initializing", percent));
            assert_eq!(times().storage_operation(&orders, at(second)), expected, "{second}");
        }
        orders.storage_changed_at = Some(at(4000));
        assert_eq!(times().storage_operation(&orders, at(4900)), Some(("Optimizing", 50)));
    }

    #[test]
    fn a_retained_backup_is_kept_as_long_as_its_retention_says() {
        let backup = RetainedBackup { source: instance("orders"), since: at(0) };
        assert!(!times().expired(&backup, at(7 * 24 * 3600 - 1)) && times().expired(&backup, at(7 * 24 * 3600)));
    }
}
