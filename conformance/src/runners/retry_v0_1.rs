//! `retry_v0_1.json`: how often an export tries, and how long it pauses in between.

use serde_json::json;

use super::exports::{
    self, Deviation, Run, TOLERANCES, applies, instead, normalize_pauses, result, wire_url,
};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct RetryV01;

impl Runner for RetryV01 {
    fn file_stem(&self) -> &'static str {
        "retry_v0_1"
    }

    fn run(&self, case: &Case) -> Outcome {
        exports::run(case, form)
    }

    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        // Those of the reference are not yet encoded.
        let urls = outcome.member_mut("attempt_urls");
        for url in urls.and_then(Json::as_array_mut).into_iter().flatten() {
            if let Some(encoded) = url.as_str().map(wire_url) {
                *url = Json::String(encoded);
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
