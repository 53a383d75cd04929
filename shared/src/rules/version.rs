//! Engine versions, as they are written and as RDS reports them.

use std::fmt;

use super::lifecycle;
use super::quote::{did_you_mean, one_of, quoted};
use super::{Engine, Refusal, Rule};

/// A major version: `12` for PostgreSQL, `8.4` for MySQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MajorVersion {
    number: u16,
    sub: Option<u16>,
}

impl MajorVersion {
    /// A major version of one number, as PostgreSQL has them.
    pub(super) const fn single(number: u16) -> Self {
        Self { number, sub: None }
    }

    /// A major version of two numbers, as MySQL has them.
    pub(super) const fn double(number: u16, sub: u16) -> Self {
        Self { number, sub: Some(sub) }
    }

    /// The first number: 12 of `12`, 8 of `8.4`.
    pub const fn number(self) -> u16 {
        self.number
    }
}

impl fmt::Display for MajorVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sub {
            Some(sub) => write!(f, "{}.{sub}", self.number),
            None => write!(f, "{}", self.number),
        }
    }
}

/// An engine version: a major version and perhaps a minor one, which of Extended Support carries a date:
/// `12`, `12.22`, `12.22-rds.20250814`, `8.4.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EngineVersion {
    major: MajorVersion,
    minor: Option<u16>,
    extended: Option<u32>,
}

impl EngineVersion {
    /// The pattern of a version, for schemas; which ones are known is not its matter.
    pub(crate) const PATTERN: &'static str = r"^[0-9]+(\.[0-9]+){0,2}(-rds\.[0-9]{8})?$";

    /// A major version, whose minor one is left to RDS.
    pub(super) const fn of(major: MajorVersion) -> Self {
        Self { major, minor: None, extended: None }
    }

    /// The version of a specification: well formed and of a major version the operator offers.
    pub fn parse(engine: Engine, text: &str) -> Result<Self, Refusal> {
        if let Some(version) = Self::parse_offered(engine, text) {
            return Ok(version);
        }
        if Self::read(engine, text).is_none() {
            return Err(malformed(engine, text));
        }
        let offered: Vec<String> = lifecycle::offered(engine).map(|major| major.to_string()).collect();
        Err(Refusal::new(
            Rule::VersionNotOffered,
            format!(
                "{} is not a version of {engine} that is offered: write {}{}",
                quoted(text),
                one_of(offered.iter().map(String::as_str)),
                other_engine(engine, text)
            ),
        ))
    }

    fn parse_offered(engine: Engine, text: &str) -> Option<Self> {
        Self::read(engine, text).filter(|version| lifecycle::offered(engine).any(|offered| offered == version.major))
    }

    /// Any version in the engine's form, also one that is not offered: what RDS reports.
    pub fn read(engine: Engine, text: &str) -> Option<Self> {
        let (numbers, extended) = match text.split_once("-rds.") {
            Some((numbers, date)) if date.len() == 8 => (numbers, Some(number(date)?)),
            Some(_) => return None,
            None => (text, None),
        };
        let mut numbers = numbers.split('.');
        let first = short(numbers.next()?)?;
        let major = match engine {
            Engine::Postgresql => MajorVersion::single(first),
            Engine::MySql => MajorVersion::double(first, short(numbers.next()?)?),
        };
        let minor = numbers.next().map(short);
        if numbers.next().is_some() || minor == Some(None) || (extended.is_some() && minor.is_none()) {
            return None;
        }
        Some(Self { major, minor: minor.flatten(), extended })
    }

    /// The major version.
    pub const fn major(self) -> MajorVersion {
        self.major
    }

    /// The minor version, unless it is left to RDS.
    pub const fn minor(self) -> Option<u16> {
        self.minor
    }

    /// Whether an instance of `running` satisfies this version: the parts that are written are equal.
    pub fn covers(self, running: Self) -> bool {
        self.major == running.major
            && self.minor.is_none_or(|minor| running.minor == Some(minor))
            && self.extended.is_none_or(|extended| running.extended == Some(extended))
    }

    /// Whether moving to this version from `other` would be a way back, as far as both are written.
    pub(super) fn precedes(self, other: Self) -> bool {
        fn known_less<T: PartialOrd>(a: Option<T>, b: Option<T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a < b)
        }
        self.major < other.major
            || (self.major == other.major
                && (known_less(self.minor, other.minor)
                    || (self.minor == other.minor && known_less(self.extended, other.extended))))
    }
}

impl fmt::Display for EngineVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.major)?;
        if let Some(minor) = self.minor {
            write!(f, ".{minor}")?;
        }
        if let Some(extended) = self.extended {
            write!(f, "-rds.{extended:08}")?;
        }
        Ok(())
    }
}

fn number(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit());
    canonical.then(|| text.parse().ok()).flatten()
}

/// A part of a version: no leading zero, so that what is read is displayed alike.
fn short(text: &str) -> Option<u16> {
    if text.len() > 1 && text.starts_with('0') {
        return None;
    }
    u16::try_from(number(text)?).ok()
}

/// Most parts of a version that are looked at for what was meant: one more than any has.
const MOST_PARTS: usize = 4;

