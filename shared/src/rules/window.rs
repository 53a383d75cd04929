//! Times of the day and of the week in which a provider may do something, in UTC.

use std::fmt;

use jiff::Timestamp;

use super::quote::{did_you_mean, quoted};
use super::{Refusal, Rule};

const DAY: u16 = 24 * 60;
const WEEK: u16 = 7 * DAY;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Source: RDS API, CreateDBInstance, PreferredBackupWindow and PreferredMaintenanceWindow.
const SHORTEST: u16 = 30;

/// A time of every day, such as `03:00-04:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DailyWindow {
    /// Minutes of the day.
    from: u16,
    to: u16,
}

/// A time of every week, such as `sun:04:00-sun:05:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeeklyWindow {
    /// Minutes of the week, which begins on Monday.
    from: u16,
    to: u16,
}

impl DailyWindow {
    /// The pattern of one, for schemas.
    pub(crate) const PATTERN: &'static str = "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$";

    /// The window of a text.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let window = text.split_once('-').and_then(|(from, to)| Some(Self { from: clock(from)?, to: clock(to)? }));
        let window = window.ok_or_else(|| {
            malformed(text, "write a time of the day in UTC, such as 03:00-04:00", |text| Self::parse(text).is_ok())
        })?;
        match length(window.from, window.to, DAY) {
            SHORTEST.. => Ok(window),
            _ => Err(Refusal::new(Rule::WindowLength, format!("{} is shorter than 30 minutes", quoted(text)))),
        }
    }

    /// Whether both have a minute in common.
    pub fn overlaps(self, weekly: WeeklyWindow) -> bool {
        let lasts = length(self.from, self.to, DAY);
        let weekly_lasts = length(weekly.from, weekly.to, WEEK);
        (0..7)
            .map(|day| day * DAY + self.from)
            .any(|begins| length(weekly.from, begins, WEEK) < weekly_lasts || length(begins, weekly.from, WEEK) < lasts)
    }
}

impl WeeklyWindow {
    /// The pattern of one, for schemas.
    pub(crate) const PATTERN: &'static str = "^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$";

    /// The window of a text.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let window =
            text.split_once('-').and_then(|(from, to)| Some(Self { from: day_clock(from)?, to: day_clock(to)? }));
        let window = window.ok_or_else(|| {
            malformed(text, "write a time of the week in UTC, such as sun:04:00-sun:05:00", |text| {
                Self::parse(text).is_ok()
            })
        })?;
        match length(window.from, window.to, WEEK) {
            SHORTEST..DAY => Ok(window),
            ..SHORTEST => Err(Refusal::new(Rule::WindowLength, format!("{} is shorter than 30 minutes", quoted(text)))),
            _ => Err(Refusal::new(Rule::WindowLength, format!("{} lasts a day or longer", quoted(text)))),
        }
    }
}

impl WeeklyWindow {
    /// The minutes that are left of it, where this minute of the week is in it.
    pub fn left(self, minute: u16) -> Option<u16> {
        let (lasts, passed) = (length(self.from, self.to, WEEK), length(self.from, minute, WEEK));
        lasts.checked_sub(passed).filter(|left| *left > 0)
    }

    /// The minutes until it begins next; 0 at its very first.
    pub fn opens_in(self, minute: u16) -> u16 {
        length(minute, self.from, WEEK)
    }
}

/// The minute of the week, which begins on Monday, in UTC.
pub fn minute_of_week(at: Timestamp) -> u16 {
    // The first day of Unix was a Thursday.
    let minutes = at.as_second().div_euclid(60) + 3 * i64::from(DAY);
    u16::try_from(minutes.rem_euclid(i64::from(WEEK))).unwrap_or_default()
}

impl fmt::Display for DailyWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl fmt::Display for WeeklyWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |minute: u16| {
            let (day, minute) = (DAYS[usize::from(minute / DAY)], minute % DAY);
            format!("{day}:{:02}:{:02}", minute / 60, minute % 60)
        };
        write!(f, "{}-{}", told(self.from), told(self.to))
    }
}

/// The minutes from one to another, which may lie in the next round.
fn length(from: u16, to: u16, round: u16) -> u16 {
    if to >= from { to - from } else { round - from + to }
}

