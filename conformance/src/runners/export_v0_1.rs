//! `export_v0_1.json`: what an export sends, over TLS and as the service saw it.
//!
//! The URL is compared as it was on the wire: the one given to the reference's HTTP client is not yet
//! encoded. Bodies are compared as JSON, large ones also by length and digest. The timeout cannot be
//! seen on the wire.

use agentspan_model::agent365::Profile;
use ring::digest::{SHA256, digest};
use serde_json::json;

use super::exports::{
    self, Run, SentRequest, Subject, TOLERANCES, normalize_pauses, predicates, result,
};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

/// Larger bodies are given by length and digest only.
const SHOWN_BYTES: usize = 20_000;

pub(super) struct ExportV01;

const SUBJECT: Subject = Subject {
    profile: Profile::V0_1,
    form,
};

impl Runner for ExportV01 {
    fn file_stem(&self) -> &'static str {
        "export_v0_1"
    }

    fn run(&self, case: &Case) -> Outcome {
        exports::run(case, SUBJECT)
    }

    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        normalize(outcome)
    }

    fn tolerances(&self) -> Tolerances {
        TOLERANCES
    }

    fn predicates(&self) -> &'static [Predicate] {
        predicates!(
            Self,
            SUBJECT,
            "cluster_is_unknown" => UnknownCluster,
            "identity_is_refused" => RefusedIdentity,
            "scope_is_missing" => MissingScope,
            "value_has_no_rust_form" => ValueWithoutForm,
            "float_is_not_finite" => NonFiniteFloat,
            "time_is_the_epoch" => TimeIsTheEpoch,
            "token_fits_no_header" => TokenNoHeaderCarries,
            "error_is_not_of_http" => ErrorOutsideOfHttp,
        )
    }
}

pub(super) fn normalize(outcome: &mut Json) -> Result<(), Failure> {
    let requests = outcome.member_mut("requests");
    for request in requests.and_then(Json::as_array_mut).into_iter().flatten() {
        request.take_member("url");
        request.take_member("timeout_seconds");
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
    normalize_pauses(outcome)
}

pub(super) fn form(run: &Run) -> Json {
    json!({
        "requests": run.requests.iter().map(request).collect::<Vec<_>>(),
        "token_resolver_calls": run.token_calls,
        "sleeps_seconds": run.pauses_seconds,
        "result": result(run),
    })
    .into()
}

fn request(sent: &SentRequest) -> serde_json::Value {
    let mut headers = json!({"content-type": "application/json"});
    if let Some(authorization) = &sent.authorization {
        headers["authorization"] = authorization.as_str().into();
    }
    let shown = Some(&sent.body).filter(|body| body.len() < SHOWN_BYTES);
    let sha256 = digest(&SHA256, sent.body.as_bytes());
    let sha256: String = sha256
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "method": "POST",
        "wire_url": format!("https://{}{}", sent.host, sent.target),
        "wire_target": sent.target,
        "headers": headers,
        "body": shown,
        "body_utf8_len": sent.body.len(),
        "body_sha256": sha256,
    })
}
