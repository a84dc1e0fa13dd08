//! Parsers for the values of OpenTelemetry's variables, one for each kind in the [specification].
//!
//! Each takes the text of a variable, and returns `None` if the text is invalid. The caller then
//! warns, and treats the variable as unset. Surrounding blanks are ignored.
//! [`Environment::understood`](crate::Environment::understood) treats an empty value as unset, and
//! does not call the parser.
//!
//! ```
//! use std::time::Duration;
//!
//! use agentspan_discovery::{Environment, values};
//!
//! let environment = Environment::from_iter([("OTEL_BSP_SCHEDULE_DELAY", " 250 ")]);
//! let names = ["OTEL_BSP_SCHEDULE_DELAY"];
//! let delay = environment.understood(names, values::duration, |_, _| {});
//! assert_eq!(delay, Some(Duration::from_millis(250)));
//! ```
//!
//! [specification]: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/

use std::borrow::Cow;
use std::time::Duration;

use percent_encoding::percent_decode_str;

/// The longest time of a variable, 2³¹ − 1 milliseconds, or about 25 days. The specification allows
/// this value for "no limit".
pub const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

/// A switch: `true` or `false`, in any case.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    word(text, &[("true", true), ("false", false)])
}

/// A number that is not negative, up to 2⁶⁴ − 1.
#[must_use]
pub fn integer(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// A number above zero that fits into the memory of the machine.
#[must_use]
pub fn positive_integer(text: &str) -> Option<usize> {
    let number = integer(text).filter(|number| *number > 0)?;
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

/// A time in milliseconds, up to [`LONGEST`].
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    integer(text).map(|number| Duration::from_millis(number).min(LONGEST))
}

/// A timeout in milliseconds. Zero is no limit, and becomes [`LONGEST`].
#[must_use]
pub fn timeout(text: &str) -> Option<Duration> {
    duration(text).map(|limit| if limit.is_zero() { LONGEST } else { limit })
}

/// A ratio: a number from 0 to 1.
#[must_use]
pub fn ratio(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (0.0..=1.0).contains(&number).then_some(number)
}

/// One of the given words, in any case.
#[must_use]
pub fn word<T: Copy>(text: &str, known: &[(&str, T)]) -> Option<T> {
    let text = text.trim();
    let mut known = known.iter();
    let (_, meaning) = known.find(|(word, _)| word.eq_ignore_ascii_case(text))?;
    Some(*meaning)
}

/// The entries of a comma-separated list, without surrounding blanks. Empty entries are skipped.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    let entries = text.split(',').map(str::trim);
    entries.filter(|entry| !entry.is_empty())
}

/// The pairs of a list `name=value,name=value`, whose values are percent-encoded. `None` stands for
/// an entry that is not a pair, or whose value is not UTF-8.
///
/// A percent sign without an escape stays a percent sign, as in W3C Baggage.
pub fn pairs(text: &str) -> impl Iterator<Item = Option<(&str, Cow<'_, str>)>> {
    list(text).map(|entry| {
        let (name, value) = entry.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((name.trim(), value))
    })
}

/// The attributes of `OTEL_RESOURCE_ATTRIBUTES`: [`pairs`] whose names are percent-encoded, too.
///
/// `None` if any attribute is invalid: an entry is not a pair, a name is empty, or an escape is
/// broken. The [specification] requires that the whole value is discarded.
///
/// [specification]: https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
#[must_use]
pub fn resource_attributes(text: &str) -> Option<Vec<(String, String)>> {
    let attributes = pairs(text).map(|pair| {
        let (name, value) = pair?;
        let name = percent_decode_str(name).decode_utf8().ok()?;
        (!name.is_empty()).then(|| (name.into_owned(), value.into_owned()))
    });
    let attributes: Option<Vec<_>> = attributes.collect();
    attributes.filter(|_| escapes_are_whole(text))
}

