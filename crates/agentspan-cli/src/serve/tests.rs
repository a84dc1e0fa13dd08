//! The server, asked over its sockets.

mod ids;
mod large;
mod silent;
mod skeletons;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Access, Server, Shared, runtime};
use crate::store::Store;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// An answer: its head and its body.
struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

struct Running {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// Serves while the test asks.
fn serving(token: Option<&str>, test: impl AsyncFnOnce(Running)) {
    runtime().unwrap().block_on(serve_while(token, test));
}

async fn serve_while(token: Option<&str>, test: impl AsyncFnOnce(Running)) {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let access = Access::of(&[free], token.map(str::to_owned)).unwrap();
    let shared = Shared::new(Store::new(1 << 20), access);
    let server = Server::bind(&shared, free).await.unwrap();
    let running = Running {
        address: server.address(),
        shared,
    };
    tokio::select! {
        () = server.serve() => panic!("the server ended"),
        () = test(running) => {}
    }
}

impl Running {
    async fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let host = if headers.contains("host:") {
            String::new()
        } else {
            format!("host: {}\r\n", self.address)
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{host}{headers}connection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses need not read the body.
        let _ = stream.write_all(body).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        Answer {
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"").await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = "content-type: application/json\r\nauthorization: Bearer t\r\n";
        self.ask("POST", path, headers, body.to_string().as_bytes())
            .await
    }
}

fn body(id: &str, attributes: &Value) -> Value {
    json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": [{
        "traceId": TRACE, "spanId": id, "name": "chat gpt-4o", "startTimeUnixNano": "1765000000000000000",
        "endTimeUnixNano": "1765000001500000000", "attributes": attributes,
    }]}]}]})
}

fn chat() -> Value {
    json!({"gen_ai.operation.name": "chat", "microsoft.tenant.id": "e3064512-cc6d-4703-be71-a2ecaecaa98a",
        "gen_ai.agent.id": "a0000000-0000-0000-0000-00000000000a", "color": "blue"})
}

const AGENT365: &str = "/observabilityService/tenants/t/otlp/agents/a/traces?api-version=1";

#[test]
fn what_agent_365_was_sent_is_listed_and_shown_and_each_span_is_answered() {
    serving(None, async |server| {
        let answer = server
            .post(AGENT365, &body("00f067aa0ba90201", &chat()))
            .await
            .json();
        assert_eq!(answer["results"][0]["sinks"]["esp"]["status"], "sent");
        let refused = body(
            "00f067aa0ba90202",
            &json!({"gen_ai.operation.name": "chat"}),
        );
        let answer = server.post(AGENT365, &refused).await.json();
        assert_eq!(answer["results"][0]["sinks"]["esp"]["status"], "rejected");
        let list = server.get("/api/traces").await.json();
        assert_eq!(
            (list["total"].as_u64(), list["shown"].as_u64()),
            (Some(1), Some(1))
        );
        let row = &list["traces"][0];
        assert_eq!(
            (row["spans"].as_u64(), row["refused"].as_u64()),
            (Some(2), Some(1))
        );
        assert_eq!(row["dur"].as_f64(), Some(1500.0));
        let trace = server.get(&format!("/api/trace/{TRACE}")).await.json();
        assert_eq!(trace["spans"].as_array().unwrap().len(), 2);
        let span = server
            .get(&format!("/api/trace/{TRACE}/span/00f067aa0ba90201"))
            .await
            .json();
        assert_eq!(span["raw"]["attributes"], chat());
        assert_eq!(server.get("/api/trace/00").await.status(), "404");
    });
}

