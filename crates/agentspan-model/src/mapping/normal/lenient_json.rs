//! JSON as programs write it, which is not always as the standard has it.
//!
//! Python's `json.dumps` writes `NaN`, and a lone surrogate for each byte that was no text. Others put
//! line breaks into texts as they are. None of that is worth losing the roles and parts of messages.

use serde_json::{Number, Value};

/// Documents that are nested deeper than this stay text. Every parser has such a bound, and what is
/// read here is written into other documents.
const DEEPEST: usize = 100;

/// The same for a document in a text inside of another one.
const DEEPEST_INSIDE: usize = 64;

/// The value of a JSON text. `None` if it is none.
pub(super) fn parse(text: &str) -> Option<Value> {
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => serde_json::from_str(&mended(text)?).ok()?,
    };
    is_flat(&value, DEEPEST).then_some(value)
}

/// As [`parse`], of a text that becomes a part of another document, and may have to become a text again.
/// `None` as well for numbers that only the text holds exactly.
pub(super) fn parse_inside(text: &str) -> Option<Value> {
    parse(text).filter(|value| is_flat(value, DEEPEST_INSIDE) && is_exact(value))
}

/// A value that is part of a document: as it is, or as a text if it is nested too deeply.
pub(super) fn inside(value: &Value) -> Value {
    if is_flat(value, DEEPEST_INSIDE) {
        value.clone()
    } else {
        Value::String(value.to_string())
    }
}

/// Whether no more than so many lists and objects are nested in each other.
fn is_flat(value: &Value, levels: usize) -> bool {
    let below = |value: &Value| levels.checked_sub(1).is_some_and(|it| is_flat(value, it));
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(below),
        Value::Object(members) => levels > 0 && members.values().all(below),
        _ => true,
    }
}

/// Whether all numbers are as they were written: a whole number that is too large became another one.
fn is_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_i64() || number.is_u64() || is_small(number),
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(members) => members.values().all(is_exact),
        _ => true,
    }
}

fn is_small(number: &Number) -> bool {
    // Beyond 2^53, a number of this type has no digits behind the point.
    number.as_f64().is_some_and(|number| number.abs() < 9.0e15)
}

/// The text as the standard has it, if it looks like a document.
fn mended(text: &str) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return None;
    }
    let mut mended = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        let (outside, string) = rest.split_at_checked(at)?;
        push_outside(&mut mended, outside);
        rest = push_string(&mut mended, string.strip_prefix('"')?)?;
    }
    push_outside(&mut mended, rest);
    Some(mended)
}

/// Writes what stands between texts, with `null` for what is no number.
fn push_outside(out: &mut String, outside: &str) {
    if !outside.contains(['N', 'I']) {
        return out.push_str(outside);
    }
    let replaced = outside.replace("-Infinity", "null");
    let replaced = replaced.replace("Infinity", "null");
    out.push_str(&replaced.replace("NaN", "null"));
}

/// Writes the text that begins here, with its quotes. Gives what is behind it.
fn push_string<'t>(out: &mut String, text: &'t str) -> Option<&'t str> {
    out.push('"');
    let mut rest = text;
    loop {
        let at = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
        let (plain, special) = rest.split_at_checked(at)?;
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next()? {
            '"' => {
                out.push('"');
                return Some(characters.as_str());
            }
            '\\' => rest = push_escape(out, special)?,
            control => {
                out.push_str(&format!("\\u{:04x}", u32::from(control)));
                rest = characters.as_str();
            }
        }
    }
}

/// Writes the escape that begins here. Half of a pair, which stands for no character, becomes the
/// character that says so.
fn push_escape<'t>(out: &mut String, text: &'t str) -> Option<&'t str> {
    let Some(first) = unit(text) else {
        // Two characters, whatever the second one is.
        let mut characters = text.chars();
        out.push(characters.next()?);
        out.push(characters.next()?);
        return Some(characters.as_str());
    };
    let (escape, rest) = text.split_at_checked(6)?;
    match first {
        0xd800..=0xdbff => match unit(rest) {
            Some(0xdc00..=0xdfff) => {
                let (second, rest) = rest.split_at_checked(6)?;
                out.push_str(escape);
                out.push_str(second);
                Some(rest)
            }
            _ => {
                out.push('\u{fffd}');
                Some(rest)
            }
        },
        0xdc00..=0xdfff => {
            out.push('\u{fffd}');
            Some(rest)
        }
        _ => {
            out.push_str(escape);
            Some(rest)
        }
    }
}

/// The number of an escape such as `\u00e9`, if the text begins with one.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
}
