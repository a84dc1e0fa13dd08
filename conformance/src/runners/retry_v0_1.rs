//! `retry_v0_1.json`: how often an export tries, and how long it pauses in between.

use agentspan_model::agent365::Profile;
use serde_json::json;

use super::exports::{
    self, Run, Subject, TOLERANCES, normalize_pauses, predicates, result, wire_url,
};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct RetryV01;

const SUBJECT: Subject = Subject {
    profile: Profile::V0_1,
    form,
};

impl Runner for RetryV01 {
    fn file_stem(&self) -> &'static str {
        "retry_v0_1"
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
    // Those of the reference are not yet encoded.
    let urls = outcome.member_mut("attempt_urls");
    for url in urls.and_then(Json::as_array_mut).into_iter().flatten() {
        if let Some(encoded) = url.as_str().map(wire_url) {
            *url = Json::String(encoded);
        }
    }
    normalize_pauses(outcome)
}

pub(super) fn form(run: &Run) -> Json {
    let urls = run
        .requests
        .iter()
        .map(|sent| format!("https://{}{}", sent.host, sent.target));
    json!({
        "attempts": run.requests.len(),
        "attempt_urls": urls.collect::<Vec<_>>(),
        "sleeps_seconds": run.pauses_seconds,
        "result": result(run),
    })
    .into()
}
