//! Copies baggage to spans.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use agentspan_model::agent365::mapping::{BaggageReader, CopiedBaggage};
use agentspan_model::agent365::{Identity, Profile};
use agentspan_model::keys;
use agentspan_queue::contain;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::Span as _;
use opentelemetry::{Context, KeyValue, StringValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::local_identity::LocalIdentity;
use super::ready::{Copies, Ready};
use super::scope_identity::ScopeIdentity;
use crate::scope::starting::{self, Starts};

/// Copies baggage to every span that starts, as the reference's span processor does.
///
/// Some keys are copied to every span. More keys, about the caller, are copied to spans of
/// invocations: spans whose operation name is `invoke_agent`, or whose name starts with it. The
/// profile decides the keys, see [`CopiedBaggage`];
/// [custom attributes](super::BaggageBuilder::with_custom_attribute) come after them. Attributes
/// that a span already has are never overwritten, and the attributes of a scope take precedence.
/// Since `microsoft-opentelemetry` 1.5.0 ([`Profile::V3`], [`Profile::Direct`]), only spans of
/// agents get baggage: spans of scopes, spans with an operation, a name or an instrumentation scope
/// of that package's list, and spans of a request for which this process set such an operation, see
/// [`BaggageReader::of`].
///
/// # Identity
///
/// The tenant and the agent decide where the telemetry of a span goes, and so can the platform's id
/// of the agent (`microsoft.a365.agent.platform.id`). The user that the agent acts as
/// (`microsoft.agent.user.id`) decides whose token sends it. The processor takes them only from
/// baggage that this process set with [`BaggageBuilder`](super::BaggageBuilder), not from a
/// request's header, where any caller could claim to be another tenant or user. The same holds for
/// all else that says who takes part in a request, or what a span is: descriptions of agents,
/// people, addresses, the operation. From a header, the processor takes only values that describe
/// the request: its correlation, conversation, session, channel and source. If all callers are
/// trusted, [`with_trusted_remote_identity`](Self::with_trusted_remote_identity) accepts everything
/// from headers.
///
/// If neither the attributes of a span nor baggage name a tenant, the span inherits the tenant of
/// the enclosing scope, and also the scope's agent, unless they name an agent. Outside of scopes,
/// [`with_identity`](Self::with_identity) is the fallback.
///
/// So baggage takes precedence over a scope, wherever each was entered. The reference copies baggage
/// to all spans, and baggage says for whom the process handles a request, while a scope describes
/// one step of it: data of a request must not leave for another tenant because a step, such as a
/// call to a shared agent, names one. In a scope of another tenant than the baggage, the span of the
/// scope belongs to the scope's tenant, and all other spans, Agent Spec spans included, to the
/// tenant of the baggage. One warning in the log says so. If the step works for the other tenant,
/// enter baggage of that tenant inside of the scope.
///
/// # In front of another processor
///
/// If a provider has two processors, the SDK copies every finished span for each of them.
/// [`in_front_of`](Self::in_front_of) combines two processors into one.
///
/// ```
/// use agentspan_otel::BaggageSpanProcessor;
/// use opentelemetry_sdk::trace::SdkTracerProvider;
///
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(BaggageSpanProcessor::new())
///     .build();
/// # let _ = provider;
/// ```
#[derive(Clone, Debug, Default)]
pub struct BaggageSpanProcessor<Next = LastProcessor> {
    next: Next,
    identity: IdentitySource,
    profile: Profile,
    /// The fallback identity of spans outside of scopes.
    default_identity: Option<ScopeIdentity>,
    /// The limit of attributes for a span whose scope passes them to the next processor directly.
    most_beside: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum IdentitySource {
    #[default]
    Local,
    AnyBaggage,
}

impl BaggageSpanProcessor {
    /// A standalone processor, for a provider with other processors.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl<Next: SpanProcessor> BaggageSpanProcessor<Next> {
    /// A processor that passes its spans on to `next`.
    #[must_use]
    pub fn in_front_of(next: Next) -> Self {
        Self {
            next,
            identity: IdentitySource::Local,
            profile: Profile::default(),
            default_identity: None,
            most_beside: None,
        }
    }

    /// Declares that this is the only processor of its provider, and that the processor behind it
    /// [receives](agentspan_record::FinishedSpan::received) spans. Scopes then pass their
    /// attributes directly, up to `max_attributes`, so that the SDK's span does not hold a second
    /// copy.
    ///
    /// `max_attributes` must be the provider's limit, and the sampler must not add attributes.
    #[must_use]
    pub fn with_attributes_beside(mut self, max_attributes: u32) -> Self {
        self.most_beside = Some(usize::try_from(max_attributes).unwrap_or(usize::MAX));
        self
    }

    /// Sets the generation of the contract, which decides the copied keys. The default is
    /// [`Profile::default`].
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Sets the fallback identity: the tenant and the agent of spans that have none, neither of
    /// their own nor from baggage or an enclosing scope. Scopes do not use it, because they name
    /// their own tenant and agent. By default, such a span has no identity.
    #[must_use]
    pub fn with_identity(mut self, identity: &Identity) -> Self {
        self.default_identity = Some(ScopeIdentity::from(identity));
        self
    }

    /// Accepts everything from any baggage, also from the header of a request: the tenant, the
    /// agent, its user, and the people who call.
    ///
    /// Use this only if untrusted callers cannot reach the service: the sender of a header decides
    /// which tenant and agent get the spans, and with the token of which user of the agent.
    #[must_use]
    pub fn with_trusted_remote_identity(mut self) -> Self {
        self.identity = IdentitySource::AnyBaggage;
        self
    }

    /// Gives a scope what baggage says. What it lacks of the enclosing scope it takes itself, once
    /// it has its own attributes.
    fn give_to_scope(&self, span: &Span, is_invocation: bool, context: &Context) {
        let only = self.most_beside;
        if let Some(most) = only {
            starting::take_beside(span.span_context().span_id(), most);
        }
        // A sampler of the program may have added attributes. To see them is to copy the span.
        let existing = only.map_or_else(|| span.exported_data(), |_| None);
        let existing = existing.map(|span| span.attributes).unwrap_or_default();
        let copies = self.copies(context, is_invocation, &existing);
        if !copies.is_empty() {
            starting::give(copies);
        }
    }

    /// Gives the span of an Agent Spec span what baggage and the enclosing scope say, to be handed
    /// over beside it.
    fn give_to_bridge(&self, span: &Span, most: usize, is_invocation: bool, context: &Context) {
        starting::take_beside(span.span_context().span_id(), most);
        let mut given = self.copies(context, is_invocation, &[]);
        if let Some(scope) = self.scope_around(context) {
            let missing = scope.missing(given.iter(), self.profile);
            given.extend(missing.into_iter().flatten());
        }
        if !given.is_empty() {
            starting::give(given);
        }
    }

    fn copy_baggage(&self, span: &mut Span, is_invocation: bool, context: &Context) {
        let scope = self.scope_around(context);
        let has_baggage = !context.baggage().is_empty() || context.get::<LocalIdentity>().is_some();
        if !has_baggage && scope.is_none() {
            return;
        }
        // The only way to see a span's attributes and name. They are few while it starts.
        let Some(existing) = span.exported_data() else {
            return;
        };
        let reader = match is_invocation {
            true => BaggageReader::Invocation,
            false => self.reader(&existing, context),
        };
        let copies = match reader {
            BaggageReader::None => Vec::new(),
            reader => self.copies(
                context,
                reader == BaggageReader::Invocation,
                &existing.attributes,
            ),
        };
        // A span outside of any agent stays nobody's, unless it is in the scope of one.
        let scope = match reader {
            BaggageReader::None => context.get::<ScopeIdentity>(),
            _ => scope,
        };
        let all = existing.attributes.iter().chain(&copies);
        let missing = scope.map(|scope| scope.missing(all, self.profile));
        let missing = missing.unwrap_or_default();
        span.set_attributes(copies.into_iter().chain(missing.into_iter().flatten()));
    }

    /// Which part of the baggage a span reads that starts so.
    fn reader(&self, span: &SpanData, context: &Context) -> BaggageReader {
        let mut attributes = span.attributes.iter();
        let operation = attributes.rfind(|a| a.key.as_str() == keys::GEN_AI_OPERATION_NAME);
        let operation = operation.map(|attribute| match &attribute.value {
            opentelemetry::Value::String(name) => Some(name.as_str()),
            _ => None,
        });
        let scope = span.instrumentation_scope.name();
        let of_request = match self.identity {
            IdentitySource::Local => context.get().and_then(LocalIdentity::operation),
            IdentitySource::AnyBaggage => context.baggage().get(keys::GEN_AI_OPERATION_NAME),
        };
        let of_request = of_request.map(StringValue::as_str);
        BaggageReader::of(self.profile, &span.name, operation, scope, of_request)
    }

    /// The scope to which a span belongs that starts in `context` and names none.
    fn scope_around<'a>(&'a self, context: &'a Context) -> Option<&'a ScopeIdentity> {
        let scope = context.get::<ScopeIdentity>();
        scope.or(self.default_identity.as_ref())
    }

    /// The attributes that are copied to a span with these attributes.
    fn copies(
        &self,
        context: &Context,
        is_invocation: bool,
        existing: &[KeyValue],
    ) -> Vec<KeyValue> {
        let make = || self.all_copies(context);
        let of_request = Ready::of_context(context)
            .and_then(|ready| ready.copies(self.profile, self.identity, make));
        let made;
        let copies = match of_request {
            Some(copies) => copies,
            None => {
                made = self.all_copies(context);
                &made
            }
        };
        copies
            .of(is_invocation)
            .filter(|copy| existing.iter().all(|other| other.key != copy.key))
            .cloned()
            .collect()
    }

    fn all_copies(&self, context: &Context) -> Copies {
        let copied = CopiedBaggage::of(self.profile);
        let Some(values) = self.values(copied, context) else {
            return Copies::default();
        };
        let said = copied.keys.iter().zip(values);
        let said = said.filter_map(|(key, value)| Some(KeyValue::new(*key, value?.clone())));
        let common = |pair: &KeyValue| {
            let mut keys = copied.keys.iter().take(copied.common);
            keys.any(|key| *key == pair.key.as_str())
        };
        let (mut common, of_invocations): (Vec<_>, Vec<_>) = said.partition(common);
        let for_all = common.len();
        common.extend(of_invocations);
        Copies {
            said: common,
            for_all,
            custom: self.custom(context, copied).collect(),
        }
    }

    /// The baggage of the keys that this process added, but for those that every span has.
    fn custom(&self, context: &Context, copied: CopiedBaggage) -> impl Iterator<Item = KeyValue> {
        let local = context.get::<LocalIdentity>();
        let custom = local.map(LocalIdentity::custom).unwrap_or_default();
        let common = copied.keys.get(..copied.common).unwrap_or_default();
        let others = custom.iter().filter(|key| {
            let is_common = common.contains(&key.as_str());
            !is_common && !LocalIdentity::names_by(key.as_str())
        });
        others.filter_map(move |key| {
            let value = match LocalIdentity::is_of_request(key.as_str()) {
                true => context.baggage().get(key)?,
                false => local?.value(key.as_str())?,
            };
            Some(KeyValue::new(key.clone(), value.clone()))
        })
    }

    /// The values of the copied keys, each at its key's place. None when there are none.
    fn values<'a>(&self, copied: CopiedBaggage, context: &'a Context) -> Option<Values<'a>> {
        let local = match self.identity {
            IdentitySource::Local => context.get::<LocalIdentity>(),
            IdentitySource::AnyBaggage => None,
        };
        if context.baggage().is_empty() && local.is_none() {
            return None;
        }
        let mut values = [None; CopiedBaggage::MOST];
        let mut set = |key: &str, value: &'a StringValue| {
            let place = copied.keys.iter().position(|copied| *copied == key);
            if let Some(slot) = place.and_then(|at| values.get_mut(at)) {
                *slot = Some(value).filter(|value| !value.as_str().is_empty());
            }
        };
        for (key, (value, _)) in context.baggage() {
            if self.identity == IdentitySource::AnyBaggage
                || LocalIdentity::is_of_request(key.as_str())
            {
                set(key.as_str(), value);
            } else if let Some(key) = copied.keys.iter().find(|copied| **copied == key.as_str()) {
                log_if_claimed(key, local);
            }
        }
        for (key, value) in local.into_iter().flat_map(LocalIdentity::pairs) {
            set(key, value);
        }
        Some(values)
    }
}

