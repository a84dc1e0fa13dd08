//! What each answer of a receiver over gRPC, or the lack of one, means for the spans.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::grpc_receiver::{GrpcAnswer, GrpcReceiver};
use crate::raw_answer::RawAnswer;
use crate::sender::{LONG, Sender, TRIES};

/// So short that a test waits for its end, and long enough for an answer on a busy machine.
const SHORT: Duration = Duration::from_secs(1);

type Outcome = (u64, u64, Vec<(&'static str, u64)>);

const TAKEN: Outcome = (1, 0, Vec::new());
const UNCONFIRMED: Outcome = (1, 1, Vec::new());

fn lost(reason: &'static str) -> Outcome {
    (0, 0, vec![(reason, 1)])
}

/// Sends one span, and checks what becomes of it and how often it was sent.
#[track_caller]
fn check(receiver: &GrpcReceiver, timeout: Duration, requests: usize, outcome: &Outcome) {
    let sender = Sender::over_grpc(&receiver.url("http"), timeout);
    let flushed = sender.send(1);
    assert_eq!(flushed.is_ok(), outcome.2.is_empty(), "{flushed:?}");
    assert_eq!(sender.outcome(), *outcome);
    assert_eq!(receiver.requests(), requests);
}

#[track_caller]
fn check_statuses(statuses: Vec<Status>, requests: usize, outcome: &Outcome) {
    let answers = statuses.into_iter().map(Err);
    check(
        &GrpcReceiver::answering(None, answers),
        LONG,
        requests,
        outcome,
    );
}

#[test]
fn codes_that_may_pass_are_tried_again_and_others_are_final() {
    use Code::*;
    for code in [
        Cancelled,
        DeadlineExceeded,
        Aborted,
        OutOfRange,
        Unavailable,
        DataLoss,
    ] {
        check_statuses(vec![Status::new(code, "not now")], 2, &TAKEN);
    }
    let failed = lost("export_failed");
    for code in [
        Unknown,
        InvalidArgument,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        ResourceExhausted,
        FailedPrecondition,
        Unimplemented,
        Internal,
        Unauthenticated,
    ] {
        check_statuses(vec![Status::new(code, "no")], 1, &failed);
    }
    check_statuses(vec![Status::unavailable("never"); TRIES], TRIES, &failed);
}

fn exhausted_for(pause: Duration) -> Status {
    let details = ErrorDetails::with_retry_info(Some(pause));
    Status::with_error_details(Code::ResourceExhausted, "too much", details)
}

#[test]
fn an_exhausted_receiver_is_asked_again_when_it_says_if_that_is_in_time() {
    check_statuses(vec![exhausted_for(Duration::from_millis(1))], 2, &TAKEN);
    let late = exhausted_for(Duration::from_secs(3_600));
    check_statuses(vec![late], 1, &lost("export_failed"));
}

fn partial(rejected_spans: i64, error_message: &str) -> GrpcAnswer {
    Ok(ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: error_message.to_owned(),
        }),
    })
}

#[test]
fn a14_spans_that_the_receiver_rejects_are_dropped_and_its_reason_is_in_the_report() {
    let answers = [partial(2, "too\nold"), partial(0, "soon too old")];
    let receiver = GrpcReceiver::answering(None, answers);
    let sender = Sender::over_grpc(&receiver.url("http"), LONG);
    let error = sender.send(3).unwrap_err();
    assert_eq!(error, "Operation failed: otlp lost 2 spans (rejected: 2)");
    assert_eq!(
        sender.report().to_string(),
        r#"otlp: 3 accepted, 1 exported, 0 queued, 2 dropped (rejected: 2); the receiver says "too\nold""#
    );
    sender.send(1).unwrap();
    assert_eq!(sender.outcome(), (2, 0, vec![("rejected", 2)]));
    assert_eq!(sender.report().receiver_message.unwrap(), "soon too old");
}

