//! `export_v2.json`: what an export of version 2 sends, over TLS and as the service saw it.
//!
//! Compared as in `export_v0_1.json`.

use agentspan_model::agent365::Profile;

use super::export_v0_1::{form, normalize};
use super::exports::{self, Subject, TOLERANCES, predicates};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

pub(super) struct ExportV2;

const SUBJECT: Subject = Subject {
    profile: Profile::V2,
    form,
};

impl Runner for ExportV2 {
    fn file_stem(&self) -> &'static str {
        "export_v2"
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
            "limit_is_not_positive" => NonPositiveLimit,
            "domain_override_is_refused" => RefusedDomain,
            "identity_is_refused" => RefusedIdentity,
            "scope_is_missing" => MissingScope,
            "value_has_no_rust_form" => ValueWithoutForm,
            "float_is_not_finite" => NonFiniteFloat,
            "time_is_the_epoch" => TimeIsTheEpoch,
            "token_fits_no_header" => TokenNoHeaderCarries,
            "error_is_not_of_http" => ErrorOutsideOfHttp,
            "retry_after_is_no_pause" => RetryAfterIsNoPause,
            "body_exceeds_the_limit" => BodyBeyondLimit,
        )
    }
}
