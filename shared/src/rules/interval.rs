//! Durations: a whole number and one of `m`, `h`, `d`, `w`.

use std::fmt;

use super::quote::{did_you_mean, meant, quoted};
use super::{Refusal, Rule};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// Shortest time between two backups: RDS allows 100 manual snapshots a Region by default.
const SHORTEST_INTERVAL: u64 = 30 * MINUTE;
/// Longest time between two backups: a year.
const LONGEST_INTERVAL: u64 = 365 * DAY;
/// Longest retention, in days: ten years.
const LONGEST_RETENTION: u16 = 3650;

/// A duration in whole seconds, as it was written: `24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(u64);

impl Interval {
    /// One day, the interval of automated backups on RDS.
    pub const DAY: Self = Self(DAY);

    /// The interval of a text such as `30m`, `6h`, `7d` or `2w`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let refusal = |hint: &str| {
            Refusal::new(
                Rule::MalformedDuration,
                format!(
                    "{} is not a duration: write a whole number and one of m, h, d, w, such as 30m, 6h, 7d or 2w{hint}",
                    quoted(text)
                ),
            )
        };
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let seconds = match unit {
            "m" => MINUTE,
            "h" => HOUR,
            "d" => DAY,
            "w" => WEEK,
            _ => return Err(refusal(&hint(number, unit))),
        };
        if number.is_empty() || (number.len() > 1 && number.starts_with('0')) {
            return Err(refusal(""));
        }
        let too_long =
            || Refusal::new(Rule::DurationOutOfRange, format!("{} is longer than any backup is kept", quoted(text)));
        let number: u64 = number.parse().map_err(|_| too_long())?;
        number.checked_mul(seconds).map(Self).ok_or_else(too_long)
    }

    /// The interval of a `spec.backup.every`.
    pub(super) fn parse_every(text: &str) -> Result<Self, Refusal> {
        let interval = Self::parse(text)?;
        if !(SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval.0) {
            return Err(Refusal::new(
                Rule::DurationOutOfRange,
                format!("{} is out of range: the time between two backups is 30m to 365d", quoted(text)),
            ));
        }
        Ok(interval)
    }

    /// The whole days of a `spec.backup.retention`: 1 to 3650.
    pub(super) fn parse_retention(text: &str) -> Result<u16, Refusal> {
        let interval = Self::parse(text)?;
        let refusal = |rule, why: &str| Refusal::new(rule, format!("{} {why}", quoted(text)));
        if interval.0 == 0 {
            return Err(refusal(
                Rule::ZeroRetention,
                "would turn automated backups off, and with them point-in-time recovery: write 1d to 3650d",
            ));
        }
        if !interval.0.is_multiple_of(DAY) {
            return Err(refusal(
                Rule::RetentionNotInDays,
                "is not a whole number of days, the unit RDS keeps backups by: write 1d to 3650d",
            ));
        }
        let days = u16::try_from(interval.0 / DAY).ok().filter(|days| *days <= LONGEST_RETENTION);
        days.ok_or_else(|| refusal(Rule::DurationOutOfRange, "is longer than ten years: write 1d to 3650d"))
    }

    /// The length in seconds.
    pub const fn as_secs(self) -> u64 {
        self.0
    }
}

/// What was probably meant by an unknown unit, or by a word.
fn hint(number: &str, unit: &str) -> String {
    if number.is_empty() {
        return meant(unit, &[("hourly", "1h"), ("daily", "24h"), ("weekly", "7d")], []);
    }
    let unit = match unit.trim().to_lowercase().as_str() {
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        "w" | "week" | "weeks" => "w",
        _ => return String::new(),
    };
    did_you_mean(&format!("{number}{unit}"))
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => write!(f, "0m"),
            s if s.is_multiple_of(WEEK) => write!(f, "{}w", s / WEEK),
            s if s.is_multiple_of(DAY) => write!(f, "{}d", s / DAY),
            s if s.is_multiple_of(HOUR) => write!(f, "{}h", s / HOUR),
            s => write!(f, "{}m", s / MINUTE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_of_durations() {
        for (text, seconds) in [("30m", 1800), ("6h", 21_600), ("24h", DAY), ("7d", 7 * DAY), ("2w", 14 * DAY)] {
            assert_eq!(Interval::parse(text).unwrap().as_secs(), seconds, "{text}");
        }
        for text in
            ["", "7", "d", "07d", "-7d", "+7d", "7 d", "7D", "1.5h", "7d12h", "7s", "１d", "99999999999999999999d"]
        {
            assert!(Interval::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_unit_that_was_spelt_out_is_recognised() {
        assert!(Interval::parse("7days").unwrap_err().message.ends_with("did you mean \"7d\"?"));
        assert!(Interval::parse("24 H").unwrap_err().message.ends_with("did you mean \"24h\"?"));
    }

    #[test]
    fn what_is_displayed_parses_to_the_same() {
        for text in ["0m", "30m", "90m", "6h", "36h", "5d", "2w"] {
            let interval = Interval::parse(text).unwrap();
            assert_eq!(Interval::parse(&interval.to_string()).unwrap(), interval);
        }
    }

    #[test]
    fn retention_is_1_to_3650_whole_days() {
        for (text, days) in [("1d", 1), ("48h", 2), ("5w", 35), ("36d", 36), ("3650d", 3650)] {
            assert_eq!(Interval::parse_retention(text).unwrap(), days, "{text}");
        }
        for text in ["0d", "0h", "36h", "3651d", "522w", "60m", "99999d"] {
            assert!(Interval::parse_retention(text).is_err(), "{text}");
        }
    }

    #[test]
    fn backups_are_30_minutes_to_a_year_apart() {
        for text in ["30m", "24h", "5w", "365d"] {
            assert!(Interval::parse_every(text).is_ok(), "{text}");
        }
        for text in ["0h", "29m", "366d"] {
            assert!(Interval::parse_every(text).is_err(), "{text}");
        }
    }
}
