//! F5, F19, F29: what happens to one identity costs no other one anything.

use std::future::Future;
use std::pin::Pin;
use std::thread;
use std::time::{Duration, Instant};

use agentspan_agent365::retry::{RetryTimer, TokioRetryTimer};
use agentspan_testkit::{Answer, Oracle, RecordedRequest};

use crate::defence::Defence::{Containment, Finality, Lanes, Retry, Slots, TokenDeadline};
use crate::front::{AGENT365, Front, V2};
use crate::matrix::answers::at_most_requests;
use crate::row::Row;
use crate::stage::{Settings, Stage};
use crate::wire::{Expected, Wire};
use crate::{Failure, on_purpose};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = refused();
    rows.extend(stalled());
    rows.extend(tokens());
    rows.extend(panics());
    rows
}

/// Whether the request is of an identity before this one.
fn is_before(request: &RecordedRequest, identity: usize) -> bool {
    let is_of = |one| request.path().contains(&Oracle::agent(one));
    (0..identity).any(is_of)
}

fn refused() -> Vec<Row> {
    let refused = |answerer| {
        let wire = Wire {
            answerer: Some(answerer),
            ..Wire::new()
        };
        wire.expecting(|_| Expected::LostOf(vec![("permanent_status", 20)]))
            .checking(|stage| at_most_requests(stage, 4))
    };
    vec![
        refused(|front, request| match is_before(request, 1) {
            true => Answer::refusal(401, "InvalidToken"),
            false => front.taken(),
        })
        .row("F5", "401 for ever to one identity", AGENT365, &[Finality]),
        refused(|front, request| match is_before(request, 1) {
            true => Answer::refusal(403, "Forbidden"),
            false => front.taken(),
        })
        .row("F5", "403 for ever to one identity", AGENT365, &[Finality]),
    ]
}

/// The first eight of twelve identities get nowhere. They are twice as many as the slots at the
/// start.
const BAD: usize = 8;

fn stalled() -> Vec<Row> {
    let wire = |answerer| Wire {
        answerer: Some(answerer),
        settings: Settings {
            timeout: Duration::from_secs(60),
            build: |builder| builder.with_retry_timer(TokioRetryTimer),
            ..Settings::new()
        },
        spans: 120,
        identities: 12,
        drive: until_the_others_are_served,
        ..Wire::new()
    };
    let bad = BAD as u64 * 10;
    let lost = move |_: Front| Expected::LostOf(vec![("shutdown_deadline", bad)]);
    vec![
        wire(|front, request| match is_before(request, BAD) {
            true => Answer::hang(),
            false => front.taken(),
        })
        .ambiguous()
        .expecting(lost)
        .row("F5", "8 of 12 identities stall", AGENT365, &[Slots]),
        wire(|front, request| match is_before(request, BAD) {
            true => Answer::refusal(429, "TooManyRequests").header("retry-after", "60"),
            false => front.taken(),
        })
        .expecting(lost)
        .row("F5", "8 of 12 identities are throttled", V2, &[Lanes]),
        wire(|front, request| match is_before(request, BAD) {
            true => Answer::refusal(429, "TooManyRequests").header("retry-after", "60"),
            false => front.taken(),
        })
        .expecting(lost)
        .row(
            "F5",
            "8 of 12 identities are throttled",
            &[Front::V0_1],
            &[Retry],
        ),
        Wire {
            spans: 3_000,
            identities: 1_000,
            most_memory_mib: 64,
            ..wire(|front, request| match is_before(request, 1) {
                true => Answer::hang(),
                false => front.taken(),
            })
        }
        .expecting(|_| Expected::LostOf(vec![("shutdown_deadline", 3)]))
        .row("F29", "one of 1,000 identities stalls", AGENT365, &[])
        .because("with one slot, too, a request without an answer gives way to others"),
    ]
}

fn until_the_others_are_served(
    stage: &mut Stage,
    spans: usize,
    patience: Duration,
) -> Result<(), Failure> {
    stage.hand_over(spans);
    let started = Instant::now();
    let bad = match spans {
        3_000 => 3,
        _ => BAD * 10,
    };
    while stage.counts().exported < (spans - bad) as u64 && started.elapsed() < patience {
        stage.flush(Duration::from_millis(20));
    }
    stage.shutdown(Duration::from_millis(1));
    Ok(())
}

/// The resolver misbehaves for the first of three identities.
fn tokens() -> Vec<Row> {
    let wire = |resolve| Wire {
        settings: Settings {
            resolve,
            build: |builder| builder.with_token_deadline(Duration::from_millis(300)),
            ..Settings::new()
        },
        ..Wire::new()
    };
    let lost = |_: Front| Expected::LostOf(vec![("token", 20)]);
    vec![
        wire(|agent| match is_first(agent) {
            true => Err("no token today".into()),
            false => Ok(true),
        })
        .expecting(lost)
        .row("F19", "the resolver fails for one identity", AGENT365, &[])
        .because("its error is an answer like others, and holds nobody up"),
        wire(|agent| match is_first(agent) {
            true => on_purpose(),
            false => Ok(true),
        })
        .expecting(lost)
        .row(
            "F19",
            "the resolver panics for one identity",
            AGENT365,
            &[Containment],
        ),
        wire(|agent| match is_first(agent) {
            true => hang(),
            false => Ok(true),
        })
        .expecting(lost)
        .row(
            "F19",
            "the resolver hangs for one identity",
            AGENT365,
            &[TokenDeadline],
        ),
        wire(|agent| Ok(!is_first(agent)))
            .expecting(lost)
            .row("F19", "the resolver has no token for one identity", V2, &[])
            .because("it is an answer like others, and holds nobody up"),
    ]
}

fn is_first(agent: &str) -> bool {
    agent == Oracle::agent(0)
}

/// The thread goes with the process.
fn hang() -> Result<bool, Failure> {
    loop {
        thread::park();
    }
}

#[derive(Debug)]
struct Panics;

impl RetryTimer for Panics {
    fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        on_purpose()
    }
}

/// The second part shows whether anything goes on after the first.
fn in_two_parts(stage: &mut Stage, spans: usize, patience: Duration) -> Result<(), Failure> {
    for part in [spans / 2, spans - spans / 2] {
        stage.hand_over(part);
        stage.flush(patience);
    }
    stage.shutdown(Duration::from_millis(100));
    Ok(())
}

fn panics() -> Vec<Row> {
    let wire = |answers: fn(Front) -> Vec<Answer>, build| Wire {
        settings: Settings {
            build,
            ..Settings::new()
        },
        ..Wire::playing(answers)
    };
    vec![
        wire(
            |_| Vec::new(),
            |builder| builder.with_span_enricher(|_| on_purpose()),
        )
        .row("F19", "an enricher panics", AGENT365, &[Containment]),
        Wire {
            drive: in_two_parts,
            ..wire(
                |_| Vec::new(),
                |builder| builder.with_on_report(|_| on_purpose()),
            )
        }
        .row("F19", "an observer panics", AGENT365, &[Containment]),
        wire(
            |front| vec![front.unavailable()],
            |builder| builder.with_retry_timer(Panics),
        )
        .row("F19", "a retry timer panics", AGENT365, &[Containment]),
    ]
}
