//! Plays a case, and tells what came of it in the form of the model.

use std::net::IpAddr;
use std::time::Duration;

use agentspan_model::agent365::Profile;
use agentspan_testkit::{Certificates, RecordedRequest, Service};

use super::model::{Gated, Run, SentRequest, Stored, Whose};
use super::settings::Domain;
use crate::Failure;
use crate::export_input::{ExportInput, Response};
use crate::live_export::{LiveExport, Parents, Queued};

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
    let stored = export.queued.iter().map(|queued| Stored {
        identity: whose(queued),
        body: String::new(),
        spans: queued.spans,
    });
    Ok(Run {
        stored: stored.collect(),
        gate,
        requests: service
            .requests()
            .iter()
            .take(export.requests)
            .map(sent)
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

pub(super) fn sent(request: &RecordedRequest) -> Result<SentRequest, Failure> {
    let host = request.host().unwrap_or_default().to_owned();
    if request.tls_server_name.as_deref() != tls_server_name(&host) {
        return Err(format!("the server name of TLS is not the host {host}").into());
    }
    if request.method != "POST" || request.header("content-type") != Some("application/json") {
        return Err("the request is no POST of JSON".into());
    }
    Ok(SentRequest {
        host,
        target: request.target.clone(),
        authorization: request.header("authorization").map(str::to_owned),
        body: String::from_utf8(request.body.to_vec()).map_err(|_| "the body is no text")?,
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
    let Domain::Other { authority, .. } = Domain::of(input.domain_override.as_deref()) else {
        return None;
    };
    match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, _)) => address.parse().ok(),
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
