//! `export_v0_1.json` and `export_v2.json`: what an export sends, over TLS and as the service saw it.
//!
//! The URL is compared as it was on the wire: the one given to the reference's HTTP client is not yet
//! encoded. Bodies are compared as JSON, large ones also by length and digest. The timeout cannot be
//! seen on the wire.

use agentspan_model::agent365::Profile;
use serde_json::json;

use super::Form;
use super::run::{Gated, Run, SentRequest, Stored, Whose, wire_url};
use crate::reviewed::sha256;
use crate::runners::generation::Files;
use crate::{ExportInput, Failure, Json};

/// Larger bodies are given by length and digest only.
const SHOWN_BYTES: usize = 20_000;

/// All that was sent.
pub(in crate::runners) struct Requests;

impl Form for Requests {
    fn file(files: Files) -> &'static str {
        files.export
    }

    fn write(run: &Run, input: &ExportInput, profile: Profile) -> Json {
        let mut shown = json!({
            "requests": run.requests.iter().map(request).collect::<Vec<_>>(),
            "token_resolver_calls": input.show_calls(&run.token_calls),
            "sleeps_seconds": run.pauses_seconds,
        });
        if profile == Profile::V3 {
            shown["stored"] = run.stored.iter().map(stored).collect();
            shown["gate"] = run.gate.iter().map(gated).collect();
        }
        shown["result"] = run.result().into();
        shown.into()
    }

    fn normalize(outcome: &mut Json) -> Result<(), Failure> {
        let stored = outcome.member_mut("stored");
        for stored in stored.and_then(Json::as_array_mut).into_iter().flatten() {
            // A lease is one on a file.
            stored.take_member("leased");
        }
        let requests = outcome.member_mut("requests");
        for request in requests.and_then(Json::as_array_mut).into_iter().flatten() {
            request.take_member("url");
            request.take_member("timeout_seconds");
            if let Some(Json::String(wire)) = request.member_mut("wire_url") {
                *wire = wire_url(wire);
            }
            let Some(body) = request.member_mut("body") else {
                continue;
            };
            // What is no JSON stays text, and a rule replaces it.
            if let Some(Ok(parsed)) = body.as_str().map(Json::parse) {
                *body = parsed;
                request.take_member("body_utf8_len");
                request.take_member("body_sha256");
            }
        }
        Ok(())
    }
}

fn identity(whose: &Whose) -> serde_json::Value {
    json!({
        "tenant_id": whose.tenant,
        "agent_id": whose.agent,
        "agentic_user_id": whose.agentic_user,
        "use_s2s_endpoint": whose.use_s2s_endpoint,
    })
}

fn stored(stored: &Stored) -> serde_json::Value {
    let mut shown = identity(&stored.identity);
    shown["body_utf8_len"] = stored.body.len().into();
    shown["body_sha256"] = sha256(stored.body.as_bytes()).into();
    shown
}

pub(super) fn gated(gated: &Gated) -> serde_json::Value {
    let mut shown = identity(&gated.identity);
    shown["blocked_seconds"] = gated.blocked_seconds.into();
    shown["failures"] = gated.failures.into();
    shown
}

fn request(sent: &SentRequest) -> serde_json::Value {
    let mut headers = json!({"content-type": "application/json"});
    if let Some(authorization) = &sent.authorization {
        headers["authorization"] = authorization.as_str().into();
    }
    let shown = Some(&sent.body).filter(|body| body.len() < SHOWN_BYTES);
    json!({
        "method": "POST",
        "wire_url": format!("https://{}{}", sent.host, sent.target),
        "wire_target": sent.target,
        "headers": headers,
        "body": shown,
        "body_utf8_len": sent.body.len(),
        "body_sha256": sha256(sent.body.as_bytes()),
    })
}
