//! Which exports may differ from the reference's on purpose, by properties of the input.

use agentspan_discovery::{ClusterCategory, DomainOverride};
use agentspan_model::agent365::{AgentId, TenantId};
use agentspan_model::keys;

use crate::Allowance;
use crate::export_input::{ExportInput, Response, TokenAnswer, has_rust_form};
use crate::typed_value::TypedValue;

/// An export that fails otherwise, or not at all.
const ANYWHERE: &[&str] = &["**"];

/// Other bodies, or another number of them.
const REQUESTS: &[&str] = &[
    "requests",
    "attempts",
    "attempt_urls",
    "sleeps_seconds",
    "stored",
    "result",
];

const URLS: &[&str] = &[
    "requests.*.wire_url",
    "requests.*.wire_target",
    "attempt_urls",
];

macro_rules! allowances {
    ($($name:literal $holds:ident $places:ident;)*) => {
        &[$(Allowance {
            name: $name,
            applies: |case| case.input().is_ok_and(|input: ExportInput| $holds(&input)),
            places: $places,
        },)*]
    };
}

pub(super) const OF_ALL: &[Allowance] = allowances!(
    "identity_is_refused" has_refused_identity ANYWHERE;
    "scope_is_missing" misses_scope ANYWHERE;
    "span_exceeds_limits" exceeds_limits REQUESTS;
    "value_has_no_rust_form" has_foreign_value REQUESTS;
    "float_is_not_finite" has_infinite_float REQUESTS;
    "time_is_the_epoch" has_epoch REQUESTS;
    "token_fits_no_header" has_bad_token ANYWHERE;
    "error_is_not_of_http" fails_below_http ANYWHERE;
    "body_of_a_2xx_breaks" breaks_off ANYWHERE;
);

pub(super) const OF_V0_1: &[Allowance] = allowances!(
    "cluster_is_unknown" has_unknown_cluster ANYWHERE;
);

pub(super) const SINCE_V2: &[Allowance] = allowances!(
    "limit_is_not_positive" has_no_limit ANYWHERE;
    "domain_override_is_refused" has_refused_domain ANYWHERE;
    "domain_override_ends_with_a_slash" ends_with_slash URLS;
    "marker_would_lengthen_a_value" is_long REQUESTS;
    "parent_is_not_sent" has_parent_in_batch REQUESTS;
    "body_exceeds_the_limit" exceeds_body_limit REQUESTS;
);

pub(super) const OF_V2: &[Allowance] = allowances!(
    "retry_after_is_no_pause" asks_for_no_pause ANYWHERE;
);

pub(super) const OF_V3: &[Allowance] = allowances!(
    "operation_of_inference_is_left_out" has_operation_of_inference ANYWHERE;
    "token_is_refused" refuses_token ANYWHERE;
    "service_redirects" redirects ANYWHERE;
    "resolver_fails" resolver_fails ANYWHERE;
    "try_fails_without_a_queue" has_no_queue ANYWHERE;
    "answer_rejects_spans" rejects ANYWHERE;
    "answer_is_informational" is_informational ANYWHERE;
);

fn has_unknown_cluster(input: &ExportInput) -> bool {
    input.cluster_category.parse::<ClusterCategory>().is_err()
}

fn has_no_limit(input: &ExportInput) -> bool {
    input.max_payload_bytes.is_some_and(|limit| limit <= 0)
}

pub(super) fn has_refused_domain(input: &ExportInput) -> bool {
    DomainOverride::read(&input.environment()).is_err()
}

fn ends_with_slash(input: &ExportInput) -> bool {
    let domain = input.domain_override.as_deref().unwrap_or_default();
    domain.trim().ends_with('/')
}

/// Whether a span names a tenant or an agent by what is no id, or has no place in a host name.
fn has_refused_identity(input: &ExportInput) -> bool {
    let cluster = input.cluster_category.parse::<ClusterCategory>();
    let is_tenant = |text: &str| {
        let tenant = TenantId::parse(text).ok();
        let cluster = cluster.as_ref().ok();
        tenant.is_some_and(|tenant| {
            cluster.is_none_or(|cluster| cluster.tenant_island_cluster_endpoint(&tenant).is_ok())
        })
    };
    let is_refused = |value: Option<&TypedValue>, is_id: &dyn Fn(&str) -> bool| match value {
        Some(TypedValue::String(text)) => !is_id(text),
        Some(_) => true,
        None => false,
    };
    input.spans.iter().any(|span| {
        let agent = span.last_attribute(keys::GEN_AI_AGENT_ID);
        let tenants = [keys::TENANT_ID, keys::MICROSOFT_TENANT_ID];
        let mut tenants = tenants.into_iter().map(|key| span.last_attribute(key));
        is_refused(agent, &|text| AgentId::parse(text).is_ok())
            || tenants.any(|tenant| is_refused(tenant, &is_tenant))
    })
}

