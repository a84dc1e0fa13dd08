//! `agentspan replay`: sends the spans of files again.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use agentspan_agent365::transport::{HttpAnswer, Transport, TransportError, TransportRoute};
use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{Answer, SpanOutcome};
use agentspan_model::received::Withheld;
use agentspan_tls::TrustRoots;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};
use serde_json::Value;

use crate::command_error::{CommandError, Outcome};
use crate::convert::{self, Identity, Writing};
use crate::ingest;
use crate::loopback::is_loopback;
use crate::shown::{counted, were};
use crate::span::Span;
use crate::store::Trace;
use crate::variable::variable_of_user;
use crate::{serve, show};

/// How many spans one request has at most.
const BATCH: usize = 512;

/// At the original speed, spans that ended within this time go together, in nanoseconds.
const TOGETHER: u64 = 100_000_000;

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How often a request is tried, and the longest pause that a server may ask for.
const TRIES: u32 = 5;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How much of a reason is shown.
const REASON_CHARACTERS: usize = 200;

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// As fast as the receiver takes it.
    Full,
    /// With the pauses between the ends of the spans.
    Original,
}

/// The options of `replay`.
#[derive(Debug)]
pub(crate) struct ReplayRequest {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) to: String,
    pub(crate) speed: Speed,
    /// The variable of the environment that has the bearer token.
    pub(crate) token_variable: Option<String>,
    /// In whose words spans of other conventions go to Agent 365.
    pub(crate) profile: Profile,
}

pub(crate) fn run(
    request: ReplayRequest,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let receiver = Receiver::new(&request)?;
    let (store, unreadable) = show::read(request.files, errors)?;
    let traces: Vec<_> = store.traces().map(Trace::spans).collect();
    let mut spans: Vec<&Span> = traces.iter().flat_map(|spans| spans.iter()).collect();
    spans.sort_by_key(|span| span.end.unwrap_or(span.start));
    let batches = batches(&spans, request.speed);
    let progress = std::io::stderr().is_terminal();
    let mut sent = Sent::default();
    serve::runtime()?.block_on(async {
        let started = Instant::now();
        for (place, (offset, batch)) in batches.iter().enumerate() {
            if request.speed == Speed::Original {
                tokio::time::sleep_until((started + *offset).into()).await;
            }
            receiver.send(batch, &mut sent).await;
            if progress {
                write!(errors, "\r{} of {} requests", place + 1, batches.len())?;
                errors.flush()?;
            }
        }
        std::io::Result::Ok(())
    })?;
    if progress {
        writeln!(errors)?;
    }
    writeln!(
        out,
        "{} of {} accepted, in {}",
        sent.taken,
        were(spans.len(), "span"),
        counted(sent.requests, "request")
    )?;
    if let Some(why) = sent.refused {
        return Err(CommandError::Refused(why));
    }
    match unreadable {
        0 => Ok(Outcome::Fine),
        lines => Err(CommandError::Lines(lines)),
    }
}

/// Spans that go together, and when after the first.
fn batches<'a>(spans: &[&'a Span], speed: Speed) -> Vec<(Duration, Vec<&'a Span>)> {
    let time = |span: &Span| span.end.unwrap_or(span.start);
    let first = spans.first().map_or(0, |span| time(span));
    let mut batches: Vec<(u64, Vec<&Span>)> = Vec::new();
    for span in spans {
        let offset = time(span).saturating_sub(first);
        let is_together = |began: u64| speed == Speed::Full || offset - began < TOGETHER;
        match batches.last_mut() {
            Some((began, batch)) if batch.len() < BATCH && is_together(*began) => batch.push(span),
            _ => batches.push((offset, vec![span])),
        }
    }
    let batches = batches.into_iter();
    batches
        .map(|(offset, batch)| (Duration::from_nanos(offset), batch))
        .collect()
}

/// The outcome of all requests.
#[derive(Debug, Default)]
struct Sent {
    taken: usize,
    requests: usize,
    /// The last answer that was no success.
    refused: Option<String>,
}

/// The receiver of the spans.
struct Receiver {
    transport: Transport,
    uri: Uri,
    headers: HeaderMap,
    /// How requests are written, if they go to Agent 365.
    agent365: Option<Writing>,
}

