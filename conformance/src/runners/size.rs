//! `size_v2.json` and `size_v3.json`: how these versions measure, cut and divide, and what they read from
//! headers and the environment.
//!
//! Spans are cut by the encoder of bodies, and URLs are read off the wire.

use std::marker::PhantomData;
use std::time::{Duration, SystemTime};

use agentspan_agent365::conformance::{
    chunk_by_bytes, cooldown_seconds, estimated_span_bytes, estimated_value_bytes,
    retry_after_date, retry_after_seconds,
};
use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_discovery::{DomainOverride, Environment, Switches};
use agentspan_model::agent365::{Identity, Profile, environment as names};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use serde::Deserialize;
use serde_json::json;

use super::exports::{as_python_writes, export_url, wire_url};
use super::generation::{Generation, Rules};
use crate::export_input::{has_rust_form, keep_rust_values, rust_span};
use crate::live_scope::unix_nanos;
use crate::reviewed::sha256;
use crate::typed_value::{Double, TypedPairs, TypedValue};
use crate::vector_span::{
    VectorEvent, VectorLink, VectorParent, VectorScope, VectorStatus, key_values,
};
use crate::{Allowance, Case, Failure, Json, Outcome, Runner, VectorSpan};

/// Longer texts are given by length and digest only.
const SHOWN_BYTES: usize = 20_000;

pub(super) struct Size<G>(PhantomData<G>);

impl<G> Size<G> {
    pub(super) const NEW: Self = Self(PhantomData);
}

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
        /// Only version 3 reads dates.
        now: Option<String>,
    },
    CooldownSeconds {
        failures: u32,
        retry_after: Option<Seconds>,
        random: f64,
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

/// A number of seconds, which is a text if it is not finite.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(f64),
    Text(String),
}

/// A span as it stands in a body, except that its attributes are typed.
///
/// The reference measures dictionaries without these members, too.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MappedSpan {
    trace_id: Option<String>,
    span_id: Option<String>,
    parent_span_id: Option<String>,
    name: Option<Name>,
    kind: Option<String>,
    start_time_unix_nano: Option<u64>,
    end_time_unix_nano: Option<u64>,
    attributes: Option<TypedPairs>,
    events: Option<Vec<MappedEvent>>,
    links: Option<Vec<MappedLink>>,
    status: Option<MappedStatus>,
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

