//! The parts that both fronts share: they hand over, flush, and close once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use agentspan_model::keys;
use agentspan_record::{DropReason, FinishedSpan};
use opentelemetry::trace::{Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanEvents, SpanLinks};
use tokio::sync::oneshot;

use crate::delivery::Delivery;
use crate::encode::EncodedResource;
use crate::export_error::SubmitError;
use crate::report::ExportReport;

/// One way into a delivery, with the resource of its provider.
#[derive(Debug)]
pub(crate) struct Front {
    delivery: Delivery,
    resource: Arc<EncodedResource>,
    closed: AtomicBool,
}

impl Front {
    pub(crate) fn open(delivery: Delivery) -> Self {
        delivery.shared().open_front();
        Self {
            delivery,
            resource: Arc::new(EncodedResource::from(&Resource::builder_empty().build())),
            closed: AtomicBool::new(false),
        }
    }

    pub(crate) fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    pub(crate) fn set_resource(&mut self, resource: &Resource) {
        self.resource = Arc::new(EncodedResource::from(resource));
    }

    /// Hands over a batch. The receiver gets its report.
    pub(crate) fn submit(
        &self,
        spans: Vec<SpanData>,
    ) -> Result<oneshot::Receiver<Arc<ExportReport>>, SubmitError> {
        let shared = self.delivery.shared();
        if self.closed.load(SeqCst) {
            shared
                .counters
                .refuse(DropReason::AfterShutdown, spans.len() as u64);
            return Err(SubmitError::AlreadyShutdown);
        }
        let spans = spans.into_iter().map(FinishedSpan::from).collect();
        shared.submit(spans, Arc::clone(&self.resource))
    }

    /// Hands over one span.
    pub(crate) fn enqueue(&self, span: FinishedSpan) {
        let shared = self.delivery.shared();
        if self.closed.load(SeqCst) {
            shared.counters.refuse(DropReason::AfterShutdown, 1);
            return;
        }
        shared.enqueue(span, &self.resource);
    }

    /// Notes that a span ends which is not to be sent.
    pub(crate) fn withhold(&self, span: &SpanContext) {
        self.delivery.shared().withhold(span);
    }

    /// Notes that a span starts.
    pub(crate) fn span_starts(&self, span: &Span, context: &Context) {
        if !self.closed.load(SeqCst) {
            let parent = context.span().span_context().clone();
            let look = || span.exported_data();
            let shared = self.delivery.shared();
            shared.start(span.span_context(), &parent, context, look);
        }
    }

    /// Notes that a span of Agent Spec of this type starts.
    pub(crate) fn agent_spec_span_starts(
        &self,
        span: &SpanContext,
        parent: &SpanContext,
        type_name: &str,
    ) {
        if !self.closed.load(SeqCst) {
            let look = || Some(span_of_type(span, type_name));
            let shared = self.delivery.shared();
            shared.start(span, parent, &Context::current(), look);
        }
    }

    /// Closes this front. The last one ends the delivery, an earlier one flushes it.
    pub(crate) fn shutdown(&self, timeout: Duration) -> OTelSdkResult {
        if self.closed.swap(true, SeqCst) {
            return Ok(());
        }
        let shared = self.delivery.shared();
        if shared.close_front() {
            shared.stop(timeout)
        } else if shared.is_stopping() {
            Ok(())
        } else {
            shared.flush(timeout)
        }
    }
}

/// The data of an Agent Spec span when it starts.
fn span_of_type(span: &SpanContext, type_name: &str) -> SpanData {
    let span_type = KeyValue::new(keys::AGENTSPEC_SPAN_TYPE, type_name.to_owned());
    SpanData {
        span_context: span.clone(),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "".into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes: vec![span_type],
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if !self.closed.swap(true, SeqCst) {
            if let Some(shared) = self.delivery.known_shared() {
                shared.close_front();
            }
        }
    }
}
