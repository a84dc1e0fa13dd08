//! Which baggage, whose identity and which token a span has that is entered.

use std::ptr;

use agentspan_record::RequestToken;
use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};

use super::{LocalIdentity, ScopeIdentity, with_merged_baggage};

/// The context of a span that is entered while `current` is, with the baggage, the identity and the token that are
/// new there. None if nothing is.
///
/// `context` is the one that it started in, `base` that of the agent span that was around it then. What is
/// current and not from `base` was entered around the span since, and wins over what was current at its start, key
/// by key. What comes from `base` is older than the span, which may have started with something else.
pub(crate) fn with_news(
    context: &Context,
    current: &Context,
    base: Option<&Context>,
) -> Option<Context> {
    let mut changed = None;
    let baggage = new_baggage(current, context, base);
    let identity = current.get::<LocalIdentity>();
    let identity = identity.and_then(|current| {
        let news = current.news(base.and_then(Context::get));
        let own = context.get::<LocalIdentity>();
        (!news.is_within(own)).then_some(news)
    });
    if baggage.is_some() || identity.is_some() {
        let mut news = Context::new();
        if let Some(baggage) = baggage {
            news = news.with_baggage(baggage);
        }
        if let Some(identity) = identity {
            news = identity.add_to(news);
        }
        changed = Some(with_merged_baggage(context, &news, context));
    }
    let scope = new_value::<ScopeIdentity>(current, context, base);
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
    let mut news = Baggage::new();
    let mut is_known = true;
    for (key, (value, metadata)) in all {
        let here = Some((value, metadata));
        if base
            .is_some_and(|base| base.baggage().get_with_metadata(key).map(|(v, m)| (v, m)) == here)
        {
            continue;
        }
        is_known &= context
            .baggage()
            .get_with_metadata(key)
            .map(|(v, m)| (v, m))
            == here;
        news.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
    }
    (!is_known).then_some(news)
}
