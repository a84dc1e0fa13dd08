//! The documented contract of Agent 365 for spans, as data.
//!
//! [`ATTRIBUTES`] lists the documented attributes: the [`Operation`]s for which each is mandatory,
//! the kind of its value, and the effect if it is missing. [`Rule::all`] lists common mistakes,
//! each with its symptom, cause, remedy and sources, and the place where it can be found.
//! [`CONFLICTS`] lists the questions on which sources disagree, and our defaults. [`STATUSES`]
//! explains refusals, and [`TOKEN_ERRORS`] explains errors of Entra.
//!
//! A [`Judge`] applies the rules to spans, traces, requests, tokens and answers. It is a pure
//! function: it opens no connection and reads no clock. Sources disagree on the mandatory
//! attributes, so a judge follows one [`RuleSet`]. `docs/agent365-contract.md` prints all of this
//! data.
//!
//! ```
//! use agentspan_model::agent365::contract::{Judge, ObservedSpan, RuleId, RuleSet};
//! use agentspan_model::keys;
//! use agentspan_model::mapping::normal::SourceValue;
//!
//! let mut span = ObservedSpan::new("chat gpt-4o");
//! span.attribute(keys::GEN_AI_OPERATION_NAME, SourceValue::Text("Chat"));
//! span.attribute(keys::MICROSOFT_TENANT_ID, SourceValue::Text("e3064512-cc6d-4703-be71-a2ecaecaa98a"));
//! span.attribute(keys::GEN_AI_AGENT_ID, SourceValue::Text("a0000000-0000-0000-0000-00000000000a"));
//! let span = span.with_ids("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
//! let span = span.with_times(1_765_000_000_000_000_000, 1_765_000_001_000_000_000);
//!
//! let findings = Judge::new(RuleSet::PackageFilter).judge_span(&span);
//! assert_eq!(findings[0].rule, RuleId::R02);
//! assert_eq!(findings[0].remedy(), "Write `chat`.");
//! ```

mod answer;
mod attribute;
mod attributes;
mod conflict;
mod finding;
mod judge;
mod observed;
mod observed_json;
mod operation;
mod requirement;
mod route;
mod rule;
mod rule_set;
mod rules;
mod source;
mod status;
mod token;
mod token_error;

pub use answer::{Answer, PartialSuccess, Sink, SinkStatus, SinkStatuses, SpanOutcome, SpanResult};
pub use attribute::{Attribute, ValueKind};
pub use attributes::ATTRIBUTES;
pub use conflict::{CONFLICTS, Conflict};
pub use finding::{Finding, SpanIds};
pub use judge::{AppRole, Judge};
pub use observed::{FieldForm, ObservedSpan, Wire};
pub use observed_json::{observed_span, observed_spans};
pub use operation::Operation;
pub use requirement::{Requirement, Requirements};
pub use route::{Route, RouteKind};
pub use rule::{Level, Place, Rule, RuleId};
pub use rule_set::RuleSet;
pub use source::{Confidence, Source};
pub use status::{Cure, Mender, STATUSES, StatusMeaning, status_meaning};
pub use token::{OBSERVABILITY_PERMISSION, OBSERVABILITY_RESOURCE, TokenClaims};
pub use token_error::{TOKEN_ERRORS, TokenError, token_error};