#[test]
fn a_trace_comes_without_findings_which_are_asked_for_by_themselves() {
    serving(None, async |server| {
        // Only senders to Agent 365 know this attribute.
        let of_agent365 = json!({"gen_ai.operation.name": "chat", "microsoft.channel.name": "web"});
        let refused = body("00f067aa0ba90202", &of_agent365);
        server.post("/v1/traces", &refused).await;
        let path = format!("/api/trace/{TRACE}");
        let trace = server.get(&path).await.json();
        assert_eq!(trace["spans"][0]["ref"], true);
        assert_eq!(
            (&trace["count"], &trace["findings"]),
            (&json!(1), &Value::Null)
        );
        let judged = server.get(&format!("{path}/findings")).await.json();
        let of_span = &judged["of"]["00f067aa0ba90202"];
        let rules: Vec<&str> = of_span
            .as_array()
            .unwrap()
            .iter()
            .map(|at| {
                judged["findings"][at.as_u64().unwrap() as usize]["rule"]
                    .as_str()
                    .unwrap()
            })
            .collect();
        assert!(rules.contains(&"R03"), "{judged}");
        let digests = server.get(&format!("{path}/digests")).await.json();
        assert_eq!(digests["00f067aa0ba90202"].as_array().unwrap().len(), 3);
        for more in ["findings", "digests"] {
            let gone = server.get(&format!("/api/trace/00/{more}")).await;
            assert_eq!(gone.status(), "404");
        }
    });
}

#[test]
fn of_spans_that_nobody_means_for_agent_365_nothing_is_said() {
    serving(None, async |server| {
        let chat = json!({"gen_ai.operation.name": "chat", "gen_ai.agent.id": "agent"});
        server
            .post("/v1/traces", &body("00f067aa0ba90202", &chat))
            .await;
        let path = format!("/api/trace/{TRACE}");
        let trace = server.get(&path).await.json();
        assert_eq!(trace["spans"][0]["ref"], Value::Null);
        let judged = server.get(&format!("{path}/findings")).await.json();
        assert_eq!(
            (&judged["findings"], &judged["of"]),
            (&json!([]), &json!({}))
        );
    });
}

#[test]
fn very_many_traces_stay_within_the_bound_and_the_newest_are_listed() {
    serving(None, async |server| {
        for first in 0..20_u32 {
            let spans: Vec<Value> = (0..100)
                .map(|at| {
                    let mut request = body("00f067aa0ba90201", &chat());
                    let span = &mut request["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
                    span["traceId"] = format!("{:032x}", first * 100 + at + 1).into();
                    span.take()
                })
                .collect();
            let request = json!({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]});
            server.post("/v1/traces", &request).await;
        }
        let list = server.get("/api/traces?limit=3").await.json();
        let count = |name: &str| list[name].as_u64().unwrap();
        assert!(count("bytes") <= count("limit"), "{list}");
        assert_eq!(
            count("total") + list["lost"]["traces"].as_u64().unwrap(),
            2_000
        );
        assert!(count("total") < 2_000);
        assert_eq!(list["traces"][0]["id"], format!("{:032x}", 2_000));
        // The last one that is still there.
        let skip = count("total") - 1;
        let last = server.get(&format!("/api/traces?skip={skip}")).await.json();
        let id = format!("{:032x}", 2_001 - count("total"));
        assert_eq!(last["traces"][0]["id"], id.as_str());
    });
}

