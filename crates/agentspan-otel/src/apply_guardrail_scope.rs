//! The scope of a guardian's evaluation.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{
    AgentDetails, GuardrailDecision, GuardrailDetails, GuardrailFinding, InputMessages, Request,
    TenantDetails, UserDetails,
};

use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, span_kind_option, start_options};

/// The kind of [`ApplyGuardrailScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ApplyGuardrailKind;

/// A guardian evaluates content or an action: the span `apply_guardrail {guardian name} {target}`, of kind
/// `INTERNAL`.
///
/// Start it inside of the scope that is guarded, once for each guardian.
///
/// A scope of [`Profile::V2`](agentspan_model::agent365::Profile::V2) and later. 0.1.0 has none like it; with
/// `V0_1` the span has what all scopes of 0.1.0 write, and neither decision nor findings.
///
/// ```
/// use agentspan_model::agent365::{
///     AgentDetails, AgentId, GuardrailDecision, GuardrailDetails, GuardrailFinding, GuardrailTarget,
///     RiskSeverity,
/// };
/// use agentspan_otel::ApplyGuardrailScope;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let agent = AgentDetails::new(AgentId::parse("agent-1")?);
/// let details = GuardrailDetails::new(GuardrailTarget::LlmInput, GuardrailDecision::Allow)
///     .with_guardian_name("Shield");
/// ApplyGuardrailScope::builder(&details)
///     .with_agent(&agent)
///     .start()
///     .in_scope_infallible(|scope| {
///         scope.record_finding(&GuardrailFinding::new("pii", RiskSeverity::High));
///         scope.record_decision(&GuardrailDecision::Deny, "names a person");
///     });
/// # Ok(())
/// # }
/// ```
pub type ApplyGuardrailScope = Scope<ApplyGuardrailKind>;

impl Scope<ApplyGuardrailKind> {
    /// Starts a scope for an evaluation that guards `agent`, on behalf of `tenant`.
    #[must_use = "the scope ends when it is dropped"]
    pub fn start(details: &GuardrailDetails, agent: &AgentDetails, tenant: &TenantDetails) -> Self {
        Self::builder(details)
            .with_agent(agent)
            .with_tenant(tenant)
            .start()
    }

    /// A builder for a scope with options.
    pub fn builder(details: &GuardrailDetails) -> ApplyGuardrailScopeBuilder<'_> {
        ApplyGuardrailScopeBuilder {
            known: mapping::ApplyGuardrail::new(details),
            options: StartOptions::default(),
        }
    }

    /// Records what was decided after all. Without a reason, one that was recorded before stays.
    pub fn record_decision<'a>(
        &self,
        decision: &GuardrailDecision,
        reason: impl Into<Option<&'a str>>,
    ) {
        self.record(Recorded::Decision {
            decision,
            reason: reason.into(),
        });
    }

    /// Records what the guardian is shown: a text as it is, a list of texts or [`InputMessages`] as messages.
    /// Only for those who want contents in telemetry.
    pub fn record_content_input(&self, input: impl Into<InputMessages>) {
        if self.takes_attributes() {
            self.record(Recorded::GuardrailInput(&input.into()));
        }
    }

    /// Records what the guardian made of the content. Only for those who want contents in telemetry.
    pub fn record_content_output(&self, output: &str) {
        self.record(Recorded::GuardrailOutput(output));
    }

    /// Records a risk that was found, as the event `microsoft.security.finding`.
    pub fn record_finding(&self, finding: &GuardrailFinding) {
        self.record_event(GuardrailFinding::event_name, |profile, visitor| {
            finding.visit_attributes(profile, visitor);
        });
    }
}

/// Starts an [`ApplyGuardrailScope`].
///
/// Nothing is copied before the scope starts, and nothing at all while scopes are switched off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct ApplyGuardrailScopeBuilder<'a> {
    known: mapping::ApplyGuardrail<'a>,
    options: StartOptions<'a>,
}

impl<'a> ApplyGuardrailScopeBuilder<'a> {
    /// The agent that is guarded.
    ///
    /// By default it is the agent of baggage or of the scope around this one, whose name, description and
    /// other details this scope then has, too, where nothing else says them.
    pub fn with_agent(mut self, agent: impl Into<Option<&'a AgentDetails>>) -> Self {
        self.known.agent = agent.into();
        self
    }

    /// The tenant; its id wins over that of the agent's details.
    pub fn with_tenant(mut self, tenant: impl Into<Option<&'a TenantDetails>>) -> Self {
        self.known.tenant = tenant.into();
        self
    }

    /// The request. With 2.0.0, its content is recorded as what the guardian is shown; `microsoft-opentelemetry` 1.5.0
    /// leaves that to [`record_content_input`](Scope::record_content_input).
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// The person whose request is guarded. Not written by 0.1.0 and 2.0.0.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    span_kind_option!("INTERNAL");
    start_options!(ApplyGuardrailKind);
}
