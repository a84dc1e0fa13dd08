//! What we do with an input, told from the rules and not from the exporter.

use agentspan_model::agent365::Profile;
use agentspan_model::keys;

use super::limits::{bodies, is_refused_domain};
use super::parents::change_parents;
use super::settings::{Domain, asked_seconds, is_cluster, island_host};
use crate::VectorSpan;
use crate::export_input::{ExportInput, Response, TokenAnswer, TokenCall};
use crate::rust_form::is_id;
use crate::typed_value::TypedValue;

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

/// A body that waits for another try.
#[derive(Clone, Debug)]
pub(in crate::runners) struct Stored {
    pub(in crate::runners) identity: Whose,
    pub(in crate::runners) body: String,
    pub(in crate::runners) spans: usize,
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

/// How long version 3 waits after the first failure if nothing is asked for, and at most.
pub(in crate::runners) const FIRST_COOLDOWN: f64 = 10.0;
pub(in crate::runners) const LONGEST_COOLDOWN: f64 = 3_600.0;

/// A request as it was on the wire.
#[derive(Clone, Debug)]
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
pub(super) struct Group<'a> {
    tenant: &'a str,
    agent: &'a str,
    pub(super) host: String,
    pub(super) spans: Vec<&'a VectorSpan>,
}

/// Runs the input by the rules.
pub(super) fn run(input: &ExportInput, profile: Profile) -> Run {
    let mut run = Run::default();
    if input.shutdown_before_export || !can_be_built(input, profile) {
        return run;
    }
    run.success = true;
    let mut spans = input.rust_spans();
    change_parents(&mut spans, profile);
    for group in &groups(input, &spans, profile, &mut run.success) {
        run.deliver(input, group, profile);
    }
    run
}

/// Whether there is an exporter with these settings.
pub(super) fn can_be_built(input: &ExportInput, profile: Profile) -> bool {
    match profile {
        Profile::V0_1 => is_cluster(&input.cluster_category),
        _ => {
            let domain = input.domain_override.as_deref();
            input.max_payload_bytes.is_none_or(|limit| limit > 0)
                && !domain.is_some_and(is_refused_domain)
        }
    }
}

/// The spans by identity. A refused one clears `success`.
pub(super) fn groups<'a>(
    input: &ExportInput,
    spans: &'a [VectorSpan],
    profile: Profile,
    success: &mut bool,
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for span in spans {
        match named(span, input, profile) {
            Named::Nobody => {}
            Named::Refused => *success = false,
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
    groups
}

/// What version 2 sends.
const OPERATIONS: [&str; 8] = [
    "invoke_agent",
    "execute_tool",
    "output_messages",
    "apply_guardrail",
    "chat",
    "Chat",
    "text_completion",
    "generate_content",
];

/// Whether version 2 sends spans of the operation of `span`.
pub(super) fn is_sent_operation(span: &VectorSpan) -> bool {
    let mut pairs = span.attributes.iter().rev();
    let operation = pairs.find(|(key, _)| key == keys::GEN_AI_OPERATION_NAME);
    matches!(operation, Some((_, TypedValue::String(name))) if OPERATIONS.contains(&name.as_str()))
}

/// The last of several attributes with the same key counts.
pub(super) fn named<'a>(span: &'a VectorSpan, input: &ExportInput, profile: Profile) -> Named<'a> {
    let last = |wanted: &str| {
        let mut pairs = span.attributes.iter().rev();
        pairs.find(|(key, _)| key == wanted).map(|(_, value)| value)
    };
    let tenant = match profile {
        Profile::V0_1 => last(keys::TENANT_ID),
        _ => {
            if !is_sent_operation(span) {
                return Named::Nobody;
            }
            last(keys::MICROSOFT_TENANT_ID)
        }
    };
    let (Some(tenant), Some(agent)) = (tenant, last(keys::GEN_AI_AGENT_ID)) else {
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
    let host = match profile {
        Profile::V0_1 => island_host(&input.cluster_category, tenant),
        _ => Some(domain(input).0),
    };
    match host {
        Some(host) if is_id(tenant) && is_id(agent) => Named::Identity {
            tenant,
            agent,
            host,
        },
        _ => Named::Refused,
    }
}

