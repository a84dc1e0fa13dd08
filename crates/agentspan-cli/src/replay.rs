//! `agentspan replay`: sends the spans of files again.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use agentspan_agent365::transport::{HttpAnswer, Transport, TransportRoute};
use agentspan_model::agent365::Profile;
use agentspan_tls::TrustRoots;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};
use serde_json::Value;

use crate::command_error::{CommandError, Outcome};
use crate::convert::{self, Identity, Writing};
use crate::ingest;
use crate::span::Span;
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

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speed {
    /// As fast as the receiver takes it.
    Full,
    /// With the pauses between the ends of the spans.
    Original,
}

/// What to send, and where to.
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
    let mut spans: Vec<&Span> = store.traces().flat_map(|trace| trace.spans()).collect();
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
        "{} of {} spans were taken, in {} requests",
        sent.taken,
        spans.len(),
        sent.requests
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

/// What became of the spans.
#[derive(Debug, Default)]
struct Sent {
    taken: usize,
    requests: usize,
    /// The last answer that was no success.
    refused: Option<String>,
}

/// Who gets the spans.
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
        let host = uri.host().ok_or_else(|| no_url("the URL names no host"))?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(no_url("neither http nor https")),
        };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(variable) = &request.token_variable {
            let token = variable_of_user(variable).ok_or(CommandError::NoVariable)?;
            if !is_https && !is_loopback(host) {
                return Err(no_url("a token goes over https only, or to this machine"));
            }
            let bearer = HeaderValue::from_str(&format!("Bearer {}", token.trim()));
            let mut bearer = bearer.map_err(|_| CommandError::NoVariable)?;
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
                Ok(rejected) => sent.taken += count.saturating_sub(rejected),
                Err(why) => sent.refused = Some(why),
            }
        }
    }

    /// The number of spans that were rejected, though the request was taken.
    async fn post(&self, body: &Value) -> Result<usize, String> {
        let body = Bytes::from(body.to_string());
        for attempt in 1..=TRIES {
            let posted = self
                .transport
                .post(&self.uri, &self.headers, body.clone(), TIMEOUT);
            let answer = posted.await.map_err(|error| error.to_string())?;
            let status = answer.status();
            if status.is_success() {
                return Ok(rejected(&answer));
            }
            let is_passing = matches!(status.as_u16(), 408 | 429 | 500..=599);
            if !is_passing || attempt == TRIES {
                return Err(format!("the receiver answers {}", status.as_u16()));
            }
            let asked = answer.retry_after(SystemTime::now());
            let pause = asked.unwrap_or(Duration::from_secs(1)).min(LONGEST_PAUSE);
            tokio::time::sleep(pause).await;
        }
        Ok(0)
    }
}

fn with_path(uri: Uri, path: &'static str) -> Result<Uri, http::uri::InvalidUriParts> {
    let mut parts = uri.into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static(path));
    Uri::from_parts(parts)
}

/// What `partialSuccess` says.
fn rejected(answer: &HttpAnswer) -> usize {
    let json: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let rejected = &json["partialSuccess"]["rejectedSpans"];
    crate::span::number(rejected)
        .and_then(|number| number.try_into().ok())
        .unwrap_or(0)
}

/// The variable that the user names on the command line.
#[expect(
    clippy::disallowed_methods,
    reason = "it is no setting of the library, and read once"
)]
pub(crate) fn variable_of_user(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether a host is this machine, whoever resolves names.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
