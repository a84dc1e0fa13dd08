//! What each answer of a receiver over HTTP, or the lack of one, means for the spans.

use std::future::{Future, pending, ready};
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use agentspan::agent365::retry::RetryTimer;
use agentspan::otel::ExportQueue;
use agentspan::{Destination, Otlp};
use agentspan_testkit::{Answer, CapturedLogs, Service};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use prost::Message as _;
use tokio::sync::Notify;

use crate::sender::{LONG, Sender, TRIES};

/// So short that a test waits for its end, and long enough for an answer on a busy machine.
const SHORT: Duration = Duration::from_secs(1);

const TAKEN: (u64, u64, Vec<(&str, u64)>) = (1, 0, Vec::new());
const UNCONFIRMED: (u64, u64, Vec<(&str, u64)>) = (1, 1, Vec::new());

fn lost(reason: &'static str) -> (u64, u64, Vec<(&'static str, u64)>) {
    (0, 0, vec![(reason, 1)])
}

fn service(answers: impl IntoIterator<Item = Answer>) -> Service {
    Service::builder().script(answers).start().unwrap()
}

/// Sends one span to a receiver that answers so, and checks what becomes of it and how often it was sent.
#[track_caller]
fn check(
    answers: Vec<Answer>,
    timeout: Duration,
    requests: usize,
    outcome: (u64, u64, Vec<(&'static str, u64)>),
) {
    let text = format!("{answers:?}");
    let service = service(answers);
    let sender = Sender::over_http(&service.url(), timeout);
    let flushed = sender.send(1);
    assert_eq!(flushed.is_ok(), outcome.2.is_empty(), "{flushed:?}: {text}");
    assert_eq!(sender.outcome(), outcome, "{text}");
    assert_eq!(service.request_count(), requests, "{text}");
}

#[test]
fn every_2xx_is_a_delivery() {
    for status in [200, 202, 204] {
        check(vec![Answer::status(status)], LONG, 1, TAKEN);
    }
}

#[test]
fn what_may_pass_is_tried_again_and_other_refusals_are_final() {
    for status in [429, 502, 503, 504] {
        let answers = vec![Answer::status(status), Answer::status(200)];
        check(answers, LONG, 2, TAKEN);
    }
    check(
        vec![Answer::status(503)],
        LONG,
        TRIES,
        lost("export_failed"),
    );
    for status in [307, 400, 401, 403, 404, 408, 413, 500, 501, 505] {
        check(vec![Answer::status(status)], LONG, 1, lost("export_failed"));
    }
    for fault in [Answer::reset(), Answer::close(), Answer::garbage()] {
        check(vec![fault, Answer::status(200)], LONG, 2, TAKEN);
    }
}

#[test]
fn an_unknown_path_is_doubted_unless_it_is_the_usual_one() {
    let failure = |path: &str, status: u16| {
        let service = service([Answer::status(status)]);
        let otlp = Otlp::new().with_endpoint(format!("{}{path}", service.url()));
        let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
        sender.send(1).unwrap_err();
        sender.report().last_failure.unwrap()
    };
    let doubt = "and the path of the endpoint does not end in /v1/traces";
    for status in [404, 405] {
        let said = format!("status {status}, {doubt}");
        assert_eq!(failure("", status), said);
        assert_eq!(failure("/api/otel?k=/v1/traces", status), said);
        assert_eq!(
            failure("/api/v1/traces", status),
            format!("status {status}")
        );
    }
    assert_eq!(failure("", 401), "status 401");
}

/// Keeps the pauses instead of waiting.
#[derive(Clone, Debug, Default)]
struct Pauses(Arc<Mutex<Vec<Duration>>>);

impl RetryTimer for Pauses {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.lock().unwrap().push(pause);
        Box::pin(ready(()))
    }

    fn random(&self) -> f64 {
        1.0
    }
}

#[test]
fn a_receiver_that_restarts_for_half_a_minute_costs_no_spans() {
    let faults = (0..7).map(|n| match n % 2 {
        0 => Answer::reset(),
        _ => Answer::status(503),
    });
    let service = service(faults.chain([Answer::status(200)]));
    let pauses = Pauses::default();
    let otlp = Otlp::new()
        .with_endpoint(format!("{}/v1/traces", service.url()))
        .with_retry_timer(pauses.clone());
    let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
    sender.send(1).unwrap();
    assert_eq!(sender.outcome(), TAKEN);
    let millis = [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
    assert_eq!(*pauses.0.lock().unwrap(), millis.map(Duration::from_millis));
}

/// Has no number for how long a pause is.
#[derive(Debug)]
struct NoNumber;

impl RetryTimer for NoNumber {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }

    fn random(&self) -> f64 {
        f64::NAN
    }
}

#[test]
fn a_timer_without_a_number_costs_no_spans() {
    let service = service([Answer::status(503), Answer::status(200)]);
    let otlp = Otlp::new()
        .with_endpoint(format!("{}/v1/traces", service.url()))
        .with_retry_timer(NoNumber);
    let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
    sender.send(1).unwrap();
    assert_eq!(sender.outcome(), TAKEN);
}

#[test]
fn a_last_try_that_is_cut_short_does_not_claim_to_have_had_all_the_time() {
    // Five pauses leave a tenth of a second.
    let refusals = (0..5).map(|_| Answer::status(503));
    let service = service(refusals.chain([Answer::hang()]));
    let sender = Sender::over_http(&service.url(), Duration::from_millis(15_600));
    sender.send(1).unwrap_err();
    let why = sender.report().last_failure.unwrap();
    assert!(why.starts_with("no answer within "), "{why}");
    assert!(!why.contains("15.6s"), "{why}");
}

#[test]
fn a_queue_that_fills_during_a_pause_counts_each_span_once() {
    let service = service([Answer::status(503)]);
    let (begun, has_begun) = mpsc::channel();
    let otlp = Otlp::new()
        .with_endpoint(format!("{}/v1/traces", service.url()))
        .with_retry_timer(ForEver(Mutex::new(begun)));
    let sender = Sender::new(Destination::otlp_http(otlp).unwrap().with_max_spans(3));
    let queue = sender.put(1);
    queue.start_flush();
    has_begun.recv().unwrap();
    sender.put(5);
    let stats = queue.stats();
    assert_eq!((stats.accepted, stats.queued, stats.dropped()), (6, 3, 3));
    sender.shutdown_at_once().unwrap_err();
    let lost = vec![("queue_full", 3), ("shutdown_deadline", 3)];
    assert_eq!(sender.outcome(), (0, 0, lost));
}

/// Pauses of more than half a second last until the test ends them, and no others last.
#[derive(Clone, Debug)]
struct ByHand {
    begun: Arc<Mutex<mpsc::Sender<Duration>>>,
    end: Arc<Notify>,
}

impl RetryTimer for ByHand {
    fn pause(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.begun.lock().unwrap().send(pause).unwrap();
        if pause <= Duration::from_millis(500) {
            return Box::pin(ready(()));
        }
        Box::pin(self.end.notified())
    }

    fn random(&self) -> f64 {
        1.0
    }
}

/// A receiver with these answers, and the pauses of its sender in milliseconds.
fn by_hand(answers: Vec<Answer>) -> (Sender, Arc<Notify>, mpsc::Receiver<Duration>, Service) {
    let service = service(answers);
    let (begun, pauses) = mpsc::channel();
    let timer = ByHand {
        begun: Arc::new(Mutex::new(begun)),
        end: Arc::default(),
    };
    let otlp = Otlp::new()
        .with_endpoint(format!("{}/v1/traces", service.url()))
        .with_retry_timer(timer.clone());
    let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
    (sender, timer.end, pauses, service)
}

#[test]
fn a_flush_and_a_shutdown_end_a_pause_that_nobody_asked_for() {
    let flush: fn(&ExportQueue) -> OTelSdkResult = |queue| queue.flush(LONG);
    let shutdown: fn(&ExportQueue) -> OTelSdkResult = |queue| queue.shutdown(LONG);
    let later = Answer::status(503);
    // The receiver asked for less than that.
    let soon = later.clone().header("retry-after", "0");
    for (hurry, later) in [
        (flush, later.clone()),
        (shutdown, later),
        (flush, soon.clone()),
        (shutdown, soon),
    ] {
        let again = later.clone();
        let answers = vec![later.clone(), later, again, Answer::status(200)];
        let (sender, _, pauses, _service) = by_hand(answers);
        let queue = sender.put(1);
        queue.start_flush();
        let millis = |pause: Duration| pause.as_millis();
        assert_eq!(pauses.recv().map(millis), Ok(500));
        assert_eq!(pauses.recv().map(millis), Ok(1_000));
        hurry(queue).unwrap();
        assert_eq!(pauses.recv().map(millis), Ok(500));
        // The next pauses grow from the first one again.
        assert_eq!(pauses.recv().map(millis), Ok(500));
        assert_eq!(sender.outcome(), TAKEN);
    }
}

#[test]
fn a_flush_does_not_end_a_pause_that_the_receiver_asked_for() {
    let later = Answer::status(503).header("retry-after", "5");
    let (sender, end, pauses, _service) = by_hand(vec![later, Answer::status(200)]);
    let queue = sender.put(1);
    queue.start_flush();
    assert_eq!(pauses.recv(), Ok(Duration::from_secs(5)));
    let flush = queue.start_flush();
    end.notify_one();
    flush.wait(LONG).unwrap();
    assert_eq!(pauses.try_recv(), Err(mpsc::TryRecvError::Empty));
    assert_eq!(sender.outcome(), TAKEN);
}

/// Says that a pause has begun, which never ends.
#[derive(Debug)]
struct ForEver(Mutex<mpsc::Sender<()>>);

impl RetryTimer for ForEver {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let _ = self.0.lock().unwrap().send(());
        Box::pin(pending())
    }
}

