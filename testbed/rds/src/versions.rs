//! The engine versions on offer: two minors of each major from 12 to 18, all of which can be installed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A PostgreSQL version, such as 12.22.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct EngineVersion {
    pub(crate) major: u16,
    pub(crate) minor: u16,
}

/// Every version on offer, in order. The last of a major is its default.
const CATALOGUE: [EngineVersion; 14] = [
    version(12, 20),
    version(12, 22),
    version(13, 22),
    version(13, 23),
    version(14, 23),
    version(14, 24),
    version(15, 18),
    version(15, 19),
    version(16, 14),
    version(16, 15),
    version(17, 10),
    version(17, 11),
    version(18, 4),
    version(18, 6),
];

const fn version(major: u16, minor: u16) -> EngineVersion {
    EngineVersion { major, minor }
}

impl EngineVersion {
    /// The versions on offer, in order.
    pub(crate) fn all() -> impl DoubleEndedIterator<Item = Self> {
        CATALOGUE.into_iter()
    }

    /// What `text` means at creation: an exact version on offer, or a major, which stands for its default minor. Without a text, the
    /// default of the newest major.
    pub(crate) fn resolve(text: Option<&str>) -> Option<Self> {
        match text {
            None => Self::all().next_back(),
            Some(text) => Self::all().find(|version| version.to_string() == text).or_else(|| {
                let major = text.parse().ok()?;
                Self::default_of(major)
            }),
        }
    }

    /// The default minor of a major.
    pub(crate) fn default_of(major: u16) -> Option<Self> {
        Self::all().rfind(|version| version.major == major)
    }

    /// Whether this is the default minor of its major.
    pub(crate) fn is_default(self) -> bool {
        Self::default_of(self.major) == Some(self)
    }

    /// What this version can be upgraded to: newer minors of its major, and the versions of later majors.
    pub(crate) fn upgrade_targets(self) -> impl Iterator<Item = Self> {
        Self::all().filter(move |target| *target > self)
    }

    /// The default parameter group family, `postgres12`.
    pub(crate) fn family(self) -> String {
        format!("postgres{}", self.major)
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The text is no `major.minor`.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a PostgreSQL version")]
pub(crate) struct BadVersion(String);

impl FromStr for EngineVersion {
    type Err = BadVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadVersion(text.to_owned());
        let (major, minor) = text.split_once('.').ok_or_else(bad)?;
        Ok(Self { major: major.parse().map_err(|_| bad())?, minor: minor.parse().map_err(|_| bad())? })
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
        assert!(CATALOGUE.is_sorted());
        let targets: Vec<_> = version(17, 11).upgrade_targets().map(|v| v.to_string()).collect();
        assert_eq!(targets, ["18.4", "18.6"]);
    }
}
