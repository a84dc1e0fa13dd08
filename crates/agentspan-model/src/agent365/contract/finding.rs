//! The findings of a judge.

use super::observed::ObservedSpan;
use super::rule::{Level, Rule, RuleId};

/// The span of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SpanIds {
    /// The id of the trace, as it was given.
    pub trace_id: String,
    /// The id of the span, as it was given.
    pub span_id: String,
}

impl SpanIds {
    pub(crate) fn new(trace_id: &str, span_id: &str) -> Self {
        Self {
            trace_id: trace_id.to_owned(),
            span_id: span_id.to_owned(),
        }
    }

    pub(crate) fn of(span: &ObservedSpan<'_>) -> Self {
        Self::new(span.trace_id, span.span_id)
    }
}

/// A broken rule, and the span or attribute that breaks it. It holds no values of attributes,
/// because they may be contents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken.
    pub rule: RuleId,
    /// The severity of this finding.
    pub level: Level,
    /// The span that breaks it; `None` if the whole request, token or environment does.
    pub span: Option<SpanIds>,
    /// The key of the attribute that is wrong or missing, if it is one.
    pub attribute: Option<String>,
}

impl Finding {
    /// A finding without a span, with the level of its rule.
    pub(super) fn of(rule: RuleId) -> Self {
        Self {
            rule,
            level: Rule::find(rule).map_or(Level::Error, |rule| rule.level),
            span: None,
            attribute: None,
        }
    }

    /// The remedy.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        Rule::find(self.rule).map_or("", |rule| rule.remedy)
    }
}