#[test]
fn a_pause_keeps_neither_a_flush_nor_a_shutdown_beyond_its_deadline() {
    let service = service([Answer::status(503)]);
    let (begun, has_begun) = mpsc::channel();
    let otlp = Otlp::new()
        .with_endpoint(format!("{}/v1/traces", service.url()))
        .with_retry_timer(ForEver(Mutex::new(begun)));
    let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
    let queue = sender.put(1);
    queue.start_flush();
    has_begun.recv().unwrap();
    let late = |result| matches!(result, Err(OTelSdkError::Timeout(_)));
    assert!(late(queue.flush(Duration::ZERO)));
    assert_eq!(queue.stats().queued, 1);
    assert!(late(queue.shutdown(Duration::ZERO)));
    assert_eq!(sender.outcome(), lost("shutdown_deadline"));
    assert_eq!(sender.report().last_failure.unwrap(), "status 503");
}

#[test]
fn a_deadline_that_passes_while_the_receiver_hangs_says_what_was_waited_for() {
    for (answers, awaited) in [
        (vec![Answer::hang()], "no answer yet"),
        (
            vec![Answer::status(503), Answer::hang()],
            "status 503; no answer yet to try 2",
        ),
    ] {
        let requests = answers.len();
        let service = service(answers);
        let sender = Sender::over_http(&service.url(), LONG);
        let queue = sender.put(1);
        queue.start_flush();
        service.wait_for(requests, LONG).unwrap();
        assert_eq!(queue.awaited().unwrap(), awaited);
        let error = sender.shutdown_at_once().unwrap_err();
        let told = format!("Operation failed: the deadline of 0ns passed; otlp: {awaited}");
        assert_eq!(error, told);
        assert_eq!(sender.outcome(), lost("shutdown_deadline"));
        assert_eq!(sender.report().last_failure.unwrap(), awaited);
    }
}

