//! `size_v2.json`: how version 2 measures, cuts and divides, and what it reads from headers and the
//! environment.
//!
//! Spans are cut by the encoder of bodies, and URLs are read off the wire.

use agentspan_agent365::conformance::{
    chunk_by_bytes, estimated_span_bytes, estimated_value_bytes, retry_after_seconds,
};
use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_discovery::{DomainOverride, Environment, Switches};
use agentspan_model::agent365::{Profile, environment as names};
use aws_lc_rs::digest::{SHA256, digest};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde::Deserialize;
use serde_json::json;

use super::exports::{
    ascii_length, estimate, estimate_value, export_url, has_marker_that_lengthens,
    has_slash_at_end, is_endpoint, is_refused_domain, object, truncated, url_at, wire_url,
};
use crate::compare::differences;
use crate::export_input::{has_rust_form, keep_rust_values, rust_span};
use crate::rust_form::is_id;
use crate::typed_value::{Double, TypedPairs, TypedValue};
use crate::vector_span::{
    VectorEvent, VectorLink, VectorParent, VectorScope, VectorStatus, key_values,
};
use crate::{Case, Failure, Json, Outcome, Predicate, Runner, VectorSpan};

/// Longer texts are given by length and digest only.
const SHOWN_BYTES: usize = 20_000;

pub(super) struct SizeV2;

#[derive(Deserialize)]
#[serde(tag = "function", rename_all = "snake_case", deny_unknown_fields)]
enum Input {
    EstimateValueBytes {
        value: TypedValue,
    },
    EstimateSpanBytes {
        span: Box<MappedSpan>,
    },
    ChunkBySize {
        sizes: Vec<i64>,
        max_chunk_bytes: i64,
    },
    TruncateSpan {
        span: Box<MappedSpan>,
    },
    ParseRetryAfter {
        headers: Vec<(String, String)>,
    },
    BuildExportUrl {
        endpoint: String,
        agent_id: String,
        tenant_id: String,
        use_s2s_endpoint: bool,
    },
    GetValidatedDomainOverride {
        env_value: Option<String>,
    },
    #[serde(rename = "is_agent365_exporter_enabled")]
    IsExporterEnabled {
        env_value: Option<String>,
    },
}

/// A span as it stands in a body, except that its attributes are typed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MappedSpan {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    name: Name,
    kind: String,
    start_time_unix_nano: Option<u64>,
    end_time_unix_nano: Option<u64>,
    attributes: Option<TypedPairs>,
    events: Option<Vec<MappedEvent>>,
    links: Option<Vec<MappedLink>>,
    status: MappedStatus,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Plain(String),
    Typed(TypedValue),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MappedEvent {
    time_unix_nano: u64,
    name: String,
    attributes: Option<TypedPairs>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MappedLink {
    trace_id: String,
    span_id: String,
    attributes: Option<TypedPairs>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappedStatus {
    code: String,
    message: String,
}

impl Runner for SizeV2 {
    fn file_stem(&self) -> &'static str {
        "size_v2"
    }

    fn run(&self, case: &Case) -> Outcome {
        let result = match case.input::<Input>()? {
            Input::EstimateValueBytes { value } => json!(estimated(value)?),
            Input::EstimateSpanBytes { span } => {
                json!(estimated_span_bytes(&to_data(&span.rust_form())?))
            }
            Input::ChunkBySize {
                sizes,
                max_chunk_bytes,
            } => return Ok(chunks(&sizes, max_chunk_bytes).into()),
            Input::TruncateSpan { span } => return truncate(&span),
            Input::ParseRetryAfter { headers } => retry_after(&headers),
            Input::BuildExportUrl {
                endpoint,
                agent_id,
                tenant_id,
                use_s2s_endpoint,
            } => json!(export_url(
                &endpoint,
                &agent_id,
                &tenant_id,
                use_s2s_endpoint
            )?),
            Input::GetValidatedDomainOverride { env_value } => {
                let environment = environment(names::A365_OBSERVABILITY_DOMAIN_OVERRIDE, env_value);
                let domain = DomainOverride::read(&environment).ok().flatten();
                json!(domain.as_ref().map(DomainOverride::as_str))
            }
            Input::IsExporterEnabled { env_value } => {
                let environment = environment(names::ENABLE_A365_OBSERVABILITY_EXPORTER, env_value);
                json!(Switches::read(&environment).exporter_enabled())
            }
        };
        Ok(json!({ "result": result }).into())
    }

    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        if let Some(Json::String(result)) = outcome.member_mut("result") {
            if result.contains("/observabilityService/") {
                *result = wire_url(result);
            }
        }
        // The order of a span's members is the body's: here the reference was given another.
        if let Some(serialized) = outcome.member_mut("serialized") {
            let text = serialized.take_member("text");
            if let Some(Ok(parsed)) = text.as_ref().and_then(Json::as_str).map(Json::parse) {
                serialized.take_member("sha256");
                *serialized = parsed;
            }
        }
        Ok(())
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[
            Predicate {
                name: "limit_is_not_positive",
                applies: |case| applies(case, Deviation::NonPositiveLimit),
                instead,
            },
            Predicate {
                name: "size_is_negative",
                applies: |case| applies(case, Deviation::NegativeSize),
                instead,
            },
            Predicate {
                name: "domain_override_is_refused",
                applies: |case| applies(case, Deviation::RefusedDomain),
                instead,
            },
            Predicate {
                name: "domain_override_ends_with_a_slash",
                applies: |case| applies(case, Deviation::SlashAfterDomain),
                instead,
            },
            Predicate {
                name: "identity_is_refused",
                applies: |case| applies(case, Deviation::RefusedIdentity),
                instead,
            },
            Predicate {
                name: "value_has_no_rust_form",
                applies: |case| applies(case, Deviation::ValueWithoutForm),
                instead,
            },
            Predicate {
                name: "float_is_not_finite",
                applies: |case| applies(case, Deviation::NonFiniteFloat),
                instead,
            },
            Predicate {
                name: "number_has_other_digits",
                applies: |case| applies(case, Deviation::OtherDigits),
                instead,
            },
            Predicate {
                name: "time_is_the_epoch",
                applies: |case| applies(case, Deviation::TimeIsTheEpoch),
                instead,
            },
            Predicate {
                name: "marker_would_lengthen_a_value",
                applies: |case| applies(case, Deviation::MarkerLengthens),
                instead,
            },
        ]
    }
}