#[test]
fn f7_a_refusal_is_in_the_report_in_the_words_of_the_receiver() {
    let refusal = Err(Status::permission_denied("kein Schlüssel\n"));
    let receiver = GrpcReceiver::answering(None, [refusal]);
    let sender = Sender::over_grpc(&receiver.url("http"), LONG);
    sender.send(1).unwrap_err();
    let report = sender.report();
    let message = report.receiver_message;
    assert_eq!(message.as_deref(), Some(r"kein Schlüssel\n"));
    let failure = report.last_failure;
    assert_eq!(failure.unwrap(), "grpc status 7 (PERMISSION_DENIED)");
}

#[test]
fn a6_a_message_that_has_begun_is_a_delivery_and_a_head_alone_is_none() {
    let message = &[0, 0, 0, 0, 0][..];
    for begun in [
        RawAnswer::new(200).body(message).broken(),
        RawAnswer::new(200).body(&message[..1]).broken(),
        RawAnswer::new(200).body(message),
        RawAnswer::new(200).body(vec![0; 1 << 20]).broken(),
    ] {
        check(&GrpcReceiver::raw([begun]), LONG, 1, &UNCONFIRMED);
    }
    check(
        &GrpcReceiver::raw([RawAnswer::new(200).broken()]),
        LONG,
        2,
        &TAKEN,
    );
}

#[test]
fn a_status_comes_before_what_is_in_the_message() {
    let message = &[0, 0, 0, 0, 0][..];
    let status = |code| RawAnswer::new(200).body(message).status(code);
    check(&GrpcReceiver::raw([status("0")]), LONG, 1, &TAKEN);
    check(&GrpcReceiver::raw([status("14")]), LONG, 2, &TAKEN);
    check(
        &GrpcReceiver::raw([status("13")]),
        LONG,
        1,
        &lost("export_failed"),
    );
    // Not a message of OTLP.
    let other = RawAnswer::new(200)
        .body(&[0, 0, 0, 0, 1, 0xff][..])
        .status("0");
    check(&GrpcReceiver::raw([other]), LONG, 1, &UNCONFIRMED);
}

#[test]
fn an_answer_without_a_status_of_grpc_means_what_its_status_of_http_says() {
    for status in [429, 502, 503, 504] {
        check(
            &GrpcReceiver::raw([RawAnswer::new(status)]),
            LONG,
            2,
            &TAKEN,
        );
    }
    for status in [400, 401, 403, 404, 418, 500] {
        let receiver = GrpcReceiver::raw([RawAnswer::new(status).body("<html>")]);
        let sender = Sender::over_grpc(&receiver.url("http"), LONG);
        sender.send(1).unwrap_err();
        assert_eq!(sender.outcome(), lost("export_failed"));
        assert_eq!(receiver.requests(), 1);
        let failure = sender.report().last_failure.unwrap();
        assert_eq!(failure, format!("status {status}"));
    }
}

#[test]
fn a3_the_timeout_bounds_head_and_message_and_the_next_batch_goes_on() {
    let message = &[0, 0, 0, 0, 0][..];
    for (answer, outcome) in [
        (RawAnswer::hang(), lost("export_timed_out")),
        (RawAnswer::new(200).trickling(), UNCONFIRMED),
        (RawAnswer::new(200).body(message).trickling(), UNCONFIRMED),
        (RawAnswer::new(503).trickling(), lost("export_failed")),
    ] {
        let receiver = GrpcReceiver::raw([answer]);
        let sender = Sender::over_grpc(&receiver.url("http"), SHORT);
        let _ = sender.send(1);
        assert_eq!(sender.outcome(), outcome);
        let (exported, unconfirmed, losses) = outcome;
        sender.send(1).unwrap();
        assert_eq!(sender.outcome(), (exported + 1, unconfirmed, losses));
        assert_eq!(receiver.requests(), 2);
    }
}
