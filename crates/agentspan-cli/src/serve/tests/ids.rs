//! What stands in addresses: ids of any characters, and tokens.

use serde_json::json;

use super::{body, chat, serving};

#[test]
fn traces_and_spans_are_found_by_ids_of_any_characters() {
    serving(None, async |server| {
        let mut sent = body("a b:c", &chat());
        let id = "run-1/2 %2d \u{e9}?#";
        sent["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = id.into();
        server.post("/v1/traces", &sent).await;
        let encode = |text: &str| {
            let all = percent_encoding::NON_ALPHANUMERIC;
            percent_encoding::utf8_percent_encode(text, all).to_string()
        };
        let trace = format!("/api/trace/{}", encode(id));
        for more in [
            "",
            "/raw",
            "/findings",
            "/digests",
            &format!("/span/{}", encode("a b:c")),
        ] {
            let answer = server.get(&format!("{trace}{more}")).await;
            assert_eq!(answer.status(), "200", "{more}");
        }
        assert_eq!(server.get(&trace).await.json()["id"], id);
    });
}

#[test]
fn a_token_in_base64_is_taken_as_it_stands_and_encoded() {
    serving(Some("q1+/x="), async |server| {
        for (shown, status) in [
            ("q1+/x=", "200"),
            ("q1%2B%2Fx%3D", "200"),
            ("q1%2b/x=", "200"),
            ("q1%20/x=", "401"),
            ("q1", "401"),
        ] {
            let answer = server
                .get(&format!("/api/traces?limit=1&token={shown}"))
                .await;
            assert_eq!(answer.status(), status, "{shown}");
        }
        let bearer = "authorization: Bearer q1+/x=\r\n";
        let answer = server.ask("GET", "/api/traces", bearer, b"").await;
        assert_eq!(answer.json()["total"], json!(0));
    });
}
