//! The meaning of a text of YAML 1.1: <https://yaml.org/type/>, as PyYAML has it.

/// A value without parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// The digits of an integer, with a minus if it is negative.
    Integer(String),
    Float(f64),
    Text(String),
    /// A date or a time, in the form of ISO 8601.
    Time(String),
    /// The key `<<`, under which other mappings are merged.
    Merge,
    /// The key `=`, which means nothing special, and nothing at all as a value.
    Equals,
}

/// The longest number in another base than ten: there, writing the digits takes more than linear time.
const MAX_DIGITS: usize = 4_096;

impl Value {
    /// The value as the name of a member: what Python's JSON makes of it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Float(value) if value.is_nan() => "NaN".to_owned(),
            Self::Float(value) if value.is_infinite() && *value > 0.0 => "Infinity".to_owned(),
            Self::Float(value) if value.is_infinite() => "-Infinity".to_owned(),
            Self::Float(value) => format!("{value:?}"),
            Self::Integer(text) | Self::Text(text) | Self::Time(text) => text.clone(),
            Self::Merge => "<<".to_owned(),
            Self::Equals => "=".to_owned(),
        }
    }

    /// Reads a text with its tag. Nothing, if they do not fit, or the tag is not one of a value without
    /// parts.
    pub(super) fn read(text: String, is_plain: bool, tag: Option<&str>) -> Option<Self> {
        let Some(tag) = tag else {
            return if is_plain {
                Self::of_plain(text)
            } else {
                Some(Self::Text(text))
            };
        };
        match tag.strip_prefix("tag:yaml.org,2002:")? {
            "str" => Some(Self::Text(text)),
            "null" => Some(Self::Null),
            "bool" => boolean(&text.to_ascii_lowercase()).map(Self::Bool),
            "int" => integer(&text),
            "float" => float(&text),
            "timestamp" => time(&text),
            // JSON has no bytes, so they stay a text in base64.
            "binary" => Some(Self::Text(text.split_ascii_whitespace().collect())),
            _ => None,
        }
    }

    /// Reads a text without quotes. Nothing, if it looks like something that it cannot be.
    fn of_plain(text: String) -> Option<Self> {
        match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => return Some(Self::Null),
            "<<" => return Some(Self::Merge),
            "=" => return Some(Self::Equals),
            _ => {}
        }
        if is_boolean(&text) {
            return boolean(&text.to_ascii_lowercase()).map(Self::Bool);
        }
        if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
            return Some(Self::Text(text));
        }
        if is_float(&text) {
            float(&text)
        } else if is_integer(&text) {
            integer(&text)
        } else if is_time(&text) {
            time(&text)
        } else {
            Some(Self::Text(text))
        }
    }
}

fn is_boolean(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut rest = text.chars();
    let is_capital = rest.next().is_some_and(|c| c.is_ascii_uppercase());
    let rest = rest.as_str();
    let is_one_case =
        text == lower || is_capital && !rest.contains(|c: char| c.is_ascii_uppercase());
    let is_upper = !text.contains(|c: char| c.is_ascii_lowercase());
    boolean(&lower).is_some() && (is_one_case || is_upper)
}

