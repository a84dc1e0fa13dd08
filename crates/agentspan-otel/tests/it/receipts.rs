//! What a receiver says of a batch that it took, and why a batch failed.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use agentspan_otel::DropReason;
use agentspan_otel::ExportQueue;
use agentspan_otel::export_queue::{Receipt, Receipts};
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};

const WHILE: Duration = Duration::from_secs(30);

/// Takes each batch with the next of these receipts, or fails.
#[derive(Debug)]
struct Answered {
    answers: Mutex<Vec<Result<Receipt, ()>>>,
    receipts: Receipts,
}

impl SpanExporter for Answered {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        match self.answers.lock().unwrap().pop() {
            Some(Ok(receipt)) => self.receipts.put(receipt),
            Some(Err(())) => {
                let receipt = Receipt::confirmed().with_rejected(1);
                self.receipts.put(receipt.with_failure("no room"));
                return Err(OTelSdkError::InternalFailure("on purpose".to_owned()));
            }
            None => {}
        }
        Ok(())
    }
}

/// A queue whose exporter answers so, the last first.
fn queue(answers: Vec<Result<Receipt, ()>>) -> (ExportQueue, SdkTracerProvider) {
    let receipts = Receipts::new();
    let exporter = Answered {
        answers: Mutex::new(answers),
        receipts: receipts.clone(),
    };
    let queue = ExportQueue::builder("test", exporter)
        .with_batch_delay(WHILE)
        .with_receipts(receipts)
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(queue.clone())
        .build();
    (queue, provider)
}

/// Ends three spans and flushes.
fn batch(queue: &ExportQueue, provider: &SdkTracerProvider) -> Result<(), String> {
    for name in ["a", "b", "c"] {
        provider.tracer("t").start(name).end();
    }
    queue.flush(WHILE).map_err(|error| error.to_string())
}

#[test]
fn what_a_receiver_rejects_is_dropped_and_a_flush_tells_of_it() {
    let too_old = Receipt::confirmed()
        .with_rejected(2)
        .with_message("too\nold");
    let (queue, provider) = queue(vec![Ok(too_old)]);
    let error = batch(&queue, &provider).unwrap_err();
    assert_eq!(error, "Operation failed: test lost 2 spans (rejected: 2)");
    assert_eq!(queue.receiver_message().unwrap(), "too\\nold");
    batch(&queue, &provider).unwrap();
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.exported), (6, 4));
    assert_eq!(stats.dropped_for(DropReason::Rejected), 2);
    assert_eq!(stats.unconfirmed, 0);
}

#[test]
fn nobody_rejects_more_than_a_batch() {
    let all = Receipt::confirmed().with_rejected(u64::MAX);
    let (queue, provider) = queue(vec![Ok(all)]);
    batch(&queue, &provider).unwrap_err();
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.exported, stats.dropped()), (3, 0, 3));
}

#[test]
fn an_unconfirmed_batch_is_exported_and_counted_as_such() {
    let unconfirmed = Receipt::unconfirmed().with_rejected(1);
    let (queue, provider) = queue(vec![Ok(unconfirmed)]);
    batch(&queue, &provider).unwrap_err();
    batch(&queue, &provider).unwrap();
    let stats = queue.stats();
    assert_eq!((stats.exported, stats.unconfirmed), (5, 2));
}

#[test]
fn a_failed_export_has_no_receipt() {
    let (queue, provider) = queue(vec![Err(())]);
    batch(&queue, &provider).unwrap_err();
    batch(&queue, &provider).unwrap();
    let stats = queue.stats();
    assert_eq!(stats.dropped_for(DropReason::Failed), 3);
    assert_eq!(stats.dropped_for(DropReason::Rejected), 0);
    assert_eq!(stats.exported, 3);
}

#[test]
fn a_warning_is_no_loss_and_is_kept() {
    let warning = Receipt::confirmed().with_message("use another port");
    let (queue, provider) = queue(vec![Ok(warning)]);
    batch(&queue, &provider).unwrap();
    batch(&queue, &provider).unwrap();
    assert_eq!(queue.receiver_message().unwrap(), "use another port");
    assert_eq!(queue.stats().exported, 6);
}

