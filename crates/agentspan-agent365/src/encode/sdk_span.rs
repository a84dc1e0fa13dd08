//! Values and times of the OpenTelemetry API as the wire has them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentspan_model::escape::push_quoted;
use opentelemetry::{Array, Value};

use super::value::{push_array, push_flag, push_float, push_integer};

/// Writes one value of the OpenTelemetry API.
///
/// `Value` and `Array` may grow. A kind that this version does not know is written as the text that
/// the API gives for it, which loses its type and nothing else.
pub(super) fn push_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => push_quoted(out, text.as_str()),
        Value::I64(number) => push_integer(out, *number),
        Value::F64(number) => push_float(out, *number),
        Value::Bool(flag) => push_flag(out, *flag),
        Value::Array(Array::String(texts)) => {
            push_array(out, texts, |out, text| push_quoted(out, text.as_str()));
        }
        Value::Array(Array::I64(numbers)) => {
            push_array(out, numbers, |out, number| push_integer(out, *number));
        }
        Value::Array(Array::F64(numbers)) => {
            push_array(out, numbers, |out, number| push_float(out, *number));
        }
        Value::Array(Array::Bool(flags)) => {
            push_array(out, flags, |out, flag| push_flag(out, *flag));
        }
        unknown => push_quoted(out, &unknown.as_str()),
    }
}

/// The time of a span's start or end. The SDK has no "not set": the epoch itself stands for it.
pub(super) fn set_time(time: SystemTime) -> Option<u64> {
    match time.duration_since(UNIX_EPOCH) {
        Ok(Duration::ZERO) => None,
        Ok(since) => Some(nanos(since)),
        Err(_) => Some(0),
    }
}

/// Nanoseconds since the Unix epoch, zero for an earlier time.
pub(crate) fn unix_nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, nanos)
}

/// The nanoseconds of `duration`, or after the year 2554 the most that the wire's 64 bits can say.
fn nanos(duration: Duration) -> u64 {
    duration
        .as_secs()
        .checked_mul(1_000_000_000)
        .and_then(|nanos| nanos.checked_add(u64::from(duration.subsec_nanos())))
        .unwrap_or(u64::MAX)
}
