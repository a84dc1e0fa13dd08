//! What rows and bars show of spans, which of them are told, and which are given as they arrived.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{TRACE, serving};

/// A span of one second; `more` may say otherwise.
fn span(id: u32, parent: Option<u32>, attributes: &Value, more: &Value) -> Value {
    let id_of = |number: u32| format!("00f067aa0ba9{number:04}");
    let attributes = attributes.as_object().unwrap().iter();
    let attributes = attributes.map(|(key, value)| {
        let kind = match value {
            Value::String(_) => "stringValue",
            _ => "doubleValue",
        };
        json!({"key": key, "value": {kind: value}})
    });
    let mut span = json!({
        "traceId": TRACE, "spanId": id_of(id), "name": format!("span {id}"),
        "startTimeUnixNano": "1765000000000000000", "endTimeUnixNano": "1765000001000000000",
        "attributes": attributes.collect::<Vec<_>>(),
    });
    if let Some(parent) = parent {
        span["parentSpanId"] = id_of(parent).into();
    }
    for (name, value) in more.as_object().unwrap() {
        span[name] = value.clone();
    }
    span
}

fn request(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]})
}

/// The ids of the spans of a request, shortened to their numbers.
fn numbers(request: &Value) -> Vec<u64> {
    let groups = request["resourceSpans"].as_array().unwrap().iter();
    let spans = groups.map(|group| {
        group["scopeSpans"][0]["spans"][0]["spanId"]
            .as_str()
            .unwrap()
    });
    spans.map(|id| id[12..].parse().unwrap()).collect()
}

#[test]
fn a_span_is_given_as_it_arrived_alone_or_with_all_below_it() {
    let none = json!({});
    let spans = [
        span(1, None, &none, &none),
        span(2, Some(1), &json!({"color": "blue"}), &none),
        span(3, Some(2), &none, &none),
        span(4, Some(1), &none, &none),
        // These are each other's parents.
        span(5, Some(6), &none, &none),
        span(6, Some(5), &none, &none),
        span(7, Some(7), &none, &none),
    ];
    serving(None, async |server| {
        server.post("/v1/traces", &request(&spans)).await;
        let raw = async |query: &str| {
            let answer = server.get(&format!("/api/trace/{TRACE}/raw{query}")).await;
            assert_eq!(answer.status(), "200", "{query}");
            answer.json()
        };
        assert_eq!(numbers(&raw("").await), [1, 2, 3, 4, 5, 6, 7]);
        let two = raw("?span=00f067aa0ba90002").await;
        assert_eq!(numbers(&two), [2]);
        let attributes = &two["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["attributes"];
        assert_eq!(attributes[0]["value"]["stringValue"], "blue");
        assert_eq!(
            numbers(&raw("?span=00f067aa0ba90002&below=1").await),
            [2, 3]
        );
        assert_eq!(
            numbers(&raw("?below=1&span=00f067aa0ba90001").await),
            [1, 2, 3, 4]
        );
        assert_eq!(
            numbers(&raw("?span=00f067aa0ba90005&below=1").await),
            [5, 6]
        );
        assert_eq!(numbers(&raw("?span=00f067aa0ba90007&below=1").await), [7]);
        let gone = format!("/api/trace/{TRACE}/raw?span=00f067aa0ba90009&below=1");
        assert_eq!(server.get(&gone).await.status(), "404");
    });
}

#[test]
fn costs_are_summed_once_and_notes_and_times_of_events_come_with_the_rows() {
    let usage = |cost: f64| json!({"gen_ai.operation.name": "chat", "gen_ai.usage.cost": cost});
    let agent = json!({"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.cost": 0.05});
    let open_inference = json!({"openinference.span.kind": "LLM", "llm.cost.total": 0.002});
    let chain = json!({"openinference.span.kind": "CHAIN", "llm.cost.total": 0.07});
    let decision = json!({"gen_ai.operation.name": "apply_guardrail", "microsoft.security.decision.type": "deny"});
    let branch = json!({"agentspec.span.type": "NodeExecutionSpan"});
    let at = |milliseconds: u32, name: &str, attributes: Value| {
        let time = format!(
            "{}",
            1_765_000_000_000_000_000_u64 + u64::from(milliseconds) * 1_000_000
        );
        json!({"name": name, "timeUnixNano": time, "attributes": attributes})
    };
    let selected =
        json!([{"key": "agentspec.branch_selected", "value": {"stringValue": "no_rates"}}]);
    let events = json!({"events": [at(5, "NodeExecutionEnd", selected), at(7, "LlmGenerationChunkReceived", json!([]))]});
    let none = json!({});
    let spans = [
        span(1, Some(7), &agent, &none),
        span(2, Some(1), &usage(0.0123), &none),
        span(3, Some(1), &open_inference, &none),
        span(4, Some(1), &decision, &none),
        span(5, Some(1), &branch, &events),
        span(6, Some(1), &usage(1e300), &none),
        span(7, None, &chain, &none),
    ];
    serving(None, async |server| {
        server.post("/v1/traces", &request(&spans)).await;
        let list = server.get("/api/traces").await.json();
        assert_eq!(list["sums"]["cost"], 0.0143);
        assert_eq!(list["traces"][0]["cost"], 0.0143);
        let trace = server.get(&format!("/api/trace/{TRACE}")).await.json();
        let of = |name: &str| -> Vec<Value> {
            let spans = trace["spans"].as_array().unwrap().iter();
            spans.map(|span| span[name].clone()).collect()
        };
        assert_eq!(
            json!(of("c")),
            json!([0.05, 0.0123, 0.002, null, null, null, 0.07])
        );
        assert_eq!(
            json!(of("note")),
            json!([null, null, null, "deny", "branch no_rates", null, null])
        );
        assert_eq!(
            json!(of("ev")),
            json!([null, null, null, null, [5.0], null, null])
        );
    });
}

#[test]
fn of_a_trace_that_is_watched_the_spans_that_changed_are_told() {
    let none = json!({});
    serving(None, async |server| {
        let send = async |spans: &[Value]| {
            server.post("/v1/traces", &request(spans)).await;
        };
        send(&[span(1, None, &none, &none), span(2, Some(1), &none, &none)]).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "GET /api/events?watch={TRACE} HTTP/1.1\r\nhost: {}\r\n\r\n",
            server.address
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut told = String::new();
        let mut until = async |wanted: &str| {
            told.clear();
            while !told.contains(wanted) {
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).await.unwrap();
                assert!(read > 0, "the stream ended: {told}");
                told += std::str::from_utf8(&bytes[..read]).unwrap();
            }
            told.clone()
        };
        until("retry: ").await;
        // The same again, and a new one: only that is told.
        send(&[
            span(2, Some(1), &none, &none),
            span(3, Some(2), &none, &none),
        ])
        .await;
        let text = until("event: span").await;
        let (_, spans) = text.split_once("event: span\ndata: ").unwrap();
        let spans: Value = serde_json::from_str(spans.lines().next().unwrap()).unwrap();
        assert_eq!(spans.as_array().unwrap().len(), 1, "{spans}");
        assert_eq!(
            (&spans[0]["i"], &spans[0]["p"]),
            (&json!("00f067aa0ba90003"), &json!("00f067aa0ba90002"))
        );
        // Another trace is told of, its spans are not.
        let other = json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4737"});
        send(&[span(4, None, &none, &other)]).await;
        let text = until("4bf92f3577b34da6a3ce929d0e0e4737").await;
        assert!(!text.contains("event: span"), "{text}");
    });
}