impl<G: Generation> Runner for Size<G> {
    fn file_stem(&self) -> &'static str {
        G::FILES.size
    }

    fn run(&self, case: &Case) -> Outcome {
        let result = match case.input::<Input>()? {
            Input::EstimateValueBytes { value } => json!(estimated(value, G::PROFILE)?),
            Input::EstimateSpanBytes { span } => {
                json!(estimated_span_bytes(
                    G::PROFILE,
                    &to_data(&span.rust_form())?
                ))
            }
            Input::ChunkBySize {
                sizes,
                max_chunk_bytes,
            } => return Ok(chunks(&sizes, max_chunk_bytes).into()),
            Input::TruncateSpan { span } => return truncate::<G>(&span),
            Input::ParseRetryAfter { headers, now } => match now {
                Some(now) => retry_after_at(&headers, &now)?,
                None => retry_after(&headers),
            },
            Input::CooldownSeconds {
                failures,
                retry_after,
                random,
            } => {
                let asked = retry_after.as_ref().map(Seconds::number).transpose()?;
                json!(cooldown_seconds(failures, asked, random))
            }
            Input::BuildExportUrl {
                endpoint,
                agent_id,
                tenant_id,
                use_s2s_endpoint,
            } => json!(export_url(
                &endpoint,
                &agent_id,
                &tenant_id,
                use_s2s_endpoint,
                G::PROFILE
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
            if result.contains("/traces?api-version=1") {
                *result = wire_url(result);
            }
        }
        // Python has whole numbers where it was given one.
        if let Some(Json::Number(result)) = outcome.member_mut("result") {
            if let Ok(number) = result.to_string().parse::<f64>() {
                outcome.take_member("result");
                *outcome = json!({ "result": number }).into();
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

    fn allowances(&self) -> Vec<Allowance> {
        match G::RULES {
            Rules::V01 | Rules::V2 => OF_BOTH.to_vec(),
            Rules::V3 => [OF_BOTH, OF_V3].concat(),
        }
    }
}

macro_rules! allowances {
    ($($name:literal: $input:pat => $holds:expr,)*) => {
        &[$(Allowance {
            name: $name,
            applies: |case| match case.input::<Input>() {
                Ok($input) => $holds,
                _ => false,
            },
            places: &["**"],
        },)*]
    };
}

const OF_BOTH: &[Allowance] = allowances!(
    "limit_is_not_positive": Input::ChunkBySize { max_chunk_bytes, .. } => max_chunk_bytes <= 0,
    "size_is_negative": Input::ChunkBySize { sizes, .. } => sizes.iter().any(|size| *size < 0),
    "domain_override_is_refused": Input::BuildExportUrl { endpoint: domain, .. }
        | Input::GetValidatedDomainOverride { env_value: Some(domain) } => is_refused(&domain),
    "domain_override_ends_with_a_slash": Input::BuildExportUrl { endpoint, .. } => {
        endpoint.ends_with('/')
    },
    "identity_is_refused": Input::BuildExportUrl { agent_id, tenant_id, .. } => {
        Identity::parse(&tenant_id, &agent_id).is_err()
    },
    "value_has_no_rust_form": input => {
        input.values().into_iter().any(|value| !has_rust_form(value))
    },
    "float_is_not_finite": input => input.values().into_iter().any(TypedValue::is_infinite),
    "number_has_other_digits": Input::ParseRetryAfter { headers, .. } => {
        retry_after_value(&headers).is_some_and(|value| !value.is_ascii())
    },
    "time_is_the_epoch": Input::EstimateSpanBytes { span } | Input::TruncateSpan { span } => {
        [span.start_time_unix_nano, span.end_time_unix_nano].contains(&Some(0))
    },
    // Escaped, a byte has up to six letters.
    "marker_would_lengthen_a_value": Input::TruncateSpan { span } => {
        span.trace_id.is_some() && format!("{:?}", span.rust_form()).len() > 40_000
    },
);

const OF_V3: &[Allowance] = allowances!(
    "date_is_not_of_http": Input::ParseRetryAfter { headers, .. } => {
        retry_after_value(&headers).is_some_and(may_be_a_date)
    },
    "span_lacks_members": Input::TruncateSpan { span } => span.trace_id.is_none(),
);

/// Whether a text that is no number has words and numbers, as dates have.
fn may_be_a_date(value: &str) -> bool {
    let has = |is_of_kind: fn(&u8) -> bool| value.bytes().any(|byte| is_of_kind(&byte));
    value.trim().parse::<f64>().is_err()
        && has(u8::is_ascii_digit)
        && (value.contains(':') || has(u8::is_ascii_alphabetic))
}

/// Whether a domain override is none for us, although it may be one for the reference.
fn is_refused(domain: &str) -> bool {
    let variable = names::A365_OBSERVABILITY_DOMAIN_OVERRIDE;
    let read = DomainOverride::read(&environment(variable, Some(domain.to_owned())));
    domain.trim() != domain || !read.is_ok_and(|domain| domain.is_some())
}

fn environment(name: &str, value: Option<String>) -> Environment {
    value.into_iter().map(|value| (name, value)).collect()
}

fn estimated(value: TypedValue, profile: Profile) -> Result<Option<u64>, Failure> {
    let mut pairs = vec![("v".to_owned(), value)];
    keep_rust_values(&mut pairs);
    let values = key_values(&pairs).map_err(|error| error.to_string())?;
    Ok(values
        .first()
        .map(|pair| estimated_value_bytes(profile, &pair.value)))
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

/// As [`retry_after`], and a date counts from now on.
fn retry_after_at(headers: &[(String, String)], now: &str) -> Result<serde_json::Value, Failure> {
    let Some(value) = retry_after_value(headers) else {
        return Ok(json!(null));
    };
    if let Some(seconds) = retry_after_seconds(value) {
        return Ok(match seconds {
            seconds if seconds.is_nan() => json!("nan"),
            f64::INFINITY => json!("inf"),
            f64::NEG_INFINITY => json!("-inf"),
            seconds => json!(seconds),
        });
    }
    let now = unix_nanos(now).ok_or("now is no time")?;
    let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(now);
    Ok(json!(retry_after_date(value).map(|then| {
        match then.duration_since(now) {
            Ok(later) => later.as_secs_f64(),
            Err(earlier) => -earlier.duration().as_secs_f64(),
        }
    })))
}

impl Seconds {
    fn number(&self) -> Result<f64, Failure> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => text
                .parse()
                .map_err(|_| format!("{text} is no number").into()),
        }
    }
}

/// The reference was given a plain dictionary, in which names have a case and the last value counts.
fn retry_after_value(headers: &[(String, String)]) -> Option<&str> {
    let mut headers = headers.iter().rev();
    let found = headers.find(|(name, _)| name == "Retry-After");
    found.map(|(_, value)| value.as_str())
}

fn truncate<G: Generation>(span: &MappedSpan) -> Outcome {
    let span = span.rust_form();
    let data = to_data(&span)?;
    // The first generation has no limit.
    let before = encoded(&data, Profile::V0_1)?;
    cut(&span, &before, &encoded(&data, G::PROFILE)?)
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
    let sha256 = sha256(serialized.as_bytes());
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
fn encoded(span: &SpanData, profile: Profile) -> Result<String, Failure> {
    let resource = EncodedResource::from(&Resource::builder_empty().build());
    let mut body = Vec::new();
    BodyEncoder::new(profile).encode(&resource, &[span], &mut body);
    let body = String::from_utf8(body).map_err(|_| "the body is no text")?;
    let body = as_python_writes(&body, &[]);
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
        let id = |id: &Option<String>, digits| id.clone().unwrap_or_else(|| "1".repeat(digits));
        let mut span = VectorSpan {
            name: match &self.name {
                Some(Name::Plain(name) | Name::Typed(TypedValue::String(name))) => name.clone(),
                Some(Name::Typed(_)) | None => String::new(),
            },
            trace_id: id(&self.trace_id, 32),
            span_id: id(&self.span_id, 16),
            parent: self.parent_span_id.as_ref().map(|span_id| VectorParent {
                trace_id: id(&self.trace_id, 32),
                span_id: span_id.clone(),
                is_remote: false,
            }),
            kind: self.kind.clone().unwrap_or_else(|| "INTERNAL".into()),
            status: match &self.status {
                Some(status) => VectorStatus {
                    code: status.code.clone(),
                    description: Some(status.message.clone()).filter(|text| !text.is_empty()),
                },
                None => VectorStatus {
                    code: "UNSET".into(),
                    description: None,
                },
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

impl Input {
    fn values(&self) -> Vec<&TypedValue> {
        match self {
            Self::EstimateValueBytes { value } => vec![value],
            Self::EstimateSpanBytes { span } | Self::TruncateSpan { span } => span.values(),
            _ => Vec::new(),
        }
    }
}

/// The length of JSON in which everything beyond printable ASCII is escaped.
fn ascii_length(json: &str) -> usize {
    let length = |c: char| match c {
        ' '..='~' => 1,
        c => 6 * c.len_utf16(),
    };
    json.chars().map(length).sum()
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
