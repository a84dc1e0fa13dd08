//! A rule of the contract: a common mistake, with the ways to find and fix it.

use std::fmt;

use super::rules;
use super::source::Source;

macro_rules! rule_ids {
    ($($id:ident)*) => {
        /// The stable id of a rule, such as `R01`. R01 to R61 come from public sources; R62 and R63 are ours.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum RuleId {
            $(
                #[doc = concat!("`", stringify!($id), "`.")]
                $id,
            )*
        }

        impl RuleId {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$id),*];

            /// The id as text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$id => stringify!($id),)*
                }
            }
        }
    };
}

rule_ids! {
    R01 R02 R03 R04 R05 R06 R07 R08 R09 R10 R11 R12 R13 R14 R15 R16 R17 R18 R19 R20 R21
    R22 R23 R24 R25 R26 R27 R28 R29 R30 R31 R32 R33 R34 R35 R36 R37 R38 R39 R40 R41 R42
    R43 R44 R45 R46 R47 R48 R49 R50 R51 R52 R53 R54 R55 R56 R57 R58 R59 R60 R61 R62 R63
}

/// The severity of a broken rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// The effect may be surprising.
    Hint,
    /// Some data is lost or wrong.
    Warning,
    /// Spans are lost or cannot be found.
    Error,
}

/// Where a mistake can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// In one span.
    Span,
    /// In the spans of one trace together.
    Trace,
    /// In a request: its path and its body.
    Request,
    /// In a token, or in the answer to a request for one.
    Token,
    /// In the service's answer.
    Answer,
    /// In the variables of the environment.
    Environment,
    /// In the behaviour of the running program.
    Run,
    /// In the settings of the tenant.
    Tenant,
}

/// A common mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// The stable id.
    pub id: RuleId,
    /// A stable name that describes the rule.
    pub name: &'static str,
    /// Where the mistake can be found.
    pub places: &'static [Place],
    /// The severity. A finding may have a lower severity if it is less certain.
    pub level: Level,
    /// Whether a [`Judge`](super::Judge) can find it.
    pub is_judged: bool,
    /// The symptom.
    pub symptom: &'static str,
    /// The cause.
    pub cause: &'static str,
    /// The remedy.
    pub remedy: &'static str,
    /// The sources.
    pub sources: &'static [Source],
}

impl Rule {
    /// All rules, in the order of their ids.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        RuleId::ALL.iter().filter_map(|id| Self::find(*id))
    }

    /// The rule with this id.
    pub(super) fn find(id: RuleId) -> Option<&'static Self> {
        rules::ALL
            .iter()
            .flat_map(|rules| rules.iter())
            .find(|rule| rule.id == id)
    }

    /// The rule with this id or name, such as `R01` or `unknown-operation`, in any case.
    #[must_use]
    pub fn named(id_or_name: &str) -> Option<&'static Self> {
        Self::all().find(|rule| {
            let names = [rule.id.as_str(), rule.name];
            names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(id_or_name))
        })
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Level {
    /// The level in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Place {
    /// The place in a word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Span => "span",
            Self::Trace => "trace",
            Self::Request => "request",
            Self::Token => "token",
            Self::Answer => "answer",
            Self::Environment => "environment",
            Self::Run => "run",
            Self::Tenant => "tenant",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