impl Receiver {
    fn new(request: &ReplayRequest) -> Result<Self, CommandError> {
        let no_url = |why: &str| CommandError::Usage(format!("--to: {why}\n"));
        let uri: Uri = request.to.parse().map_err(|_| no_url("not a URL"))?;
        let host = uri.host().ok_or_else(|| no_url("the URL has no host"))?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(no_url("the scheme is neither http nor https")),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(variable) = &request.token_variable {
            let no_variable = || CommandError::NoVariable(variable.clone());
            let token = variable_of_user(variable).ok_or_else(no_variable)?;
            if !is_https && !is_loopback(host) {
                return Err(no_url(
                    "a token is only sent over https, or to this machine",
                ));
            }
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
            let mut bearer = bearer.map_err(|_| no_variable())?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let route = if is_https {
            TransportRoute::Https
        } else {
            TransportRoute::Http
        };
        let agent365 = uri.path().contains("/agents/").then(|| Writing {
            profile: request.profile,
            identity: Identity::default(),
        });
        let uri = match uri.path() {
            "" | "/" => with_path(uri, "/v1/traces").map_err(|_| no_url("not a URL"))?,
            _ => uri,
        };
        Ok(Self {
            transport: Transport::new(route, TrustRoots::Platform, 1),
            uri,
            headers,
            agent365,
        })
    }

    async fn send(&self, spans: &[&Span], sent: &mut Sent) {
        let bodies = match &self.agent365 {
            Some(writing) => convert::bodies(spans, writing),
            None => vec![convert::request(spans)],
        };
        for body in bodies {
            let count = ingest::span_ids(&body).len();
            sent.requests += 1;
            match self.post(&body).await {
                Ok(answer) => {
                    let (rejected, why) = self.rejected(&body, &Answer::read(answer.body()));
                    sent.taken += count.saturating_sub(rejected);
                    sent.refused = why.or(sent.refused.take());
                }
                Err(why) => sent.refused = Some(why),
            }
        }
    }

    /// The answer of a receiver that took the request. What may pass is tried again, a broken connection as well as a
    /// status that says so.
    async fn post(&self, body: &Value) -> Result<HttpAnswer, String> {
        let body = Bytes::from(body.to_string());
        let mut attempt = 1;
        loop {
            let posted =
                self.transport
                    .post(&self.uri, self.headers.clone(), body.clone(), TIMEOUT);
            let (why, asked, is_passing) = match posted.await {
                Ok(answer) if answer.status().is_success() => return Ok(answer),
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    (
                        format!("the receiver answered {status}"),
                        answer.retry_after(SystemTime::now()),
                        matches!(status, 408 | 429 | 500..=599),
                    )
                }
                Err(error) => (error.to_string(), None, is_passing(&error)),
            };
            if !is_passing || attempt == TRIES {
                return Err(why);
            }
            attempt += 1;
            let pause = asked.unwrap_or(Duration::from_secs(1)).min(LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
        }
    }

    /// How many spans of a request an answer rejects, and why, if it does: each by itself, as Agent
    /// 365 does, or by their number. Spans that no destination inside Agent 365 has are not taken
    /// either.
    fn rejected(&self, body: &Value, answer: &Answer) -> (usize, Option<String>) {
        let is_taken = |span: &str| {
            let outcome = answer.outcome(span);
            !matches!(outcome, SpanOutcome::Rejected | SpanOutcome::NotRouted)
        };
        let spans = ingest::span_ids(body).into_iter().map(|(_, span)| span);
        let named: Vec<String> = spans.filter(|span| !is_taken(span)).collect();
        let partial = answer.partial_success.as_ref();
        let counted = partial.map_or(0, |partial| partial.rejected_spans);
        let count = named
            .len()
            .max(usize::try_from(counted).unwrap_or(usize::MAX));
        if count == 0 {
            return (0, None);
        }
        let of_span = named.first().map(|span| answer.reasons(span).join(", "));
        let of_all = || partial?.message.clone();
        let reason = of_span.filter(|reason| !reason.is_empty()).or_else(of_all);
        let colon = if reason.is_some() { ": " } else { "" };
        // The receiver may repeat what it was sent.
        let bearer = self.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let token = bearer.and_then(|bearer| bearer.strip_prefix(b"Bearer "));
        let body = body.to_string();
        let withheld = Withheld::new().with_secret(token.unwrap_or_default());
        let withheld = withheld.with_body(body.as_bytes());
        let reason = withheld.show(&reason.unwrap_or_default(), REASON_CHARACTERS);
        let spans = if count == 1 { "span" } else { "spans" };
        let why = format!("the receiver rejected {count} {spans} of a request{colon}{reason}");
        (count, Some(why))
    }
}

/// Whether another try can help.
fn is_passing(error: &TransportError) -> bool {
    !matches!(
        error,
        TransportError::Tls(_) | TransportError::NoRootCertificates
    )
}

fn with_path(uri: Uri, path: &'static str) -> Result<Uri, http::uri::InvalidUriParts> {
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static(path));
    Uri::from_parts(parts)
}