fn clock(text: &str) -> Option<u16> {
    let two = |text: &str| (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok());
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (two(hour)??, two(minute)??);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn day_clock(text: &str) -> Option<u16> {
    let (day, time) = text.split_once(':')?;
    let day = (0..).zip(DAYS).find_map(|(index, name)| (name == day).then_some(index))?;
    Some(day * DAY + clock(time)?)
}

fn malformed(text: &str, write: &str, right: impl Fn(&str) -> bool) -> Refusal {
    let lower = text.trim().to_lowercase().replace(' ', "");
    let hint = if lower != text && right(&lower) { did_you_mean(&lower) } else { String::new() };
    Refusal::new(Rule::MalformedWindow, format!("{} is no window: {write}{hint}", quoted(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_as_they_are_written() {
        for text in ["03:00-04:00", "23:30-00:15", "00:00-23:59"] {
            assert_eq!(DailyWindow::parse(text).unwrap().to_string(), text);
        }
        for text in ["sun:04:00-sun:05:00", "sun:23:30-mon:00:15", "mon:00:00-mon:23:59"] {
            assert_eq!(WeeklyWindow::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_none_is_refused_with_what_to_write() {
        let daily = |text| DailyWindow::parse(text).unwrap_err();
        let weekly = |text| WeeklyWindow::parse(text).unwrap_err();
        for text in ["", "03:00", "3:00-4:00", "24:00-25:00", "03:00-04:60", "sun:03:00-sun:04:00", "+3:00-04:00"] {
            assert_eq!(daily(text).rule, Rule::MalformedWindow, "{text}");
        }
        for text in ["", "03:00-04:00", "son:03:00-son:04:00", "sun:03:00-04:00"] {
            assert_eq!(weekly(text).rule, Rule::MalformedWindow, "{text}");
        }
        assert!(weekly("Sun:04:00 - Sun:05:00").message.ends_with("did you mean \"sun:04:00-sun:05:00\"?"));
        for (refusal, why) in [
            (daily("03:00-03:29"), "shorter"),
            (daily("03:00-03:00"), "shorter"),
            (weekly("sun:23:50-mon:00:19"), "shorter"),
            (weekly("mon:00:00-tue:00:00"), "a day or longer"),
        ] {
            assert!(refusal.rule == Rule::WindowLength && refusal.message.contains(why), "{refusal:?}");
        }
    }

    #[test]
    fn a_daily_window_meets_a_weekly_one_on_any_day() {
        for (daily, weekly, meet) in [
            ("03:00-04:00", "sun:03:30-sun:04:30", true),
            ("03:00-04:00", "sun:04:00-sun:05:00", false),
            ("03:00-04:00", "sun:02:00-sun:03:00", false),
            ("23:30-00:30", "mon:00:00-mon:00:30", true),
            ("00:00-01:00", "sun:23:00-mon:00:30", true),
            ("12:00-12:30", "wed:00:00-wed:23:00", true),
        ] {
            let (daily, weekly) = (DailyWindow::parse(daily).unwrap(), WeeklyWindow::parse(weekly).unwrap());
            assert_eq!(daily.overlaps(weekly), meet, "{daily} {weekly}");
        }
    }

    #[test]
    fn a_minute_is_in_a_window_or_before_it() {
        let at = |text: &str| minute_of_week(text.parse().unwrap());
        let window = |text: &str| WeeklyWindow::parse(text).unwrap();
        // The 30th of November 2026 is a Monday.
        assert_eq!(at("2026-11-30T00:00:00Z"), 0);
        assert_eq!(at("2026-12-06T23:59:59Z"), WEEK - 1);
        for (text, now, left, opens_in) in [
            ("mon:04:00-mon:05:00", "2026-11-30T03:59:00Z", None, 1),
            ("mon:04:00-mon:05:00", "2026-11-30T04:00:00Z", Some(60), 0),
            ("mon:04:00-mon:05:00", "2026-11-30T04:59:59Z", Some(1), WEEK - 59),
            ("mon:04:00-mon:05:00", "2026-11-30T05:00:00Z", None, WEEK - 60),
            ("sun:23:30-mon:00:30", "2026-11-30T00:10:00Z", Some(20), WEEK - 40),
            ("sun:23:30-mon:00:30", "2026-11-30T00:30:00Z", None, WEEK - 60),
        ] {
            assert_eq!((window(text).left(at(now)), window(text).opens_in(at(now))), (left, opens_in), "{text} {now}");
        }
    }
}