/// Says once that a caller claims what only this process may say. It would be copied under `key`.
fn log_if_claimed(key: &'static str, local: Option<&LocalIdentity>) {
    // Nobody waits for it, as a child of a fork would for a subscriber that runs in its parent.
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    let mut said = local.into_iter().flat_map(LocalIdentity::pairs);
    let is_claimed = said.all(|(said, _)| said != key);
    if is_claimed && !IS_SAID.swap(true, Ordering::Relaxed) {
        contain::log(|| {
            tracing::debug!(
                target: "agentspan::otel::baggage",
                key,
                "a caller's baggage says who takes part in a request, which is ignored: see \
                 with_trusted_remote_identity; further ones are not logged"
            );
        });
    }
}

/// The values of the copied keys, each at its key's place.
type Values<'a> = [Option<&'a StringValue>; CopiedBaggage::MOST];

impl<Next: SpanProcessor> SpanProcessor for BaggageSpanProcessor<Next> {
    fn on_start(&self, span: &mut Span, context: &Context) {
        match (starting::what_starts(), self.most_beside) {
            (Some(Starts::Scope { is_invocation }), _) => {
                self.give_to_scope(span, is_invocation, context);
            }
            (Some(Starts::Bridged { is_invocation }), Some(most)) => {
                self.give_to_bridge(span, most, is_invocation, context);
            }
            (Some(Starts::Bridged { is_invocation }), None) => {
                self.copy_baggage(span, is_invocation, context);
            }
            (None, _) => self.copy_baggage(span, false, context),
        }
        // A panic costs the program nothing, and is counted.
        let _ = contain::call(|| self.next.on_start(span, context));
    }

    fn on_end(&self, span: SpanData) {
        let _ = contain::call(|| self.next.on_end(span));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.next.set_resource(resource);
    }
}

/// The end of a chain of processors. It does nothing.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct LastProcessor;

impl SpanProcessor for LastProcessor {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}