fn boolean(lower: &str) -> Option<bool> {
    match lower {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// The text without the part that matches, which has at least so many characters.
fn without(text: &str, least: usize, matches: impl Fn(char) -> bool) -> Option<&str> {
    let end = text.find(|c| !matches(c)).unwrap_or(text.len());
    (end >= least).then(|| text.get(end..))?
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn is_digit_or_line(c: char) -> bool {
    c.is_ascii_digit() || c == '_'
}

/// A digit and more of them, which underscores may divide.
fn without_digits(text: &str) -> Option<&str> {
    text.starts_with(is_digit)
        .then(|| without(text, 1, is_digit_or_line))?
}

/// Parts with a base of sixty, at least one.
fn without_sixties(text: &str) -> Option<&str> {
    let part = |text: &str| -> Option<usize> {
        let digits = text.strip_prefix(':')?;
        let end = digits.find(|c| !is_digit(c)).unwrap_or(digits.len());
        let is_in_base = match end {
            1 => true,
            2 => digits.starts_with(|c| ('0'..='5').contains(&c)),
            _ => false,
        };
        is_in_base.then_some(end + 1)
    };
    let mut rest = text.get(part(text)?..)?;
    while let Some(length) = part(rest) {
        rest = rest.get(length..)?;
    }
    Some(rest)
}

fn is_integer(text: &str) -> bool {
    let digits = unsigned(text);
    let all = |rest: Option<&str>| rest == Some("");
    if let Some(binary) = digits.strip_prefix("0b") {
        return all(without(binary, 1, |c| matches!(c, '0' | '1' | '_')));
    }
    if let Some(hexadecimal) = digits.strip_prefix("0x") {
        return all(without(hexadecimal, 1, |c| {
            c.is_ascii_hexdigit() || c == '_'
        }));
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return octal.is_empty() || all(without(octal, 1, |c| matches!(c, '0'..='7' | '_')));
    }
    let rest = without_digits(digits);
    all(rest) || all(rest.and_then(without_sixties))
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let number = unsigned(text);
    if matches!(number, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let is_fraction = |text: Option<&str>| text.is_some_and(is_end_of_float);
    if let Some(fraction) = text.strip_prefix('.') {
        return is_fraction(without_digits(fraction));
    }
    let Some(rest) = without_digits(number) else {
        return false;
    };
    if let Some(fraction) = rest.strip_prefix('.') {
        return is_fraction(without(fraction, 0, is_digit_or_line));
    }
    let fraction = without_sixties(rest).and_then(|rest| rest.strip_prefix('.'));
    let rest = fraction.and_then(|fraction| without(fraction, 0, is_digit_or_line));
    rest == Some("")
}

/// Whether there is nothing more, or an exponent, which must have a sign.
fn is_end_of_float(text: &str) -> bool {
    let Some(exponent) = text.strip_prefix(['e', 'E']) else {
        return text.is_empty();
    };
    let digits = exponent.strip_prefix(['-', '+']);
    digits.and_then(|digits| without(digits, 1, is_digit)) == Some("")
}

fn integer(text: &str) -> Option<Value> {
    let text = text.replace('_', "");
    let is_negative = text.starts_with('-');
    let digits = unsigned(&text);
    let value = if let Some(binary) = digits.strip_prefix("0b") {
        decimal(binary, 2)?
    } else if let Some(hexadecimal) = digits.strip_prefix("0x") {
        decimal(hexadecimal, 16)?
    } else if digits.contains(':') {
        let parts = digits.split(':');
        let value = parts.map(str::parse::<u128>).try_fold(0_u128, |sum, part| {
            sum.checked_mul(60)?.checked_add(part.ok()?)
        });
        value?.to_string()
    } else if digits.starts_with('0') && digits.len() > 1 {
        decimal(digits.strip_prefix('0')?, 8)?
    } else {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.to_owned())?
    };
    Some(Value::Integer(match is_negative && value != "0" {
        true => format!("-{value}"),
        false => value,
    }))
}

/// The decimal digits of a number in another base.
fn decimal(digits: &str, base: u32) -> Option<String> {
    const GROUP: u64 = 1_000_000_000;
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    // Groups of nine decimal digits, the lowest first.
    let mut groups: Vec<u64> = vec![0];
    for digit in digits.chars() {
        let mut carry = u64::from(digit.to_digit(base)?);
        for group in &mut groups {
            let sum = *group * u64::from(base) + carry;
            *group = sum % GROUP;
            carry = sum / GROUP;
        }
        if carry > 0 {
            groups.push(carry);
        }
    }
    let mut groups = groups.iter().rev();
    let highest = groups.next().map(u64::to_string);
    let lower: String = groups.map(|group| format!("{group:09}")).collect();
    Some(highest.unwrap_or_default() + &lower)
}

fn float(text: &str) -> Option<Value> {
    let text = text.replace('_', "").to_ascii_lowercase();
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let number = unsigned(&text);
    let value = match number {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ if number.contains(':') => {
            let mut parts = number.split(':').map(str::parse::<f64>);
            parts.try_fold(0.0, |sum, part| Some(sum * 60.0 + part.ok()?))?
        }
        _ => {
            let is_number = number.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            is_number.then(|| number.parse().ok())??
        }
    };
    Some(Value::Float(sign * value))
}

/// The parts of a date or a time.
#[derive(Default)]
struct Time<'t> {
    year: &'t str,
    month: &'t str,
    day: &'t str,
    /// Hour, minute and second.
    clock: Option<[&'t str; 3]>,
    fraction: &'t str,
    zone: Option<Zone<'t>>,
}

enum Zone<'t> {
    Utc,
    Offset {
        sign: char,
        hour: &'t str,
        minute: &'t str,
    },
}

fn is_time(text: &str) -> bool {
    Time::split(text).is_some()
}

fn take_digits(text: &str, least: usize, most: usize) -> Option<(&str, &str)> {
    let end = text.find(|c| !is_digit(c)).unwrap_or(text.len()).min(most);
    (end >= least).then(|| text.split_at_checked(end))?
}

impl<'t> Time<'t> {
    /// Splits a text that has the form of a date or a time.
    fn split(text: &'t str) -> Option<Self> {
        let mut time = Self::default();
        let (year, rest) = take_digits(text, 4, 4)?;
        let (month, rest) = take_digits(rest.strip_prefix('-')?, 1, 2)?;
        let (day, rest) = take_digits(rest.strip_prefix('-')?, 1, 2)?;
        (time.year, time.month, time.day) = (year, month, day);
        if rest.is_empty() {
            return (month.len() == 2 && day.len() == 2).then_some(time);
        }
        let is_blank = |c: char| matches!(c, ' ' | '\t');
        let rest = match rest.strip_prefix(['T', 't']) {
            Some(rest) => rest,
            None => without(rest, 1, is_blank)?,
        };
        let (hour, rest) = take_digits(rest, 1, 2)?;
        let (minute, rest) = take_digits(rest.strip_prefix(':')?, 2, 2)?;
        let (second, mut rest) = take_digits(rest.strip_prefix(':')?, 2, 2)?;
        time.clock = Some([hour, minute, second]);
        if let Some(fraction) = rest.strip_prefix('.') {
            (time.fraction, rest) = take_digits(fraction, 0, usize::MAX)?;
        }
        if rest.is_empty() {
            return Some(time);
        }
        let rest = without(rest, 0, is_blank)?;
        if rest == "Z" {
            time.zone = Some(Zone::Utc);
            return Some(time);
        }
        let sign = rest.chars().next()?;
        let (hour, rest) = take_digits(rest.strip_prefix(['-', '+'])?, 1, 2)?;
        let (minute, rest) = match rest.strip_prefix(':') {
            Some(minute) => take_digits(minute, 2, 2)?,
            None => ("", rest),
        };
        time.zone = Some(Zone::Offset { sign, hour, minute });
        rest.is_empty().then_some(time)
    }

    fn is_valid(&self) -> bool {
        let number = |text: &str| text.parse::<u32>().unwrap_or_default();
        let year = number(self.year);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match number(self.month) {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if is_leap => 29,
            2 => 28,
            _ => 0,
        };
        let is_date = year > 0 && (1..=days).contains(&number(self.day));
        let is_clock = self.clock.is_none_or(|[hour, minute, second]| {
            number(hour) < 24 && number(minute) < 60 && number(second) < 60
        });
        is_date && is_clock
    }
}

/// A date or a time as ISO 8601 writes it. Nothing, if the calendar does not have it.
fn time(text: &str) -> Option<Value> {
    let time = Time::split(text).filter(Time::is_valid)?;
    let Time {
        year, month, day, ..
    } = time;
    let mut iso = format!("{year}-{month:0>2}-{day:0>2}");
    if let Some([hour, minute, second]) = time.clock {
        iso += &format!("T{hour:0>2}:{minute}:{second}");
        let fraction = time.fraction.get(..6).unwrap_or(time.fraction);
        if fraction.bytes().any(|digit| digit != b'0') {
            iso += &format!(".{fraction:0<6}");
        }
    }
    match time.zone {
        Some(Zone::Utc) => iso += "+00:00",
        Some(Zone::Offset { sign, hour, minute }) => {
            iso += &format!("{sign}{hour:0>2}:{minute:0>2}");
        }
        None => {}
    }
    Some(Value::Time(iso))
}