fn malformed(engine: Engine, text: &str) -> Refusal {
    let example = match engine {
        Engine::Postgresql => "\"12\" or \"12.22\"",
        Engine::MySql => "\"8.4\" or \"8.4.3\"",
    };
    Refusal::new(
        Rule::MalformedVersion,
        format!(
            "{} is not a version of {engine}: write a text such as {example}{}",
            quoted(text),
            match other_engine(engine, text) {
                none if none.is_empty() => meant(engine, text),
                other => other,
            }
        ),
    )
}

/// What was probably meant: the version in `v15`, `postgres-15`, `15.x` or `15.4.0`; the newest one for `latest`.
fn meant(engine: Engine, text: &str) -> String {
    if matches!(text.to_lowercase().as_str(), "latest" | "newest" | "stable") {
        return lifecycle::newest(engine).map(|newest| did_you_mean(&newest.to_string())).unwrap_or_default();
    }
    let from = text.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('0');
    let numbers = from.split(|c: char| !(c.is_ascii_digit() || c == '.')).next().unwrap_or_default();
    let parts: Vec<&str> = numbers.split('.').take(MOST_PARTS).collect();
    (1..=parts.len())
        .rev()
        .map(|count| parts[..count].join("."))
        .find(|text| EngineVersion::parse_offered(engine, text).is_some())
        .map(|text| did_you_mean(&text))
        .unwrap_or_default()
}

/// Says so when the version is one of another engine: then it is the type that was forgotten.
fn other_engine(engine: Engine, text: &str) -> String {
    let offers = |other: Engine| EngineVersion::parse_offered(other, text).is_some();
    Engine::ALL
        .into_iter()
        .find(|other| *other != engine && offers(*other))
        .map(|other| format!("; for {other}, write its type as well"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_display_as_they_are_written() {
        for (engine, text) in [
            (Engine::Postgresql, "12"),
            (Engine::Postgresql, "12.22"),
            (Engine::Postgresql, "12.22-rds.20250814"),
            (Engine::Postgresql, "18"),
            (Engine::MySql, "8.4"),
            (Engine::MySql, "8.0.36"),
        ] {
            assert_eq!(EngineVersion::parse(engine, text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_version() {
        for text in [
            "",
            "v12",
            "12.",
            ".22",
            "12.22.1",
            "012",
            "12.022",
            "12-rds.20250814",
            "12.22-rds.1",
            "12.22-rds.2025081x",
            "12.22-RDS.20250814",
            "99999999",
            "12 ",
            "latest",
            "11",
            "9.6",
            "19",
        ] {
            assert!(EngineVersion::parse(Engine::Postgresql, text).is_err(), "{text}");
        }
        for text in ["8", "5.7", "8.1", "8.4.3.1", "9.0"] {
            assert!(EngineVersion::parse(Engine::MySql, text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_probably_meant_is_said() {
        for (engine, written, meant) in [
            (Engine::Postgresql, "v15", "15"),
            (Engine::Postgresql, "postgres-15.4", "15.4"),
            (Engine::Postgresql, "15.x", "15"),
            (Engine::Postgresql, "15.4.0", "15.4"),
            (Engine::Postgresql, "15.4.0.0.0.0", "15.4"),
            (Engine::Postgresql, "015", "15"),
            (Engine::Postgresql, " 15 ", "15"),
            (Engine::Postgresql, "latest", "18"),
            (Engine::MySql, "mysql8.4", "8.4"),
            (Engine::MySql, "Latest", "8.4"),
        ] {
            let refusal = EngineVersion::parse(engine, written).unwrap_err();
            assert!(refusal.message.ends_with(&format!("did you mean \"{meant}\"?")), "{refusal}");
        }
        for written in ["much", "v7", "", "..."] {
            let refusal = EngineVersion::parse(Engine::Postgresql, written).unwrap_err();
            assert!(!refusal.message.contains("did you mean"), "{refusal}");
        }
    }

    #[test]
    fn what_is_reported_is_read_though_it_is_not_offered() {
        assert_eq!(EngineVersion::read(Engine::Postgresql, "11.22").unwrap().major(), MajorVersion::single(11));
        assert_eq!(EngineVersion::read(Engine::MySql, "5.7.44").unwrap().major(), MajorVersion::double(5, 7));
    }

    #[test]
    fn a_way_back_is_one_as_far_as_it_is_written() {
        let version = |text| EngineVersion::read(Engine::Postgresql, text).unwrap();
        for (new, old, back) in [
            ("12", "13", true),
            ("12.22", "12", false),
            ("12", "12.22", false),
            ("12.21", "12.22", true),
            ("12.21", "12.22-rds.20250814", true),
            ("12.22", "12.22-rds.20250814", false),
            ("12.22-rds.20250508", "12.22-rds.20250814", true),
            ("13.1", "12.22", false),
        ] {
            assert_eq!(version(new).precedes(version(old)), back, "{old} to {new}");
        }
    }

    #[test]
    fn a_version_covers_what_it_leaves_open() {
        let version = |text| EngineVersion::read(Engine::Postgresql, text).unwrap();
        assert!(version("12").covers(version("12.22-rds.20250814")));
        assert!(version("12.22").covers(version("12.22-rds.20250814")));
        assert!(!version("12.21").covers(version("12.22")));
        assert!(!version("13").covers(version("12.22")));
    }
}
