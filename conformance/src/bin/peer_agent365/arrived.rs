//! What arrived at a service, as JSON to compare.

use std::collections::HashMap;
use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use agentspan_testkit::RecordedRequest;
use conformance::{Json, Tolerances, own_name};

/// The attributes of a resource have no order in the SDK for Rust.
pub(crate) const TOLERANCES: Tolerances = Tolerances {
    unordered: &["requests.*.body.resourceSpans.*.resource.attributes"],
    ignored: &[],
};

/// Members that hold the id of a span or a trace.
const IDS: &[&str] = &["traceId", "spanId", "parentSpanId"];

/// Members that hold a time.
const TIMES: &[&str] = &["startTimeUnixNano", "endTimeUnixNano", "timeUnixNano"];

/// The requests in the order of their arrival: everything that a peer decides.
pub(crate) fn requests(recorded: &[RecordedRequest]) -> Result<Json, Box<dyn Error>> {
    recorded
        .iter()
        .map(request)
        .collect::<Result<_, _>>()
        .map(Json::Array)
}

fn request(recorded: &RecordedRequest) -> Result<Json, Box<dyn Error>> {
    let header = |name| recorded.header(name).map_or(Json::Null, text);
    Ok(object([
        ("method", text(recorded.method.as_str())),
        (
            "tls_server_name",
            recorded.tls_server_name.as_deref().map_or(Json::Null, text),
        ),
        ("host", header("host")),
        ("target", text(&recorded.target)),
        ("content-type", header("content-type")),
        ("authorization", header("authorization")),
        ("body", Json::parse(std::str::from_utf8(&recorded.body)?)?),
    ]))
}

/// An object with these members.
pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.map(|(name, value)| (name.to_owned(), value)).into())
}

/// A string.
pub(crate) fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

