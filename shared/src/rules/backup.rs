//! How often backups are made, when, and how long they are kept.

use super::defaults::Additions;
use super::filled::Filled;
use super::path::SPEC;
use super::reader::Reader;
use super::{DailyWindow, Interval, Rule};
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
    /// Days an automated backup is kept: 1 to 35.
    pub retention_days: u8,
    /// When they are made; none leaves it to the class, or as it is.
    pub window: Option<DailyWindow>,
}

/// The same, as far as it could be read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct BackupDraft {
    pub(super) every: Option<Interval>,
    pub(super) retention_days: Option<u8>,
    pub(super) window: Option<DailyWindow>,
}

impl BackupDraft {
    pub(super) fn finish(self) -> Option<Backup> {
        let Self { every, retention_days, window } = self;
        Some(Backup { every: every?, retention_days: retention_days?, window })
    }
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
