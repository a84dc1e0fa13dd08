//! Row: what `AgentMetrics` costs where spans end, for scopes and for spans of a framework.

use std::time::Duration;

use agentspan_otel::{AgentMetrics, ScopeTracer};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::{Span as _, SpanBuilder, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use crate::error::BenchError;
use crate::goal::Goal;
use crate::metric::Metric;
use crate::row::{Contender, Row};
use crate::scope_row::data::{EventNames, TurnData};
use crate::scope_row::discard::Discard;
use crate::scope_row::scopes::turn_of_scopes;

const SCOPES: &str = "scopes, measured";
const SCOPES_ALONE: &str = "scopes";
const FRAMEWORK: &str = "calls of a framework, measured";
const FRAMEWORK_ALONE: &str = "calls of a framework";

/// How many turns one run makes.
const TURNS: usize = 64;

const SPANS: usize = TURNS * agentspan_testkit::turn::SPANS;

pub(crate) fn row() -> Result<Row, BenchError> {
    let title = "spans, made and thrown away, with AgentMetrics and without";
    let goal = |what, ours, alone| {
        let goal = Goal::new(what, Metric::Caller, ours);
        goal.above(alone).at_most(1_000.0)
    };
    Ok(Row::turns("metrics", title, SPANS)
        .contender(Scopes::new(SCOPES, measuring())?)
        .contender(Scopes::new(SCOPES_ALONE, plain())?)
        .contender(Framework::new(FRAMEWORK, measuring()))
        .contender(Framework::new(FRAMEWORK_ALONE, plain()))
        .goal(goal("metrics of a scope", SCOPES, SCOPES_ALONE))
        .goal(goal(
            "metrics of a framework's span",
            FRAMEWORK,
            FRAMEWORK_ALONE,
        )))
}

/// Makes spans, and what measures them, which stops when it is dropped.
struct Site {
    spans: SdkTracerProvider,
    meters: Option<SdkMeterProvider>,
}

fn plain() -> Site {
    let spans = SdkTracerProvider::builder()
        .with_span_processor(Discard)
        .build();
    Site {
        spans,
        meters: None,
    }
}

fn measuring() -> Site {
    let meters = SdkMeterProvider::builder()
        .with_periodic_exporter(Forget)
        .build();
    let spans = SdkTracerProvider::builder()
        .with_span_processor(AgentMetrics::new(&meters.meter("bench")))
        .build();
    Site {
        spans,
        meters: Some(meters),
    }
}

/// Throws metrics away, once a minute.
struct Forget;

impl PushMetricExporter for Forget {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        std::hint::black_box(metrics);
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

struct Scopes {
    name: &'static str,
    tracer: ScopeTracer,
    data: TurnData,
    _meters: Option<SdkMeterProvider>,
}

impl Scopes {
    fn new(name: &'static str, site: Site) -> Result<Self, BenchError> {
        Ok(Self {
            name,
            tracer: ScopeTracer::new(&site.spans),
            data: TurnData::new(EventNames::NONE)?,
            _meters: site.meters,
        })
    }
}

impl Contender for Scopes {
    fn name(&self) -> &'static str {
        self.name
    }

    fn prepare(&mut self) {
        agentspan_otel::scopes::set_enabled(true);
    }

    fn run(&mut self) {
        for _ in 0..TURNS {
            turn_of_scopes(&self.tracer, &self.data);
        }
    }
}

/// Calls of a model, in the words of today's conventions, with numbers as texts.
struct Framework {
    name: &'static str,
    tracer: SdkTracer,
    _meters: Option<SdkMeterProvider>,
}

impl Framework {
    fn new(name: &'static str, site: Site) -> Self {
        Self {
            name,
            tracer: site.spans.tracer("bench"),
            _meters: site.meters,
        }
    }
}

impl Contender for Framework {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self) {
        for _ in 0..SPANS {
            let builder = SpanBuilder::from_name("chat").with_attributes([
                KeyValue::new("gen_ai.operation.name", "chat"),
                KeyValue::new("gen_ai.provider.name", "openai"),
                KeyValue::new("gen_ai.request.model", "gpt-4o"),
                KeyValue::new("gen_ai.response.model", "gpt-4o-2024-11-20"),
                KeyValue::new("gen_ai.usage.input_tokens", "100"),
                KeyValue::new("gen_ai.usage.output_tokens", "42"),
                KeyValue::new("gen_ai.input.messages", "[]"),
                KeyValue::new("gen_ai.output.messages", "[]"),
            ]);
            self.tracer.build(builder).end();
        }
    }
}
