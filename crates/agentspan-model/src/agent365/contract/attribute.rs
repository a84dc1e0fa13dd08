//! A documented attribute.

use super::attributes::ATTRIBUTES;
use super::operation::Operation;
use super::requirement::{Requirement, Requirements};
use super::rule::RuleId;
use super::rule_set::RuleSet;
use super::source::{Confidence, Source};

/// The kind of value of an attribute. On the standard wire, all values are text, even numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueKind {
    /// A name from a list.
    Name,
    /// A GUID.
    Guid,
    /// Any text.
    Text,
    /// A literal IP address.
    IpAddress,
    /// A whole number.
    Number,
    /// A mail address, or a user principal name.
    Email,
    /// JSON as text.
    JsonText,
}

/// A documented attribute, with the operations that need it and the effect if it is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// The key, of [`keys`](crate::keys).
    pub key: &'static str,
    /// The kind of its value.
    pub kind: ValueKind,
    /// The requirement by the attribute reference. For other rule sets, use
    /// [`requirement`](Self::requirement).
    pub requirements: Requirements,
    /// The columns of audit logs in which the value arrives; empty if that is not known.
    pub lands_in: &'static str,
    /// The effect when it is missing; empty if that is not documented.
    pub impact: &'static str,
    /// The rule that a span breaks when it lacks the attribute and the attribute is mandatory.
    pub rule: RuleId,
    /// The confidence in this row.
    pub confidence: Confidence,
    /// The sources.
    pub sources: &'static [Source],
}

impl Attribute {
    /// The attribute with this key, if it is documented.
    #[must_use]
    pub fn with_key(key: &str) -> Option<&'static Self> {
        ATTRIBUTES.iter().find(|attribute| attribute.key == key)
    }

    /// The requirement for an operation, by a rule set.
    #[must_use]
    pub fn requirement(&self, operation: Operation, rule_set: RuleSet) -> Requirement {
        rule_set
            .requirements_of(self.key)
            .unwrap_or(self.requirements)
            .of(operation)
    }
}

impl ValueKind {
    /// The kind in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Guid => "GUID",
            Self::Text => "text",
            Self::IpAddress => "IP address",
            Self::Number => "number",
            Self::Email => "mail address",
            Self::JsonText => "JSON text",
        }
    }
}
