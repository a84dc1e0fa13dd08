//! Rules for what we do otherwise than the reference, on purpose.
//!
//! A rule in `deviations.toml` gives the reason; the [`Predicate`] or [`Allowance`] that it names is
//! code beside a runner, which tells by a property of the input that the rule applies, never by a
//! case's name.
//!
//! - A predicate rewrites the expected outcome to ours, where that is a line or two of code.
//! - An allowance names the places where our outcome may differ. The differences of the shipped cases
//!   are in `reviewed.json`, and a case passes only with exactly these: see [`Reviewed`]. Those of other
//!   cases are anywhere in these places, and nowhere else.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::reviewed::Reviewed;
use crate::{Case, Json, Runner};

/// The code of a deviation.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "runners write it as a literal")]
pub struct Predicate {
    /// How a rule names it.
    pub name: &'static str,
    /// Whether the case has the property.
    pub applies: fn(&Case) -> bool,
    /// Rewrites the reference's outcome to ours.
    pub instead: fn(&Case, &mut Json),
}

/// The property of an input with which our outcome may differ, and where.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "runners write it as a literal")]
pub struct Allowance {
    /// How a rule names it.
    pub name: &'static str,
    /// Whether the case has the property.
    pub applies: fn(&Case) -> bool,
    /// The places, as [`Difference::is_within`](crate::compare::Difference::is_within) takes them.
    pub places: &'static [&'static str],
}

/// A rule of `deviations.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// Unique, for reports.
    pub id: String,
    /// The vector files that it is about, without `.json`.
    pub files: Vec<String>,
    /// The [`Predicate::name`] or [`Allowance::name`].
    pub predicate: String,
    /// What we do instead, for people.
    pub instead: String,
    /// Why.
    pub reason: String,
    /// If no shipped case meets the rule: why it is there.
    pub unseen: Option<String>,
}

/// All rules.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviations {
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
    #[serde(skip)]
    pub(crate) reviewed: Reviewed,
}

impl Deviations {
    /// The rules of `conformance/deviations.toml`, and the differences of `conformance/reviewed.json`.
    ///
    /// # Errors
    ///
    /// [`DeviationsError::Toml`] if the file cannot be read as rules, [`DeviationsError::Reviewed`] if
    /// the differences cannot be read.
    pub fn shipped() -> Result<Self, DeviationsError> {
        let mut rules = Self::parse(include_str!("../deviations.toml"))?;
        rules.reviewed = Reviewed::shipped()?;
        Ok(rules)
    }

    /// Reads rules from TOML.
    ///
    /// # Errors
    ///
    /// [`DeviationsError::Toml`] if it cannot be read as rules, [`DeviationsError::Blank`] and
    /// [`DeviationsError::Repeated`] for rules that say too little or too much.
    pub fn parse(text: &str) -> Result<Self, DeviationsError> {
        let found: Self = toml::from_str(text)?;
        let mut ids = BTreeSet::new();
        for rule in &found.rules {
            if [&rule.reason, &rule.instead]
                .iter()
                .any(|text| text.trim().is_empty())
            {
                return Err(DeviationsError::Blank(rule.id.clone()));
            }
            if !ids.insert(&rule.id) {
                return Err(DeviationsError::Repeated(rule.id.clone()));
            }
        }
        Ok(found)
    }

    /// The rules, in the order of the file.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Pairs the rules about a runner's file with the runner's predicates.
    pub(crate) fn bind(&self, runner: &dyn Runner) -> Result<Vec<BoundRule>, DeviationsError> {
        let file = runner.file_stem();
        let rewrites = runner.predicates().iter();
        let rewrites = rewrites.map(|one| (one.name, Code::Rewrites(*one)));
        let allows = runner.allowances().into_iter();
        let allows = allows.map(|one| (one.name, Code::Allows(one)));
        let known: Vec<_> = rewrites.chain(allows).collect();
        let mut unruled: BTreeSet<_> = known.iter().map(|(name, _)| *name).collect();
        let mut bound = Vec::new();
        for rule in &self.rules {
            if !rule.files.iter().any(|name| name == file) {
                continue;
            }
            let found = known.iter().find(|(name, _)| *name == rule.predicate);
            let (name, code) = found.ok_or_else(|| DeviationsError::NoPredicate {
                rule: rule.id.clone(),
                predicate: rule.predicate.clone(),
                file,
            })?;
            unruled.remove(name);
            bound.push(BoundRule {
                id: rule.id.clone(),
                code: *code,
            });
        }
        match unruled.pop_first() {
            Some(predicate) => Err(DeviationsError::NoRule { predicate, file }),
            None => Ok(bound),
        }
    }

    /// Fails if a rule is about a file that no runner runs.
    pub(crate) fn check_files(&self, known: &[&str]) -> Result<(), DeviationsError> {
        for rule in &self.rules {
            if let Some(file) = rule.files.iter().find(|file| !known.contains(&&***file)) {
                return Err(DeviationsError::NoRunner {
                    rule: rule.id.clone(),
                    file: file.clone(),
                });
            }
        }
        Ok(())
    }
}

/// A rule with its code.
#[derive(Clone, Debug)]
pub(crate) struct BoundRule {
    pub(crate) id: String,
    pub(crate) code: Code,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Code {
    Rewrites(Predicate),
    Allows(Allowance),
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeviationsError {
    /// The text is not TOML, or its tables are not rules.
    #[error("cannot read the deviations")]
    Toml(#[from] toml::de::Error),
    /// `reviewed.json` is not what `--review` writes.
    #[error("cannot read the reviewed differences")]
    Reviewed(#[from] serde_json::Error),
    /// A rule gives no reason, or does not say what we do instead.
    #[error("rule {0:?} has no reason or no alternative")]
    Blank(String),
    /// Two rules have the same id.
    #[error("there are two rules {0:?}")]
    Repeated(String),
    /// A rule names a predicate that its file's runner does not have.
    #[error(
        "rule {rule:?} names predicate {predicate:?}, which the runner of {file} does not have"
    )]
    NoPredicate {
        /// The rule.
        rule: String,
        /// The predicate.
        predicate: String,
        /// The file.
        file: &'static str,
    },
    /// A runner has a predicate for which nobody gave a reason.
    #[error("no rule gives a reason for predicate {predicate:?} of {file}")]
    NoRule {
        /// The predicate.
        predicate: &'static str,
        /// The file.
        file: &'static str,
    },
    /// A rule is about a file that nobody runs.
    #[error("rule {rule:?} is about {file}, which no runner runs")]
    NoRunner {
        /// The rule.
        rule: String,
        /// The file.
        file: String,
    },
}
