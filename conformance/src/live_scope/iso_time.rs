//! Times in the form of ISO 8601, as Python's `datetime` writes them.

use std::time::{Duration, SystemTime};

use serde::Deserialize;

/// A time, read exactly. One without an offset is UTC.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct IsoTime(pub(super) SystemTime);

impl TryFrom<String> for IsoTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let nanos = unix_nanos(&text).ok_or_else(|| format!("no time: {text:?}"))?;
        let since_epoch = Duration::from_nanos(nanos);
        Ok(Self(SystemTime::UNIX_EPOCH + since_epoch))
    }
}

/// Nanoseconds since the epoch. None for what is no time, or before the epoch. Python reads more forms than it
/// writes.
pub(crate) fn unix_nanos(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, "00"));
    let days = match date.split_once('W') {
        None => days_of_date(date)?,
        Some((year, week)) => days_of_week(year, week)?,
    };
    let (time, offset_seconds) = split_offset(time)?;
    let (clock, fraction) = time.split_once(['.', ',']).unwrap_or((time, ""));
    let [hours, minutes, seconds] = numbers(clock, ':', [2; 3])?;
    let nanos: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let seconds = days * 86_400 + hours * 3_600 + minutes * 60 + seconds - offset_seconds;
    u64::try_from(seconds)
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
}

/// Days from the epoch to a day that is told by its month.
fn days_of_date(date: &str) -> Option<i64> {
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    Some(days_from_civil(year, month, day))
}

/// Days from the epoch to a day that is told by its week, of which the first is the one with the fourth of January.
/// Without a number of the day it is a Monday.
fn days_of_week(year: &str, week: &str) -> Option<i64> {
    let [year, ..] = numbers(year.strip_suffix('-').unwrap_or(year), '-', [4, 2, 2])?;
    let week = if week.len() == 2 {
        format!("{week}1")
    } else {
        week.to_owned()
    };
    let [week, day, _] = numbers(&week, '-', [2, 1, 0])?;
    let fourth = days_from_civil(year, 1, 4);
    // The epoch was a Thursday.
    let monday = fourth - (fourth + 3).rem_euclid(7);
    Some(monday + 7 * (week - 1) + day - 1)
}

/// Three numbers of so many digits, with something between them or not. Those at the end may be left out.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut rest = text;
    let mut numbers = [0; 3];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        if rest.is_empty() {
            break;
        }
        let (this, others) = rest.split_at_checked(digits)?;
        *number = this.parse().ok()?;
        rest = others.strip_prefix(between).unwrap_or(others);
    }
    rest.is_empty().then_some(numbers)
}

/// The time of day and the seconds by which it is ahead of UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(time) = time.strip_suffix('Z') {
        return Some((time, 0));
    }
    let Some(at) = time.find(['+', '-']) else {
        return Some((time, 0));
    };
    let (time, offset) = time.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let [hours, minutes, seconds] = numbers(offset.get(1..)?, ':', [2; 3])?;
    Some((time, sign * (hours * 3_600 + minutes * 60 + seconds)))
}

/// Days since the epoch in the proleptic Gregorian calendar, counted from the first of March so that
/// the day of a leap year comes last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::unix_nanos;

    #[test]
    fn times_are_read_exactly() {
        for (text, expected) in [
            ("1970-01-01T00:00:00+00:00", Some(0)),
            (
                "2025-06-01T12:00:01.500000+00:00",
                Some(1_748_779_201_500_000_000),
            ),
            (
                "2025-06-01T14:00:00.123456+02:00",
                Some(1_748_779_200_123_456_000),
            ),
            ("2025-06-01T06:30:00-05:30", Some(1_748_779_200_000_000_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000_000_000)),
            ("2000-03-01T00:00:00", Some(951_868_800_000_000_000)),
            ("2000-03-01", Some(951_868_800_000_000_000)),
            ("20000301T000000,5+0000", Some(951_868_800_500_000_000)),
            ("2000-03-01 01+01:00:00", Some(951_868_800_000_000_000)),
            ("2025-W23-1", Some(1_748_822_400_000_000_000)),
            ("2025W237T12", Some(1_749_384_000_000_000_000)),
            ("2020-W53", Some(1_609_113_600_000_000_000)),
            ("2021-W01-1", Some(1_609_718_400_000_000_000)),
            ("2025-W23-1-1", None),
            ("2025-Wxx-1", None),
            ("2000-03-01T00:00:00:00", None),
            ("2000-03-01T00:00:0", None),
            ("1969-12-31T23:59:59Z", None),
            ("soon", None),
        ] {
            assert_eq!(unix_nanos(text), expected, "{text}");
        }
    }
}
