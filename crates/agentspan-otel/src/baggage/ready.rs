//! What the baggage of a request gives to its spans, made once for all of them.

use std::ptr;
use std::sync::{Arc, OnceLock};

use agentspan_model::agent365::Profile;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::{Context, Key, KeyValue, StringValue};

use super::LocalIdentity;
use super::processor::IdentitySource;

/// What [`RequestBaggage`](super::RequestBaggage) puts into a context beside its baggage, for the
/// processor that copies baggage to spans: what is copied is the same for all spans of a request.
pub(super) struct Ready {
    pairs: Arc<[(Key, StringValue)]>,
    identity: LocalIdentity,
    copies: OnceLock<(Profile, IdentitySource, Copies)>,
}

/// The attributes that baggage gives to spans.
#[derive(Default)]
pub(super) struct Copies {
    /// Those of invocations.
    pub(super) all: Vec<KeyValue>,
    /// How many of them, from the first, are for every span.
    pub(super) for_all: usize,
}

impl Copies {
    /// Those of every span.
    pub(super) fn common(&self) -> &[KeyValue] {
        self.all.get(..self.for_all).unwrap_or(&self.all)
    }
}

impl Ready {
    pub(super) fn of(pairs: Arc<[(Key, StringValue)]>) -> Self {
        Self {
            identity: LocalIdentity::of(&pairs),
            pairs,
            copies: OnceLock::new(),
        }
    }

    /// What was put into a context, if the context has just that baggage and that identity.
    pub(super) fn of_context(context: &Context) -> Option<&Self> {
        let ready = context.get::<Arc<Self>>()?;
        let there = context.baggage();
        // Text that lies in the same place is the same.
        let is_own = |key: &Key, value: &StringValue| {
            let mut own = ready.pairs.iter();
            let own = own.find(|(_, own)| ptr::eq(own.as_str(), value.as_str()));
            own.is_some_and(|(own, _)| ptr::eq(own.as_str(), key.as_str()) || own == key)
        };
        let is_same = there.len() == ready.pairs.len()
            && there.iter().all(|(key, (value, _))| is_own(key, value));
        let identity = context.get::<LocalIdentity>();
        let is_local = match identity {
            Some(identity) => *identity == ready.identity,
            None => ready.identity == LocalIdentity::default(),
        };
        (is_same && is_local).then_some(ready)
    }

    /// What a processor of this kind copies, made when the first span asks. None if the first that
    /// asked was a processor of another kind.
    pub(super) fn copies(
        &self,
        profile: Profile,
        source: IdentitySource,
        make: impl FnOnce() -> Copies,
    ) -> Option<&Copies> {
        let made = self.copies.get_or_init(|| (profile, source, make()));
        let (of_profile, of_source, copies) = made;
        (*of_profile == profile && *of_source == source).then_some(copies)
    }
}