#[test]
fn the_list_is_filtered_by_words_attributes_and_states() {
    serving(None, async |server| {
        let mut attributes = chat();
        attributes["quoted"] = "a \"b\" \\ c/d".into();
        attributes["sa\"y"] = "hi".into();
        attributes["count"] = 10.into();
        attributes["share"] = 1.5.into();
        attributes["done"] = true.into();
        attributes["nothing"] = Value::Null;
        server
            .post("/v1/traces", &body("00f067aa0ba90201", &attributes))
            .await;
        for (query, shown) in [
            ("q=GPT-4o", 1),
            ("q=gpt-5", 0),
            ("q=color%3Dblue", 1),
            ("attr=color%3Dred", 0),
            ("attr=color%3Dblue", 1),
            ("attr=quoted%3Da%20%22b%22%20%5C%20c%2Fd", 1),
            ("q=A%20%22B%22%20%5C", 1),
            ("q=b%5C", 0),
            ("attr=sa%22y%3Dhi", 1),
            ("q=color%3Dred", 0),
            ("attr=count%3D10", 1),
            ("attr=count%3D1", 0),
            ("attr=share%3D1.50", 1),
            ("attr=done%3Dtrue", 1),
            ("attr=done%3Dfalse", 0),
            ("attr=nothing%3Dnull", 1),
            ("state=err", 0),
            ("state=err,ref", 0),
            ("tenant=e3064512-cc6d-4703-be71-a2ecaecaa98a", 1),
            ("agent=nobody", 0),
            ("from=1765000000001", 0),
            ("to=1765000000001&q=chat", 1),
        ] {
            let list = server.get(&format!("/api/traces?{query}")).await.json();
            assert_eq!(list["shown"], shown, "{query}");
        }
    });
}