/// Whether each percent sign begins an escape.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.bytes().take(2).filter(u8::is_ascii_hexdigit);
        digits.count() == 2
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_true_or_false_and_no_other_word() {
        for text in ["true", "TRUE", " True\n"] {
            assert_eq!(boolean(text), Some(true), "{text:?}");
        }
        assert_eq!(boolean("False"), Some(false));
        for text in ["1", "yes", "on", "t", "ｔｒｕｅ", "true,", "0", "wahr"] {
            assert_eq!(boolean(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_number_is_whole_and_not_negative() {
        assert_eq!(integer(" 0 "), Some(0));
        assert_eq!(integer("18446744073709551615"), Some(u64::MAX));
        for text in [
            "-1",
            "1.0",
            "1e3",
            "0x10",
            "10s",
            "1 000",
            "1_000",
            "１２",
            "18446744073709551616",
        ] {
            assert_eq!(integer(text), None, "{text:?}");
        }
        assert_eq!(positive_integer("7"), Some(7));
        assert_eq!(positive_integer("0"), None);
    }

    #[test]
    fn times_are_milliseconds_and_a_limit_of_zero_is_none() {
        assert_eq!(duration("12000"), Some(Duration::from_secs(12)));
        assert_eq!(duration("0"), Some(Duration::ZERO));
        assert_eq!(timeout("0"), Some(LONGEST));
        assert_eq!(timeout("1"), Some(Duration::from_millis(1)));
        for text in ["2147483648", "18446744073709551615"] {
            assert_eq!(duration(text), Some(LONGEST), "{text}");
            assert_eq!(timeout(text), Some(LONGEST), "{text}");
        }
        assert_eq!(duration("-5"), None);
        assert_eq!(timeout("10s"), None);
    }

    #[test]
    fn a_ratio_is_between_zero_and_one() {
        for (text, expected) in [("0", 0.0), ("1", 1.0), (" 0.25 ", 0.25), ("1e-3", 0.001)] {
            assert_eq!(ratio(text), Some(expected), "{text:?}");
        }
        for text in ["-0.1", "1.1", "NaN", "inf", "25%", "0,5", "half"] {
            assert_eq!(ratio(text), None, "{text:?}");
        }
    }

    #[test]
    fn words_and_entries_are_taken_without_case_and_blanks() {
        let known = [("none", 0), ("gzip", 1)];
        assert_eq!(word(" GZip ", &known), Some(1));
        assert_eq!(word("zstd", &known), None);
        // Its lower case has another letter more.
        assert_eq!(word("gzİp", &known), None);
        let entries: Vec<_> = list(" a ,, b\t,").collect();
        assert_eq!(entries, ["a", "b"]);
    }

    #[test]
    fn pairs_are_decoded_and_what_is_none_is_told() {
        let found: Vec<_> = pairs("a=b%20c , d = e=f,g,h=%ff,i=50%,").collect();
        let pair = |name, value| Some((name, Cow::Borrowed(value)));
        let expected = [
            pair("a", "b c"),
            pair("d", "e=f"),
            None,
            None,
            pair("i", "50%"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn resource_attributes_are_decoded_or_discarded_as_a_whole() {
        let found = resource_attributes("team%2Cname=a%3Db, city = Z%C3%BCrich ,empty=,");
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let expected = [("team,name", "a=b"), ("city", "Zürich"), ("empty", "")];
        assert_eq!(found, Some(expected.map(owned).to_vec()));
        for broken in [
            "a=b,c", "a=b,=c", "a=%ff", "a=50%", "a=%2", "a=%zz", "%ff=a", "%é0=a",
        ] {
            assert_eq!(resource_attributes(broken), None, "{broken:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_encoded_comes_back(names: Vec<String>, value: String) {
            let encode = |text: &str| {
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                    .to_string()
            };
            let names = names.into_iter().filter(|name| !name.is_empty());
            let expected: Vec<_> = names.map(|name| (name, value.clone())).collect();
            let pairs = expected.iter();
            let pairs = pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
            let text = pairs.collect::<Vec<_>>().join(",");
            proptest::prop_assert_eq!(resource_attributes(&text), Some(expected));
        }

        #[test]
        fn any_text_is_read(text: String) {
            let all = [
                boolean(&text).is_some(),
                timeout(&text).is_some_and(|limit| limit > LONGEST || limit.is_zero()),
                ratio(&text).is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)),
            ];
            let _ = pairs(&text).count();
            let _ = resource_attributes(&text);
            proptest::prop_assert!(!all[1] && !all[2]);
        }
    }
}