/// Fails a try of each batch, waits, and then fails the batch or succeeds.
#[derive(Debug)]
struct Tries {
    begun: Sender<()>,
    results: Mutex<Receiver<Result<Receipt, OTelSdkError>>>,
    receipts: Receipts,
}

impl SpanExporter for Tries {
    async fn export(&self, _batch: Vec<SpanData>) -> OTelSdkResult {
        let failed = Receipt::unconfirmed().with_failure("status\n503");
        self.receipts.put(failed);
        self.begun.send(()).unwrap();
        let result = self.results.lock().unwrap().recv().unwrap();
        result.map(|receipt| self.receipts.put(receipt))
    }
}

/// A queue that exports each span alone with [`Tries`].
fn queue_of_tries() -> (
    ExportQueue,
    SdkTracerProvider,
    Receiver<()>,
    Sender<Result<Receipt, OTelSdkError>>,
) {
    let receipts = Receipts::new();
    let ((begun, has_begun), (finish, results)) = (channel(), channel());
    let exporter = Tries {
        begun,
        results: Mutex::new(results),
        receipts: receipts.clone(),
    };
    let queue = ExportQueue::builder("test", exporter)
        .with_batch_spans(1)
        .with_receipts(receipts)
        .build()
        .unwrap();
    let provider = SdkTracerProvider::builder().with_span_processor(queue.clone());
    (queue, provider.build(), has_begun, finish)
}

#[test]
fn the_last_failure_is_that_of_lost_spans_and_of_a_shutdown_that_does_not_wait_for_more_tries() {
    let (queue, provider, has_begun, finish) = queue_of_tries();
    let end_span = || provider.tracer("t").start("a").end();

    finish.send(Ok(Receipt::confirmed())).unwrap();
    end_span();
    queue.flush(WHILE).unwrap();
    has_begun.recv().unwrap();
    assert_eq!(queue.last_failure(), None);

    end_span();
    has_begun.recv().unwrap();
    assert_eq!(queue.last_failure(), None); // It may still succeed.
    queue.shutdown(Duration::ZERO).unwrap_err();
    assert_eq!(queue.last_failure().unwrap(), "status\\n503");
    assert_eq!(queue.stats().dropped_for(DropReason::ShutdownDeadline), 1);
    finish.send(Ok(Receipt::confirmed())).unwrap();
}

#[test]
fn a_shutdown_ends_with_the_failure_that_its_spans_were_lost_by() {
    let failed = OTelSdkError::InternalFailure("on purpose".to_owned());
    let timed_out = OTelSdkError::Timeout(WHILE);
    for (error, reason) in [
        (failed, DropReason::Failed),
        (timed_out, DropReason::TimedOut),
    ] {
        let (queue, provider, _begun, finish) = queue_of_tries();
        finish.send(Err(error)).unwrap();
        provider.tracer("t").start("a").end();
        let error = queue.shutdown(WHILE).unwrap_err().to_string();
        let lost = format!("test lost 1 span ({reason}: 1)");
        let expected = format!("Operation failed: {lost}; test: status\\n503");
        assert_eq!(error, expected);
    }
    // Beside another loss, the deadline is in the text, too.
    let (queue, provider, has_begun, finish) = queue_of_tries();
    let rejected = Receipt::confirmed().with_rejected(1);
    finish.send(Ok(rejected)).unwrap();
    for _ in 0..2 {
        provider.tracer("t").start("a").end();
        has_begun.recv().unwrap();
    }
    let error = queue.shutdown(Duration::ZERO).unwrap_err().to_string();
    let lost = "test lost 2 spans (rejected: 1, shutdown_deadline: 1)";
    let expected = format!("Operation failed: {lost}; test: status\\n503");
    assert_eq!(error, expected);
    finish.send(Ok(Receipt::confirmed())).unwrap();
}

#[test]
fn a_batch_that_fails_leaves_its_failure() {
    let (queue, provider) = queue(vec![Err(())]);
    batch(&queue, &provider).unwrap_err();
    assert_eq!(queue.last_failure().unwrap(), "no room");
    batch(&queue, &provider).unwrap();
    assert_eq!(queue.last_failure().unwrap(), "no room");
}
