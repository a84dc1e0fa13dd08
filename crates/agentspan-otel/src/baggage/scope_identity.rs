//! The identity that spans inside a scope inherit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::keys;
use agentspan_queue::contain;
use opentelemetry::{Context, KeyValue, StringValue, Value};

use super::LocalIdentity;

/// The tenant and the agent of a scope, in the context of what happens inside of it.
///
/// A span without an identity of its own or from baggage inherits them. They are not baggage, so no
/// propagator sends them to another process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScopeIdentity {
    tenant: StringValue,
    agent: StringValue,
    description: Option<Arc<Description>>,
}

/// The description of a scope's agent beside the id, in the words of a profile.
#[derive(Debug, PartialEq, Eq)]
struct Description {
    profile: Profile,
    attributes: Vec<KeyValue>,
}

/// The keys, in all generations, that describe an agent on spans of every kind.
pub(super) const DESCRIPTION_KEYS: [&str; 12] = [
    keys::GEN_AI_AGENT_NAME,
    keys::GEN_AI_AGENT_DESCRIPTION,
    keys::GEN_AI_AGENT_TYPE,
    keys::GEN_AI_AGENT_VERSION,
    keys::GEN_AI_AGENT_USER_ID,
    keys::GEN_AI_AGENT_AUID,
    keys::GEN_AI_AGENT_UPN,
    keys::GEN_AI_AGENT_BLUEPRINT_ID,
    keys::MICROSOFT_AGENT_PLATFORM_ID,
    keys::MICROSOFT_AGENT_BLUEPRINT_ID,
    keys::MICROSOFT_AGENT_USER_ID,
    keys::MICROSOFT_AGENT_USER_EMAIL,
];

impl Description {
    fn of(attributes: &[KeyValue], profile: Profile) -> Option<Arc<Self>> {
        let described = |attribute: &&KeyValue| DESCRIPTION_KEYS.contains(&attribute.key.as_str());
        let attributes: Vec<_> = attributes.iter().filter(described).cloned().collect();
        (!attributes.is_empty()).then(|| {
            Arc::new(Self {
                profile,
                attributes,
            })
        })
    }
}

impl ScopeIdentity {
    /// `context` for what happens inside of a scope with these attributes.
    pub(crate) fn add_to(context: &Context, attributes: &[KeyValue], profile: Profile) -> Context {
        let pair = text_of(attributes, profile.tenant_id_key())
            .zip(text_of(attributes, keys::GEN_AI_AGENT_ID));
        let Some((tenant, agent)) = pair else {
            return context.clone();
        };
        warn_of_other_tenant(context, tenant, profile);
        let (is_known, is_described) = match context.get::<Self>() {
            Some(outer) => (
                outer.tenant == *tenant && outer.agent == *agent,
                outer.description.is_some(),
            ),
            // Baggage goes first in any case.
            None => (
                context.get::<LocalIdentity>().is_some_and(|local| {
                    local.value(profile.tenant_id_key()) == Some(tenant)
                        && local.value(keys::GEN_AI_AGENT_ID) == Some(agent)
                }),
                false,
            ),
        };
        if is_known && is_described {
            return context.clone();
        }
        let description = Description::of(attributes, profile);
        if is_known && description.is_none() {
            return context.clone();
        }
        context.with_value(Self {
            tenant: tenant.clone(),
            agent: agent.clone(),
            description,
        })
    }

    /// The same, as it would be if baggage had set it.
    pub(super) fn as_local(&self) -> LocalIdentity {
        LocalIdentity::new(&self.tenant, &self.agent)
    }

