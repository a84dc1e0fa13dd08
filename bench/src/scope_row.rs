//! Rows: a scope beside the same span made by hand with the tracer.
//!
//! One run makes turns: an agent's invocation, in it a call of a language model, a tool and another
//! call, all made current, with the attributes and events of the test kit's turn. What is done by
//! hand gives the same spans; a test compares them.

pub(crate) mod by_hand;
pub(crate) mod data;
pub(crate) mod discard;
pub(crate) mod scopes;

use agentspan_otel::ScopeTracer;
use opentelemetry::trace::noop::NoopTracerProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};
use crate::scope_row::by_hand::turn_by_hand;
use crate::scope_row::data::{EventNames, TurnData};
use crate::scope_row::discard::Discard;
use crate::scope_row::scopes::turn_of_scopes;

const SCOPES: &str = "agentspan scopes";
const BY_HAND: &str = "by hand with the SDK's tracer";
const SCOPES_OFF: &str = "agentspan scopes, switched off";
const UNSAMPLED: &str = "by hand, sampler AlwaysOff";
const NOOP: &str = "by hand with NoopTracer";

/// How many turns one run makes.
const TURNS: usize = 64;

const SPANS: usize = TURNS * agentspan_testkit::turn::SPANS;

pub(crate) fn recording() -> Result<Row, BenchError> {
    let title = "scopes, and the same spans by hand: started, made current, ended, thrown away";
    let goal = Goal::new("the same spans as by hand", Metric::Caller, SCOPES);
    Ok(Row::turns("scope", title, SPANS)
        .contender(Scopes {
            name: SCOPES,
            enabled: true,
            tracer: ScopeTracer::new(&recording_provider()),
            data: TurnData::new(EventNames::TURN)?,
        })
        .contender(ByHand {
            name: BY_HAND,
            tracer: recording_provider().tracer("bench"),
            data: TurnData::new(EventNames::TURN)?,
        })
        .goal(goal.over(BY_HAND).at_most(1.15)))
}

pub(crate) fn switched_off() -> Result<Row, BenchError> {
    let unsampled = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOff)
        .with_span_processor(Discard)
        .build();
    let title = "the same spans, without events, with telemetry switched off";
    let goal = |metric| Goal::new("scopes off, details made before", metric, SCOPES_OFF);
    Ok(Row::turns("scope-off", title, SPANS)
        .contender(Scopes {
            name: SCOPES_OFF,
            enabled: false,
            tracer: ScopeTracer::new(&recording_provider()),
            data: TurnData::new(EventNames::NONE)?,
        })
        .contender(ByHand {
            name: UNSAMPLED,
            tracer: unsampled.tracer("bench"),
            data: TurnData::new(EventNames::NONE)?,
        })
        .contender(ByHand {
            name: NOOP,
            tracer: NoopTracerProvider::new().tracer("bench"),
            data: TurnData::new(EventNames::NONE)?,
        })
        .goal(goal(Metric::Caller).over(NOOP).at_most(0.04))
        .goal(goal(Metric::Allocations).at_most(0.0)))
}

fn recording_provider() -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_span_processor(Discard)
        .build()
}

struct Scopes {
    name: &'static str,
    enabled: bool,
    tracer: ScopeTracer,
    data: TurnData,
}

impl Contender for Scopes {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        agentspan_otel::scopes::set_enabled(self.enabled);
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            turn_of_scopes(&self.tracer, &self.data);
        }
    }
}

struct ByHand<T> {
    name: &'static str,
    tracer: T,
    data: TurnData,
}

impl<T> Contender for ByHand<T>
where
    T: Tracer,
    T::Span: Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            turn_by_hand(&self.tracer, &self.data);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry_sdk::trace::SpanData;

    use super::discard::Keep;
    use super::*;

    fn spans_of(turn: impl FnOnce(&SdkTracerProvider)) -> Vec<SpanData> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Keep(Arc::clone(&kept)))
            .build();
        turn(&provider);
        std::mem::take(&mut *kept.lock().unwrap())
    }

    #[test]
    fn by_hand_makes_the_spans_that_scopes_make() {
        let data = TurnData::new(EventNames::TURN).unwrap();
        let scopes = spans_of(|provider| turn_of_scopes(&ScopeTracer::new(provider), &data));
        let by_hand = spans_of(|provider| turn_by_hand(&provider.tracer("bench"), &data));
        assert_eq!(scopes.len(), agentspan_testkit::turn::SPANS);
        assert_eq!(by_hand.len(), scopes.len());
        for (scope, hand) in scopes.iter().zip(&by_hand) {
            assert_eq!(scope.name, hand.name);
            assert_eq!(scope.span_kind, hand.span_kind);
            assert_eq!(scope.attributes, hand.attributes, "{}", scope.name);
            let events = |span: &SpanData| {
                let events = span.events.iter();
                let parts = events.map(|event| (event.name.clone(), event.attributes.clone()));
                parts.collect::<Vec<_>>()
            };
            assert_eq!(events(scope), events(hand), "{}", scope.name);
            assert_eq!(scope.status, hand.status);
        }
        let attributes: Vec<_> = scopes.iter().map(|span| span.attributes.len()).collect();
        assert_eq!(attributes, [10, 6, 10, 12]);
        let parent = scopes[3].span_context.span_id();
        assert!(scopes[..3].iter().all(|span| span.parent_span_id == parent));
        assert_eq!(by_hand[0].parent_span_id, by_hand[3].span_context.span_id());
    }
}
