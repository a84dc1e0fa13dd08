//! Where our exporter does something else than the reference on purpose, by properties of the input.

use agentspan_model::agent365::Profile;
use agentspan_model::keys;

use super::limits::{
    has_long_chunk, has_marker_that_lengthens, has_slash_at_end, is_refused_domain,
};
use super::model::{Named, is_token, named, run};
use super::parents::changes_parents;
use super::settings::{asked_seconds, is_cluster};
use super::{Exports, Form, TOLERANCES};
use crate::compare::differences;
use crate::export_input::{ExportInput, Response, TokenAnswer, has_rust_form};
use crate::runners::generation::Generation;
use crate::typed_value::TypedValue;
use crate::{Case, Json, Predicate, Runner};

/// A property for which there is a rule. A case that has several is counted under the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deviation {
    UnknownCluster,
    NonPositiveLimit,
    RefusedDomain,
    SlashAfterDomain,
    RefusedIdentity,
    MissingScope,
    BeyondSdkLimits,
    ValueWithoutForm,
    NonFiniteFloat,
    TimeIsTheEpoch,
    TokenNoHeaderCarries,
    ErrorOutsideOfHttp,
    BodyOfA2xxBreaks,
    RetryAfterIsNoPause,
    MarkerLengthens,
    BodyBeyondLimit,
    ParentIsNotSent,
    OperationOfInference,
    TokenIsRefused,
    Redirected,
    ResolverFails,
    FailsWithoutQueue,
    AnswerRejects,
    AnswerIsInformational,
}

const ALL: [Deviation; 24] = [
    Deviation::UnknownCluster,
    Deviation::NonPositiveLimit,
    Deviation::RefusedDomain,
    Deviation::SlashAfterDomain,
    Deviation::RefusedIdentity,
    Deviation::MissingScope,
    Deviation::BeyondSdkLimits,
    Deviation::ValueWithoutForm,
    Deviation::NonFiniteFloat,
    Deviation::TimeIsTheEpoch,
    Deviation::TokenNoHeaderCarries,
    Deviation::ErrorOutsideOfHttp,
    Deviation::BodyOfA2xxBreaks,
    Deviation::RetryAfterIsNoPause,
    Deviation::MarkerLengthens,
    Deviation::BodyBeyondLimit,
    Deviation::ParentIsNotSent,
    Deviation::AnswerRejects,
    Deviation::AnswerIsInformational,
    Deviation::OperationOfInference,
    Deviation::TokenIsRefused,
    Deviation::Redirected,
    Deviation::ResolverFails,
    Deviation::FailsWithoutQueue,
];

macro_rules! predicates {
    ($($name:literal => $deviation:ident,)*) => {
        &[$(Predicate {
            name: $name,
            applies: |case| Self::applies(case, Deviation::$deviation),
            instead: Self::instead,
        },)*]
    };
}

impl<G: Generation, F: Form> Exports<G, F> {
    pub(super) const V0_1: &'static [Predicate] = predicates!(
        "cluster_is_unknown" => UnknownCluster,
        "identity_is_refused" => RefusedIdentity,
        "scope_is_missing" => MissingScope,
        "span_exceeds_limits" => BeyondSdkLimits,
        "value_has_no_rust_form" => ValueWithoutForm,
        "float_is_not_finite" => NonFiniteFloat,
        "time_is_the_epoch" => TimeIsTheEpoch,
        "token_fits_no_header" => TokenNoHeaderCarries,
        "error_is_not_of_http" => ErrorOutsideOfHttp,
        "body_of_a_2xx_breaks" => BodyOfA2xxBreaks,
    );

    pub(super) const V2: &'static [Predicate] = predicates!(
        "limit_is_not_positive" => NonPositiveLimit,
        "domain_override_is_refused" => RefusedDomain,
        "domain_override_ends_with_a_slash" => SlashAfterDomain,
        "identity_is_refused" => RefusedIdentity,
        "scope_is_missing" => MissingScope,
        "span_exceeds_limits" => BeyondSdkLimits,
        "value_has_no_rust_form" => ValueWithoutForm,
        "float_is_not_finite" => NonFiniteFloat,
        "time_is_the_epoch" => TimeIsTheEpoch,
        "token_fits_no_header" => TokenNoHeaderCarries,
        "error_is_not_of_http" => ErrorOutsideOfHttp,
        "body_of_a_2xx_breaks" => BodyOfA2xxBreaks,
        "retry_after_is_no_pause" => RetryAfterIsNoPause,
        "marker_would_lengthen_a_value" => MarkerLengthens,
        "parent_is_not_sent" => ParentIsNotSent,
        "body_exceeds_the_limit" => BodyBeyondLimit,
    );

    pub(super) const V3: &'static [Predicate] = predicates!(
        "limit_is_not_positive" => NonPositiveLimit,
        "domain_override_is_refused" => RefusedDomain,
        "domain_override_ends_with_a_slash" => SlashAfterDomain,
        "identity_is_refused" => RefusedIdentity,
        "scope_is_missing" => MissingScope,
        "span_exceeds_limits" => BeyondSdkLimits,
        "value_has_no_rust_form" => ValueWithoutForm,
        "float_is_not_finite" => NonFiniteFloat,
        "time_is_the_epoch" => TimeIsTheEpoch,
        "token_fits_no_header" => TokenNoHeaderCarries,
        "error_is_not_of_http" => ErrorOutsideOfHttp,
        "body_of_a_2xx_breaks" => BodyOfA2xxBreaks,
        "marker_would_lengthen_a_value" => MarkerLengthens,
        "parent_is_not_sent" => ParentIsNotSent,
        "body_exceeds_the_limit" => BodyBeyondLimit,
        "operation_of_inference_is_left_out" => OperationOfInference,
        "token_is_refused" => TokenIsRefused,
        "service_redirects" => Redirected,
        "resolver_fails" => ResolverFails,
        "try_fails_without_a_queue" => FailsWithoutQueue,
        "answer_rejects_spans" => AnswerRejects,
        "answer_is_informational" => AnswerIsInformational,
    );

    /// Whether `deviation` is the first that the case has, and makes a difference to its outcome.
    fn applies(case: &Case, deviation: Deviation) -> bool {
        let Ok(input) = case.input::<ExportInput>() else {
            return false;
        };
        let mut before = ALL.into_iter().take_while(|one| *one != deviation);
        if !deviation.is_in(&input, G::PROFILE) || before.any(|one| one.is_in(&input, G::PROFILE)) {
            return false;
        }
        let mut expected = case.expected.clone();
        let mut ours = F::write(&run(&input, G::PROFILE), &input, G::PROFILE);
        let readable =
            Self::NEW.normalize(&mut expected).is_ok() && Self::NEW.normalize(&mut ours).is_ok();
        readable && !differences(&expected, &ours, &TOLERANCES).is_empty()
    }

    /// Rewrites the outcome to what all rules together ask for.
    fn instead(case: &Case, expected: &mut Json) {
        if let Ok(input) = case.input::<ExportInput>() {
            let mut ours = F::write(&run(&input, G::PROFILE), &input, G::PROFILE);
            if Self::NEW.normalize(&mut ours).is_ok() {
                *expected = ours;
            }
        }
    }
}