#[test]
fn words_are_found_in_json_within_texts_and_with_equals_signs() {
    serving(None, async |server| {
        // As Python and .NET write JSON, with the arguments of a tool as a text of the messages.
        let arguments =
            r#"{"city":"Z\u00fcrich","path":"C:\\temp","mood":"\u003Cb\u003E&\ud83e\udd80"}"#;
        let messages = json!([{"role": "assistant", "parts": [{"arguments": arguments}]}]);
        let mut attributes = chat();
        attributes["gen_ai.output.messages"] = messages.to_string().into();
        attributes["query"] = "select * where id=7&name=\u{dc}ber".into();
        server
            .post("/v1/traces", &body("00f067aa0ba90201", &attributes))
            .await;
        for (word, shown) in [
            (r#""CITY":"z"#, 1),
            (r#"{"city":"zürich","path":"#, 1),
            (r#""city":"bern"#, 0),
            ("zÜrich", 1),
            ("zürih", 0),
            ("🦀", 1),
            ("🦁", 0),
            (r"c:\temp", 1),
            (r"c:\tmp", 0),
            ("<b>&", 1),
            ("id=7", 1),
            ("id=8", 0),
            ("id=7&name=über", 1),
            ("=7", 1),
        ] {
            let encoded = utf8_percent_encode(word, NON_ALPHANUMERIC);
            let list = server.get(&format!("/api/traces?q={encoded}")).await.json();
            assert_eq!(list["shown"], shown, "{word}");
        }
    });
}

#[test]
fn a_page_gets_its_policy_and_the_nonce_that_it_names() {
    serving(None, async |server| {
        let page = server.get("/").await;
        let nonce = page
            .body
            .split("nonce=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert!(
            page.head.contains(&format!("script-src 'nonce-{nonce}'")),
            "{}",
            page.head
        );
        assert_eq!(page.body.matches("nonce=").count(), 2);
        let again = server.get("/").await;
        assert!(!again.body.contains(nonce));
    });
}

#[test]
fn t29_the_page_is_small_needs_no_network_and_makes_no_markup_of_data() {
    let page = super::page::text();
    assert!(page.len() <= 100_000, "{}", page.len());
    assert_eq!(
        (
            page.matches("<script").count(),
            page.matches("<style").count()
        ),
        (1, 1)
    );
    let markup = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "srcdoc",
        "new Function",
        "style=\"",
        "onclick=",
        "https://",
        "@import",
        "javascript:",
    ];
    for word in markup {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn t23_foreign_hosts_and_origins_are_refused() {
    serving(None, async |server| {
        let ask = async |headers: String| server.ask("GET", "/api/traces", &headers, b"").await;
        let host = format!("host: {}\r\n", server.address);
        assert_eq!(
            ask("host: evil.example\r\n".to_owned()).await.status(),
            "421"
        );
        assert_eq!(
            ask("host: 127.0.0.1.evil.example:80\r\n".to_owned())
                .await
                .status(),
            "421"
        );
        assert_eq!(
            ask(format!("{host}origin: http://evil.example\r\n"))
                .await
                .status(),
            "403"
        );
        assert_eq!(ask(format!("{host}origin: null\r\n")).await.status(), "403");
        assert_eq!(
            ask(format!("{host}origin: http://{}\r\n", server.address))
                .await
                .status(),
            "200"
        );
        let post = server
            .ask(
                "POST",
                "/v1/traces",
                &format!("{host}origin: http://evil.example\r\n"),
                b"{}",
            )
            .await;
        assert_eq!(post.status(), "403");
    });
}

#[test]
fn t23_addresses_beyond_the_loopback_need_a_token_and_show_nothing_without() {
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 4318));
    assert!(Access::of(&[everywhere], None).is_err());
    assert!(Access::of(&[everywhere], Some(String::new())).is_err());
    serving(Some("secret"), async |server| {
        assert_eq!(server.get("/api/traces").await.status(), "401");
        assert_eq!(server.get("/api/traces?token=secre").await.status(), "401");
        assert_eq!(server.get("/api/traces?token=secret").await.status(), "200");
        let bearer = "authorization: Bearer secret\r\n";
        assert_eq!(server.ask("GET", "/", bearer, b"").await.status(), "200");
        assert_eq!(
            server.ask("POST", "/v1/traces", "", b"{}").await.status(),
            "401"
        );
    });
}

#[test]
fn t24_bodies_are_bounded_also_when_they_are_decompressed() {
    use std::io::Write;

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let blanks = vec![b' '; 1 << 20];
    (0..65).for_each(|_| gzip.write_all(&blanks).unwrap());
    let bomb = gzip.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    serving(None, async |server| {
        let headers = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
        assert_eq!(
            server
                .ask("POST", "/v1/traces", headers, &bomb)
                .await
                .status(),
            "413"
        );
        assert_eq!(
            server
                .ask("POST", "/v1/traces", headers, b"{}")
                .await
                .status(),
            "400"
        );
        let large = vec![b' '; (16 << 20) + 1];
        let json = "content-type: application/json\r\n";
        assert_eq!(
            server
                .ask("POST", "/v1/traces", json, &large)
                .await
                .status(),
            "413"
        );
        assert_eq!(
            server
                .ask("POST", "/v1/traces", json, &b"[".repeat(1 << 20))
                .await
                .status(),
            "400"
        );
        // The store is of a megabyte, so that what a body without compression may have must do.
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        (0..17).for_each(|_| gzip.write_all(&blanks).unwrap());
        let bomb = gzip.finish().unwrap();
        let answer = server.ask("POST", "/v1/traces", headers, &bomb).await;
        assert_eq!(answer.status(), "413");
        let other = "content-encoding: br\r\n";
        assert_eq!(
            server
                .ask("POST", "/v1/traces", other, b"{}")
                .await
                .status(),
            "415"
        );
    });
}

#[test]
fn events_tell_of_each_trace_that_changed_and_go_on_after_a_reconnect() {
    serving(None, async |server| {
        let listen = async |last: &str| {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            let head = format!(
                "GET /api/events HTTP/1.1\r\nhost: {}\r\n{last}\r\n",
                server.address
            );
            stream.write_all(head.as_bytes()).await.unwrap();
            stream
        };
        let until = async |stream: &mut TcpStream, wanted: &str| {
            let mut text = String::new();
            while !text.contains(wanted) {
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).await.unwrap();
                assert!(read > 0, "the stream ended: {text}");
                text += std::str::from_utf8(&bytes[..read]).unwrap();
            }
            text
        };
        let mut first = listen("").await;
        until(&mut first, "retry: ").await;
        server
            .post(AGENT365, &body("00f067aa0ba90201", &chat()))
            .await;
        let text = until(&mut first, "\"spans\":1").await;
        assert!(
            text.contains("event: trace\n") && text.contains(TRACE),
            "{text}"
        );
        server
            .post(AGENT365, &body("00f067aa0ba90202", &chat()))
            .await;
        until(&mut first, "\"spans\":2").await;
        let (_, first) = text.split_once("id: ").unwrap();
        let (first, _) = first.split_once('\n').unwrap();
        let mut second = listen(&format!("last-event-id: {first}\r\n")).await;
        until(&mut second, "\"spans\":2").await;
        // An event id of a former process is after everything of this one.
        for former in ["9", "0123456789abcdef-9", "nonsense"] {
            let mut third = listen(&format!("last-event-id: {former}\r\n")).await;
            until(&mut third, "retry: ").await;
            let id = format!("00f067aa0ba902{}", 10 + former.len());
            server.post(AGENT365, &body(&id, &chat())).await;
            until(&mut third, "event: trace").await;
        }
        assert_eq!(server.shared.look(|store| store.last_change()), 5);
    });
}

#[test]
fn a_request_whose_lists_are_none_is_refused_and_counted() {
    serving(None, async |server| {
        for (body, what) in [
            ("[]", "expected a JSON object"),
            ("42", "expected a JSON object"),
            (r#"{"resourceSpans": {}}"#, "resourceSpans is not an array"),
            (r#"{"resourceSpans": [5]}"#, "an element of resourceSpans"),
            (
                r#"{"resourceSpans": [{"scopeSpans": [{"spans": "x"}]}]}"#,
                "an element of scopeSpans",
            ),
        ] {
            let headers = "content-type: application/json\r\n";
            let answer = server
                .ask("POST", "/v1/traces", headers, body.as_bytes())
                .await;
            assert_eq!(answer.status(), "400", "{body}");
            assert!(answer.body.contains(what), "{body}: {}", answer.body);
        }
        // Members that nobody knows are none of our business.
        let answer = server
            .post("/v1/traces", &json!({"new": 1, "resourceSpans": null}))
            .await;
        assert_eq!(answer.status(), "200");
        assert_eq!(server.get("/api/traces").await.json()["unreadable"], 5);
    });
}

#[test]
fn a_content_type_counts_in_any_case_and_one_of_something_else_is_told() {
    serving(None, async |server| {
        let body = br#"{"resourceSpans": []}"#;
        for (headers, status) in [
            ("content-type: Application/JSON; charset=utf-8\r\n", "200"),
            ("content-type: text/plain\r\n", "415"),
            ("content-type: application/jsonlines\r\n", "415"),
            ("", "415"),
            ("content-type: Application/X-Protobuf\r\n", "400"),
        ] {
            let answer = server.ask("POST", "/v1/traces", headers, body).await;
            assert_eq!(answer.status(), status, "{headers}: {}", answer.body);
        }
        let answer = server.ask("POST", "/v1/traces", "", b"").await;
        assert_eq!(answer.status(), "200");
        assert_eq!(server.get("/api/traces").await.json()["unreadable"], 4);
    });
}

#[test]
fn spans_without_ids_are_counted_and_cost_no_other() {
    let span = |ids: Value| {
        json!({"resourceSpans": [{"scopeSpans": [{"spans": [ids, {
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "name": "kept",
        }]}]}]})
    };
    serving(None, async |server| {
        for (number, ids) in [
            json!({}),
            json!({"traceId": "4bf92f3577b34da6a3ce929d0e0e4736"}),
        ]
        .into_iter()
        .enumerate()
        {
            let answer = server.post("/v1/traces", &span(ids.clone())).await.json();
            assert_eq!(
                answer["partialSuccess"]["rejectedSpans"], "1",
                "{ids}: {answer}"
            );
            let list = server.get("/api/traces").await.json();
            assert_eq!(list["unreadable"], number + 1, "{ids}");
            assert_eq!(list["sums"]["spans"], 1, "{ids}");
        }
    });
}

#[test]
fn our_exporters_arrive_over_every_protocol_with_every_field() {
    use agentspan::prelude::*;
    use agentspan::{Destination, Otlp};

    runtime().unwrap().block_on(async {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut servers = tokio::task::JoinSet::new();
        let mut stores = Vec::new();
        let mut settings = agentspan::configure()
            .with_service_name("sender")
            .with_switches_on();
        for protocol in ["http", "http, gzip", "grpc", "grpc, gzip"] {
            let shared = Shared::new(Store::new(1 << 20), Access::Loopback);
            let server = Server::bind(&shared, free).await.unwrap();
            let path = if protocol.starts_with("http") {
                "/v1/traces"
            } else {
                ""
            };
            let url = format!("http://{}{path}", server.address());
            let otlp = Otlp::new().with_endpoint(url);
            let otlp = if protocol.ends_with("gzip") {
                otlp.with_gzip()
            } else {
                otlp
            };
            let destination = match protocol.starts_with("http") {
                true => Destination::otlp_http(otlp),
                false => Destination::otlp_grpc(otlp),
            };
            let destination = destination.unwrap().with_name(protocol);
            let clear = agentspan::model::agentspec::Disclosure::Clear;
            settings = settings.with_destination(destination.with_disclosure(clear));
            servers.spawn(server.serve());
            stores.push((protocol, shared));
        }
        let telemetry = settings.install().unwrap();
        let tenant = TenantDetails::new(TenantId::parse("contoso").unwrap());
        let agent = AgentDetails::new(AgentId::parse("weather").unwrap());
        let call = InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "openai");
        InferenceScope::start(&call, &agent, &tenant).in_scope_infallible(|scope| {
            scope.record_input_messages(&["Will it rain? \u{1f327}"]);
            scope.record_input_tokens(47);
        });
        telemetry
            .shutdown_async(std::time::Duration::from_secs(20))
            .await
            .unwrap();
        let mut all = Vec::new();
        for (protocol, shared) in stores {
            let [span] = shared.look(|store| {
                let spans = store.traces().flat_map(|trace| trace.spans().into_owned());
                let spans = spans.map(|span| {
                    assert_eq!(
                        span.facts.asked.as_deref(),
                        Some("Will it rain? \u{1f327}"),
                        "{protocol}"
                    );
                    assert_eq!(span.facts.usage.input, Some(47), "{protocol}");
                    (
                        span.value(),
                        span.group.resource.clone(),
                        span.group.scope.clone(),
                    )
                });
                <[_; 1]>::try_from(spans.collect::<Vec<_>>()).unwrap()
            });
            all.push(span);
        }
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:#?}");
        let (span, resource, _) = &all[0];
        assert_eq!(span["kind"], 3);
        assert!(resource.to_string().contains("\"sender\""));
    });
}

#[test]
fn a_call_of_grpc_that_makes_no_sense_is_answered_with_a_status() {
    use http_body_util::{BodyExt, Full};
    use hyper_util::rt::{TokioExecutor, TokioIo};

    serving(None, async |server| {
        let stream = TcpStream::connect(server.address).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                .await
                .unwrap();
        let mut driver = tokio::task::JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        let url = format!(
            "http://{}/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            server.address
        );
        for (body, status) in [
            (&b""[..], "3"),
            (&[0, 0, 0, 0, 9, 1], "3"),
            (&[0, 0, 0, 0, 1, 0xff], "3"),
            (&[0; 5], "0"),
        ] {
            let request = hyper::Request::post(&url).header("content-type", "application/grpc");
            let request = request
                .body(Full::new(bytes::Bytes::from_static(body)))
                .unwrap();
            let answer = sender
                .send_request(request)
                .await
                .unwrap()
                .into_body()
                .collect()
                .await
                .unwrap();
            assert_eq!(
                answer.trailers().unwrap()["grpc-status"],
                status,
                "{body:?}"
            );
        }
    });
}
