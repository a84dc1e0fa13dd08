//! Sends a test span, and reports its outcome.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use agentspan_model::agent365::contract::{Answer, SpanOutcome, status_meaning};
use agentspan_model::keys;
use agentspan_model::random;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::network::post;
use super::{Look, State, Subject};
use crate::shown::shown_cut;

const AT: &str = "canary";

pub(super) async fn looks(subject: &Subject) -> Vec<Look> {
    let (Some(tenant), Some(agent), Some(token)) =
        (&subject.tenant, &subject.agent, &subject.token)
    else {
        let what = "requires --tenant, --agent and --token-env";
        return vec![Look::new(State::Skipped, AT, what)];
    };
    let token = token.trim();
    let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {token}")) else {
        return vec![Look::new(
            State::Bad,
            AT,
            "the token is not a valid header value",
        )];
    };
    bearer.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, bearer);
    let (trace_id, span_id) = ids();
    let body = Bytes::from(body(&trace_id, &span_id, tenant, agent).to_string());
    let answer = match post(subject.is_https, &subject.uri, &headers, body).await {
        Ok(answer) => answer,
        Err(error) => return vec![Look::new(State::Bad, AT, error.to_string())],
    };
    let status = answer.status();
    // The service's own words, which must not repeat the token.
    let said = String::from_utf8_lossy(answer.body()).replace(token, "…");
    if !status.is_success() {
        let meaning = status_meaning(status.as_u16(), &said);
        let what = meaning.map_or("unknown reason", |meaning| meaning.meaning);
        let look = Look::new(
            State::Bad,
            AT,
            format!("refused with {}: {what}", status.as_u16()),
        );
        return vec![match meaning {
            Some(meaning) => look.with_fix(meaning.remedy),
            None => look,
        }];
    }
    let read = Answer::read(said.as_bytes());
    let reasons = shown_cut(&read.reasons(&span_id).join(", "), 200);
    let (state, what) = match read.outcome(&span_id) {
        SpanOutcome::Confirmed => (State::Fine, "the service confirmed it"),
        SpanOutcome::Unconfirmed => (
            State::Warning,
            "accepted, but the service did not confirm it",
        ),
        SpanOutcome::Rejected => (State::Bad, "rejected"),
        _ => (State::Bad, "accepted, but not routed to any destination"),
    };
    let colon = if reasons.is_empty() { "" } else { ": " };
    let what = format!("span {span_id} of trace {trace_id}: {what}{colon}{reasons}");
    let mut looks = vec![Look::new(state, AT, what)];
    let findings = subject.judge().judge_answer(&read);
    looks.extend(findings.iter().map(|finding| Look::of_finding(AT, finding)));
    looks
}

fn ids() -> (String, String) {
    let half = random::bits() >> 64;
    // An id must not be all zeros.
    (
        format!("{:032x}", random::bits() | 1),
        format!("{:016x}", half | 1),
    )
}

/// A run of an agent that did nothing, in the form of the packages.
fn body(trace_id: &str, span_id: &str, tenant: &str, agent: &str) -> Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_nanos());
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    let length = u64::try_from(Duration::from_millis(1).as_nanos()).unwrap_or(0);
    let mut attributes = serde_json::Map::new();
    for (key, value) in [
        (keys::GEN_AI_OPERATION_NAME, "invoke_agent"),
        (keys::MICROSOFT_TENANT_ID, tenant),
        (keys::GEN_AI_AGENT_ID, agent),
        (keys::GEN_AI_AGENT_NAME, "agentspan doctor"),
        (keys::GEN_AI_CONVERSATION_ID, trace_id),
    ] {
        attributes.insert(key.to_owned(), value.into());
    }
    let span = json!({
        "traceId": trace_id,
        "spanId": span_id,
        "parentSpanId": null,
        "name": "invoke_agent agentspan doctor",
        "kind": "INTERNAL",
        "startTimeUnixNano": now.saturating_sub(length),
        "endTimeUnixNano": now,
        "attributes": attributes,
        "events": null,
        "links": null,
        "status": {"code": "UNSET", "message": ""},
    });
    let scope = json!({"name": "agentspan", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{
        "resource": {"attributes": {(keys::SERVICE_NAME): "agentspan doctor"}},
        "scopeSpans": [{"scope": scope, "spans": [span]}],
    }]})
}