impl Deviation {
    pub(super) fn is_in(self, input: &ExportInput, profile: Profile) -> bool {
        let has_status = |these: &[u16]| {
            let mut statuses = input
                .responses
                .iter()
                .filter_map(|response| response.status);
            statuses.any(|status| these.contains(&status))
        };
        let values = || input.attribute_lists().flatten().map(|(_, value)| value);
        match self {
            Self::UnknownCluster => {
                profile == Profile::V0_1 && !is_cluster(&input.cluster_category)
            }
            Self::NonPositiveLimit => input.max_payload_bytes.is_some_and(|limit| limit <= 0),
            Self::RefusedDomain => {
                let domain = input.domain_override.as_deref();
                domain.is_some_and(is_refused_domain)
            }
            Self::SlashAfterDomain => {
                let domain = input.domain_override.as_deref();
                domain.is_some_and(has_slash_at_end)
            }
            Self::RefusedIdentity => {
                let spans = input.spans.iter();
                spans
                    .map(|span| named(span, input, profile))
                    .any(|named| matches!(named, Named::Refused))
            }
            Self::MissingScope => input.spans.iter().any(|span| span.scope.is_none()),
            Self::BeyondSdkLimits => input.exceeds_limits(),
            Self::ValueWithoutForm => values().any(|value| !has_rust_form(value)),
            Self::NonFiniteFloat => values().any(|value| match value {
                TypedValue::Double(float) => !float.0.is_finite(),
                TypedValue::DoubleArray(items) => items.iter().any(|item| !item.0.is_finite()),
                _ => false,
            }),
            Self::TimeIsTheEpoch => input.spans.iter().any(|span| {
                [span.start_time_unix_nano, span.end_time_unix_nano].contains(&Some(0))
            }),
            Self::TokenNoHeaderCarries => input.token_answers().any(
                |answer| matches!(answer, TokenAnswer::Token(Some(token)) | TokenAnswer::AsyncToken(Some(token)) if !is_token(token)),
            ),
            Self::ErrorOutsideOfHttp => input.responses.iter().any(|response| {
                matches!(response.error.as_deref(), Some("ValueError" | "OSError"))
            }),
            Self::BodyOfA2xxBreaks => input.responses.iter().any(Response::breaks_off),
            Self::RetryAfterIsNoPause => input.responses.iter().any(|response| {
                let seconds = response.retry_after().and_then(asked_seconds);
                seconds.is_some_and(|seconds| seconds.is_nan() || seconds < 0.0)
            }),
            Self::MarkerLengthens => {
                profile != Profile::V0_1
                    && input.rust_spans().iter().any(has_marker_that_lengthens)
            }
            Self::ParentIsNotSent => changes_parents(input, profile),
            Self::BodyBeyondLimit => has_long_chunk(input, profile),
            Self::OperationOfInference => input.spans.iter().any(|span| {
                let mut pairs = span.attributes.iter().rev();
                let operation = pairs.find(|(key, _)| key == keys::GEN_AI_OPERATION_NAME);
                matches!(
                    operation,
                    Some((_, TypedValue::String(name)))
                        if ["text_completion", "generate_content"].contains(&name.as_str())
                )
            }),
            Self::TokenIsRefused => has_status(&[401]),
            Self::Redirected => has_status(&[301, 302, 303, 307, 308]),
            Self::ResolverFails => input
                .token_answers()
                .any(|answer| matches!(answer, TokenAnswer::Raises(_))),
            Self::AnswerRejects => input.responses.iter().any(Response::rejects),
            Self::AnswerIsInformational => input
                .responses
                .iter()
                .any(|response| response.status.is_some_and(|status| status < 200)),
            Self::FailsWithoutQueue => !input.durable_delivery,
        }
    }
}
