//! Foreign code that panics on the threads of the program costs them nothing: span processors, samplers,
//! instruments of metrics, and errors that cannot be shown. The faults are those of A11.

use std::fmt;
use std::panic::panic_any;
use std::sync::Arc;
use std::time::Duration;

use agentspan_otel::export_metrics::{Counted, ExportCounts};
use agentspan_otel::{AgentMetrics, BaggageSpanProcessor, ExportMetrics};
use opentelemetry::metrics::{
    Histogram, HistogramBuilder, InstrumentProvider, Meter, MeterProvider as _, SyncInstrument,
};
use opentelemetry::trace::{Span as _, Tracer, TracerProvider as _};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::meters::Meters;
use crate::recorder::Recorder;

/// What foreign code may panic with: dropping it panics, too.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any("the payload panics as well");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Start,
    End,
}

#[derive(Debug)]
struct Panics(When);

impl Panics {
    fn at(&self, when: When) {
        if self.0 == when {
            panic_any(PanicsWhenDropped);
        }
    }
}

impl SpanProcessor for Panics {
    fn on_start(&self, _span: &mut Span, _context: &Context) {
        self.at(When::Start);
    }

    fn on_end(&self, _span: SpanData) {
        self.at(When::End);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn a11_a_scope_starts_and_ends_although_a_span_processor_panics() {
    for when in [When::Start, When::End] {
        let recorder = Recorder::with(|builder| builder.with_span_processor(Panics(when)));
        let tool = recorder.tool("a");
        tool.record_response("b");
        drop(tool);
    }
}

#[test]
fn a11_a_processor_behind_one_of_ours_may_panic() {
    for when in [When::Start, When::End] {
        let recorder = Recorder::with(|builder| {
            builder.with_span_processor(BaggageSpanProcessor::in_front_of(Panics(when)))
        });
        recorder.provider.tracer("t").start("a").end();
        // The processors after them see the span.
        assert_eq!(recorder.span().name, "a");
    }
}

#[test]
fn a11_an_error_that_cannot_be_shown_is_recorded() {
    struct Unshowable;
    impl fmt::Display for Unshowable {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic_any(PanicsWhenDropped)
        }
    }
    let recorder = Recorder::new();
    recorder.tool("a").record_error(&Unshowable);
    let status = format!("{:?}", recorder.span().status);
    assert!(status.contains("an error whose text panics"), "{status}");
}

/// Its histograms panic.
struct PanickingMeter;

impl InstrumentProvider for PanickingMeter {
    fn f64_histogram(&self, _: HistogramBuilder<'_, Histogram<f64>>) -> Histogram<f64> {
        Histogram::new(Arc::new(PanickingInstrument))
    }
}

struct PanickingInstrument;

impl<T> SyncInstrument<T> for PanickingInstrument {
    fn measure(&self, _: T, _: &[KeyValue]) {
        panic_any(PanicsWhenDropped)
    }
}

#[test]
fn a11_an_instrument_that_panics_costs_its_measurement() {
    let meter = Meter::new(Arc::new(PanickingMeter));
    let metrics = AgentMetrics::new(&meter);
    let recorder = Recorder::with(|builder| builder.with_span_processor(metrics));
    drop(recorder.tool("a"));
    assert_eq!(recorder.spans().len(), 1);
}

#[test]
fn a11_a_destination_whose_counts_panic_is_left_out() {
    let meters = Meters::new();
    let meter = meters
        .provider
        .meter_with_scope(InstrumentationScope::builder("t").build());
    let good = || ExportCounts {
        accepted: 3,
        ..ExportCounts::default()
    };
    let bad = || -> ExportCounts { panic_any(PanicsWhenDropped) };
    let _metrics = ExportMetrics::builder()
        .with_source("bad", Counted::Spans, bad)
        .with_source("good", Counted::Spans, good)
        .start(&meter);
    let series = meters.collect();
    let accepted = series.iter().filter(|(name, _)| name.contains("accepted"));
    let accepted: Vec<_> = accepted.map(|(_, count)| *count).collect();
    assert_eq!(accepted, [3.0]);
}
