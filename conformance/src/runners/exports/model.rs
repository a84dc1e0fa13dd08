//! What we do with an input, told from the rules and not from the exporter.

use agentspan_discovery::ClusterCategory;
use agentspan_model::agent365::{AgentId, TenantId};
use agentspan_model::keys;

use super::body::body;
use crate::VectorSpan;
use crate::export_input::{ExportInput, TokenAnswer};
use crate::typed_value::TypedValue;

/// What came of an export.
#[derive(Debug, Default)]
pub(in crate::runners) struct Run {
    pub(in crate::runners) requests: Vec<SentRequest>,
    /// Agent and tenant of each call.
    pub(in crate::runners) token_calls: Vec<(String, String)>,
    pub(in crate::runners) pauses_seconds: Vec<f64>,
    pub(in crate::runners) success: bool,
}

/// A request as it was on the wire.
#[derive(Debug)]
pub(in crate::runners) struct SentRequest {
    pub(in crate::runners) host: String,
    pub(in crate::runners) target: String,
    pub(in crate::runners) authorization: Option<String>,
    pub(in crate::runners) body: String,
}

/// Whom a span names.
pub(super) enum Named<'a> {
    Nobody,
    Refused,
    Identity {
        tenant: &'a str,
        agent: &'a str,
        host: String,
    },
}

/// The spans of one identity.
struct Group<'a> {
    tenant: &'a str,
    agent: &'a str,
    host: String,
    spans: Vec<&'a VectorSpan>,
}

/// Runs the input by the rules.
pub(super) fn run(input: &ExportInput) -> Run {
    let mut run = Run::default();
    let Ok(cluster) = input.cluster_category.parse() else {
        return run;
    };
    if input.shutdown_before_export {
        return run;
    }
    run.success = true;
    let spans = input.rust_spans();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for span in &spans {
        match named(span, cluster) {
            Named::Nobody => {}
            Named::Refused => run.success = false,
            Named::Identity {
                tenant,
                agent,
                host,
            } => match groups
                .iter_mut()
                .find(|group| (group.tenant, group.agent) == (tenant, agent))
            {
                Some(group) => group.spans.push(span),
                None => groups.push(Group {
                    tenant,
                    agent,
                    host,
                    spans: vec![span],
                }),
            },
        }
    }
    for group in &groups {
        run.deliver(input, group);
    }
    run
}

/// The last of several attributes with the same key counts.
pub(super) fn named(span: &VectorSpan, cluster: ClusterCategory) -> Named<'_> {
    let last = |wanted: &str| {
        let mut pairs = span.attributes.iter().rev();
        pairs.find(|(key, _)| key == wanted).map(|(_, value)| value)
    };
    let (Some(tenant), Some(agent)) = (last(keys::TENANT_ID), last(keys::GEN_AI_AGENT_ID)) else {
        return Named::Nobody;
    };
    let is_blank =
        |value: &TypedValue| matches!(value, TypedValue::String(text) if text.trim().is_empty());
    if is_blank(tenant) || is_blank(agent) {
        return Named::Nobody;
    }
    let (TypedValue::String(tenant), TypedValue::String(agent)) = (tenant, agent) else {
        return Named::Refused;
    };
    let host = TenantId::parse(tenant)
        .ok()
        .and_then(|tenant| cluster.tenant_island_cluster_endpoint(&tenant).ok());
    match host {
        Some(host) if AgentId::check(agent).is_ok() => Named::Identity {
            tenant,
            agent,
            host,
        },
        _ => Named::Refused,
    }
}

impl Run {
    fn deliver(&mut self, input: &ExportInput, group: &Group<'_>) {
        self.token_calls
            .push((group.agent.to_owned(), group.tenant.to_owned()));
        let authorization = match input.token(group.tenant, group.agent) {
            TokenAnswer::Raises(_) => {
                self.success = false;
                return;
            }
            TokenAnswer::Token(Some(token)) if !is_token(token) => {
                self.success = false;
                return;
            }
            TokenAnswer::Token(token) => token
                .as_ref()
                .filter(|token| !token.is_empty())
                .map(|token| format!("Bearer {token}")),
        };
        let service = if input.use_s2s_endpoint {
            "service/"
        } else {
            ""
        };
        let agent = segment(group.agent);
        let target = format!("/maven/agent365/{service}agents/{agent}/traces?api-version=1");
        for pause in [Some(0.2), Some(0.4), Some(0.6), None] {
            let number = self.requests.len();
            self.requests.push(SentRequest {
                host: group.host.clone(),
                target: target.clone(),
                authorization: authorization.clone(),
                body: body(&group.spans),
            });
            let answer = input.responses.get(number).or(input.responses.last());
            let status = answer.and_then(|answer| answer.status);
            match (status, pause) {
                (Some(200..300), _) => return,
                (Some(408 | 429 | 500..600) | None, Some(pause)) => {
                    self.pauses_seconds.push(pause);
                }
                _ => {
                    self.success = false;
                    return;
                }
            }
        }
    }
}

/// Whether a header can carry the token.
pub(super) fn is_token(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A segment of a path: what RFC 3986 calls `pchar` stays as it is.
fn segment(text: &str) -> String {
    encode(text, b"")
}

/// A URL as it goes on the wire. Nothing is encoded twice.
pub(in crate::runners) fn wire_url(url: &str) -> String {
    encode(url, b"/?%")
}

fn encode(text: &str, also_kept: &[u8]) -> String {
    let written = |byte: u8| {
        if byte.is_ascii_alphanumeric()
            || b"-._~!$&'()*+,;=:@".contains(&byte)
            || also_kept.contains(&byte)
        {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(written).collect()
}
