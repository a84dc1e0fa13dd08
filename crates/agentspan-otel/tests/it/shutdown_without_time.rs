//! A shutdown without time, of a queue whose thread cannot end at once.

use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use agentspan_otel::ExportQueue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

const WHILE: Duration = Duration::from_secs(30);

/// Waits in its shutdown until the other end is dropped.
#[derive(Debug)]
struct HangsInTheEnd(Mutex<Receiver<()>>);

impl SpanExporter for HangsInTheEnd {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown(&self) -> OTelSdkResult {
        let _ = self.0.lock().unwrap().recv();
        Ok(())
    }
}

#[test]
fn a_shutdown_without_time_succeeds_if_nothing_is_queued() {
    let (release, until) = mpsc::channel();
    let exporter = HangsInTheEnd(Mutex::new(until));
    let queue = ExportQueue::builder("test", exporter).build().unwrap();
    let provider = SdkTracerProvider::builder().with_span_processor(queue.clone());
    let provider = provider.build();
    provider.tracer("t").start("s").end();
    queue.flush(WHILE).unwrap();
    // Its thread has no time to end.
    queue.shutdown(Duration::ZERO).unwrap();
    drop(release);
}
