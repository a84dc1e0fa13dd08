//! Arguments of other types than asked for, as pydantic 2.13 takes them in its lax mode.
//!
//! Rust's types do not let such arguments in, so a runner turns them into what they mean.

use crate::Json;

/// An integer of any size: also text, true or false, and a float without a fraction.
pub(in crate::runners) fn integer(value: &Json) -> Option<i128> {
    match value {
        Json::Bool(value) => Some((*value).into()),
        Json::String(text) => integer_in(text),
        Json::Number(number) => {
            let text = number.to_string();
            text.parse().ok().or_else(|| whole(text.parse().ok()?))
        }
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float without a fraction; what is beyond 128 bits is beyond 64 bits, too"
)]
fn whole(float: f64) -> Option<i128> {
    (float.is_finite() && float.fract() == 0.0).then_some(float as i128)
}

fn integer_in(text: &str) -> Option<i128> {
    let text = text.trim();
    // `1_000` and `1.000` are integers, too.
    let text = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    let between_digits = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    if !between_digits {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// A number: also an integer, text, true or false.
pub(in crate::runners) fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Bool(value) => Some(f64::from(u8::from(*value))),
        Json::String(text) => text.trim().parse().ok(),
        Json::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// True or false: also some words, 1 and 0.
pub(in crate::runners) fn boolean(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(value) => Some(*value),
        Json::Number(_) => match integer(value)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Json::String(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
