//! Start and end of spans, which the vectors have where the input gave one of them.

use std::ops::RangeInclusive;
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_sdk::trace::SpanData;
use serde_json::{Value, json};

use crate::Json;

const NAMES: [&str; 2] = ["start_time_unix_nano", "end_time_unix_nano"];

pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

/// Adds the times of a span; what lies in `running`, while the case ran, is the clock's.
pub(super) fn add(shown: &mut Value, span: &SpanData, running: RangeInclusive<SystemTime>) {
    for (name, time) in NAMES.into_iter().zip([span.start_time, span.end_time]) {
        shown[name] = if running.contains(&time) {
            json!("wall_clock")
        } else {
            let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            json!(u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX))
        };
    }
}

/// Leaves out the times of the spans for which the reference's outcome has none: whether they were
/// written depended on the case, what they are does not.
pub(super) fn show_as_expected(outcome: &mut Value, expected: &Json) {
    let expected = expected.member("spans").and_then(Json::as_array);
    let Some(spans) = outcome["spans"].as_array_mut() else {
        return;
    };
    for (at, span) in spans.iter_mut().enumerate() {
        let reference = expected.and_then(|spans| spans.get(at));
        for name in NAMES {
            if reference.and_then(|span| span.member(name)).is_none() {
                if let Some(members) = span.as_object_mut() {
                    members.remove(name);
                }
            }
        }
    }
}
