//! The thread of a queue.

use std::mem;
use std::sync::Arc;

use agentspan_model::mapping::PlacedSpan;
use agentspan_processor::clock::Clock;
use agentspan_queue::contain;
use agentspan_queue::queue::{Finished, Queued, Taken, Work};
use agentspan_record::{DropReason, Preparation, SpanLimits};
use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use super::item::{Item, LOSSES};
use super::process::Process;
use super::sampler::{Decided, Sampler};

/// Lists have room for so many spans from the start.
const USUAL_BATCH: usize = 512;

pub(super) struct Worker<E> {
    pub(super) name: Arc<str>,
    pub(super) process: Arc<Process>,
    pub(super) exporter: E,
    pub(super) limits: SpanLimits,
    pub(super) preparation: Preparation,
    /// How many spans the exporter gets at once, at most.
    pub(super) batch: usize,
    pub(super) sampler: Option<Sampler>,
    /// By which the sampler knows how long traces have waited.
    pub(super) clock: Arc<dyn Clock>,
    /// What the exporter has failed with since it last took a batch. It is logged once.
    pub(super) last_loss: Option<DropReason>,
}

/// Spans that are exported together.
struct Batch {
    spans: Vec<SpanData>,
    records: Vec<Option<Arc<PlacedSpan>>>,
    finished: Finished<LOSSES>,
}

impl Batch {
    fn with_capacity(spans: usize) -> Self {
        Self {
            spans: Vec::with_capacity(spans),
            records: Vec::with_capacity(spans),
            finished: Finished::default(),
        }
    }

    #[inline]
    fn push(&mut self, item: Item) {
        self.finished.items += 1;
        self.finished.bytes += item.bytes();
        self.records.push(item.span.agent_spec);
        self.spans.push(item.span.data);
    }
}

impl<E: SpanExporter> Worker<E> {
    pub(super) fn run(mut self) {
        // The exporter's own requests are no telemetry of the program.
        let _quiet = Context::enter_telemetry_suppressed_scope();
        let process = Arc::clone(&self.process);
        // Roots that ended while this thread waited for spans.
        let mut ended = Vec::new();
        loop {
            let room = self.batch.min(USUAL_BATCH);
            let mut batch = Batch::with_capacity(room);
            // Before the spans, so that those that ended before a root are seen before it.
            let mut roots = mem::take(&mut ended);
            if self.sampler.is_some() {
                roots.extend(process.take_ended_roots());
            }
            let mut decided = Decided::default();
            let work = match &mut self.sampler {
                None => process.queue.next(self.batch, |item| batch.push(item)),
                Some(sampler) => {
                    let take = |item| sampler.take(item, &mut decided);
                    process.queue.next(self.batch, take)
                }
            };
            if let Some(sampler) = &mut self.sampler {
                for (trace, decides) in roots {
                    sampler.root_has_ended(trace, decides, &mut decided);
                }
                ended = process.take_ended_roots();
                let has_ended = |trace| ended.iter().any(|(ended, _)| *ended == trace);
                // A clock that panics stands still.
                if let Ok(now) = contain::call(|| self.clock.monotonic()) {
                    sampler.tick(now, has_ended, &mut decided);
                }
            }
            if let Some(resource) = process.take_resource() {
                let preparation = self.preparation.clone();
                self.guarded(|exporter| {
                    exporter.set_resource(&preparation.resource(&resource));
                    Ok(())
                });
            }
            match work {
                Work::Items(taken) if self.sampler.is_none() => self.export(batch, taken),
                Work::Items(taken) => self.export_decided(decided, taken),
                Work::Flush(calls) => {
                    self.export_decided(decided, process.queue.latest());
                    process.has_flushed(self.guarded(|exporter| exporter.force_flush()));
                    process.queue.answer(calls);
                }
                Work::End => break self.end_sampling(decided),
            }
        }
        let loss = self.guarded(|exporter| match exporter.shutdown() {
            Err(OTelSdkError::AlreadyShutdown) => Ok(()),
            result => result,
        });
        let (name, exporter) = (self.name, self.exporter);
        if contain::drop(exporter).is_err() {
            log_failure(&name, DropReason::Panic, None, false);
        }
        process.has_ended(loss);
    }