#[test]
fn batches_share_a_connection_until_the_receiver_closes_it() {
    let closing = Answer::raw(&b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"[..]);
    let answers = [Answer::status(200), Answer::status(200), closing];
    let service = Service::builder()
        .script(answers)
        .then_repeat(Answer::status(200))
        .start()
        .unwrap();
    let sender = Sender::over_http(&service.url(), LONG);
    for batch in 1..=5 {
        sender.send(1).unwrap();
        assert_eq!(sender.outcome(), (batch, 0, Vec::new()));
    }
    assert_eq!((service.request_count(), service.connections()), (5, 2));
}

#[test]
fn t07_a_head_without_end_is_no_answer() {
    check(
        vec![Answer::endless_head()],
        LONG,
        TRIES,
        lost("export_failed"),
    );
}

#[test]
fn a_pause_beyond_the_timeout_is_not_waited_for() {
    for pause in ["3600", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"] {
        let throttled = Answer::status(429).header("retry-after", pause);
        check(vec![throttled], LONG, 1, lost("export_failed"));
    }
    let throttled = Answer::status(503).header("retry-after", "0");
    check(vec![throttled, Answer::status(200)], LONG, 2, TAKEN);
}

#[test]
fn t07_an_answer_that_trickles_ends_with_the_timeout_and_the_next_batch_goes_on() {
    let service = service([Answer::status(200).trickling(), Answer::status(200)]);
    let sender = Sender::over_http(&service.url(), SHORT);
    sender.send(1).unwrap();
    assert_eq!(sender.outcome(), UNCONFIRMED);
    sender.send(1).unwrap();
    assert_eq!(sender.outcome(), (2, 1, Vec::new()));
    assert_eq!(service.request_count(), 2);
}

#[test]
fn a3_the_timeout_bounds_connecting_head_and_body_with_all_retries() {
    let late = || lost("export_timed_out");
    check(vec![Answer::hang()], SHORT, 1, late());
    check(vec![Answer::informational_flood()], SHORT, 1, late());
    check(vec![Answer::status(200).stalled()], SHORT, 1, UNCONFIRMED);
    check(vec![Answer::endless_body()], SHORT, 1, UNCONFIRMED);
    // A refusal is one whatever follows. Its body takes all the time, so that none is left for a retry.
    for status in [400, 503] {
        let answers = vec![Answer::status(status).trickling()];
        check(answers, SHORT, 1, lost("export_failed"));
    }
}

#[test]
fn a6_a_head_that_says_2xx_is_a_delivery_whatever_becomes_of_the_body() {
    for broken in [
        Answer::close_after_head(),
        Answer::status(200).body("{").truncated(100),
        Answer::status(200).body("<html>a page to log in</html>"),
        Answer::status(200).body_of(1 << 20),
        Answer::json(&serde_json::json!({})).body("{"),
    ] {
        check(vec![broken], LONG, 1, UNCONFIRMED);
    }
}

fn protobuf(rejected_spans: i64, error_message: &str) -> Answer {
    let response = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess {
            rejected_spans,
            error_message: error_message.to_owned(),
        }),
    };
    Answer::status(200)
        .header("content-type", "application/x-protobuf")
        .body(response.encode_to_vec())
}

