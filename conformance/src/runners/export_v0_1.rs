//! `export_v0_1.json`: what an export sends, over TLS and as the service saw it.
//!
//! The URL is compared as it was on the wire: the one given to the reference's HTTP client is not yet
//! encoded. Bodies are compared as JSON, large ones also by length and digest. The timeout cannot be
//! seen on the wire.

use ring::digest::{SHA256, digest};
use serde_json::json;

use super::exports::{
    self, Deviation, Run, SentRequest, TOLERANCES, applies, instead, normalize_pauses, result,
};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

/// Larger bodies are given by length and digest only.
const SHOWN_BYTES: usize = 20_000;

pub(super) struct ExportV01;

impl Runner for ExportV01 {
    fn file_stem(&self) -> &'static str {
        "export_v0_1"
    }

    fn run(&self, case: &Case) -> Outcome {
        exports::run(case, form)
    }

    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
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

    fn tolerances(&self) -> Tolerances {
        TOLERANCES
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[
            Predicate {
                name: "cluster_is_unknown",
                applies: |case| applies(case, Deviation::UnknownCluster, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
            Predicate {
                name: "identity_is_refused",
                applies: |case| applies(case, Deviation::RefusedIdentity, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
            Predicate {
                name: "scope_is_missing",
                applies: |case| applies(case, Deviation::MissingScope, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
            Predicate {
                name: "value_has_no_rust_form",
                applies: |case| applies(case, Deviation::ValueWithoutForm, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
            Predicate {
                name: "float_is_not_finite",
                applies: |case| applies(case, Deviation::NonFiniteFloat, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
            Predicate {
                name: "time_is_the_epoch",
                applies: |case| applies(case, Deviation::TimeIsTheEpoch, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
            Predicate {
                name: "token_fits_no_header",
                applies: |case| applies(case, Deviation::TokenNoHeaderCarries, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
            Predicate {
                name: "error_is_not_of_http",
                applies: |case| applies(case, Deviation::ErrorOutsideOfHttp, &Self, form),
                instead: |case, expected| instead(case, expected, &Self, form),
            },
        ]
    }
}

fn form(run: &Run) -> Json {
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