/// Says of a span that we made it where the reference says that it did, as the rule `spans-of-rust-say-so`
/// has it.
pub(crate) fn say_rust(seen: &mut Json) {
    match seen {
        Json::Array(items) => items.iter_mut().for_each(say_rust),
        Json::Object(members) => {
            for (name, value) in members {
                if let Some(ours) = value.as_str().and_then(|theirs| own_name(name, theirs)) {
                    *value = text(ours);
                }
                say_rust(value);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// A run of the comparison, which knows when it began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    began_unix_nano: u128,
}

impl Run {
    /// Begins now.
    pub(crate) fn begin() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            began_unix_nano: since_epoch.unwrap_or_default().as_nanos(),
        }
    }

    /// Takes away what differs between any two runs: ids, times, stack traces, and what the
    /// SDKs write about themselves in the resource.
    ///
    /// An id becomes the number of its first appearance, so that who is whose parent stays. Of
    /// the times since the run began stays whether a span ended before it began; earlier times were
    /// given, and stay. A Rust type's path becomes its last part.
    pub(crate) fn take_away_its_identity(self, requests: &mut Json) {
        let mut rewriting = Rewriting {
            began_unix_nano: self.began_unix_nano,
            seen: HashMap::new(),
        };
        rewriting.value(requests);
    }
}

struct Rewriting {
    began_unix_nano: u128,
    seen: HashMap<String, usize>,
}

impl Rewriting {
    fn value(&mut self, value: &mut Json) {
        match value {
            Json::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Json::Object(members) => {
                note_order_of_times(members);
                for (name, value) in members {
                    self.member(name, value);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }

    fn member(&mut self, name: &str, value: &mut Json) {
        match value {
            Json::String(id) if IDS.contains(&name) => {
                let next = self.seen.len();
                let number = self.seen.entry(id.clone()).or_insert(next);
                *id = format!("id {number}");
            }
            Json::Number(_) if TIMES.contains(&name) => {
                if nanoseconds(value).is_none_or(|time| time >= self.began_unix_nano) {
                    *value = text("a time");
                }
            }
            Json::Object(members) if name == "resource" => {
                let attributes = members.iter_mut().find(|(name, _)| name == "attributes");
                if let Some((_, Json::Object(attributes))) = attributes {
                    attributes.retain(|(name, _)| !is_of_the_sdk(name));
                }
            }
            Json::String(trace) if name == "exception.stacktrace" && !trace.is_empty() => {
                *value = text("a stack trace");
            }
            Json::String(path) if name == "exception.type" => {
                if let Some((_, last)) = path.rsplit_once("::") {
                    *value = text(last);
                }
            }
            other => self.value(other),
        }
    }
}

/// What the SDKs write about themselves and about the process.
fn is_of_the_sdk(name: &str) -> bool {
    name.starts_with("telemetry.sdk.") || name == "service.instance.id"
}

fn nanoseconds(time: &Json) -> Option<u128> {
    time.to_string().parse().ok()
}

fn note_order_of_times(members: &mut Vec<(String, Json)>) {
    let number = |wanted: &str| {
        let (_, value) = members.iter().find(|(name, _)| name == wanted)?;
        nanoseconds(value)
    };
    if let (Some(start), Some(end)) = (number("startTimeUnixNano"), number("endTimeUnixNano")) {
        members.push(("ends before it starts".to_owned(), Json::Bool(end < start)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN_AT_1: Run = Run { began_unix_nano: 1 };

    #[test]
    fn a_time_before_the_run_was_given_and_stays() {
        let text = r#"{"startTimeUnixNano":1,"timeUnixNano":2}"#;
        let mut body = Json::parse(text).unwrap();
        Run { began_unix_nano: 2 }.take_away_its_identity(&mut body);
        let kept = r#"{"startTimeUnixNano":1,"timeUnixNano":"a time"}"#;
        assert_eq!(body, Json::parse(kept).unwrap());
    }

    #[test]
    fn the_sdks_name_leaves_the_resource_and_no_span() {
        let attributes = r#""attributes":{"telemetry.sdk.name":"x"}"#;
        let text = format!(r#"{{"resource":{{{attributes}}},"span":{{{attributes}}}}}"#);
        let mut body = Json::parse(&text).unwrap();
        BEGAN_AT_1.take_away_its_identity(&mut body);
        let kept = format!(r#"{{"resource":{{"attributes":{{}}}},"span":{{{attributes}}}}}"#);
        assert_eq!(body, Json::parse(&kept).unwrap());
    }

    #[test]
    fn ids_keep_who_is_whose_parent_and_nothing_else() {
        let with = |trace: &str, parent: &str, child: &str| {
            let body = format!(
                r#"[{{"traceId":"{trace}","spanId":"{child}","parentSpanId":"{parent}","startTimeUnixNano":1,"endTimeUnixNano":2}},
                    {{"traceId":"{trace}","spanId":"{parent}","parentSpanId":null,"startTimeUnixNano":3,"endTimeUnixNano":4}}]"#
            );
            let mut body = Json::parse(&body).unwrap();
            BEGAN_AT_1.take_away_its_identity(&mut body);
            body
        };
        assert_eq!(with("t", "p", "c"), with("x", "y", "z"));
        assert_ne!(with("t", "p", "c"), with("t", "p", "p"));
    }

    #[test]
    fn a_span_that_ends_before_it_starts_still_shows() {
        let with = |start: u64, end: u64| {
            let body = format!(r#"{{"startTimeUnixNano":{start},"endTimeUnixNano":{end}}}"#);
            let mut body = Json::parse(&body).unwrap();
            BEGAN_AT_1.take_away_its_identity(&mut body);
            body
        };
        assert_eq!(with(1, 2), with(5, 9));
        assert_ne!(with(1, 2), with(2, 1));
    }

    #[test]
    fn other_texts_stay() {
        let text = r#"{"name":"a","attributes":{"exception.type":"ValueError","x":1}}"#;
        let mut body = Json::parse(text).unwrap();
        BEGAN_AT_1.take_away_its_identity(&mut body);
        assert_eq!(body, Json::parse(text).unwrap());
    }
}