fn json(rejected: &serde_json::Value, message: &str) -> Answer {
    Answer::json(&serde_json::json!({
        "partialSuccess": {"rejectedSpans": rejected, "errorMessage": message}
    }))
}

#[test]
fn a14_spans_that_the_receiver_rejects_are_dropped_and_its_reason_is_in_the_report() {
    for answer in [
        protobuf(2, "too\nold"),
        json(&2.into(), "too\nold"),
        json(&"2".into(), "too\nold"),
    ] {
        let service = service([answer, Answer::status(200)]);
        let sender = Sender::over_http(&service.url(), LONG);
        let error = sender.send(3).unwrap_err();
        assert_eq!(error, "Operation failed: otlp lost 2 spans (rejected: 2)");
        assert_eq!(
            sender.report().to_string(),
            r#"otlp: 3 accepted, 1 exported, 0 queued, 2 dropped (rejected: 2); the receiver says "too\nold""#
        );
        sender.send(1).unwrap();
        assert_eq!(sender.outcome(), (2, 0, vec![("rejected", 2)]));
        assert_eq!(service.request_count(), 2);
    }
}

#[test]
fn a14_a_receiver_can_reject_neither_more_than_a_batch_nor_less_than_nothing() {
    let service = service([protobuf(i64::MAX, ""), protobuf(i64::MIN, "")]);
    let sender = Sender::over_http(&service.url(), LONG);
    sender.send(3).unwrap_err();
    sender.send(3).unwrap();
    assert_eq!(sender.outcome(), (3, 0, vec![("rejected", 3)]));
    assert_eq!(sender.report().receiver_message, None);
}

