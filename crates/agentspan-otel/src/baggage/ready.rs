//! The attributes that the baggage of a request gives to its spans, built once for all of them.

use std::ptr;
use std::sync::{Arc, OnceLock};

use agentspan_model::agent365::Profile;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::LocalIdentity;
use super::entering::is_shared;
use super::processor::IdentitySource;

/// The attributes that the processor of baggage makes of a
/// [`RequestBaggage`](super::RequestBaggage): they are the same for all spans of the request.
#[derive(Default)]
pub(super) struct Ready(OnceLock<(Profile, IdentitySource, Copies)>);

/// The attributes that baggage gives to spans.
#[derive(Default)]
pub(super) struct Copies {
    /// The attributes that invocations have by contract.
    pub(super) said: Vec<KeyValue>,
    /// How many of them, from the first, are for every span.
    pub(super) for_all: usize,
    /// The attributes of keys that this process added. They come last on every span.
    pub(super) custom: Vec<KeyValue>,
}

/// The value that lies in a context beside the baggage that it is made of.
#[derive(Clone)]
struct Beside {
    ready: Arc<Ready>,
    /// As the baggage was entered, without the span. It keeps baggage and identity where they are,
    /// so that no other can lie there later. What lay beside other baggage is not in it: a task that
    /// enters baggage again and again would keep all contexts that it ever had.
    entered: Context,
}

impl Copies {
    /// The attributes of an invocation, or of another span.
    pub(super) fn of(&self, is_invocation: bool) -> impl Iterator<Item = &KeyValue> {
        let for_all = self.said.get(..self.for_all);
        let said = for_all.filter(|_| !is_invocation).unwrap_or(&self.said);
        let is_said = |custom: &KeyValue| said.iter().any(|pair| pair.key == custom.key);
        let custom = self.custom.iter().filter(move |custom| !is_said(custom));
        said.iter().chain(custom)
    }
}

impl Ready {
    /// `context`, whose baggage and identity are those that this is made of, with this.
    pub(super) fn add_to(self: &Arc<Self>, context: &Context) -> Context {
        let beside = |entered| Beside {
            ready: Arc::clone(self),
            entered,
        };
        let mut entered = context.with_remote_span_context(SpanContext::NONE);
        if entered.get::<Beside>().is_some() {
            // Nothing can be taken out of a context.
            entered = entered.with_value(beside(Context::new()));
        }
        context.with_value(beside(entered))
    }

    /// The value that was put into a context, if nobody has changed its baggage or its identity
    /// since: contexts that are made from another one share both with it.
    pub(super) fn of_context(context: &Context) -> Option<&Self> {
        let Beside { ready, entered } = context.get()?;
        let is_same = ptr::eq(context.baggage(), entered.baggage())
            && is_shared::<LocalIdentity>(context, entered);
        is_same.then_some(ready)
    }

    /// The copies for a processor of this kind, made when the first span asks. None if the first
    /// that asked was a processor of another kind.
    pub(super) fn copies(
        &self,
        profile: Profile,
        source: IdentitySource,
        make: impl FnOnce() -> Copies,
    ) -> Option<&Copies> {
        let made = self.0.get_or_init(|| (profile, source, make()));
        let (of_profile, of_source, copies) = made;
        (*of_profile == profile && *of_source == source).then_some(copies)
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::baggage::Baggage;

    use super::super::{BaggageBuilder, RequestBaggage};
    use super::*;

    fn baggage(tenant: &str) -> RequestBaggage {
        let builder = BaggageBuilder::for_profile(Profile::V0_1);
        builder
            .with_tenant_id(tenant)
            .with_agent_id("agent")
            .build()
    }

    fn is_ready(context: &Context) -> bool {
        Ready::of_context(context).is_some()
    }

    fn other(tenant: &'static str) -> Baggage {
        let mut baggage = Baggage::new();
        baggage.insert("tenant.id", tenant);
        baggage
    }

    #[test]
    fn what_is_ready_counts_as_long_as_nobody_changes_what_it_is_made_of() {
        let entered = baggage("t1").to_context(&Context::new());
        assert!(is_ready(&entered));
        assert!(is_ready(&entered.with_value(1_u8)));
        assert!(!is_ready(&entered.with_baggage(other("t2"))));
        let identity = LocalIdentity::of(&[], &[]);
        assert!(!is_ready(&entered.with_value(identity)));
        assert!(is_ready(&baggage("t1").to_context(&entered)));
        let more = BaggageBuilder::for_profile(Profile::V0_1).with_conversation_id("c");
        let both = more.build().to_context(&entered);
        assert!(!is_ready(&both), "the tenant is of the outer one");
        assert!(is_ready(&baggage("t2").to_context(&both)), "nothing stays");
        assert!(!is_ready(&baggage("t1").to_context(&both)));
    }

    #[test]
    fn baggage_that_takes_the_place_of_what_is_gone_is_another() {
        for _ in 0..100 {
            let entered = baggage("t1").to_context(&Context::new());
            let changed = entered.with_baggage(Baggage::new());
            drop(entered);
            // Freed memory is given out again.
            let again: Vec<_> = (0..8).map(|_| changed.with_baggage(other("t2"))).collect();
            assert!(!again.iter().any(is_ready));
        }
    }
}
