//! Values and times of the OpenTelemetry API as the wire has them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::{Array, Value};

use super::value::{ValueWriter, Written};

/// Writes one value of the OpenTelemetry API.
///
/// `Value` and `Array` may grow. A kind that this version does not know is written as the text that
/// the API gives for it, which loses its type and nothing else.
pub(super) fn write(value: &Value, writer: ValueWriter<'_>) -> Written {
    match value {
        Value::String(text) => writer.text(text.as_str()),
        Value::I64(number) => writer.integer(*number),
        Value::F64(number) => writer.float(*number),
        Value::Bool(flag) => writer.flag(*flag),
        Value::Array(Array::String(texts)) => {
            writer.array(texts, |text, writer| writer.text(text.as_str()))
        }
        Value::Array(Array::I64(numbers)) => {
            writer.array(numbers, |number, writer| writer.integer(*number))
        }
        Value::Array(Array::F64(numbers)) => {
            writer.array(numbers, |number, writer| writer.float(*number))
        }
        Value::Array(Array::Bool(flags)) => writer.array(flags, |flag, writer| writer.flag(*flag)),
        unknown => writer.text(&unknown.as_str()),
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
pub(super) fn unix_nanos(time: SystemTime) -> u64 {
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