    /// Exports what waits for a decision, and what has one.
    fn end_sampling(&mut self, mut decided: Decided) {
        if let Some(sampler) = &mut self.sampler {
            sampler.end(&mut decided);
        }
        self.export_decided(decided, self.process.queue.latest());
    }

    fn export_decided(&mut self, decided: Decided, taken: Taken) {
        for (items, reason) in [
            (decided.dropped, DropReason::Sampled),
            (decided.outdated, DropReason::SampledByAge),
        ] {
            if items.is_empty() {
                continue;
            }
            let mut finished = Finished::default();
            for item in items {
                finished.items += 1;
                finished.bytes += item.bytes();
            }
            finished.lose(reason, finished.items);
            self.process.queue.finish(taken, finished);
        }
        let mut kept = decided.kept.into_iter().peekable();
        while kept.peek().is_some() && !self.process.queue.is_given_up(taken) {
            let mut batch = Batch::with_capacity(kept.len().min(self.batch));
            kept.by_ref()
                .take(self.batch)
                .for_each(|item| batch.push(item));
            self.export(batch, taken);
        }
    }

    /// Exports spans, each of which may have a record.
    fn export(&mut self, batch: Batch, taken: Taken) {
        let Batch {
            mut spans,
            records,
            finished,
        } = batch;
        let are_records: Vec<bool> = records.iter().map(Option::is_some).collect();
        // Panics of enrichers are logged, and cost no span.
        self.preparation.prepare_in_place(&mut spans, records);
        for (span, is_record) in spans.iter_mut().zip(are_records) {
            if is_record {
                self.process.has_cut(self.limits.apply(span));
            }
        }
        let before = self.last_loss;
        let loss = self.guarded(|exporter| futures_executor::block_on(exporter.export(spans)));
        if loss.is_none() {
            self.last_loss = None;
        }
        let receipt = self.process.receipts.take();
        let (rejected, has_message) = self.process.finish(taken, finished, loss, &receipt);
        // The line about a new failure has mentioned the message.
        let is_mentioned = loss.is_some() && loss != before;
        log_receipt(&self.name, rejected, has_message && !is_mentioned);
    }

    /// Calls the exporter, and says in the log what it failed with, unless it failed with the same before.
    fn guarded(&mut self, call: impl FnOnce(&mut E) -> OTelSdkResult) -> Option<DropReason> {
        let exporter = &mut self.exporter;
        let loss = match contain::call(|| call(exporter)) {
            Ok(Ok(())) => None,
            Ok(Err(OTelSdkError::Timeout(_))) => Some(DropReason::TimedOut),
            Ok(Err(OTelSdkError::AlreadyShutdown | OTelSdkError::InternalFailure(_))) => {
                Some(DropReason::Failed)
            }
            Err(_) => Some(DropReason::Panic),
        };
        if let Some(reason) = loss.filter(|_| loss != self.last_loss) {
            let receipts = &self.process.receipts;
            let (cause, has_message) = (receipts.failure(), receipts.has_message());
            log_failure(&self.name, reason, cause.as_deref(), has_message);
            self.last_loss = loss;
        }
        loss
    }
}

/// `cause` is in the words of a receipt. The error's text is somebody else's and may hold what no log
/// should: a URL, a header.
fn log_failure(name: &str, reason: DropReason, cause: Option<&str>, has_message: bool) {
    contain::log(|| {
        tracing::error!(
            target: "agentspan::otel::export_queue",
            destination = name,
            reason = reason.as_str(),
            cause,
            // The receiver's words may hold what no log should.
            receiver_message = has_message.then_some("the report shows it"),
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
