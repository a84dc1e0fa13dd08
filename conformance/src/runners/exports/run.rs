//! What comes of an export.

use agentspan_agent365::conformance::{chunk_by_bytes, estimated_span_bytes};
use agentspan_agent365::encode::{BodyEncoder, EncodedResource};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;

use super::python::as_python_writes;
use crate::export_input::TokenCall;
use crate::typed_value::TypedValue;
use crate::{Failure, VectorSpan};

/// What came of an export.
#[derive(Debug, Default)]
pub(in crate::runners) struct Run {
    pub(in crate::runners) requests: Vec<SentRequest>,
    pub(in crate::runners) token_calls: Vec<TokenCall>,
    pub(in crate::runners) pauses_seconds: Vec<f64>,
    /// What waits for another try.
    pub(in crate::runners) stored: Vec<Stored>,
    /// Who sends nothing for a while.
    pub(in crate::runners) gate: Vec<Gated>,
    pub(in crate::runners) success: bool,
}

impl Run {
    /// `SUCCESS` or `FAILURE`.
    pub(super) fn result(&self) -> &'static str {
        if self.success { "SUCCESS" } else { "FAILURE" }
    }
}

/// A body that waits for another try.
#[derive(Clone, Debug)]
pub(in crate::runners) struct Stored {
    pub(in crate::runners) identity: Whose,
    pub(in crate::runners) body: String,
}

/// An identity that sends nothing for a while.
#[derive(Clone, Debug)]
pub(in crate::runners) struct Gated {
    pub(in crate::runners) identity: Whose,
    pub(in crate::runners) blocked_seconds: f64,
    pub(in crate::runners) failures: u32,
}

/// An identity as version 3 tells them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runners) struct Whose {
    pub(in crate::runners) tenant: String,
    pub(in crate::runners) agent: String,
    pub(in crate::runners) agentic_user: Option<String>,
    pub(in crate::runners) use_s2s_endpoint: bool,
}

impl Whose {
    /// The bodies that our encoder makes of the last `waiting` spans of this identity, each with the
    /// number of its spans. The reference stores bodies, and our delivery spans.
    pub(super) fn bodies(
        &self,
        spans: &[VectorSpan],
        waiting: usize,
        limit: Option<i64>,
    ) -> Result<Vec<(String, usize)>, Failure> {
        let is_text = |span: &VectorSpan, key: &str, text: &str| {
            let value = span.last_attribute(key);
            matches!(value, Some(TypedValue::String(value)) if value == text)
        };
        let own = spans.iter().filter(|span| {
            is_text(span, keys::MICROSOFT_TENANT_ID, &self.tenant)
                && is_text(span, keys::GEN_AI_AGENT_ID, &self.agent)
        });
        let own: Vec<_> = own.collect();
        let own = own
            .get(own.len().saturating_sub(waiting)..)
            .unwrap_or_default();
        let Some(first) = own.first() else {
            return Ok(Vec::new());
        };
        let resource = first.to_resource().map_err(|error| error.to_string())?;
        let resource = EncodedResource::from(&resource);
        let data = own.iter().map(|span| span.to_span_data());
        let data: Vec<_> = data
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        let sizes = data.iter();
        let sizes: Vec<_> = sizes
            .map(|data| estimated_span_bytes(Profile::V3, data))
            .collect();
        let limit = limit.and_then(|limit| u64::try_from(limit).ok());
        let mut encoder = BodyEncoder::new(Profile::V3);
        let chunks = chunk_by_bytes(&sizes, limit.unwrap_or(900_000));
        let bodies = chunks.map(|chunk| {
            let mut body = Vec::new();
            let count = chunk.len();
            encoder.encode(&resource, data.get(chunk).unwrap_or_default(), &mut body);
            let body = String::from_utf8(body).map_err(|_| "the body is no text")?;
            Ok((as_python_writes(&body, spans), count))
        });
        bodies.collect()
    }
}

/// A request as it was on the wire.
#[derive(Clone, Debug)]
pub(in crate::runners) struct SentRequest {
    pub(in crate::runners) host: String,
    pub(in crate::runners) target: String,
    pub(in crate::runners) authorization: Option<String>,
    pub(in crate::runners) body: String,
}

/// A URL as it goes on the wire. Nothing is encoded twice; scheme and host have no case, and the port
/// of https goes without saying.
pub(in crate::runners) fn wire_url(url: &str) -> String {
    let host = url.find("://").map_or(0, |at| at + 3);
    let path = url[host..].find('/').map_or(url.len(), |at| host + at);
    let (before, path) = url.split_at(path);
    let before = before.to_ascii_lowercase();
    let before = match before.rsplit_once(':') {
        Some((host, port)) if host.starts_with("https://") && port.parse() == Ok(443_u16) => host,
        _ => &before,
    };
    before.to_owned() + &encode(path)
}

/// A path in which all but what RFC 3986 calls `pchar`, and what is encoded already, is encoded.
fn encode(path: &str) -> String {
    let written = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    path.bytes().map(written).collect()
}
