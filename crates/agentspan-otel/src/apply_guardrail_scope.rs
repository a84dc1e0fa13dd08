//! The scope of an evaluation by a guardian.

use agentspan_model::agent365::mapping::{self, Recorded};
use agentspan_model::agent365::{
    AgentDetails, GuardrailDecision, GuardrailDetails, GuardrailFinding, InputMessages, Request,
    TenantDetails, UserDetails,
};

use crate::scope::Scope;
use crate::scope::start_options::{StartOptions, agent_option, span_kind_option, start_options};

/// The kind of [`ApplyGuardrailScope`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ApplyGuardrailKind;

/// The evaluation of content or of an action by a guardian: the span
/// `apply_guardrail {guardian name} {target}`, of kind `INTERNAL`.
///
/// Start one for each guardian, inside the guarded scope.
///
/// This scope exists since [`Profile::V2`](agentspan_model::agent365::Profile::V2). With `V0_1`,
/// the span has only the attributes that all scopes of 0.1.0 write, without the decision and the
/// findings.
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
    /// Starts a scope for an evaluation that guards `agent` of `tenant`.
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

    /// Records the final decision. If it has no reason, an earlier reason stays.
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

    /// Records the guardian's input: a text unchanged, or a list of texts or [`InputMessages`] as
    /// messages. Call it only if telemetry may hold contents.
    pub fn record_content_input(&self, input: impl Into<InputMessages>) {
        if self.takes_attributes() {
            self.record(Recorded::GuardrailInput(&input.into()));
        }
    }

    /// Records the guardian's output. Call it only if telemetry may hold contents.
    pub fn record_content_output(&self, output: &str) {
        self.record(Recorded::GuardrailOutput(output));
    }

    /// Records a finding, as the event `microsoft.security.finding`.
    pub fn record_finding(&self, finding: &GuardrailFinding) {
        self.record_event(GuardrailFinding::event_name, |profile, visitor| {
            finding.visit_attributes(profile, visitor);
        });
    }
}

/// Starts an [`ApplyGuardrailScope`].
///
/// The builder copies nothing until the scope starts, and nothing at all while scopes are off.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct ApplyGuardrailScopeBuilder<'a> {
    known: mapping::ApplyGuardrail<'a>,
    options: StartOptions<'a>,
}

impl<'a> ApplyGuardrailScopeBuilder<'a> {
    agent_option!("Sets the guarded agent.");

    /// Sets the request. With 2.0.0, its content is recorded as the guardian's input.
    /// `microsoft-opentelemetry` 1.5.0 leaves this to
    /// [`record_content_input`](Scope::record_content_input).
    pub fn with_request(mut self, request: impl Into<Option<&'a Request>>) -> Self {
        self.known.request = request.into();
        self
    }

    /// Sets the person whose request is guarded. 0.1.0 and 2.0.0 do not write it.
    pub fn with_user(mut self, user: impl Into<Option<&'a UserDetails>>) -> Self {
        self.known.user = user.into();
        self
    }

    span_kind_option!("INTERNAL");
    start_options!(ApplyGuardrailKind);
}