/// A property for which there is a rule. A case that has several is counted under the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deviation {
    NonPositiveLimit,
    NegativeSize,
    RefusedDomain,
    SlashAfterDomain,
    RefusedIdentity,
    ValueWithoutForm,
    NonFiniteFloat,
    TimeIsTheEpoch,
    MarkerLengthens,
    OtherDigits,
}

fn deviation(input: &Input) -> Option<Deviation> {
    let of_values = |values: &[&TypedValue]| {
        if values.iter().any(|value| !has_rust_form(value)) {
            Some(Deviation::ValueWithoutForm)
        } else if values.iter().any(|value| is_non_finite(value)) {
            Some(Deviation::NonFiniteFloat)
        } else {
            None
        }
    };
    match input {
        Input::EstimateValueBytes { value } => of_values(&[value]),
        Input::EstimateSpanBytes { span } | Input::TruncateSpan { span } => {
            let times = [span.start_time_unix_nano, span.end_time_unix_nano];
            let epoch = times
                .contains(&Some(0))
                .then_some(Deviation::TimeIsTheEpoch);
            let is_cut = matches!(input, Input::TruncateSpan { .. });
            let marker = || {
                let lengthens = is_cut && has_marker_that_lengthens(&span.rust_form());
                lengthens.then_some(Deviation::MarkerLengthens)
            };
            of_values(&span.values()).or(epoch).or_else(marker)
        }
        Input::ChunkBySize {
            sizes,
            max_chunk_bytes,
        } => {
            if *max_chunk_bytes <= 0 {
                Some(Deviation::NonPositiveLimit)
            } else {
                let is_negative = sizes.iter().any(|size| *size < 0);
                is_negative.then_some(Deviation::NegativeSize)
            }
        }
        Input::BuildExportUrl {
            endpoint,
            agent_id,
            tenant_id,
            ..
        } => {
            if !is_endpoint(endpoint) {
                Some(Deviation::RefusedDomain)
            } else {
                let is_identity = is_id(tenant_id) && is_id(agent_id);
                let has_slash = has_slash_at_end(endpoint).then_some(Deviation::SlashAfterDomain);
                let is_refused = (!is_identity).then_some(Deviation::RefusedIdentity);
                is_refused.or(has_slash)
            }
        }
        Input::GetValidatedDomainOverride { env_value } => {
            let is_refused = env_value.as_deref().is_some_and(is_refused_domain);
            is_refused.then_some(Deviation::RefusedDomain)
        }
        Input::ParseRetryAfter { headers } => {
            let has_others = retry_after_value(headers).is_some_and(|value| !value.is_ascii());
            has_others.then_some(Deviation::OtherDigits)
        }
        Input::IsExporterEnabled { .. } => None,
    }
}