impl Run {
    /// `SUCCESS` or `FAILURE`.
    pub(super) fn result(&self) -> &'static str {
        if self.success { "SUCCESS" } else { "FAILURE" }
    }

    fn deliver(&mut self, input: &ExportInput, group: &Group<'_>, profile: Profile) {
        let whose = group.whose(input);
        let user = whose.agentic_user.as_deref();
        let answer = match input.token_call(group.tenant, group.agent, user) {
            Some(call) => {
                let answer = input.token(&call, &self.token_calls);
                self.token_calls.push(call);
                answer
            }
            None => &TokenAnswer::Token(None),
        };
        let keeps = profile == Profile::V3 && input.durable_delivery;
        let authorization = match answer {
            answer if keeps && is_failure(answer) => {
                for body in bodies(input, &group.spans, profile) {
                    self.store(&whose, body);
                }
                return self.cool_down(whose, None);
            }
            TokenAnswer::Token(Some(token)) | TokenAnswer::AsyncToken(Some(token))
                if !token.is_empty() && !is_token(token) =>
            {
                self.success = false;
                return;
            }
            TokenAnswer::Raises(_) | TokenAnswer::Sequence(_) => {
                self.success = false;
                return;
            }
            TokenAnswer::Token(token) | TokenAnswer::AsyncToken(token) => token
                .as_ref()
                .filter(|token| !token.is_empty())
                .map(|token| bearer(token)),
        };
        if authorization.is_none() && profile != Profile::V0_1 {
            self.success = false;
            return;
        }
        let target = target(input, group, profile);
        let mut bodies = bodies(input, &group.spans, profile).into_iter();
        while let Some(body) = bodies.next() {
            let request = SentRequest {
                host: group.host.clone(),
                target: target.clone(),
                authorization: authorization.clone(),
                body,
            };
            if profile == Profile::V3 {
                match self.post_once(input, &request) {
                    Answered::Taken { all } => {
                        self.success &= all;
                        continue;
                    }
                    Answered::Later(asked) if keeps => {
                        self.store(&whose, request.body);
                        for body in bodies {
                            self.store(&whose, body);
                        }
                        return self.cool_down(whose, asked);
                    }
                    Answered::Refused | Answered::Later(_) => {}
                }
                self.success = false;
                return;
            }
            if !self.post(input, &request, profile) {
                self.success = false;
                return;
            }
        }
    }

    fn store(&mut self, identity: &Whose, body: String) {
        let spans = spans_of(&body);
        self.stored.push(Stored {
            identity: identity.clone(),
            body,
            spans,
        });
    }

    fn cool_down(&mut self, identity: Whose, asked: Option<f64>) {
        self.gate.push(Gated {
            identity,
            blocked_seconds: cooldown(0, asked, 0.5),
            failures: 1,
        });
    }

    /// Sends a request, as version 3 does.
    fn post_once(&mut self, input: &ExportInput, request: &SentRequest) -> Answered {
        let number = self.requests.len();
        self.requests.push(request.clone());
        let answer = input.responses.get(number).or(input.responses.last());
        answer.map_or(Answered::Refused, Answered::of)
    }

    /// Whether the service took the request, at the first try or a later one.
    fn post(&mut self, input: &ExportInput, request: &SentRequest, profile: Profile) -> bool {
        let pauses = match profile {
            Profile::V0_1 => [Some(0.2), Some(0.4), Some(0.6), None],
            _ => [Some(0.5), Some(1.0), Some(2.0), None],
        };
        for pause in pauses {
            let number = self.requests.len();
            self.requests.push(request.clone());
            let answer = input.responses.get(number).or(input.responses.last());
            let status = answer.and_then(|answer| match answer.breaks_off() {
                true => Some(200),
                false => answer.status,
            });
            let asked = answer
                .filter(|_| profile != Profile::V0_1)
                .and_then(|answer| asked_seconds(answer.retry_after()?))
                .filter(|seconds| *seconds >= 0.0);
            match (status, pause) {
                (Some(200..300), _) => return true,
                (Some(408 | 429 | 500..600) | None, Some(pause)) => {
                    let pause = asked.map_or(pause, |asked| asked.min(60.0));
                    self.pauses_seconds.push(pause);
                }
                _ => return false,
            }
        }
        false
    }
}

pub(super) fn target(input: &ExportInput, group: &Group<'_>, profile: Profile) -> String {
    match profile {
        Profile::V0_1 => {
            let agent = segment(group.agent);
            let service = if input.use_s2s_endpoint {
                "service/"
            } else {
                ""
            };
            format!("/maven/agent365/{service}agents/{agent}/traces?api-version=1")
        }
        _ => path(
            domain(input).1,
            group.agent,
            group.tenant,
            input.use_s2s_endpoint,
            profile,
        ),
    }
}

