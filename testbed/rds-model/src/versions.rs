//! The engine versions that are known: of each major from 12 to 18 two minors on offer, all of which can be installed, and for some an old
//! one that RDS lists as deprecated.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A PostgreSQL version, such as 12.22, or one of Extended Support, such as 12.22-rds.20250814.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EngineVersion {
    /// 12.
    pub major: u16,
    /// 22.
    pub minor: u16,
    /// The day of RDS's own patches on top of the community's last minor. Here it runs that minor.
    pub extended: Option<u32>,
}

/// Whether a version can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// For new instances and as a target of upgrades.
    Available,
    /// Listed on demand, and neither for new instances nor a target of upgrades.
    Deprecated,
}

use Availability::{Available, Deprecated};

/// Every version that is listed, in order.
const CATALOGUE: [(EngineVersion, Availability); 19] = [
    (version(12, 15), Deprecated),
    (version(12, 20), Available),
    (version(12, 22), Available),
    (EngineVersion { major: 12, minor: 22, extended: Some(20_250_814) }, Available),
    (version(13, 11), Deprecated),
    (version(13, 22), Available),
    (version(13, 23), Available),
    (version(14, 8), Deprecated),
    (version(14, 23), Available),
    (version(14, 24), Available),
    (version(15, 3), Deprecated),
    (version(15, 18), Available),
    (version(15, 19), Available),
    (version(16, 14), Available),
    (version(16, 15), Available),
    (version(17, 10), Available),
    (version(17, 11), Available),
    (version(18, 4), Available),
    (version(18, 6), Available),
];

const fn version(major: u16, minor: u16) -> EngineVersion {
    EngineVersion { major, minor, extended: None }
}

impl Availability {
    /// The `Status` of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Deprecated => "deprecated",
        }
    }
}

impl EngineVersion {
    /// The versions that are listed, in order, and whether they can be had.
    pub fn listed() -> impl Iterator<Item = (Self, Availability)> {
        CATALOGUE.into_iter()
    }

    /// The versions on offer, in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        CATALOGUE.into_iter().filter(|(_, availability)| *availability == Available).map(|(version, _)| version)
    }

    /// What `text` means at creation: an exact version on offer, or a major, which stands for its default minor. Without a text, the
    /// default of the newest major.
    pub fn resolve(text: Option<&str>) -> Option<Self> {
        match text {
            None => Self::all().next_back(),
            Some(text) => Self::all().find(|version| version.to_string() == text).or_else(|| {
                let major = text.parse().ok()?;
                Self::default_of(major)
            }),
        }
    }

    /// The default of a major: its last minor of the community.
    pub fn default_of(major: u16) -> Option<Self> {
        Self::all().rfind(|version| version.major == major && version.extended.is_none())
    }

    /// Whether this is the default minor of its major.
    pub fn is_default(self) -> bool {
        Self::default_of(self.major) == Some(self)
    }

    /// What this version can be upgraded to: newer ones of its major, and the versions of the later majors that there were when it came out,
    /// to which RDS adds no later ones [RDS User Guide, "Choosing a major version for an upgrade"].
    pub fn upgrade_targets(self) -> impl Iterator<Item = Self> {
        let newest = self.newest_major();
        Self::all().filter(move |target| *target > self && target.major <= newest)
    }

    fn newest_major(self) -> u16 {
        match (self.major, self.minor) {
            // Of 2023.
            (12, ..=15) | (13, ..=11) | (14, ..=8) | (15, ..=3) => 15,
            // Of the summer of 2024, and of 2025.
            (12, ..=20) => 16,
            (12, _) | (13, ..=22) => 17,
            _ => 18,
        }
    }

    /// Whether the standard support of its major has ended by now: at the end of a February [endoflife.date], of 2025 for PostgreSQL 12, a year
    /// later for each further major.
    pub fn standard_support_ended(self, now: Timestamp) -> bool {
        let years = i16::try_from(self.major.saturating_sub(12)).unwrap_or(i16::MAX);
        now.to_zoned(TimeZone::UTC).date() > date(2025_i16.saturating_add(years), 2, 1).last_of_month()
    }

    /// What an instance of this version that is kept out of Extended Support is upgraded to when its standard support has ended: the default of
    /// the next major that has it still [RDS API Reference, RestoreDBInstanceFromDBSnapshot, EngineLifecycleSupport, which does not say how far].
    pub fn supported_target(self, now: Timestamp) -> Option<Self> {
        let supported = |target: &Self| target.is_default() && !target.standard_support_ended(now);
        self.upgrade_targets().find(supported).filter(|_| self.standard_support_ended(now))
    }

    /// The default parameter group family, `postgres12`.
    pub fn family(self) -> String {
        format!("postgres{}", self.major)
    }

    /// The release of the community whose programs it runs, `12.22`.
    #[must_use]
    pub fn community(self) -> Self {
        Self { extended: None, ..self }
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        self.extended.map_or(Ok(()), |day| write!(f, "-rds.{day}"))
    }
}

/// The text is no `major.minor`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a PostgreSQL version")]
pub struct BadVersion(String);

impl FromStr for EngineVersion {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadVersion(text.to_owned());
        let (numbers, extended) = match text.split_once("-rds.") {
            None => (text, None),
            Some((numbers, day)) => (numbers, Some(day.parse().map_err(|_| bad())?)),
        };
        let (major, minor) = numbers.split_once('.').ok_or_else(bad)?;
        Ok(Self { major: major.parse().map_err(|_| bad())?, minor: minor.parse().map_err(|_| bad())?, extended })
    }
}

impl TryFrom<String> for EngineVersion {
    type Error = BadVersion;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<EngineVersion> for String {
    fn from(version: EngineVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_majors_and_exact_versions_only() {
        let cases = [
            (Some("12"), Some("12.22")),
            (Some("12.20"), Some("12.20")),
            (Some("12.22-rds.20250814"), Some("12.22-rds.20250814")),
            (Some("12.15"), None),
            (Some("12.99"), None),
            (Some("9.6"), None),
            (Some("11"), None),
            (Some("twelve"), None),
            (None, Some("18.6")),
        ];
        for (asked, expected) in cases {
            let seen = EngineVersion::resolve(asked).map(|version| version.to_string());
            assert_eq!(seen.as_deref(), expected, "{asked:?}");
        }
    }

    #[test]
    fn the_catalogue_is_in_order_and_upgrades_only_go_up() {
        assert!(EngineVersion::listed().is_sorted_by_key(|(version, _)| version));
        let targets = |version: EngineVersion| version.upgrade_targets().map(|v| v.to_string()).collect::<Vec<_>>();
        assert_eq!(targets(version(17, 11)), ["18.4", "18.6"]);
        assert_eq!(targets(version(12, 22))[..2], ["12.22-rds.20250814", "13.22"]);
        let last = |version: EngineVersion| version.upgrade_targets().last().map(|target| target.to_string());
        for (from, to) in
            [((12, 15), "15.19"), ((12, 20), "16.15"), ((12, 22), "17.11"), ((13, 22), "17.11"), ((13, 23), "18.6")]
        {
            assert_eq!(last(version(from.0, from.1)).as_deref(), Some(to), "{from:?}");
        }
        assert_eq!(last(version(18, 6)), None);
    }

    #[test]
    fn versions_are_read_as_they_are_written() {
        for (version, _) in EngineVersion::listed() {
            assert_eq!(version.to_string().parse::<EngineVersion>().unwrap(), version);
        }
        for bad in ["12", "12.x", "12.22-rds.", "12.22-rds.new"] {
            assert!(bad.parse::<EngineVersion>().is_err(), "{bad}");
        }
    }
}
