//! Backup and maintenance windows, in minutes of the day or of the week (from Monday 00:00), in UTC.

use jiff::civil::Weekday;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Minutes in a week.
pub(crate) const WEEK: i64 = 7 * 1440;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Start and end of a daily window `hh24:mi-hh24:mi`.
pub(crate) fn daily_minutes(window: &str) -> Option<(u16, u16)> {
    let (start, end) = window.split_once('-')?;
    Some((clock(start)?, clock(end)?))
}

/// Start and end of a weekly window `ddd:hh24:mi-ddd:hh24:mi`.
pub(crate) fn weekly_minutes(window: &str) -> Option<(i32, i32)> {
    let (start, end) = window.split_once('-')?;
    Some((day_and_clock(start)?, day_and_clock(end)?))
}

/// Whether a daily and a weekly window have a minute in common.
pub(crate) fn overlap(daily: (u16, u16), weekly: (i32, i32)) -> bool {
    let length = |start: i64, end: i64, cycle: i64| (end - start).rem_euclid(cycle);
    let (weekly_start, weekly_end) = (i64::from(weekly.0), i64::from(weekly.1));
    let weekly_length = length(weekly_start, weekly_end, WEEK);
    let daily_length = length(daily.0.into(), daily.1.into(), 1440);
    (0..7).any(|day| {
        let daily_start = day * 1440 + i64::from(daily.0);
        (daily_start - weekly_start).rem_euclid(WEEK) < weekly_length
            || (weekly_start - daily_start).rem_euclid(WEEK) < daily_length
    })
}

/// Whether a daily window has the 30 minutes that RDS asks for.
pub(crate) fn long_enough(daily: (u16, u16)) -> bool {
    (i32::from(daily.1) - i32::from(daily.0)).rem_euclid(1440) >= 30
}

/// When the weekly window (`sun:05:00-sun:06:00`) is open next: not after `now` when it is open already.
pub(crate) fn opens(window: &str, now: Timestamp) -> Timestamp {
    let Some((start, end)) = weekly_minutes(window) else {
        return Timestamp::MAX;
    };
    let here = now.to_zoned(TimeZone::UTC);
    let today = i64::from(here.weekday().since(Weekday::Monday));
    let minute = today * 1440 + i64::from(here.hour()) * 60 + i64::from(here.minute());
    let into = (minute - i64::from(start)).rem_euclid(WEEK);
    let length = i64::from(end - start).rem_euclid(WEEK);
    if into < length {
        now
    } else {
        let wait = WEEK - into;
        now.checked_add(SignedDuration::from_mins(wait)).unwrap_or(Timestamp::MAX)
    }
}

fn clock(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u16, u16) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn two_digits(text: &str) -> Option<u16> {
    (text.len() == 2).then(|| text.parse().ok()).flatten()
}

fn day_and_clock(text: &str) -> Option<i32> {
    let (day, time) = text.split_once(':')?;
    let day = DAYS.iter().position(|name| name.eq_ignore_ascii_case(day))?;
    Some(i32::try_from(day).ok()? * 1440 + i32::from(clock(time)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_refuses() {
        assert_eq!(daily_minutes("23:30-00:15"), Some((1410, 15)));
        assert_eq!(weekly_minutes("Tue:00:01-tue:01:00"), Some((1441, 1500)));
        for bad in ["24:00-25:00", "1:00-2:00", "03:00", "mon:03:00-mon:04:00"] {
            assert_eq!(daily_minutes(bad), None, "{bad}");
        }
        assert!(long_enough((1410, 0)) && !long_enough((0, 29)));
    }

    #[test]
    fn overlaps_also_across_midnight() {
        let weekly = |text| weekly_minutes(text).unwrap();
        let daily = |text| daily_minutes(text).unwrap();
        assert!(overlap(daily("23:30-00:30"), weekly("mon:00:00-mon:00:20")));
        assert!(overlap(daily("03:00-04:00"), weekly("sun:22:00-mon:03:01")));
        assert!(!overlap(daily("03:00-04:00"), weekly("sun:04:00-sun:05:00")));
    }
}
