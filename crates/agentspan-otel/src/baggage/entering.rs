//! The baggage, the identity and the token in the context of a span that is entered.

use std::ptr;

use agentspan_record::RequestToken;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry::{Context, Key};

use super::meeting::{are_for_others, is_of_other_request, with_merged_baggage};
use super::{LocalIdentity, ScopeIdentity};

/// In which trace of Agent Spec the span is that is current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CurrentTrace {
    /// In that of the span that is entered.
    Same,
    /// In another one, or in none.
    Other,
}

/// The context for a span that is entered while `current` is the current context, with the baggage,
/// the identity and the token that are new in `current`. `None` if nothing is new.
///
/// `context` is the one that it started in, `base` that of the agent span that was around it then.
/// Adds the values that were entered around the span since it started: they are current and not
/// from `base`, and win over the values at its start key by key, or an identity as a whole. Values
/// from `base` are older than the span, which may have started with others.
pub(crate) fn with_news(
    context: &Context,
    current: &Context,
    base: Option<&Context>,
    trace: CurrentTrace,
) -> Option<Context> {
    if has_same_request(context, current) {
        return None;
    }
    let mut news = Context::new();
    let mut is_new = false;
    if let Some(baggage) = new_baggage(current, context, base) {
        is_new = true;
        news = news.with_baggage(baggage);
    }
    let identity = current.get::<LocalIdentity>().filter(|current| {
        let is_older = current.is_within(base.and_then(Context::get));
        !is_older && !current.is_within(context.get())
    });
    if let Some(identity) = identity {
        is_new = true;
        let base = base.filter(|base| !is_of_other_request(current, base));
        let older = base.and_then(Context::get);
        news = news.with_value(identity.clone().since(older));
    }
    // A scope that is not in the trace may be that of another tenant, which works on the same
    // thread, or below the same span of OpenTelemetry.
    let is_local = context.get().is_some_and(LocalIdentity::names_somebody);
    let has_own = is_local || context.get::<ScopeIdentity>().is_some();
    let scope = new_value::<ScopeIdentity>(current, context, base)
        .filter(|_| trace == CurrentTrace::Same || !has_own);
    // Baggage goes before scopes, and then stays as it is.
    if let Some(scope) = scope.filter(|_| !is_local) {
        is_new = true;
        news = news.with_value(scope.clone());
    }
    let mut changed = is_new.then(|| with_merged_baggage(context, &news, context));
    changed = with_value(changed, context, scope);
    // The token of a request goes with its identity, or not at all.
    let token = new_value::<RequestToken>(current, context, base).filter(|token| {
        let entered = changed.as_ref().unwrap_or(context);
        !token.is_withheld() && !are_for_others(current, entered)
    });
    with_value(changed, context, token)
}

/// Whether both have the very same baggage, identity and token, as a span and what it started in
/// do. Contexts that others are made from share their values with those.
fn has_same_request(one: &Context, other: &Context) -> bool {
    ptr::eq(one.baggage(), other.baggage())
        && is_shared::<LocalIdentity>(one, other)
        && is_shared::<ScopeIdentity>(one, other)
        && is_shared::<RequestToken>(one, other)
}

/// Whether both have one value between them, or none.
pub(super) fn is_shared<T: 'static>(one: &Context, other: &Context) -> bool {
    match (one.get::<T>(), other.get::<T>()) {
        (Some(one), Some(other)) => ptr::eq(one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The current value, if it is new.
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

/// The current baggage that is new. None if nothing of it is, or the span has all of it.
fn new_baggage(current: &Context, context: &Context, base: Option<&Context>) -> Option<Baggage> {
    let all = current.baggage();
    let is_same = |other: &Context| ptr::eq(all, other.baggage());
    if all.is_empty() || is_same(context) || base.is_some_and(is_same) {
        return None;
    }
    let is_in = |place: &Context, key: &Key| {
        place.baggage().get_with_metadata(key) == all.get_with_metadata(key)
    };
    // Where another request is current than at the start, all of its baggage is its own.
    let base = base.filter(|base| !is_of_other_request(current, base));
    let is_new = |key: &Key| !base.is_some_and(|base| is_in(base, key));
    let is_identity = |key: &Key| LocalIdentity::is_said_by(key.as_str());
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
