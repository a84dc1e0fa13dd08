//! The vector files about exports: their input, playing it, and what we do otherwise.
//!
//! There are two files for each generation: one shows all requests, the other how often they were tried.

mod attempts;
mod cooldowns;
mod deviation;
mod play;
mod python;
mod requests;
mod run;

use std::marker::PhantomData;

use agentspan_discovery::{DomainOverride, Environment};
use agentspan_model::agent365::Profile;
use agentspan_model::agent365::environment::A365_OBSERVABILITY_DOMAIN_OVERRIDE;
use agentspan_model::keys;
use serde_json::json;

use super::generation::{Files, Generation, Rules};
use crate::{Allowance, Case, ExportInput, Failure, Json, Outcome, Runner, Tolerances};

pub(super) use self::attempts::Attempts;
pub(super) use self::cooldowns::Cooldowns;
use self::deviation::{OF_ALL, OF_V0_1, OF_V2, OF_V3, SINCE_V2};
pub(super) use self::python::as_python_writes;
pub(super) use self::requests::Requests;
use self::run::Run;
pub(super) use self::run::wire_url;

/// The order of a resource's attributes: the SDK's resource has none.
const TOLERANCES: Tolerances = Tolerances {
    unordered: &[
        "requests.*.body.resourceSpans.*.resource.attributes",
        "gate",
    ],
    ignored: &[],
};

/// Runs the files of one form and one generation.
pub(super) struct Exports<G, F>(PhantomData<(G, F)>);

/// The form in which a file writes what came of an export.
pub(super) trait Form {
    /// Of the files of a generation, the one in this form.
    fn file(files: Files) -> &'static str;

    /// Writes what came of an export.
    fn write(run: &Run, input: &ExportInput, profile: Profile) -> Json;

    /// Brings an outcome in the form in which it is compared, all but its pauses.
    fn normalize(outcome: &mut Json) -> Result<(), Failure>;
}

impl<G, F> Exports<G, F> {
    pub(super) const NEW: Self = Self(PhantomData);
}

impl<G: Generation, F: Form> Runner for Exports<G, F> {
    fn file_stem(&self) -> &'static str {
        F::file(G::FILES)
    }

    fn run(&self, case: &Case) -> Outcome {
        let input = case.input()?;
        let run = play::play(&input, G::PROFILE)?;
        Ok(F::write(&run, &input, G::PROFILE))
    }

    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        F::normalize(outcome)?;
        normalize_pauses(outcome)
    }

    fn tolerances(&self) -> Tolerances {
        TOLERANCES
    }

    fn allowances(&self) -> Vec<Allowance> {
        match G::RULES {
            Rules::V01 => [OF_ALL, OF_V0_1].concat(),
            Rules::V2 => [OF_ALL, SINCE_V2, OF_V2].concat(),
            Rules::V3 => [OF_ALL, SINCE_V2, OF_V3].concat(),
        }
    }
}

/// Brings pauses in whole nanoseconds: the reference computes them in floats, `0.6000000000000001`, of
/// which one that is zero may have a sign.
fn normalize_pauses(outcome: &mut Json) -> Result<(), Failure> {
    let pauses = outcome.member_mut("sleeps_seconds");
    for pause in pauses.and_then(Json::as_array_mut).into_iter().flatten() {
        if let Ok(seconds) = pause.to_string().parse::<f64>() {
            *pause = Json::of(&((seconds * 1e9).round() + 0.0))?;
        }
    }
    Ok(())
}

/// Whether the text is a domain override as it stands; around one there is no white space any more.
fn is_endpoint(text: &str) -> bool {
    let variable = [(A365_OBSERVABILITY_DOMAIN_OVERRIDE, text)];
    let environment: Environment = variable.into_iter().collect();
    let domain = DomainOverride::read(&environment);
    text.trim() == text && domain.is_ok_and(|domain| domain.is_some())
}

/// The URL that is posted to with this override; `None` if nothing is sent.
pub(super) fn export_url(
    endpoint: &str,
    agent: &str,
    tenant: &str,
    use_s2s_endpoint: bool,
    profile: Profile,
) -> Result<Option<String>, Failure> {
    // What is no endpoint has no URL: the environment would only have been ignored.
    if !is_endpoint(endpoint) {
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
    let run = play::play(&input, profile)?;
    let sent = run.requests.first();
    Ok(sent.map(|sent| format!("https://{}{}", sent.host, sent.target)))
}