#[test]
fn a14_a_warning_is_no_loss_and_stays_in_the_report() {
    let long = "use another endpoint ".repeat(100);
    let service = service([protobuf(0, &long), Answer::status(200)]);
    let sender = Sender::over_http(&service.url(), LONG);
    sender.send(1).unwrap();
    sender.send(1).unwrap();
    assert_eq!(sender.outcome(), (2, 0, Vec::new()));
    let message = sender.report().receiver_message.unwrap();
    assert_eq!(message.chars().count(), 201);
    assert!(long.starts_with(message.strip_suffix('…').unwrap()));
}

#[test]
fn t11_a_receiver_that_repeats_the_headers_puts_no_key_into_the_report() {
    let logs = CapturedLogs::everywhere();
    let service = Service::builder()
        .answer_with(|request| {
            let header = |name| request.header(name).unwrap_or_default();
            let said = [header("authorization"), header("x-api-key"), "open sesame"];
            json(&1.into(), &format!("no such key: {}", said.join(" or ")))
        })
        .start()
        .unwrap();
    for (authorization, shown) in [
        ("Bearer s3cret", "no such key: Bearer … or … or open sesame"),
        (
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "no such key: Basic … or … or …",
        ),
    ] {
        let otlp = Otlp::new()
            .with_endpoint(format!("{}/v1/traces", service.url()))
            .with_header("Authorization", authorization)
            .with_header("X-Api-Key", "hunter2");
        let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
        let error = sender.send(2).unwrap_err();
        let report = sender.report();
        assert_eq!(report.receiver_message.as_deref(), Some(shown));
        let all = format!("{error} {report} {report:?} {}", logs.text());
        for secret in ["s3cret", "QWxhZGRpbjpv", "hunter2"] {
            assert!(!all.contains(secret), "{all}");
        }
    }
}

#[test]
fn an_answer_that_is_spoilt_or_cut_off_hides_no_rejection() {
    let latin = [
        &b"{\"partialSuccess\":{\"errorMessage\":\"caf\xe9\",\"took\":1e999,"[..],
        br#""rejectedSpans":"2""#,
    ]
    .concat();
    let whole = [&latin, &b"}}"[..]].concat();
    let as_json = || Answer::status(200).header("content-type", "Application/JSON; charset=latin1");
    for (answer, unconfirmed) in [
        (as_json().body(whole.clone()), 0),
        (Answer::status(200).body(whole), 0),
        (as_json().body(latin.clone()).truncated(1_000), 1),
        (protobuf(2, "caf\u{fffd}").truncated(1_000), 1),
    ] {
        let service = service([answer]);
        let sender = Sender::over_http(&service.url(), LONG);
        sender.send(3).unwrap_err();
        assert_eq!(sender.outcome(), (1, unconfirmed, vec![("rejected", 2)]));
        let message = sender.report().receiver_message;
        assert_eq!(message.as_deref(), Some("caf\u{fffd}"));
    }
}

