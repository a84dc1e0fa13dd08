//! The rule sets: the mandatory attributes by each of the sources, which disagree.

use std::fmt;

use super::requirement::Requirement::{Mandatory as M, Optional as O};
use super::requirement::Requirements;
use crate::keys;

/// The source that decides which attributes are mandatory. Four sources disagree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RuleSet {
    /// The attribute reference. The default, because it documents the spans of senders without an
    /// SDK.
    #[default]
    AttributeReference,
    /// The validation for publishing an agent in the store.
    StorePublishing,
    /// The catalogue of certification rules.
    Certification,
    /// The filter of the packages' exporters, which only send a span with a known operation, a
    /// tenant and an agent.
    PackageFilter,
}

/// The rows in which a rule set differs from the attribute reference.
type Rows = &'static [(&'static str, Requirements)];

const STORE_PUBLISHING: Rows = &[
    (keys::USER_ID, Requirements::all(M)),
    (keys::USER_EMAIL, Requirements::all(M)),
    (keys::MICROSOFT_AGENT_USER_ID, Requirements::all(M)),
    (keys::MICROSOFT_AGENT_USER_EMAIL, Requirements::all(M)),
    (keys::CLIENT_ADDRESS, Requirements::all(M)),
    (keys::SERVER_ADDRESS, Requirements::new(M, O, O, O)),
    (keys::SERVER_PORT, Requirements::new(M, O, O, O)),
];

const CERTIFICATION: Rows = &[
    (keys::USER_ID, Requirements::new(M, O, O, O)),
    (keys::USER_NAME, Requirements::new(M, O, O, O)),
    (keys::USER_EMAIL, Requirements::new(M, O, O, O)),
    (keys::MICROSOFT_AGENT_USER_ID, Requirements::all(M)),
    (keys::MICROSOFT_AGENT_USER_EMAIL, Requirements::all(M)),
    (keys::CLIENT_ADDRESS, Requirements::all(O)),
    (keys::SERVER_ADDRESS, Requirements::all(O)),
    (keys::SERVER_PORT, Requirements::all(O)),
    (keys::GEN_AI_AGENT_DESCRIPTION, Requirements::all(M)),
];

const PACKAGE_FILTER: [&str; 3] = [
    keys::GEN_AI_OPERATION_NAME,
    keys::MICROSOFT_TENANT_ID,
    keys::GEN_AI_AGENT_ID,
];

impl RuleSet {
    /// All of them; the default comes first.
    pub const ALL: [Self; 4] = [
        Self::AttributeReference,
        Self::StorePublishing,
        Self::Certification,
        Self::PackageFilter,
    ];

    /// The rule set with this [name](Self::name).
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// A stable name, for command lines and settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AttributeReference => "attribute-reference",
            Self::StorePublishing => "store-publishing",
            Self::Certification => "certification",
            Self::PackageFilter => "package-filter",
        }
    }

    /// The requirement of an attribute, if it differs from the attribute reference.
    pub(super) fn requirements_of(self, key: &str) -> Option<Requirements> {
        let rows = match self {
            Self::AttributeReference => return None,
            Self::StorePublishing => STORE_PUBLISHING,
            Self::Certification => CERTIFICATION,
            Self::PackageFilter if PACKAGE_FILTER.contains(&key) => return None,
            Self::PackageFilter => return Some(Requirements::all(O)),
        };
        let row = rows.iter().find(|(found, _)| *found == key);
        row.map(|(_, requirements)| *requirements)
    }
}

impl fmt::Display for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
