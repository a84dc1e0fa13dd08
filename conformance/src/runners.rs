//! The runners, one module per vector file.

mod agentspec;
mod agentspec_components;
mod agentspec_documents;
mod agentspec_events;
mod agentspec_lifecycle;
mod agentspec_real_run;
mod agentspec_recordings;
mod agentspec_sensitive_fields;
mod agentspec_spans;
mod baggage;
mod discovery;
mod env;
mod exports;
mod framework_spans;
mod generation;
mod hosting;
mod jwt;
mod recorded_spans;
mod scopes;
mod size;
mod token_scope;
mod tokens;
mod turn_context;

use self::baggage::Baggage;
use self::exports::{Attempts, Cooldowns, Exports, Requests};
use self::generation::{V01, V2, V3};
use self::scopes::Scopes;
use self::size::Size;
use crate::Runner;

/// All runners.
#[must_use]
pub fn all() -> Vec<Box<dyn Runner>> {
    vec![
        Box::new(agentspec_components::AgentspecComponents),
        Box::new(agentspec_documents::AgentspecDocuments),
        Box::new(agentspec_events::AgentspecEvents),
        Box::new(agentspec_lifecycle::AgentspecLifecycle),
        Box::new(agentspec_real_run::AgentspecRealRun),
        Box::new(agentspec_recordings::AgentspecRecordings),
        Box::new(agentspec_sensitive_fields::AgentspecSensitiveFields),
        Box::new(agentspec_spans::AgentspecSpans),
        Box::new(Baggage::<V01>::NEW),
        Box::new(Baggage::<V2>::NEW),
        Box::new(Baggage::<V3>::NEW),
        Box::new(discovery::Discovery),
        Box::new(env::Env),
        Box::new(Exports::<V01, Requests>::NEW),
        Box::new(Exports::<V2, Requests>::NEW),
        Box::new(Exports::<V3, Requests>::NEW),
        Box::new(framework_spans::FrameworkSpans),
        Box::new(hosting::Hosting),
        Box::new(jwt::Jwt),
        Box::new(Exports::<V01, Attempts>::NEW),
        Box::new(Exports::<V2, Attempts>::NEW),
        Box::new(Cooldowns),
        Box::new(Scopes::<V01>::NEW),
        Box::new(Scopes::<V2>::NEW),
        Box::new(Scopes::<V3>::NEW),
        Box::new(Size::<V2>::NEW),
        Box::new(Size::<V3>::NEW),
        Box::new(tokens::Tokens),
        Box::new(turn_context::TurnContext),
    ]
}
