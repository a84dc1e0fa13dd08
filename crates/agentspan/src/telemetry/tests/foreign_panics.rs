//! A11, F4: panics of subscribers and processors do not reach the thread that flushes, shuts down or drops.

use std::panic::panic_any;

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_default;
use tracing::{Event, Metadata, Subscriber};

use super::*;

/// Panics when it is dropped, as the payload of a panic may.
struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic_any("dropped on purpose");
    }
}

/// Panics over every event.
pub(super) struct PanickingSubscriber;

impl Subscriber for PanickingSubscriber {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn event(&self, _event: &Event<'_>) {
        panic_any(PanicsWhenDropped);
    }

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

#[test]
fn a11_a_subscriber_that_panics_over_the_warning_of_a_drop() {
    let before = contain::panics();
    let (hanging, release) = Hanging::new();
    let hanging = ExportQueue::builder("hanging", hanging).build().unwrap();
    let mut telemetry = with_queues(vec![hanging]);
    telemetry.flush_on_drop = Duration::from_millis(1);
    telemetry.tracer("t").start("s").end();
    let _guard = set_default(PanickingSubscriber);
    drop(telemetry);
    assert!(contain::panics() > before);
    drop(release);
}

/// Panics in a flush and in a shutdown.
#[derive(Debug)]
struct Panicking;

impl SpanProcessor for Panicking {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, _span: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        panic_any(PanicsWhenDropped)
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        panic_any(PanicsWhenDropped)
    }
}

fn panicking() -> Telemetry {
    let kept = ExportQueue::builder("kept", InMemorySpanExporter::default());
    telemetry(kept, Panicking)
}

#[test]
fn f4_a_processor_that_panics_is_an_error_and_no_deadline_that_passed() {
    let telemetry = panicking();
    for result in [telemetry.flush(WHILE), telemetry.shutdown(WHILE)] {
        assert_eq!(result.unwrap_err().to_string(), "a span processor panicked");
    }
}

#[test]
fn f4_a_processor_that_panics_in_a_drop() {
    let (logs, _guard) = CapturedLogs::on_this_thread();
    drop(panicking());
    let said = "another span processor failed";
    assert!(logs.contains(said), "{}", logs.text());
}
