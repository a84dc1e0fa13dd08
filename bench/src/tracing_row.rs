//! Row: the layer that captures agents, beside `tracing-opentelemetry` alone.
//!
//! A turn is a request, in it an agent, and in that two calls of a model and a tool, with the fields
//! that rig writes: some at the start, some later. All spans reach the exporter's side and are thrown
//! away. The peer has its defaults, and, as a second one, the settings that the layer gives it; the third has
//! these and one filter, as a program has it that keeps spans of its libraries out.

mod turn;

use agentspan_tracing::{RelatedSpans, TracingSettings};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanProcessor};
use tracing::Dispatch;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry};

use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};
use crate::scope_row::discard::Discard;
use crate::tracing_row::turn::{SPANS, turn};

const OURS: &str = "agentspan tracing layer";
const ALONE: &str = "tracing-opentelemetry";
const WITHOUT_NOISE: &str = "tracing-opentelemetry, without locations, threads and times";
const FILTERED: &str = "tracing-opentelemetry, the same, behind a filter";

/// How many turns one run makes.
const TURNS: usize = 64;

pub(crate) fn row() -> Row {
    let title = "spans of tracing, captured, made current, ended, thrown away";
    let goal = |what, metric| Goal::new(what, metric, OURS).at_most(1.1);
    Row::turns("tracing", title, TURNS * SPANS)
        .contender(Traced::ours(Discard))
        .contender(Traced::alone(Discard))
        .contender(Traced::without_noise(Discard))
        .contender(Traced::filtered(Discard))
        .goal(goal("the tracing layer", Metric::Caller).over(ALONE))
        .goal(goal("the tracing layer, instructions", Metric::Instructions).over(ALONE))
        .goal(
            goal(
                "the tracing layer, instructions, same settings",
                Metric::Instructions,
            )
            .over(WITHOUT_NOISE),
        )
        .goal(
            goal(
                "the tracing layer, instructions, same settings and a filter",
                Metric::Instructions,
            )
            .over(FILTERED),
        )
}

struct Traced {
    name: &'static str,
    dispatch: Dispatch,
    _provider: SdkTracerProvider,
}

impl Traced {
    fn ours(processor: impl SpanProcessor + 'static) -> Self {
        let provider = provider(RelatedSpans::in_front_of(processor));
        let layer = agentspan_tracing::layer(&provider, TracingSettings::new());
        Self {
            name: OURS,
            dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)),
            _provider: provider,
        }
    }

    fn alone(processor: impl SpanProcessor + 'static) -> Self {
        let provider = provider(processor);
        let layer = OpenTelemetryLayer::new(provider.tracer("bench"));
        Self {
            name: ALONE,
            dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)),
            _provider: provider,
        }
    }

    fn without_noise(processor: impl SpanProcessor + 'static) -> Self {
        let provider = provider(processor);
        Self {
            name: WITHOUT_NOISE,
            dispatch: Dispatch::new(tracing_subscriber::registry().with(quiet(&provider))),
            _provider: provider,
        }
    }

    fn filtered(processor: impl SpanProcessor + 'static) -> Self {
        let provider = provider(processor);
        let layer = quiet(&provider).with_filter(LevelFilter::INFO);
        Self {
            name: FILTERED,
            dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)),
            _provider: provider,
        }
    }
}

fn quiet(provider: &SdkTracerProvider) -> OpenTelemetryLayer<Registry, SdkTracer> {
    OpenTelemetryLayer::new(provider.tracer("bench"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_target(false)
}

fn provider(processor: impl SpanProcessor + 'static) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_span_processor(processor)
        .build()
}

impl Contender for Traced {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self) {
        tracing::dispatcher::with_default(&self.dispatch, || (0..TURNS).for_each(|_| turn()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use crate::scope_row::discard::Keep;

    use super::*;

    #[test]
    fn all_contenders_make_the_same_spans() {
        let made = |contender: fn(Keep) -> Traced| {
            let kept = Arc::new(Mutex::new(Vec::new()));
            contender(Keep(Arc::clone(&kept))).run();
            let spans = std::mem::take(&mut *kept.lock().unwrap());
            let facts = spans.iter().map(|span| {
                let said = span.attributes.iter();
                let said = said.filter(|it| it.key.as_str().starts_with("gen_ai."));
                (span.name.clone(), said.cloned().collect::<Vec<_>>())
            });
            facts.collect::<Vec<_>>()
        };
        let ours = made(Traced::ours);
        assert_eq!(ours.len(), TURNS * SPANS);
        assert_eq!(ours, made(Traced::alone));
        assert_eq!(ours, made(Traced::without_noise));
        assert_eq!(ours, made(Traced::filtered));
        assert_eq!(ours[0].1.len(), 9, "{:?}", ours[0]);
    }
}
