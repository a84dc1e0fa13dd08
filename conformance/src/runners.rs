//! The runners, one module per vector file.

mod agentspec;
mod agentspec_components;
mod agentspec_events;
mod agentspec_lifecycle;
mod agentspec_real_run;
mod agentspec_sensitive_fields;
mod agentspec_spans;
mod baggage_v0_1;
mod baggage_v2;
mod discovery;
mod export_v0_1;
mod export_v2;
mod exports;
mod jwt;
mod recorded_spans;
mod retry_v0_1;
mod retry_v2;
mod scopes_v0_1;
mod scopes_v2;
mod size_v2;
mod turn_context;

use crate::Runner;

/// All runners.
#[must_use]
pub fn all() -> Vec<Box<dyn Runner>> {
    vec![
        Box::new(agentspec_components::AgentspecComponents),
        Box::new(agentspec_events::AgentspecEvents),
        Box::new(agentspec_lifecycle::AgentspecLifecycle),
        Box::new(agentspec_real_run::AgentspecRealRun),
        Box::new(agentspec_sensitive_fields::AgentspecSensitiveFields),
        Box::new(agentspec_spans::AgentspecSpans),
        Box::new(baggage_v0_1::BaggageV01),
        Box::new(baggage_v2::BaggageV2),
        Box::new(discovery::Discovery),
        Box::new(export_v0_1::ExportV01),
        Box::new(export_v2::ExportV2),
        Box::new(jwt::Jwt),
        Box::new(retry_v0_1::RetryV01),
        Box::new(retry_v2::RetryV2),
        Box::new(scopes_v0_1::ScopesV01),
        Box::new(scopes_v2::ScopesV2),
        Box::new(size_v2::SizeV2),
        Box::new(turn_context::TurnContext),
    ]
}
