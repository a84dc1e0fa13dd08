//! The rules that can be applied to spans.

use std::fmt;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::contract::{Judge, RuleSet};

/// What stands before the name of a rule set or a generation.
pub(crate) const OF_AGENT365: &str = "agent365:";

/// The applied rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    /// The rules that Agent 365 documents.
    Agent365(RuleSet),
    /// The rules of the exporter of one generation.
    Package(Profile),
    /// The GenAI conventions.
    GenAi,
    /// Agent Spec Tracing, for recordings.
    AgentSpec,
}

impl Rules {
    /// All names.
    pub(crate) fn names() -> String {
        let sets = RuleSet::ALL.map(Self::Agent365).map(|set| set.to_string());
        let mut names = sets.to_vec();
        names.extend(Profile::ALL.map(|profile| Self::Package(profile).to_string()));
        names.extend([Self::GenAi, Self::AgentSpec].map(|rules| rules.to_string()));
        names.join(", ")
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "agent365" => Some(Self::Agent365(RuleSet::default())),
            "genai" => Some(Self::GenAi),
            "agentspec" => Some(Self::AgentSpec),
            _ => {
                let name = name.strip_prefix(OF_AGENT365).unwrap_or(name);
                let of_package = || Profile::named(name).map(Self::Package);
                RuleSet::named(name).map(Self::Agent365).or_else(of_package)
            }
        }
    }

    /// The generation whose exporter sends the spans.
    pub(crate) fn package(self) -> Profile {
        match self {
            Self::Package(profile) => profile,
            _ => Profile::V2,
        }
    }

    /// The judge for these rules, if they are rules of Agent 365.
    pub(crate) fn judge(self) -> Option<Judge<'static>> {
        match self {
            Self::Agent365(set) => Some(Judge::new(set)),
            Self::Package(profile) => Some(Judge::of_package(profile)),
            Self::GenAi | Self::AgentSpec => None,
        }
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agent365(set) => write!(f, "{OF_AGENT365}{set}"),
            Self::Package(profile) => write!(f, "{OF_AGENT365}{}", profile.name()),
            Self::GenAi => f.write_str("genai"),
            Self::AgentSpec => f.write_str("agentspec"),
        }
    }
}
