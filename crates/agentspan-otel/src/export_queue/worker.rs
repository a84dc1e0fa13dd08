//! The thread of a queue.

use std::sync::Arc;

use agentspan_queue::contain;
use agentspan_queue::queue::{Finished, Queued, Taken, Work};
use agentspan_record::{FinishedSpan, Preparation, SpanLimits};
use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanExporter;

use super::item::LOSSES;
use super::process::Process;
use super::receipt::Receipts;
use super::stats::ExportLoss;

pub(super) struct Worker<E> {
    pub(super) name: Arc<str>,
    pub(super) process: Arc<Process>,
    pub(super) exporter: E,
    pub(super) limits: SpanLimits,
    pub(super) preparation: Preparation,
    pub(super) receipts: Receipts,
    /// How many spans the exporter gets at once, at most.
    pub(super) batch: usize,
}

impl<E: SpanExporter> Worker<E> {
    pub(super) fn run(mut self) {
        // What the exporter sends is no telemetry of the program.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        let process = Arc::clone(&self.process);
        loop {
            let (mut spans, mut finished) = (Vec::new(), Finished::default());
            let work = process.queue.next(self.batch, |item| {
                finished.items += 1;
                finished.bytes += item.bytes();
                spans.push(item.span);
            });
            if let Some(resource) = process.take_resource() {
                let preparation = self.preparation.clone();
                self.guarded(|exporter| {
                    exporter.set_resource(&preparation.resource(&resource));
                    Ok(())
                });
            }
            match work {
                Work::Items(taken) => self.export(spans, taken, finished),
                Work::Flush(calls) => {
                    process.has_flushed(self.guarded(|exporter| exporter.force_flush()));
                    process.queue.answer(calls);
                }
                Work::End => break,
            }
        }
        let loss = self.guarded(|exporter| match exporter.shutdown() {
            Err(OTelSdkError::AlreadyShutdown) => Ok(()),
            result => result,
        });
        let (name, exporter) = (self.name, self.exporter);
        if contain::drop(exporter).is_err() {
            log_failure(&name, ExportLoss::Panic);
        }
        process.has_ended(loss);
    }

    fn export(&mut self, spans: Vec<FinishedSpan>, taken: Taken, finished: Finished<LOSSES>) {
        let mut prepared = Vec::with_capacity(spans.len());
        let are_records = spans.iter().map(|span| span.agent_spec.is_some());
        let are_records: Vec<bool> = are_records.collect();
        // Panics of enrichers are logged, and cost no span.
        self.preparation.prepare(spans, &mut prepared);
        for (span, is_record) in prepared.iter_mut().zip(are_records) {
            if is_record {
                self.process.has_cut(self.limits.apply(span));
            }
        }
        let loss = self.guarded(|exporter| futures_executor::block_on(exporter.export(prepared)));
        let receipt = self.receipts.take();
        let (rejected, has_message) = self.process.finish(taken, finished, loss, &receipt);
        log_receipt(&self.name, rejected, has_message);
    }

    /// Calls the exporter, and says in the log what it failed with.
    fn guarded(&mut self, call: impl FnOnce(&mut E) -> OTelSdkResult) -> Option<ExportLoss> {
        let exporter = &mut self.exporter;
        let loss = match contain::call(|| call(exporter)) {
            Ok(Ok(())) => return None,
            Ok(Err(OTelSdkError::Timeout(_))) => ExportLoss::TimedOut,
            Ok(Err(OTelSdkError::AlreadyShutdown | OTelSdkError::InternalFailure(_))) => {
                ExportLoss::Failed
            }
            Err(_) => ExportLoss::Panic,
        };
        log_failure(&self.name, loss);
        Some(loss)
    }
}

fn log_failure(name: &str, reason: ExportLoss) {
    // The error's text is somebody else's and may hold what no log should: a URL, a header.
    contain::log(|| {
        tracing::error!(
            target: "agentspan::otel::export_queue",
            destination = name,
            reason = reason.as_str(),
            "an exporter failed"
        );
    });
}

/// Says that there is something to see, and not what: the receiver's words may hold what no log
/// should.
fn log_receipt(name: &str, rejected: u64, has_message: bool) {
    contain::log(|| {
        if rejected > 0 {
            tracing::error!(
                target: "agentspan::otel::export_queue",
                destination = name,
                spans = rejected,
                "a receiver rejected spans"
            );
        }
        if has_message {
            tracing::warn!(
                target: "agentspan::otel::export_queue",
                destination = name,
                "a receiver gave a reason or a warning, which the report shows"
            );
        }
    });
}
