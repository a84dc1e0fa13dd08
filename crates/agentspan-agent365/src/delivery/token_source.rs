//! Where the token of a batch comes from.

use crate::export_token::ExportToken;
use crate::grouping::Grouping;

/// Where the token of a batch comes from.
#[derive(Clone, Debug)]
pub(crate) enum TokenSource {
    /// The resolver is asked.
    Resolver,
    /// The request was given one, or else the resolver is asked. Nothing is sent without.
    Request(Option<ExportToken>),
}

impl TokenSource {
    /// Where the tokens of the identities of a batch come from, in the order of its groups.
    ///
    /// The token of a request goes to one tenant only, and to none, now and later, if there are
    /// several when that is decided.
    pub(super) fn of_groups(&self, grouping: &Grouping) -> Vec<Self> {
        let groups = grouping.groups.iter();
        let tenants = groups.map(|group| &group.recipient.identity.tenant);
        let of = |tenant| match self {
            Self::Request(Some(token)) => {
                let is_theirs = token.belongs_to(tenant, tenants.clone());
                Self::Request(is_theirs.then(|| token.clone()))
            }
            _ => self.clone(),
        };
        tenants.clone().map(of).collect()
    }
}
