//! Plays a case, and tells what came of it.

use std::net::IpAddr;
use std::time::Duration;

use agentspan_model::agent365::Profile;
use agentspan_testkit::{Certificates, RecordedRequest, Service};

use super::python::as_python_writes;
use super::run::{Gated, Run, SentRequest, Stored, Whose};
use crate::export_input::{ExportInput, Response};
use crate::live_export::{LiveExport, Parents, Queued};
use crate::{Failure, VectorSpan};

/// Exports the spans of the case and tells what the service saw.
pub(super) fn play(input: &ExportInput, profile: Profile) -> Result<Run, Failure> {
    let service = service(input)?;
    let export = LiveExport::run(input, profile, Parents::PassedOver, &service)?;
    let whose = |queued: &Queued| Whose {
        tenant: queued.tenant.clone(),
        agent: queued.agent.clone(),
        agentic_user: queued.agentic_user.clone(),
        use_s2s_endpoint: input.use_s2s_endpoint,
    };
    let pauses: Vec<_> = export.pauses.iter().map(Duration::as_secs_f64).collect();
    // Who pauses has its spans reported as queued, one identity after the other.
    let pausing = export.queued.iter().zip(&pauses);
    let gate = pausing.map(|(queued, pause)| Gated {
        identity: whose(queued),
        blocked_seconds: *pause,
        failures: 1,
    });
    let gate = gate.collect();
    let spans = input.rust_spans();
    let mut stored = Vec::new();
    for queued in &export.queued {
        let identity = whose(queued);
        for (body, _) in identity.bodies(&spans, queued.spans, input.max_payload_bytes)? {
            let identity = identity.clone();
            stored.push(Stored { identity, body });
        }
    }
    Ok(Run {
        stored,
        gate,
        requests: service
            .requests()
            .iter()
            .take(export.requests)
            .map(|request| sent(request, &spans))
            .collect::<Result<_, _>>()?,
        token_calls: export.token_calls,
        // What is kept for another try does not sleep.
        pauses_seconds: match profile {
            Profile::V3 => Vec::new(),
            _ => pauses,
        },
        success: export.success,
    })
}

pub(super) fn sent(
    request: &RecordedRequest,
    spans: &[VectorSpan],
) -> Result<SentRequest, Failure> {
    let host = request.host().unwrap_or_default().to_owned();
    if request.tls_server_name.as_deref() != tls_server_name(&host) {
        return Err(format!("the server name of TLS is not the host {host}").into());
    }
    if request.method != "POST" || request.header("content-type") != Some("application/json") {
        return Err("the request is no POST of JSON".into());
    }
    let body = std::str::from_utf8(&request.body).map_err(|_| "the body is no text")?;
    Ok(SentRequest {
        host,
        target: request.target.clone(),
        authorization: request.header("authorization").map(str::to_owned),
        body: as_python_writes(body, spans),
    })
}

/// The name that a client asks for in TLS, which has none for an address, and no dot at its end.
fn tls_server_name(host: &str) -> Option<&str> {
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    (!host.starts_with('[') && !is_address(name)).then(|| name.strip_suffix('.').unwrap_or(name))
}

/// The address that the domain override names.
fn address(input: &ExportInput) -> Option<IpAddr> {
    let text = input.domain_override.as_deref()?.trim();
    let place = text.split_once("://").map_or(text, |(_, place)| place);
    let authority = place.split('/').next()?;
    match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0.parse().ok(),
        None => authority.split(':').next()?.parse().ok(),
    }
}

pub(super) fn service(input: &ExportInput) -> Result<Service, Failure> {
    let mut certificates = Certificates::generate().map_err(|error| error.to_string())?;
    if let Some(address) = address(input) {
        certificates = certificates.with_address(address);
    }
    let answers: Vec<_> = input
        .responses
        .iter()
        .map(Response::answer)
        .collect::<Result<_, _>>()?;
    Service::builder()
        .tls(certificates)
        .script(answers)
        .start()
        .map_err(|error| error.to_string().into())
}
