//! How long a service asks to wait: the header `Retry-After`.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// No sensible number of seconds has as many characters.
const MAX_CHARACTERS: usize = 128;

/// The seconds that the value of `Retry-After` names, as
/// `microsoft-agents-a365-observability-core` 2.0.0 reads them; `None` if it is no number.
///
/// [RFC 9110], section 10.2.3, knows whole seconds. The reference takes what Python's `float` takes:
/// fractions, exponents, signs and names of what is not finite, too. What is negative or not a number
/// is no pause: the exporter waits as if there were no header.
///
/// ```
/// use agentspan_agent365::conformance::retry_after_seconds;
///
/// assert_eq!(retry_after_seconds("2.5"), Some(2.5));
/// assert_eq!(retry_after_seconds("soon"), None);
/// ```
///
/// [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
#[must_use]
pub fn retry_after_seconds(value: &str) -> Option<f64> {
    // The controls 1C to 1F are blanks for other functions of Python, and not for float.
    let value = value.trim();
    if !value.contains('_') {
        return value.parse().ok();
    }
    // Python lets one underscore stand between two digits.
    let bytes = value.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let stands_right =
        |(at, _): (usize, &str)| is_digit(at.checked_sub(1)) && is_digit(at.checked_add(1));
    if !value.match_indices('_').all(stands_right) {
        return None;
    }
    value.replace('_', "").parse().ok()
}

/// The pause that a service asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedPause {
    For(Duration),
    Until(SystemTime),
}

impl AskedPause {
    /// How long that is from `now` on.
    pub(crate) fn counted_from(self, now: SystemTime) -> Duration {
        match self {
            Self::For(pause) => pause,
            Self::Until(time) => time.duration_since(now).unwrap_or(Duration::ZERO),
        }
    }
}

/// The pause that the header of an answer asks for. Several headers contradict each other, so that
/// none of them counts.
pub(crate) fn asked_pause(headers: &HeaderMap) -> Option<AskedPause> {
    let mut values = headers.get_all(RETRY_AFTER).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() || value.len() > MAX_CHARACTERS {
        return None;
    }
    match retry_after_seconds(value) {
        Some(seconds) => pause_of(seconds).map(AskedPause::For),
        None => retry_after_date(value).map(AskedPause::Until),
    }
}

/// The date that the value of `Retry-After` names, in one of the three forms of [RFC 9110],
/// section 5.6.7.
///
/// [RFC 9110]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
#[must_use]
pub fn retry_after_date(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value).ok()
}

/// The pause of so many seconds: none if they are below zero or not a number.
pub(crate) fn pause_of(seconds: f64) -> Option<Duration> {
    match Duration::try_from_secs_f64(seconds) {
        Ok(pause) => Some(pause),
        // Too large for a duration, or below zero, or not a number.
        Err(_) => (seconds > 0.0).then_some(Duration::MAX),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check_pause(values: &[&'static str], expected: Option<Duration>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(RETRY_AFTER, HeaderValue::from_static(value));
        }
        let expected = expected.map(AskedPause::For);
        assert_eq!(asked_pause(&headers), expected, "{values:?}");
    }

    #[test]
    fn a_date_is_a_pause_until_then() {
        let date = HeaderValue::from_static("Wed, 21 Oct 2015 07:28:00 GMT");
        let headers = HeaderMap::from_iter([(RETRY_AFTER, date)]);
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        let asked = asked_pause(&headers).unwrap();
        assert_eq!(asked, AskedPause::Until(then));
        let minute = Duration::from_secs(60);
        assert_eq!(asked.counted_from(then - minute), minute);
        assert_eq!(asked.counted_from(then + minute), Duration::ZERO);
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("5", Some(5.0)),
            ("+1.5e1", Some(15.0)),
            (" 7\t", Some(7.0)),
            ("\u{b}7\u{a0}", Some(7.0)),
            ("\u{1f}7", None),
            ("\u{1f}7\u{a0}", None),
            ("1_0.5", Some(10.5)),
            ("-3", Some(-3.0)),
            ("Infinity", Some(f64::INFINITY)),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("1_.5", None),
            ("", None),
            ("0x10", None),
            ("Wed, 21 Oct 2025 07:28:00 GMT", None),
        ] {
            assert_eq!(retry_after_seconds(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_pause_is_not_asked_for() {
        check_pause(&[], None);
        check_pause(&["2.5"], Some(Duration::from_millis(2_500)));
        check_pause(&["-1"], None);
        check_pause(&["nan"], None);
        check_pause(&["inf"], Some(Duration::MAX));
        check_pause(&["1e300"], Some(Duration::MAX));
        check_pause(&["1", "2"], None);
    }
}
