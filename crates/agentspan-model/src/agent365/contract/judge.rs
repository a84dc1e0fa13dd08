//! Applies the rules of the contract.

mod environment;
mod operation;
mod presence;
mod requests;
mod shape;
mod tokens;
mod traces;
mod values;

use super::finding::{Finding, SpanIds};
use super::observed::ObservedSpan;
use super::route::Route;
use super::rule::{Level, RuleId};
use super::rule_set::RuleSet;
use crate::agent365::Profile;
use crate::keys;

/// Whether a judge demands the application role of app-only tokens. Sources disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AppRole {
    /// It does not, since registered instances need none. The default.
    #[default]
    NotDemanded,
    /// It does.
    Demanded,
}

/// Applies the rules of the contract, by one rule set.
///
/// A judge finds mistakes that are visible in plain data, see
/// [`Rule::is_judged`](super::Rule::is_judged). It ignores spans that have nothing to do with
/// agents, such as spans of a web server, except as parents.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    rule_set: RuleSet,
    package: Profile,
    /// The generation whose scopes wrote the spans, if it is known.
    scopes: Option<Profile>,
    route: Option<Route<'a>>,
    app_role: AppRole,
    now: Option<u64>,
}

impl<'a> Judge<'a> {
    /// A judge without a route.
    #[must_use]
    pub fn new(rule_set: RuleSet) -> Self {
        Self {
            rule_set,
            ..Self::of_package(Profile::V2)
        }
    }

    /// A judge for the output of the exporter of a generation. It uses [`RuleSet::PackageFilter`],
    /// or [`RuleSet::AttributeReference`] for [`Profile::Direct`].
    ///
    /// [`Profile::V0_1`] sends every span with an identity, and its keys are not documented. So the
    /// judge only checks the identity, ids, times, forms and requests. [`Profile::V3`] does not
    /// send some operations that [`Profile::V2`] sends.
    ///
    /// ```
    /// use agentspan_model::agent365::Profile;
    /// use agentspan_model::agent365::contract::{Judge, ObservedSpan, RuleId};
    /// use agentspan_model::keys;
    /// use agentspan_model::mapping::normal::SourceValue;
    ///
    /// let mut span = ObservedSpan::new("invoke_agent")
    ///     .with_ids("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
    ///     .with_times(1_765_000_000_000_000_000, 1_765_000_001_000_000_000);
    /// span.attribute(keys::TENANT_ID, SourceValue::Text("e3064512-cc6d-4703-be71-a2ecaecaa98a"));
    /// span.attribute(keys::GEN_AI_AGENT_ID, SourceValue::Text("a0000000-0000-0000-0000-00000000000a"));
    ///
    /// assert!(Judge::of_package(Profile::V0_1).judge_span(&span).is_empty());
    /// let findings = Judge::of_package(Profile::V3).judge_span(&span);
    /// assert_eq!((findings[0].rule, findings[1].rule), (RuleId::R01, RuleId::R03));
    /// ```
    #[must_use]
    pub fn of_package(profile: Profile) -> Self {
        Self {
            rule_set: profile.rules(),
            package: profile,
            scopes: None,
            route: None,
            app_role: AppRole::default(),
            now: None,
        }
    }

    /// Says that scopes of a profile wrote the spans. An attribute is then not missing if its scope leaves it out for a
    /// value that is taken for granted: the port 443 of agents and tools, but with [`Profile::Direct`].
    #[must_use]
    pub fn with_scopes_of(mut self, profile: Profile) -> Self {
        self.scopes = Some(profile);
        self
    }

    /// Sets the route of the request, for rules that compare it with spans and tokens.
    #[must_use]
    pub fn with_route(mut self, route: Route<'a>) -> Self {
        self.route = Some(route);
        self
    }

    /// Sets whether app-only tokens need the role.
    #[must_use]
    pub fn with_app_role(mut self, app_role: AppRole) -> Self {
        self.app_role = app_role;
        self
    }

    /// Sets the time, in seconds since the Unix epoch. Without it, no token has expired.
    #[must_use]
    pub fn with_now(mut self, seconds: u64) -> Self {
        self.now = Some(seconds);
        self
    }

    /// The findings of one span, without regard to other spans.
    #[must_use]
    pub fn judge_span(&self, span: &ObservedSpan<'_>) -> Vec<Finding> {
        let mut findings = Findings::default();
        self.span(span, &mut findings);
        findings.0
    }

    /// The findings of spans, both individually and within their traces. There may be several
    /// traces, and they must be complete.
    #[must_use]
    pub fn judge_trace(&self, spans: &[ObservedSpan<'_>]) -> Vec<Finding> {
        let mut findings = Findings::default();
        for span in spans {
            self.span(span, &mut findings);
        }
        if self.knows_operations() {
            traces::check(spans, &mut findings);
        }
        findings.0
    }

    fn span(&self, span: &ObservedSpan<'_>, findings: &mut Findings) {
        if !span.is_of_an_agent() && (self.knows_operations() || !self.is_told_whose(span)) {
            return;
        }
        if self.knows_operations() {
            operation::check(span, self.rule_set, self.package, findings);
            presence::check(span, self.rule_set, self.scopes, findings);
            values::check(span, findings);
        } else {
            presence::check_identity(span, self.package, findings);
        }
        shape::check(span, findings);
        if let Some(route) = self.route {
            self.check_route(span, &route, findings);
        }
    }

    /// Whether the span has a part of an identity.
    fn is_told_whose(&self, span: &ObservedSpan<'_>) -> bool {
        let keys = [self.package.tenant_id_key(), keys::GEN_AI_AGENT_ID];
        keys.iter().any(|key| span.value(key).is_some())
    }

    /// Whether spans have operations and the keys that are documented. The first generation has neither.
    fn knows_operations(&self) -> bool {
        self.package.tenant_id_key() == keys::MICROSOFT_TENANT_ID
    }
}

impl Default for Judge<'_> {
    fn default() -> Self {
        Self::new(RuleSet::default())
    }
}

/// The findings so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// The span breaks the rule.
    fn add(&mut self, rule: RuleId, span: &ObservedSpan<'_>) {
        self.0.push(about(rule, span));
    }

    /// The span may break the rule.
    fn suspect(&mut self, rule: RuleId, span: &ObservedSpan<'_>) {
        self.0.push(Finding {
            level: Level::Warning,
            ..about(rule, span)
        });
    }

    /// An attribute of the span breaks the rule.
    fn add_attribute(&mut self, rule: RuleId, span: &ObservedSpan<'_>, key: &str) {
        self.0.push(Finding {
            attribute: Some(key.to_owned()),
            ..about(rule, span)
        });
    }

    /// The request, the token or the environment breaks the rule.
    fn add_at_large(&mut self, rule: RuleId) {
        self.0.push(Finding::of(rule));
    }
}

fn about(rule: RuleId, span: &ObservedSpan<'_>) -> Finding {
    Finding {
        span: Some(SpanIds::of(span)),
        ..Finding::of(rule)
    }
}