fn applies(case: &Case, wanted: Deviation) -> bool {
    let Ok(input) = case.input::<Input>() else {
        return false;
    };
    if deviation(&input) != Some(wanted) {
        return false;
    }
    let (mut expected, mut ours) = (case.expected.clone(), model(&input));
    let readable = SizeV2.normalize(&mut expected).is_ok() && SizeV2.normalize(&mut ours).is_ok();
    readable && !differences(&expected, &ours, &SizeV2.tolerances()).is_empty()
}

fn instead(case: &Case, expected: &mut Json) {
    if let Ok(input) = case.input::<Input>() {
        *expected = model(&input);
        // What cannot be normalised is what it was.
        let _ = SizeV2.normalize(expected);
    }
}

/// What we do with an input that has a deviation, told from the rules.
fn model(input: &Input) -> Json {
    match input {
        Input::EstimateSpanBytes { span } => {
            json!({ "result": estimate(&span.rust_form()) }).into()
        }
        Input::TruncateSpan { span } => {
            let before = span.rust_form();
            let after = truncated(&before);
            cut(&before, &object(&before), &object(&after)).unwrap_or(Json::Null)
        }
        Input::EstimateValueBytes { value } => {
            let shown = has_rust_form(value).then(|| estimate_value(value));
            json!({ "result": shown }).into()
        }
        Input::ChunkBySize { .. } => json!({ "refused": true }).into(),
        Input::BuildExportUrl {
            endpoint,
            agent_id,
            tenant_id,
            ..
        } if has_slash_at_end(endpoint) && is_id(tenant_id) && is_id(agent_id) => {
            json!({ "result": url_at(endpoint, agent_id, tenant_id) }).into()
        }
        _ => json!({ "result": null }).into(),
    }
}

fn is_non_finite(value: &TypedValue) -> bool {
    match value {
        TypedValue::Double(float) => !float.0.is_finite(),
        TypedValue::DoubleArray(items) => items.iter().any(|item| !item.0.is_finite()),
        _ => false,
    }
}

fn environment(name: &str, value: Option<String>) -> Environment {
    value.into_iter().map(|value| (name, value)).collect()
}

fn estimated(value: TypedValue) -> Result<Option<u64>, Failure> {
    let mut pairs = vec![("v".to_owned(), value)];
    keep_rust_values(&mut pairs);
    let values = key_values(&pairs).map_err(|error| error.to_string())?;
    Ok(values
        .first()
        .map(|pair| estimated_value_bytes(&pair.value)))
}

fn chunks(sizes: &[i64], limit: i64) -> serde_json::Value {
    let sizes: Result<Vec<u64>, _> = sizes.iter().map(|size| u64::try_from(*size)).collect();
    match (sizes, u64::try_from(limit)) {
        (Ok(sizes), Ok(limit)) if limit > 0 => {
            let chunks = chunk_by_bytes(&sizes, limit).map(|chunk| chunk.collect::<Vec<_>>());
            json!({ "result": chunks.collect::<Vec<_>>() })
        }
        // The types, and the builder of an exporter, let nothing of this pass.
        _ => json!({ "refused": true }),
    }
}

fn retry_after(headers: &[(String, String)]) -> serde_json::Value {
    let seconds = retry_after_value(headers).and_then(retry_after_seconds);
    json!(seconds.map(Double))
}

/// The reference was given a plain dictionary, in which names have a case and the last value counts.
fn retry_after_value(headers: &[(String, String)]) -> Option<&str> {
    let mut headers = headers.iter().rev();
    let found = headers.find(|(name, _)| name == "Retry-After");
    found.map(|(_, value)| value.as_str())
}

fn truncate(span: &MappedSpan) -> Outcome {
    let before = span.rust_form();
    let mut after = encoded(&to_data(&before)?)?;
    // Where both are equal as JSON, lengths are those of the reference's own letters.
    let model = object(&truncated(&before));
    let parsed = [Json::parse(&model)?, Json::parse(&after)?];
    if differences(&parsed[0], &parsed[1], &SizeV2.tolerances()).is_empty() {
        after = model;
    }
    cut(&before, &object(&before), &after)
}

