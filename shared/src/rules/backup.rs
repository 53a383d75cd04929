//! How often backups are made, when, and how long they are kept.

use super::defaults::Additions;
use super::draft::Draft;
use super::filled::Filled;
use super::path::SPEC;
use super::reader::Reader;
use super::violations::Violations;
use super::{DailyWindow, Interval, Refusal, Rule, Verdict};
use crate::api::database;

/// What other tools call the keys of `spec.backup`, in lower case.
const KEYS_ELSEWHERE: [(&str, &str); 6] = [
    ("interval", "every"),
    ("frequency", "every"),
    ("schedule", "every"),
    ("retentionperiod", "retention"),
    ("keep", "retention"),
    ("preferredbackupwindow", "window"),
];

/// How often backups are made, when, and how long they are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Time between two backups.
    pub every: Interval,
    /// Days for which backups are kept: 1 to 3650.
    pub retention_days: u16,
    /// When they are made; none leaves it to the class, or as it is.
    pub window: Option<DailyWindow>,
}

/// Copies that are kept beside the automated backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copies {
    /// One is made each time this has passed.
    pub every: Interval,
    /// Days for which each is kept.
    pub days: u16,
}

impl Copies {
    /// As many as are kept of one database. An account has 100 manual snapshots in a Region, which all its databases share.
    ///
    /// Source: RDS user guide, "Quotas and constraints".
    pub const MOST: u64 = 20;
    /// For so many days automated backups reach every moment.
    ///
    /// Source: RDS API, CreateDBInstance, BackupRetentionPeriod.
    const AUTOMATED: u16 = 35;

    /// What is kept; `None` where automated backups are as good: they are continuous.
    fn of(every: Interval, days: u16) -> Option<Self> {
        (every > Interval::DAY || days > Self::AUTOMATED).then_some(Self { every, days })
    }

    /// How many there are when the first is as old as it gets.
    pub fn number(self) -> u64 {
        (u64::from(self.days) * Interval::DAY.as_secs()).div_ceil(self.every.as_secs())
    }

    /// Why they cannot be kept, where they are too many; the rest of a sentence that begins with `spec.backup.every`.
    pub fn too_many(self) -> Option<String> {
        let Self { every, days } = self;
        let least = u64::from(days).div_ceil(Self::MOST).max(2);
        let within = match days > Self::AUTOMATED {
            true => format!("or a retention of at most {}d", Self::AUTOMATED),
            false => "or 24h: automated backups reach every moment".to_owned(),
        };
        (self.number() > Self::MOST).then(|| {
            format!(
                "{every} would keep {} snapshots for {days}d, and at most {} are kept of one database: write {least}d or more, {within}",
                self.number(),
                Self::MOST
            )
        })
    }
}

impl Backup {
    /// Days for which automated backups are kept.
    pub fn automated_days(&self) -> u16 {
        self.retention_days.min(Copies::AUTOMATED)
    }

    /// The copies that are kept beside them.
    pub fn copies(&self) -> Option<Copies> {
        Copies::of(self.every, self.retention_days)
    }
}

/// The same, as far as it could be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BackupDraft {
    pub(super) every: Option<Interval>,
    pub(super) retention_days: Option<u16>,
    pub(super) window: Option<DailyWindow>,
}

impl BackupDraft {
    pub(super) fn finish(self) -> Option<Backup> {
        let Self { every, retention_days, window } = self;
        Some(Backup { every: every?, retention_days: retention_days?, window })
    }

    /// The copies that are asked for.
    pub(super) fn copies(&self) -> Option<Copies> {
        Copies::of(self.every?, self.retention_days?)
    }
}

/// Refuses more copies than are kept. This is a rule of admission alone: what is stored already is worked on, and its status says the same.
pub(super) fn judge(new: &Draft<'_>, old: Option<&Draft<'_>>, errors: &mut Violations, verdict: &mut Verdict) {
    let copies = new.backup.copies();
    let Some(message) = copies.and_then(Copies::too_many) else { return };
    let backup = SPEC.field("backup");
    let at = backup.field("every");
    if old.is_some_and(|old| old.backup.copies() == copies) {
        verdict.warn(Rule::UnchangedMistake, &at, "still wrong: more copies than are kept of one database");
        return;
    }
    errors.push(Refusal::new(Rule::TooManyCopies, message).at(&at));
}

impl Reader {
    pub(super) fn backup(&mut self, spec: &Filled<'_>, added: &Additions<'_>) -> BackupDraft {
        let at = SPEC.field("backup");
        let written = self.required(spec, &SPEC, "backup");
        let written = written.and_then(|written| self.map(written, &at, "{every: 24h, retention: 7d}"));
        let Some(written) = written else { return BackupDraft::default() };
        let backup = added.to_backup(written);
        let every = self.quantity(&backup, &at, "every", ("h", Rule::MalformedDuration));
        let every = every.and_then(|text| self.take(&at.field("every"), Interval::parse_every(text)));
        let retention = self.quantity(&backup, &at, "retention", ("d", Rule::MalformedDuration));
        let retention = retention.and_then(|text| self.take(&at.field("retention"), Interval::parse_retention(text)));
        let window = self.text(&backup, &at, "window");
        let window = window.and_then(|text| self.take(&at.field("window"), DailyWindow::parse(text)));
        self.unknown_keys(written, &at, &database::Backup::KEYS, &KEYS_ELSEWHERE);
        BackupDraft { every, retention_days: retention, window }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_kept_where_automated_backups_end() {
        for (every, days, number) in [
            ("30m", 35, None),
            ("24h", 35, None),
            ("25h", 7, Some(7)),
            ("48h", 30, Some(15)),
            ("2w", 7, Some(1)),
            ("24h", 36, Some(36)),
            ("5d", 90, Some(18)),
            ("365d", 3650, Some(10)),
        ] {
            let copies = Copies::of(Interval::parse(every).unwrap(), days);
            assert_eq!(copies.map(Copies::number), number, "{every}, {days}d");
        }
    }

    #[test]
    fn what_is_proposed_instead_is_kept() {
        for days in [36, 90, 365, 3650] {
            let copies = Copies { every: Interval::DAY, days };
            let why = copies.too_many().expect("they are too many");
            let least = why.split_once("write ").and_then(|(_, rest)| rest.split_once(' ')).unwrap().0;
            let every = Interval::parse_every(least).unwrap();
            assert_eq!(Copies { every, days }.too_many(), None, "{why}");
        }
    }
}
