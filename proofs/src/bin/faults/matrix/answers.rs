//! F3, F6, F7, F14, F30: what well-formed answers say.

use agentspan_testkit::{Answer, Oracle, RecordedRequest};
use serde_json::json;

use crate::defence::Defence::{Finality, Receipts, Redirects, Refusals, Retry, Timeout};
use crate::front::{AGENT365, HTTP_1, OTLP_HTTP, WIRE};
use crate::row::Row;
use crate::stage::Stage;
use crate::wire::{Expected, Wire};

const REFUSED: &str = "permanent_status";
const FAILED: &str = "export_failed";

pub(super) fn rows() -> Vec<Row> {
    let mut rows = pauses();
    rows.extend(refusals());
    rows.extend(redirects());
    rows.extend(partial_successes());
    rows
}

/// Whatever a service asks for, its spans are kept.
fn pauses() -> Vec<Row> {
    let values: [(&str, &[&str]); 8] = [
        ("0", &["0"]),
        ("1", &["1"]),
        ("120", &["120"]),
        ("10^9", &["1000000000"]),
        ("negative", &["-1"]),
        ("in the past", &["Wed, 21 Oct 2015 07:28:00 GMT"]),
        ("garbage", &["soon"]),
        ("twice", &["1", "2"]),
    ];
    let row = |(what, values): (&'static str, &'static [&'static str])| {
        let throttled = move |status| {
            let answer = Answer::refusal(status, "TooManyRequests");
            let values = values.iter();
            values.fold(answer, |answer, value| answer.header("retry-after", value))
        };
        let answers = move || [429, 503].into_iter().map(throttled).collect();
        let what = format!("429 and 503 with retry-after {what}");
        Wire::playing(move |_| answers()).row("F3", what, AGENT365, &[Retry])
    };
    let mut rows: Vec<Row> = values.into_iter().map(row).collect();
    let late = || Answer::status(429).header("retry-after", "3600");
    let in_vain = Wire::always(move |_| late()).losing(REFUSED, FAILED);
    rows.push(in_vain.row("F3", "429 beyond the timeout", OTLP_HTTP, &[Timeout]));
    rows
}

fn refusals() -> Vec<Row> {
    let mut rows = vec![
        Wire::playing(|_| vec![Answer::refusal(401, "InvalidToken")])
            .checking(|stage| at_most_tokens(stage, 4))
            .row("F4", "401 once", AGENT365, &[Refusals]),
        too_large().row("F6", "413 to more than 7 spans", AGENT365, &[Refusals]),
        one_too_large().row("F6", "413 to one span", AGENT365, &[Refusals]),
        Wire::playing(|_| vec![Answer::status(500), Answer::status(501)]).row(
            "F7",
            "500 and 501 once",
            AGENT365,
            &[Retry],
        ),
    ];
    for status in [400, 404, 410, 418, 422] {
        let refused = Wire::always(move |_| Answer::refusal(status, "Refused"))
            .losing(REFUSED, FAILED)
            .checking(|stage| at_most_requests(stage, 3));
        rows.push(refused.row("F7", format!("{status}"), WIRE, &[Finality]));
    }
    for status in [401, 403, 500] {
        let refused = Wire::always(move |_| Answer::refusal(status, "Refused"))
            .losing(REFUSED, FAILED)
            .checking(|stage| at_most_requests(stage, 1));
        rows.push(refused.row("F7", format!("{status}"), OTLP_HTTP, &[Finality]));
    }
    rows
}

fn at_most_tokens(stage: &Stage, most: u64) -> Vec<String> {
    let tokens = stage.tokens.load(std::sync::atomic::Ordering::SeqCst);
    let too_many = tokens > most;
    let problem = too_many.then(|| format!("{tokens} tokens were asked for"));
    problem.into_iter().collect()
}

pub(super) fn at_most_requests(stage: &Stage, most: usize) -> Vec<String> {
    let requests = stage.service.as_ref().map_or(0, |one| one.request_count());
    let too_many = requests > most;
    let problem = too_many.then(|| format!("{requests} requests came"));
    problem.into_iter().collect()
}

fn spans_in(request: &RecordedRequest) -> usize {
    let body = String::from_utf8_lossy(&request.body);
    body.matches("oracle-").count()
}

fn too_large() -> Wire {
    Wire {
        answerer: Some(|front, request| match spans_in(request) {
            0..=7 => front.taken(),
            _ => Answer::refusal(413, "RequestTooLarge"),
        }),
        ..Wire::new()
    }
}

fn one_too_large() -> Wire {
    Wire {
        answerer: Some(|front, request| {
            let body = String::from_utf8_lossy(&request.body);
            match body.contains(&Oracle::new(3).mark(7)) {
                true => Answer::refusal(413, "RequestTooLarge"),
                false => front.taken(),
            }
        }),
        ..Wire::new()
    }
    .expecting(|_| Expected::LostOf(vec![("too_large", 1)]))
}

/// No redirect is followed: not one request comes to the other service, which would say so by
/// taking the spans.
fn redirects() -> Vec<Row> {
    let targets = [
        ("the same place", "/"),
        ("another host", "https://another.invalid/"),
        ("plain text", "http://another.invalid/"),
    ];
    let mut rows = Vec::new();
    for status in [301, 302, 303, 307, 308] {
        for (what, target) in targets {
            let redirected = Wire::always(move |_| Answer::redirect(status, target))
                .losing(REFUSED, FAILED)
                .checking(|stage| at_most_requests(stage, 3));
            rows.push(redirected.row("F14", format!("{status} to {what}"), HTTP_1, &[Redirects]));
        }
    }
    rows
}

fn partial_successes() -> Vec<Row> {
    let partial = |rejected: serde_json::Value, message: &str| {
        let partial = json!({"rejectedSpans": rejected, "errorMessage": message});
        Answer::json(&json!({"partialSuccess": partial}))
    };
    let shouting = "line\r\n\u{1b}[31m\u{202e}".repeat(1 << 12);
    let answers = [
        ("2 rejected", partial(json!(2), "too old"), 2),
        ("2 rejected, as text", partial(json!("2"), "too old"), 2),
        ("more rejected than sent", partial(json!(1_000), "all"), 20),
        ("-1 rejected", partial(json!(-1), "none"), 0),
        (
            "none rejected, and a long warning",
            partial(json!(0), &shouting),
            0,
        ),
    ];
    let row = |(what, answer, lost): (&'static str, Answer, u64)| {
        let rejected = Wire::playing(move |_| vec![answer.clone()]);
        let rejected = rejected.expecting(move |_| Expected::LostOf(vec![("rejected", lost)]));
        match lost {
            0 => rejected
                .row("F30", what, AGENT365, &[])
                .because("nothing is rejected: to read the answer or not is the same"),
            _ => rejected.row("F30", what, AGENT365, &[Receipts]),
        }
    };
    answers.into_iter().map(row).collect()
}
