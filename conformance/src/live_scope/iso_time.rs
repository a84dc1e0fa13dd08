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

/// Nanoseconds since the epoch. None for what is no time, or before the epoch.
pub(crate) fn unix_nanos(text: &str) -> Option<u64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, offset_seconds) = split_offset(time)?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.split(':').map(|part| part.parse::<i64>().ok());
    let (hours, minutes) = (clock.next()??, clock.next()??);
    let seconds = clock.next().unwrap_or(Some(0))?;
    let nanos: u64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let seconds =
        days_from_civil(year, month, day) * 86_400 + hours * 3_600 + minutes * 60 + seconds
            - offset_seconds;
    u64::try_from(seconds)
        .ok()?
        .checked_mul(1_000_000_000)?
        .checked_add(nanos)
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
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some((time, sign * (hours * 3_600 + minutes * 60)))
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
            ("1969-12-31T23:59:59Z", None),
            ("soon", None),
        ] {
            assert_eq!(unix_nanos(text), expected, "{text}");
        }
    }
}
