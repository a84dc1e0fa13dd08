//! Spans that do not fit into the store.

use serde_json::json;

use super::{AGENT365, body, chat, serving};

#[test]
fn a_span_too_large_for_the_memory_is_told_to_its_sender_and_costs_no_trace() {
    serving(None, async |server| {
        server
            .post("/v1/traces", &body("00f067aa0ba90201", &chat()))
            .await;
        let mut attributes = chat();
        attributes["text"] = "x".repeat(1 << 20).into();
        let mut large = body("00f067aa0ba90202", &attributes);
        let spans = &mut large["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans
            .as_array_mut()
            .unwrap()
            .push(json!({"name": "no ids"}));
        let answer = server.post("/v1/traces", &large).await.json();
        let partial = &answer["partialSuccess"];
        assert_eq!(partial["rejectedSpans"], "2", "{answer}");
        assert!(
            partial["errorMessage"]
                .as_str()
                .unwrap()
                .contains("too large"),
            "{answer}"
        );
        let large = body("00f067aa0ba90203", &attributes);
        let answer = server.post(AGENT365, &large).await.json();
        let sink = &answer["results"][0]["sinks"]["esp"];
        assert_eq!(sink["status"], "rejected", "{answer}");
        let list = server.get("/api/traces").await.json();
        assert_eq!(
            (&list["total"], &list["lost"]),
            (&json!(1), &json!({"traces": 0, "spans": 2}))
        );
    });
}
