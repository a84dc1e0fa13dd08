//! What the vector files about exports share: their input, playing it, and what we do otherwise.

mod body;
mod deviation;
mod limits;
mod model;
mod play;

use agentspan_discovery::DomainOverride;
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use serde_json::json;

use crate::{Case, ExportInput, Failure, Json, Tolerances};

pub(super) use self::body::object;
pub(super) use self::deviation::{Deviation, applies, instead};
pub(super) use self::limits::{ascii_length, estimate, is_refused_domain, truncated};
pub(super) use self::model::{Run, SentRequest, wire_url};

/// The order of a resource's attributes: the SDK's resource has none.
pub(super) const TOLERANCES: Tolerances = Tolerances {
    unordered: &["requests.*.body.resourceSpans.*.resource.attributes"],
    ignored: &[],
};

/// What a file is about.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    /// The generation of the contract.
    pub(super) profile: Profile,
    /// The form in which the file writes what came of an export.
    pub(super) form: fn(&Run) -> Json,
}

/// Plays the case, and writes what came of it.
pub(super) fn run(case: &Case, subject: Subject) -> Result<Json, Failure> {
    let input = case.input()?;
    let mut run = play::play(&input, subject.profile)?;
    body::write_as_the_reference(&mut run, &model::run(&input, subject.profile));
    Ok((subject.form)(&run))
}

/// The URL that version 2 posts to with this override; `None` if nothing is sent.
pub(super) fn export_url(
    endpoint: &str,
    agent: &str,
    tenant: &str,
    use_s2s_endpoint: bool,
) -> Result<Option<String>, Failure> {
    // What is no endpoint has no URL: the environment would only have been ignored.
    if endpoint.parse::<DomainOverride>().is_err() {
        return Ok(None);
    }
    let input: ExportInput = serde_json::from_value(json!({
        "cluster_category": "prod",
        "use_s2s_endpoint": use_s2s_endpoint,
        "domain_override": endpoint,
        "tokens": [],
        "default_token": {"token": "token"},
        "responses": [{"status": 200}],
        "spans": [{
            "name": "span",
            "trace_id": "0000000000000000000000000000000a",
            "span_id": "000000000000000b",
            "parent": null,
            "kind": "INTERNAL",
            "status": {"code": "UNSET", "description": null},
            "start_time_unix_nano": 1,
            "end_time_unix_nano": 2,
            "attributes": [
                [keys::GEN_AI_OPERATION_NAME, {"string": "chat"}],
                [keys::MICROSOFT_TENANT_ID, {"string": tenant}],
                [keys::GEN_AI_AGENT_ID, {"string": agent}],
            ],
            "events": [],
            "links": [],
            "resource": [],
            "scope": {"name": "", "version": null},
        }],
    }))?;
    let run = play::play(&input, Profile::V2)?;
    let sent = run.requests.first();
    Ok(sent.map(|sent| format!("https://{}{}", sent.host, sent.target)))
}

/// The predicates of a runner, by name.
macro_rules! predicates {
    ($runner:expr, $subject:expr, $($name:literal => $deviation:ident,)*) => {
        &[$(crate::Predicate {
            name: $name,
            applies: |case| {
                exports::applies(case, exports::Deviation::$deviation, &$runner, $subject)
            },
            instead: |case, expected| exports::instead(case, expected, &$runner, $subject),
        },)*]
    };
}

pub(super) use predicates;

/// Brings pauses in whole nanoseconds: the reference computes them in floats, `0.6000000000000001`.
pub(super) fn normalize_pauses(outcome: &mut Json) -> Result<(), Failure> {
    let pauses = outcome.member_mut("sleeps_seconds");
    for pause in pauses.and_then(Json::as_array_mut).into_iter().flatten() {
        if let Ok(seconds) = pause.to_string().parse::<f64>() {
            *pause = Json::of(&(seconds * 1e9).round())?;
        }
    }
    Ok(())
}

/// `SUCCESS` or `FAILURE`.
pub(super) fn result(run: &Run) -> &'static str {
    if run.success { "SUCCESS" } else { "FAILURE" }
}