fn misses_scope(input: &ExportInput) -> bool {
    input.spans.iter().any(|span| span.scope.is_none())
}

fn exceeds_limits(input: &ExportInput) -> bool {
    input.exceeds_limits()
}

fn values(input: &ExportInput) -> impl Iterator<Item = &TypedValue> {
    let pairs = input.attribute_lists().flatten();
    pairs.map(|(_, value)| value)
}

fn has_foreign_value(input: &ExportInput) -> bool {
    values(input).any(|value| !has_rust_form(value))
}

fn has_infinite_float(input: &ExportInput) -> bool {
    values(input).any(TypedValue::is_infinite)
}

fn has_epoch(input: &ExportInput) -> bool {
    let mut spans = input.spans.iter();
    spans.any(|span| [span.start_time_unix_nano, span.end_time_unix_nano].contains(&Some(0)))
}

fn has_bad_token(input: &ExportInput) -> bool {
    input.token_answers().any(|answer| match answer {
        TokenAnswer::Token(Some(token)) | TokenAnswer::AsyncToken(Some(token)) => {
            !token.bytes().all(|byte| byte.is_ascii_graphic())
        }
        _ => false,
    })
}

fn fails_below_http(input: &ExportInput) -> bool {
    let mut errors = input
        .responses
        .iter()
        .filter_map(|one| one.error.as_deref());
    errors.any(|error| ["ValueError", "OSError"].contains(&error))
}

fn breaks_off(input: &ExportInput) -> bool {
    input.responses.iter().any(Response::breaks_off)
}

fn asks_for_no_pause(input: &ExportInput) -> bool {
    let mut asked = input.responses.iter().filter_map(Response::retry_after);
    asked.any(|text| {
        let seconds = text.trim().parse::<f64>();
        seconds.is_ok_and(|seconds| seconds.is_nan() || seconds < 0.0)
    })
}

/// About how many bytes of text all attributes have.
fn text_bytes(input: &ExportInput) -> usize {
    let pairs = input.attribute_lists().flatten();
    let sizes = pairs.map(|(key, value)| {
        key.len()
            + match value {
                TypedValue::String(text) => text.len(),
                TypedValue::StringArray(texts) => texts.iter().map(String::len).sum(),
                _ => 10,
            }
    });
    sizes.sum()
}

/// Whether a span may be too long even with markers in place of its larger values: one byte has up to six
/// letters in ASCII.
fn is_long(input: &ExportInput) -> bool {
    text_bytes(input) > 40_000
}

fn has_parent_in_batch(input: &ExportInput) -> bool {
    let is_in_batch = |id: &str| input.spans.iter().any(|other| other.span_id == id);
    let mut parents = input.spans.iter().filter_map(|span| span.parent.as_ref());
    parents.any(|parent| is_in_batch(&parent.span_id))
}

/// Whether several spans may make a body beyond the limit.
fn exceeds_body_limit(input: &ExportInput) -> bool {
    let bytes = 6 * (text_bytes(input) + 500 * input.spans.len());
    let limit = input.max_payload_bytes.unwrap_or(900_000);
    input.spans.len() > 1 && i64::try_from(bytes).is_ok_and(|bytes| bytes > limit)
}

fn has_operation_of_inference(input: &ExportInput) -> bool {
    input.spans.iter().any(|span| {
        let operation = span.last_attribute(keys::GEN_AI_OPERATION_NAME);
        let left_out = ["text_completion", "generate_content"];
        matches!(operation, Some(TypedValue::String(name)) if left_out.contains(&name.as_str()))
    })
}

fn has_status(input: &ExportInput, is_meant: impl Fn(u16) -> bool) -> bool {
    let mut statuses = input.responses.iter().filter_map(|one| one.status);
    statuses.any(is_meant)
}

pub(super) fn refuses_token(input: &ExportInput) -> bool {
    has_status(input, |status| status == 401)
}

fn redirects(input: &ExportInput) -> bool {
    has_status(input, |status| [301, 302, 303, 307, 308].contains(&status))
}

fn is_informational(input: &ExportInput) -> bool {
    has_status(input, |status| status < 200)
}

pub(super) fn resolver_fails(input: &ExportInput) -> bool {
    let mut answers = input.token_answers();
    answers.any(|answer| matches!(answer, TokenAnswer::Raises(_)))
}

pub(super) fn has_no_queue(input: &ExportInput) -> bool {
    let may_fail = |response: &Response| response.status.is_none_or(|status| status >= 300);
    !input.durable_delivery && input.responses.iter().any(may_fail)
}

fn rejects(input: &ExportInput) -> bool {
    input.responses.iter().any(Response::rejects)
}
