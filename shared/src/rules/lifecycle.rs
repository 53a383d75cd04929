//! How long each major version is supported.
//!
//! Source: "Release calendars" of the Amazon RDS user guide for PostgreSQL and for MySQL, as of 2026-11.

use jiff::ToSpan as _;
use jiff::civil::{Date, date};

use super::{Engine, MajorVersion};

/// The support dates of one major version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifecycle {
    engine: Engine,
    major: MajorVersion,
    /// Last day of standard support; from the next one on Extended Support is billed.
    pub(super) standard_end: Date,
    /// Last day of Extended Support.
    pub(super) extended_end: Date,
    /// Whether a specification may ask for it.
    offered: bool,
}

impl Lifecycle {
    /// The first day of Extended Support.
    pub(super) fn extended_start(&self) -> Date {
        self.standard_end.saturating_add(1.day())
    }

    /// The first day of the third year of Extended Support, from which on its fee is higher.
    /// Source: RDS pricing, "Amazon RDS Extended Support", year 3.
    pub(super) fn dearer_start(&self) -> Date {
        self.extended_start().saturating_add(2.years())
    }
}

const fn postgresql(major: u16, standard_end: Date, extended_end: Date, offered: bool) -> Lifecycle {
    Lifecycle { engine: Engine::Postgresql, major: MajorVersion::single(major), standard_end, extended_end, offered }
}

const fn mysql(major: u16, sub: u16, standard_end: Date, extended_end: Date, offered: bool) -> Lifecycle {
    Lifecycle { engine: Engine::MySql, major: MajorVersion::double(major, sub), standard_end, extended_end, offered }
}

/// Every known major version, the oldest of an engine first.
const LIFECYCLES: &[Lifecycle] = &[
    postgresql(11, date(2024, 2, 29), date(2027, 3, 31), false),
    postgresql(12, date(2025, 2, 28), date(2028, 2, 29), true),
    postgresql(13, date(2026, 2, 28), date(2029, 2, 28), true),
    postgresql(14, date(2027, 2, 28), date(2030, 2, 28), true),
    postgresql(15, date(2028, 2, 29), date(2031, 2, 28), true),
    postgresql(16, date(2029, 2, 28), date(2032, 2, 29), true),
    postgresql(17, date(2030, 2, 28), date(2033, 2, 28), true),
    postgresql(18, date(2031, 2, 28), date(2034, 2, 28), true),
    mysql(5, 7, date(2024, 2, 29), date(2029, 6, 30), false),
    mysql(8, 0, date(2026, 7, 31), date(2029, 7, 31), true),
    mysql(8, 4, date(2029, 7, 31), date(2032, 7, 31), true),
];

/// The major versions a specification may ask for, the oldest first.
pub(crate) fn offered(engine: Engine) -> impl DoubleEndedIterator<Item = MajorVersion> {
    LIFECYCLES.iter().filter(move |entry| entry.engine == engine && entry.offered).map(|entry| entry.major)
}

/// The newest major version a specification may ask for.
pub(super) fn newest(engine: Engine) -> Option<MajorVersion> {
    offered(engine).next_back()
}

/// The support dates of a major version, if it is known.
pub(super) fn of(engine: Engine, major: MajorVersion) -> Option<&'static Lifecycle> {
    LIFECYCLES.iter().find(|entry| entry.engine == engine && entry.major == major)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_in_order_and_their_dates_too() {
        for engine in Engine::ALL {
            let entries: Vec<_> = LIFECYCLES.iter().filter(|entry| entry.engine == engine).collect();
            assert!(entries.is_sorted_by_key(|entry| entry.major));
            assert!(entries.is_sorted_by_key(|entry| entry.standard_end));
            assert!(entries.iter().all(|entry| entry.dearer_start() < entry.extended_end));
        }
        assert_eq!(newest(Engine::Postgresql), Some(MajorVersion::single(18)));
        assert_eq!(newest(Engine::MySql), Some(MajorVersion::double(8, 4)));
    }
}
