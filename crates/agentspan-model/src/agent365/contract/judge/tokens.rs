//! Whether a token fits the route, and whether it is one at all.

use super::super::finding::Finding;
use super::super::route::RouteKind;
use super::super::rule::RuleId;
use super::super::token::{OBSERVABILITY_PERMISSION, TokenClaims};
use super::super::token_error::token_error;
use super::requests::is_other;
use super::{AppRole, Findings, Judge};

impl Judge<'_> {
    /// The findings of a token's text.
    #[must_use]
    pub fn judge_token(&self, token: &str) -> Vec<Finding> {
        let mut findings = Findings::default();
        let parts: Vec<&str> = token.split('.').collect();
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte);
        let is_part = |part: &&str| !part.is_empty() && part.bytes().all(is_base64);
        if parts.len() != 3 || !parts.iter().all(is_part) {
            findings.add_at_large(RuleId::R39);
        }
        findings.0
    }

    /// The findings of a token's claims, on the route that the judge knows.
    #[must_use]
    pub fn judge_claims(&self, claims: &TokenClaims<'_>) -> Vec<Finding> {
        let mut findings = Findings::default();
        if claims.is_intermediate() {
            // Nothing else of such a token fits, either.
            findings.add_at_large(RuleId::R59);
            return findings.0;
        }
        if !claims.is_for_the_service() {
            findings.add_at_large(RuleId::R36);
        }
        if claims.managed_identity.is_some() {
            findings.add_at_large(RuleId::R37);
        }
        if let (Some(expires), Some(now)) = (claims.expires, self.now) {
            if expires <= now {
                findings.add_at_large(RuleId::R40);
            }
        }
        if !self.is_permitted(claims) {
            findings.add_at_large(RuleId::R38);
        }
        if let Some(route) = self.route {
            match route.kind {
                Some(RouteKind::Delegated) if !claims.is_delegated() => {
                    findings.add_at_large(RuleId::R32);
                }
                Some(RouteKind::ServiceToService) if claims.is_delegated() => {
                    findings.add_at_large(RuleId::R33);
                }
                _ => {}
            }
            if let (Some(application), Some(agent)) = (claims.application, route.agent) {
                if is_other(application, agent) {
                    findings.add_at_large(RuleId::R07);
                }
            }
        }
        findings.0
    }

    /// The findings of the token endpoint's answer.
    #[must_use]
    pub fn judge_token_answer(&self, answer: &str) -> Vec<Finding> {
        let rule = token_error(answer).and_then(|error| error.rule);
        rule.map(Finding::of).into_iter().collect()
    }

    fn is_permitted(&self, claims: &TokenClaims<'_>) -> bool {
        match (claims.scopes, self.app_role) {
            (Some(scopes), _) => scopes
                .split_ascii_whitespace()
                .any(|scope| scope == OBSERVABILITY_PERMISSION),
            (None, AppRole::Demanded) => claims.roles.contains(&OBSERVABILITY_PERMISSION),
            (None, AppRole::NotDemanded) => true,
        }
    }
}