/// What is compared of a span before and after it was cut.
fn cut(span: &VectorSpan, before: &str, after: &str) -> Outcome {
    let parsed = Json::parse(after)?;
    let truncated_keys: Vec<_> = span
        .attributes
        .iter()
        .filter(|(key, typed)| {
            let attributes = parsed.member("attributes");
            let is_marker = attributes.and_then(|attributes| attributes.member(key)?.as_str());
            is_marker == Some("TRUNCATED") && *typed != TypedValue::String("TRUNCATED".to_owned())
        })
        .map(|(key, _)| key.as_str())
        .collect();
    let is_unchanged = truncated_keys.is_empty();
    let serialized = in_recorded_order(after)?;
    let sha256 = digest(&SHA256, serialized.as_bytes());
    let sha256: String = sha256
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut shown = json!({ "utf8_len": serialized.len(), "sha256": sha256 });
    if serialized.len() < SHOWN_BYTES {
        shown["text"] = json!(serialized);
    }
    let after_length = ascii_length(&serialized);
    Ok(json!({
        "escaped_size_before": ascii_length(before),
        "escaped_size_after": after_length,
        "same_object_returned": is_unchanged,
        "truncated_keys": truncated_keys,
        "serialized": shown,
    })
    .into())
}

/// The span with the members that the recording changed at its end. Its letters stay.
fn in_recorded_order(span: &str) -> Result<String, Failure> {
    let attributes = span
        .find(",\"attributes\":")
        .ok_or("the span has no attributes")?;
    let links = span.rfind(",\"links\":").ok_or("the span has no links")?;
    let (head, rest) = span.split_at(attributes);
    let (moved, tail) = rest.split_at(links - attributes);
    let tail = tail.strip_suffix('}').ok_or("the span is no object")?;
    Ok(format!("{head}{tail}{moved}}}"))
}

/// The object of the span in the body of a request.
fn encoded(span: &SpanData) -> Result<String, Failure> {
    let resource = EncodedResource::from(&Resource::builder_empty().build());
    let mut body = Vec::new();
    BodyEncoder::new(Profile::V2).encode(&resource, &[span], &mut body);
    let body = String::from_utf8(body).map_err(|_| "the body is no text")?;
    let body = body
        .split_once(r#""spans":["#)
        .and_then(|(_, rest)| rest.strip_suffix("]}]}]}"));
    body.map(str::to_owned)
        .ok_or_else(|| "the body has no span".into())
}

fn to_data(span: &VectorSpan) -> Result<SpanData, Failure> {
    span.to_span_data()
        .map_err(|error| Failure::Other(error.to_string()))
}

impl MappedSpan {
    /// The span as the SDK for Rust can hold it.
    fn rust_form(&self) -> VectorSpan {
        let mut span = VectorSpan {
            name: match &self.name {
                Name::Plain(name) | Name::Typed(TypedValue::String(name)) => name.clone(),
                Name::Typed(_) => String::new(),
            },
            trace_id: self.trace_id.clone(),
            span_id: self.span_id.clone(),
            parent: self.parent_span_id.as_ref().map(|span_id| VectorParent {
                trace_id: self.trace_id.clone(),
                span_id: span_id.clone(),
                is_remote: false,
            }),
            kind: self.kind.clone(),
            status: VectorStatus {
                code: self.status.code.clone(),
                description: Some(self.status.message.clone()).filter(|text| !text.is_empty()),
            },
            start_time_unix_nano: self.start_time_unix_nano,
            end_time_unix_nano: self.end_time_unix_nano,
            attributes: self.attributes.clone().unwrap_or_default(),
            events: self
                .events
                .iter()
                .flatten()
                .map(MappedEvent::event)
                .collect(),
            links: self.links.iter().flatten().map(MappedLink::link).collect(),
            resource: TypedPairs::new(),
            scope: Some(VectorScope {
                name: String::new(),
                version: None,
            }),
        };
        rust_span(&mut span);
        span
    }

    fn values(&self) -> Vec<&TypedValue> {
        let events = self.events.iter().flatten();
        let links = self.links.iter().flatten();
        let lists = events
            .map(|event| &event.attributes)
            .chain(links.map(|link| &link.attributes))
            .chain([&self.attributes]);
        lists.flatten().flatten().map(|(_, value)| value).collect()
    }
}

impl MappedEvent {
    fn event(&self) -> VectorEvent {
        VectorEvent {
            name: self.name.clone(),
            timestamp_unix_nano: self.time_unix_nano,
            attributes: self.attributes.clone(),
        }
    }
}

impl MappedLink {
    fn link(&self) -> VectorLink {
        VectorLink {
            trace_id: self.trace_id.clone(),
            span_id: self.span_id.clone(),
            attributes: self.attributes.clone(),
        }
    }
}