/// What an answer means to version 3.
pub(in crate::runners) enum Answered {
    /// Perhaps not `all` of the spans.
    Taken {
        all: bool,
    },
    Refused,
    /// Another try may help. In so many seconds, if the service asks for a time.
    Later(Option<f64>),
}

impl Answered {
    pub(in crate::runners) fn of(answer: &Response) -> Self {
        let status = match answer.breaks_off() {
            true => Some(200),
            false => answer.status,
        };
        match status {
            Some(200..300) => Self::Taken {
                all: !answer.rejects(),
            },
            // What is only the head of an answer is none.
            Some(100..200 | 408 | 429 | 500..600) | None => {
                let header = answer.retry_after();
                let is_date_to_come = |text: &str| {
                    // Of the dates in the vectors those after 2100 are to come.
                    text.split(' ')
                        .any(|part| part.parse().is_ok_and(|year: u32| year > 2_099))
                };
                Self::Later(header.and_then(|text| match asked_seconds(text) {
                    Some(seconds) => Some(seconds),
                    None => is_date_to_come(text).then_some(f64::INFINITY),
                }))
            }
            Some(_) => Self::Refused,
        }
    }
}

/// For how long version 3 sends nothing, after failures before this one.
pub(in crate::runners) fn cooldown(failures: u32, asked: Option<f64>, random: f64) -> f64 {
    match asked.filter(|asked| *asked > 0.0) {
        Some(asked) => asked.min(LONGEST_COOLDOWN),
        None => {
            let range = FIRST_COOLDOWN * 2_f64.powi(failures.min(9) as i32);
            FIRST_COOLDOWN + random.clamp(0.0, 1.0) * (range.min(LONGEST_COOLDOWN) - FIRST_COOLDOWN)
        }
    }
}

/// How many spans are in a body.
pub(super) fn spans_of(body: &str) -> usize {
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let scopes = body["resourceSpans"][0]["scopeSpans"].as_array();
    let spans = scopes.into_iter().flatten().map(|scope| &scope["spans"]);
    spans
        .filter_map(|spans| Some(spans.as_array()?.len()))
        .sum()
}

impl Group<'_> {
    /// Version 3 takes the user of the first span.
    pub(super) fn whose(&self, input: &ExportInput) -> Whose {
        let first = self.spans.first();
        let user = first.and_then(|span| {
            let mut pairs = span.attributes.iter().rev();
            let (_, user) = pairs.find(|(key, _)| key == keys::MICROSOFT_AGENT_USER_ID)?;
            match user {
                TypedValue::String(user) => Some(user.clone()),
                _ => None,
            }
        });
        Whose {
            tenant: self.tenant.to_owned(),
            agent: self.agent.to_owned(),
            agentic_user: user,
            use_s2s_endpoint: input.use_s2s_endpoint,
        }
    }
}

/// The path since version 2.
pub(super) fn path(
    base: &str,
    agent: &str,
    tenant: &str,
    use_s2s_endpoint: bool,
    profile: Profile,
) -> String {
    let (tenant, agent) = (segment(tenant), segment(agent));
    let route = match profile {
        Profile::V3 if !use_s2s_endpoint => "observability",
        _ => "observabilityService",
    };
    format!("{base}/{route}/tenants/{tenant}/otlp/agents/{agent}/traces?api-version=1")
}

/// The host of version 2, and what stands before its path.
fn domain(input: &ExportInput) -> (String, &str) {
    match Domain::of(input.domain_override.as_deref()) {
        Domain::Other {
            authority,
            base_path,
        } => (authority, base_path),
        _ => ("agent365.svc.cloud.microsoft".to_owned(), ""),
    }
}

/// Whether a resolver fails with it: there are no tokens that no header can carry.
pub(super) fn is_failure(answer: &TokenAnswer) -> bool {
    match answer {
        TokenAnswer::Raises(_) => true,
        TokenAnswer::Token(Some(token)) => !token.is_empty() && !is_token(token),
        _ => false,
    }
}

/// The header of a token.
pub(super) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Whether a header can carry the token.
pub(super) fn is_token(token: &str) -> bool {
    token.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A segment of a path: what RFC 3986 calls `pchar` stays as it is.
fn segment(text: &str) -> String {
    encode(text, b"")
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
    before.to_owned() + &encode(path, b"/?%")
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
