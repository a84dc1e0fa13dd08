//! Which baggage, whose identity and which token a span has that is entered.

use std::ptr;

use agentspan_record::RequestToken;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, Key};

use super::{LocalIdentity, ScopeIdentity, with_merged_baggage};

/// The context of a span that is entered while `current` is, with the baggage, the identity and the
/// token that are new there. None if nothing is.
///
/// `context` is the one that it started in, `base` that of the agent span that was around it then.
/// What is current and not from `base` was entered around the span since, and wins over what was
/// current at its start, key by key; an identity does as a whole. What comes from `base` is older
/// than the span, which may have started with something else.
pub(crate) fn with_news(
    context: &Context,
    current: &Context,
    base: Option<&Context>,
) -> Option<Context> {
    let mut changed = None;
    let baggage = new_baggage(current, context, base);
    let identity = current.get::<LocalIdentity>();
    let identity = identity.filter(|current| {
        let is_older = current.is_within(base.and_then(Context::get));
        !is_older && !current.is_within(context.get())
    });
    if baggage.is_some() || identity.is_some() {
        let mut news = Context::new();
        if let Some(baggage) = baggage {
            news = news.with_baggage(baggage);
        }
        if let Some(identity) = identity {
            news = news.with_value(identity.clone());
        }
        changed = Some(with_merged_baggage(context, &news, context));
    }
    // That of a scope of another trace may be of another tenant that works on the same thread.
    let is_same_trace =
        current.span().span_context().trace_id() == context.span().span_context().trace_id();
    let takes_scope = is_same_trace || context.get::<ScopeIdentity>().is_none();
    let scope = new_value::<ScopeIdentity>(current, context, base).filter(|_| takes_scope);
    let token = new_value::<RequestToken>(current, context, base);
    let changed = with_value(changed, context, scope);
    with_value(changed, context, token)
}

/// What is current and new.
fn new_value<'a, T: PartialEq + 'static>(
    current: &'a Context,
    context: &Context,
    base: Option<&Context>,
) -> Option<&'a T> {
    let value = current.get::<T>();
    let is_new = value != base.and_then(Context::get) && value != context.get();
    value.filter(|_| is_new)
}

/// `changed`, or else `context`, with `value` if there is one.
fn with_value<T: Clone + Send + Sync + 'static>(
    changed: Option<Context>,
    context: &Context,
    value: Option<&T>,
) -> Option<Context> {
    match value {
        Some(value) => Some(
            changed
                .as_ref()
                .unwrap_or(context)
                .with_value(value.clone()),
        ),
        None => changed,
    }
}

/// Nothing of a context but for whom its spans are.
pub(crate) fn request_of(context: &Context) -> Context {
    let baggage = context.baggage().iter();
    let baggage: Baggage = baggage
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut request = Context::new().with_baggage(baggage);
    if let Some(identity) = context.get::<LocalIdentity>() {
        request = request.with_value(identity.clone());
    }
    if let Some(token) = context.get::<RequestToken>() {
        request = request.with_value(token.clone());
    }
    match context.get::<ScopeIdentity>() {
        Some(scope) => request.with_value(scope.clone()),
        None => request,
    }
}

/// What is current and new. None if nothing of it is, or the span has all of it.
fn new_baggage(current: &Context, context: &Context, base: Option<&Context>) -> Option<Baggage> {
    let all = current.baggage();
    let is_same = |other: &Context| ptr::eq(all, other.baggage());
    if all.is_empty() || is_same(context) || base.is_some_and(is_same) {
        return None;
    }
    let is_in = |place: &Context, key: &Key| {
        place.baggage().get_with_metadata(key) == all.get_with_metadata(key)
    };
    let is_new = |key: &Key| !base.is_some_and(|base| is_in(base, key));
    let is_identity = |key: &Key| LocalIdentity::half_of(key.as_str()).is_some();
    let mut keys = all.iter().map(|(key, _)| key);
    let has_identity = keys.any(|key| is_identity(key) && is_new(key));
    let mut news = Baggage::new();
    let mut is_known = true;
    for (key, (value, metadata)) in all {
        if is_new(key) || (has_identity && is_identity(key)) {
            is_known &= is_in(context, key);
            news.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        }
    }
    (!is_known).then_some(news)
}
