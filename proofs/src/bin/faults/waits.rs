//! The caller waits for the first span that it ends, as if there were no queue.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use crate::stage::Pipeline;

#[derive(Debug)]
pub(crate) struct Waits {
    pipeline: Pipeline,
    has_waited: AtomicBool,
}

impl Waits {
    pub(crate) fn before(pipeline: &Pipeline) -> Self {
        Self {
            pipeline: pipeline.clone(),
            has_waited: AtomicBool::new(false),
        }
    }
}

impl SpanProcessor for Waits {
    fn on_start(&self, span: &mut Span, context: &Context) {
        match &self.pipeline {
            Pipeline::Delivery(delivery) => delivery.span_processor().on_start(span, context),
            Pipeline::Queue(queue) => queue.on_start(span, context),
        }
    }

    fn on_end(&self, span: SpanData) {
        match &self.pipeline {
            Pipeline::Delivery(delivery) => delivery.span_processor().on_end(span),
            Pipeline::Queue(queue) => queue.on_end(span),
        }
        if !self.has_waited.swap(true, SeqCst) {
            self.pipeline.flush(Duration::from_secs(2));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
