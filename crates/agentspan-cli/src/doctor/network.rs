//! Checks names, connections, clocks, and OTLP receivers.

use std::error::Error;
use std::time::{Duration, Instant, SystemTime};

use agentspan_agent365::transport::{HttpAnswer, Transport, TransportError, TransportRoute};
use agentspan_discovery::{Environment, ShownValue, values};
use agentspan_tls::TrustRoots;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderMap, HeaderValue, Uri};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::{Look, State, Subject};

/// How long each look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Entra and the service accept clocks that differ by five minutes.
const SKEW: Duration = Duration::from_secs(5 * 60);

pub(super) fn transport(is_https: bool) -> Transport {
    let route = if is_https {
        TransportRoute::Https
    } else {
        TransportRoute::Http
    };
    Transport::new(route, TrustRoots::Platform, 1)
}

pub(super) async fn post(
    is_https: bool,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<HttpAnswer, TransportError> {
    let mut headers = headers.clone();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    transport(is_https).post(uri, headers, body, PATIENCE).await
}

/// The service: its name, its certificate, and its clock.
pub(super) async fn looks(subject: &Subject) -> Vec<Look> {
    let dns = name(subject).await;
    if dns.state == State::Bad {
        return vec![dns];
    }
    let started = Instant::now();
    let empty = Bytes::from_static(br#"{"resourceSpans":[]}"#);
    let posted = post(subject.is_https, &subject.uri, &HeaderMap::new(), empty).await;
    let answer = match posted {
        Ok(answer) => answer,
        Err(error) => {
            let fix = match error.kind() {
                "no_root_certificates" => "Install the system's root certificates.",
                _ => "Check firewalls, proxies (agentspan uses none) and certificates on the way.",
            };
            let look = Look::new(State::Bad, "endpoint", with_causes(&error)).with_fix(fix);
            return vec![dns, look];
        }
    };
    let (status, took) = (answer.status().as_u16(), started.elapsed().as_millis());
    let encrypted = if subject.is_https {
        "over TLS"
    } else {
        "not encrypted"
    };
    let what = format!("answered {status} to a request without a token, {encrypted}, in {took} ms");
    // A request without a token must be refused, and by the service itself.
    let state = match status {
        400..=499 => State::Fine,
        _ => State::Warning,
    };
    vec![dns, Look::new(state, "endpoint", what), clock(&answer)]
}

async fn name(subject: &Subject) -> Look {
    let default = if subject.is_https { 443 } else { 80 };
    let port = subject.uri.port_u16().unwrap_or(default);
    let host = subject.host.trim_start_matches('[').trim_end_matches(']');
    let started = Instant::now();
    match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => {
            let (count, took) = (addresses.count(), started.elapsed().as_millis());
            let count = match count {
                1 => "1 address".to_owned(),
                count => format!("{count} addresses"),
            };
            let what = format!("{host} has {count}, in {took} ms");
            Look::new(State::Fine, "name", what)
        }
        Ok(Err(error)) => Look::new(State::Bad, "name", format!("{host}: {error}")).with_fix(
            "Check the DNS resolver of this machine, and whether the network knows the name.",
        ),
        Err(_) => Look::new(
            State::Bad,
            "name",
            format!("{host}: no answer in 10 seconds"),
        )
        .with_fix("Check the DNS resolver of this machine."),
    }
}

fn clock(answer: &HttpAnswer) -> Look {
    let date = answer
        .headers()
        .get(DATE)
        .and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        return Look::new(State::Skipped, "clock", "the answer has no date");
    };
    let ours = SystemTime::now();
    let skew = ours
        .duration_since(theirs)
        .unwrap_or_else(|earlier| earlier.duration());
    let what = format!(
        "differs from the clock of the service by {} s",
        skew.as_secs()
    );
    match skew > SKEW {
        true => Look::new(State::Bad, "clock", what)
            .with_fix("Set the clock; the service rejects tokens outside their validity period."),
        false => Look::new(State::Fine, "clock", what),
    }
}

/// Where the environment sends OTLP.
pub(super) async fn receivers(environment: &Environment) -> Vec<Look> {
    const AT: &str = "otlp";
    let of_traces = environment.non_blank("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    let of_all = environment.non_blank("OTEL_EXPORTER_OTLP_ENDPOINT");
    let url = of_traces.map(str::to_owned).or_else(|| {
        let base = of_all?.trim_end_matches('/');
        Some(format!("{base}/v1/traces"))
    });
    let Some(url) = url else {
        return vec![Look::new(
            State::Skipped,
            AT,
            "no endpoint is set in the environment",
        )];
    };
    let Some((uri, host)) = url.parse::<Uri>().ok().and_then(|uri| {
        let host = uri.host()?.to_owned();
        let has_no_port = uri.authority()?.as_str().rsplit('@').next() == Some(&host);
        let has_port = uri.port_u16().is_some() || has_no_port;
        has_port.then_some((uri, host))
    }) else {
        let look = Look::new(State::Bad, AT, "the endpoint is not a URL");
        return vec![look.with_fix("Set OTEL_EXPORTER_OTLP_ENDPOINT to a URL.")];
    };
    let is_https = uri.scheme_str() == Some("https");
    let (protocol, unknown) = protocol(environment);
    let look = if matches!(protocol, Protocol::Grpc) {
        let port = uri.port_u16().unwrap_or(4317);
        let place = host.trim_start_matches('[').trim_end_matches(']');
        match timeout(PATIENCE, TcpStream::connect((place, port))).await {
            Ok(Ok(_)) => Look::new(
                State::Fine,
                AT,
                format!("{host}:{port} accepts connections"),
            ),
            Ok(Err(error)) => Look::new(State::Bad, AT, format!("{host}:{port}: {error}")),
            Err(_) => Look::new(State::Bad, AT, format!("{host}:{port}: no answer")),
        }
    } else {
        let empty = Bytes::from_static(br#"{"resourceSpans":[]}"#);
        match post(is_https, &uri, &HeaderMap::new(), empty).await {
            Ok(answer) => {
                let status = answer.status();
                let state = if status.is_success() {
                    State::Fine
                } else {
                    State::Warning
                };
                let what = format!("{host} answered {} to an empty request", status.as_u16());
                Look::new(state, AT, what)
            }
            Err(error) => Look::new(State::Bad, AT, format!("{host}: {}", with_causes(&error))),
        }
    };
    unknown.into_iter().chain([look]).collect()
}

#[derive(Clone, Copy)]
enum Protocol {
    Http,
    Grpc,
}

/// The protocol that the library uses, and the variables that it does not understand.
fn protocol(environment: &Environment) -> (Protocol, Vec<Look>) {
    const NAMES: [&str; 2] = [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ];
    let known = [("http/protobuf", Protocol::Http), ("grpc", Protocol::Grpc)];
    let mut unknown = Vec::new();
    let read = |text: &str| values::word(text, &known);
    let protocol = environment.understood(NAMES, read, |name, value| {
        let what = format!("{name} is {}, which is ignored", ShownValue(value));
        let look = Look::new(State::Warning, "otlp", what);
        unknown.push(look.with_fix("Set it to http/protobuf, which is the default, or to grpc."));
    });
    (protocol.unwrap_or(Protocol::Http), unknown)
}

fn with_causes(error: &TransportError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
