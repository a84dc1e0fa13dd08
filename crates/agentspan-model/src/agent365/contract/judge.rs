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
/// A judge finds what plain data shows, see [`Rule::is_judged`](super::Rule::is_judged). It says nothing of spans
/// that are of no agent, such as those of a web server, other than as parents.
#[derive(Clone, Copy, Debug, Default)]
pub struct Judge<'a> {
    rule_set: RuleSet,
    route: Option<Route<'a>>,
    app_role: AppRole,
    now: Option<u64>,
}

impl<'a> Judge<'a> {
    /// A judge that knows no route.
    #[must_use]
    pub fn new(rule_set: RuleSet) -> Self {
        Self {
            rule_set,
            ..Self::default()
        }
    }

    /// Sets where the request goes, for rules that compare it with spans and tokens.
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

    /// What is wrong with one span, whatever other spans say.
    #[must_use]
    pub fn judge_span(&self, span: &ObservedSpan<'_>) -> Vec<Finding> {
        let mut findings = Findings::default();
        self.span(span, &mut findings);
        findings.0
    }

    /// What is wrong with spans, each by itself and with the others of its trace. The traces must be complete, and may
    /// be several.
    #[must_use]
    pub fn judge_trace(&self, spans: &[ObservedSpan<'_>]) -> Vec<Finding> {
        let mut findings = Findings::default();
        for span in spans {
            self.span(span, &mut findings);
        }
        traces::check(spans, &mut findings);
        findings.0
    }

    fn span(&self, span: &ObservedSpan<'_>, findings: &mut Findings) {
        if !span.is_of_an_agent() {
            return;
        }
        operation::check(span, self.rule_set, findings);
        presence::check(span, self.rule_set, findings);
        values::check(span, findings);
        shape::check(span, findings);
        if let Some(route) = self.route {
            requests::check_span(span, &route, findings);
        }
    }
}

/// What was found so far.
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