#[test]
fn f7_a_refusal_is_in_the_report_in_the_words_of_the_receiver() {
    let as_protobuf = Answer::status(400).header("content-type", "application/x-protobuf");
    for (answer, said) in [
        (Answer::status(401).body("no key\n's3cret'"), r"no key\n'…'"),
        (
            Answer::status(400).body(r#"{"code": 3, "message": "too old"}"#),
            "too old",
        ),
        (
            as_protobuf.body(&b"\x08\x03\x12\x04caf\xe9"[..]),
            "caf\u{fffd}",
        ),
        (
            Answer::status(503)
                .header("retry-after", "3600")
                .body("down"),
            "down",
        ),
    ] {
        let service = service([answer]);
        let otlp = Otlp::new()
            .with_endpoint(format!("{}/v1/traces", service.url()))
            .with_header("Authorization", "Bearer s3cret");
        let sender = Sender::new(Destination::otlp_http(otlp).unwrap());
        sender.send(1).unwrap_err();
        assert_eq!(sender.outcome(), lost("export_failed"));
        assert_eq!(sender.report().receiver_message.as_deref(), Some(said));
    }
}

#[test]
fn a_shutdown_tells_a_failure_with_its_losses_and_not_with_others() {
    for (last, told) in [
        (
            Answer::status(403),
            "otlp lost 1 span (export_failed: 1); otlp: status 403",
        ),
        (protobuf(1, "old"), "otlp lost 1 span (rejected: 1)"),
    ] {
        let service = service([Answer::status(401), last]);
        let sender = Sender::over_http(&service.url(), LONG);
        sender.send(1).unwrap_err();
        sender.put(1);
        let error = sender.shutdown().unwrap_err();
        assert_eq!(error, format!("Operation failed: {told}"));
    }
}

/// Why a span was lost that one destination was given.
#[track_caller]
fn last_failure(sender: &Sender) -> String {
    sender.send(1).unwrap_err();
    sender.report().last_failure.unwrap()
}

#[test]
fn the_report_says_why_spans_were_lost_and_repeats_nothing_of_an_answer() {
    for (answer, timeout, why) in [
        (Answer::status(503).body("s3cret"), LONG, "status 503"),
        (Answer::status(401).body("s3cret"), LONG, "status 401"),
        (Answer::hang(), SHORT, "no answer within 1s"),
        (
            Answer::garbage(),
            LONG,
            "the connection broke, or the answer is not HTTP",
        ),
    ] {
        let service = service([answer]);
        let sender = Sender::over_http(&service.url(), timeout);
        assert_eq!(last_failure(&sender), why);
        let end = format!("; last failure: {why}");
        assert!(sender.report().to_string().ends_with(&end));
    }
    let service = service([Answer::status(503), Answer::status(200)]);
    let sender = Sender::over_http(&service.url(), LONG);
    sender.send(1).unwrap();
    assert_eq!(sender.report().last_failure, None);
}

/// A name with an empty label is refused without asking anybody.
#[test]
fn the_report_and_the_log_say_that_a_host_is_not_found() {
    let logs = CapturedLogs::everywhere();
    let sender = Sender::over_http("http://nowhere..invalid:4318", LONG);
    let why = "cannot connect (host not found)";
    assert_eq!(last_failure(&sender), why);
    let log = logs.text();
    assert!(log.contains("nowhere..invalid:4318"), "{log}");
    let lines = log
        .lines()
        .filter(|line| line.contains("an exporter failed"));
    assert_eq!(lines.filter(|line| line.contains(why)).count(), 1, "{log}");
}

#[test]
fn the_report_says_that_nobody_listens() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://user:s3cret@{address}");
    for sender in [Sender::over_http(&url, LONG), Sender::over_grpc(&url, LONG)] {
        let why = "cannot connect (connection refused)";
        assert_eq!(last_failure(&sender), why);
    }
}