    /// The parts of the enclosing scope's identity that the attributes of a span that starts in
    /// `context` lack.
    pub(crate) fn missing_in<'a>(
        attributes: impl DoubleEndedIterator<Item = &'a KeyValue> + Clone,
        profile: Profile,
        context: &Context,
    ) -> [Option<KeyValue>; 2] {
        let scope = context.get::<Self>();
        scope.map_or([None, None], |scope| scope.missing(attributes, profile))
    }

    /// The enclosing scope's description of its agent, for a scope that starts in `context`, says
    /// nothing of the agent itself, and has these attributes: those of the same agent of the same
    /// tenant are described as it is.
    pub(crate) fn description_in<'a>(
        context: &'a Context,
        attributes: &[KeyValue],
        profile: Profile,
    ) -> &'a [KeyValue] {
        let described = |scope: &'a Self| {
            let description = scope.description.as_deref()?;
            let is_same = description.profile == profile
                && text_of(attributes, profile.tenant_id_key()) == Some(&scope.tenant)
                && text_of(attributes, keys::GEN_AI_AGENT_ID) == Some(&scope.agent);
            is_same.then_some(&*description.attributes)
        };
        context.get::<Self>().and_then(described).unwrap_or(&[])
    }

    /// Whether these attributes say which agent it is.
    pub(crate) fn names_agent<'a>(mut attributes: impl Iterator<Item = &'a KeyValue>) -> bool {
        attributes.any(|attribute| {
            let key = attribute.key.as_str();
            key == keys::GEN_AI_AGENT_ID || key == keys::MICROSOFT_AGENT_PLATFORM_ID
        })
    }

    /// The parts of the identity that these attributes lack.
    ///
    /// A tenant that is missing is that of the scope. An agent that is missing is the scope's only
    /// if the tenant is, too: the pair of one's tenant and another's agent would be nobody.
    pub(super) fn missing<'a>(
        &self,
        attributes: impl DoubleEndedIterator<Item = &'a KeyValue> + Clone,
        profile: Profile,
    ) -> [Option<KeyValue>; 2] {
        let find = |key: &str| {
            let mut attributes = attributes.clone().rev();
            attributes.find(|attribute| attribute.key.as_str() == key)
        };
        let tenant_key = profile.tenant_id_key();
        let tenant = find(tenant_key);
        let is_of_tenant = tenant
            .is_none_or(|tenant| matches!(&tenant.value, Value::String(id) if *id == self.tenant));
        let has_agent = Self::names_agent(attributes.clone());
        [
            tenant
                .is_none()
                .then(|| KeyValue::new(tenant_key, self.tenant.clone())),
            (is_of_tenant && !has_agent)
                .then(|| KeyValue::new(keys::GEN_AI_AGENT_ID, self.agent.clone())),
        ]
    }
}

impl From<&Identity> for ScopeIdentity {
    fn from(identity: &Identity) -> Self {
        Self {
            tenant: identity.tenant.as_str().to_owned().into(),
            agent: identity.agent.as_str().to_owned().into(),
            description: None,
        }
    }
}

/// Says once that spans inside of a scope go to another tenant than the scope itself.
fn warn_of_other_tenant(context: &Context, tenant: &StringValue, profile: Profile) {
    // Nobody waits for it, as a child of a fork would for a subscriber that runs in its parent.
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    let of_baggage = context.get::<LocalIdentity>();
    let of_baggage = of_baggage.and_then(|local| local.value(profile.tenant_id_key()));
    let is_other = of_baggage.is_some_and(|of_baggage| of_baggage != tenant);
    if is_other && !IS_SAID.swap(true, Ordering::Relaxed) {
        contain::log(|| {
            tracing::warn!(
                target: "agentspan::otel::scope",
                "a scope names another tenant than the baggage around it: its own span belongs to \
                 the tenant of the scope, and all other spans inside of it to the tenant of the \
                 baggage; to change that, enter baggage of the scope's tenant inside of the scope"
            );
        });
    }
}

/// The text under a key, unless it is blank.
fn text_of<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a StringValue> {
    let mut attributes = attributes.iter().rev();
    match &attributes
        .find(|attribute| attribute.key.as_str() == key)?
        .value
    {
        Value::String(text) if text.as_str().chars().any(|it| !it.is_whitespace()) => Some(text),
        _ => None,
    }
}
