//! An identity that a gateway says in headers.

use agentspan_model::agent365::{AgentId, TenantId};
use agentspan_otel::BaggageBuilder;
use http::HeaderMap;

use crate::malformed::{Header, Malformed};

/// Stands for an id that cannot be read. No id is like it, so that the delivery refuses the
/// request's spans and no other identity's gets them.
const NO_ID: &str = "/";

/// The names of the headers.
#[derive(Clone, Debug)]
pub(crate) struct IdentityHeaders {
    pub(crate) tenant: String,
    pub(crate) agent: String,
}

impl IdentityHeaders {
    pub(crate) fn add_to(
        &self,
        builder: BaggageBuilder,
        headers: &HeaderMap,
        malformed: &Malformed,
    ) -> BaggageBuilder {
        let is_tenant = |text: &str| TenantId::parse(text).is_ok();
        let is_agent = |text: &str| AgentId::parse(text).is_ok();
        builder
            .with_tenant_id(id(headers, &self.tenant, is_tenant, malformed))
            .with_agent_id(id(headers, &self.agent, is_agent, malformed))
    }
}

/// The only value of a header. None without one.
fn id<'a>(
    headers: &'a HeaderMap,
    name: &str,
    is_id: impl Fn(&str) -> bool,
    malformed: &Malformed,
) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    let text = first.to_str().ok().filter(|text| is_id(text));
    // Of two nobody knows which one is meant.
    let text = text.filter(|_| values.next().is_none());
    if text.is_none() {
        malformed.add(Header::Identity, name);
    }
    Some(text.unwrap_or(NO_ID))
}
