//! F13, F21, F24: answers that do not end as they should, or not at all.

use std::thread;
use std::time::Duration;

use agentspan_testkit::Answer;

use super::outages::once_too_slow;
use crate::Failure;
use crate::defence::Defence::{Bounds, Heads, Queue, Retry, Timeout};
use crate::front::{AGENT365, HTTP_1, OTLP_HTTP, WIRE};
use crate::row::Row;
use crate::stage::{Settings, Stage};
use crate::wire::{Expected, Wire};

type Fault = fn() -> Answer;

pub(super) fn rows() -> Vec<Row> {
    let mut rows =
        vec![
            once_too_slow(Answer::hang)
                .ambiguous()
                .row("F13", "no answer", WIRE, &[Timeout]),
        ];
    for (what, answer) in [
        (
            "informational answers without end",
            Answer::informational_flood as Fault,
        ),
        ("a head byte by byte", || {
            Answer::status(200).trickling_head()
        }),
    ] {
        let wire = once_too_slow(answer).ambiguous();
        rows.push(wire.row("F13", what, HTTP_1, &[Timeout]));
    }
    rows.extend(broken());
    rows.extend(decided());
    rows.push(shutting_down().row(
        "F21",
        "a shutdown while nothing is answered",
        WIRE,
        &[Queue],
    ));
    rows.push(full().row("F24", "50 times as many spans as fit", WIRE, &[Bounds]));
    rows
}

/// There is no answer in what comes, so that the request is sent again.
fn broken() -> Vec<Row> {
    let answers: [(&str, Fault); 4] = [
        ("a head without end", Answer::endless_head),
        ("no HTTP", Answer::garbage),
        ("HTTP/0.9", Answer::http_0_9),
        ("a connection that is closed", Answer::close),
    ];
    let mut rows = Vec::new();
    for (what, answer) in answers {
        let wire = || Wire::playing(move |_| vec![answer()]).ambiguous();
        rows.push(wire().row("F13", what, AGENT365, &[Retry]));
        rows.push(wire().row("F13", what, OTLP_HTTP, &[Retry]));
    }
    rows
}

/// The head says 200, and decides, whatever becomes of the body. Some take all the time there is;
/// some bodies are whole.
fn decided() -> Vec<Row> {
    let answers: [(&str, Fault, Option<bool>); 9] = [
        (
            "200, and a body that stalls",
            || Answer::status(200).body("{").stalled(),
            Some(true),
        ),
        (
            "200, and a body byte by byte",
            || Answer::status(200).body("{").trickling(),
            Some(true),
        ),
        (
            "200, and a body without end",
            Answer::endless_body,
            Some(false),
        ),
        (
            "200, and less than was promised",
            || Answer::status(200).body("{").truncated(99),
            Some(false),
        ),
        (
            "200, and more than was promised",
            || Answer::status(200).body("{}{}").truncated(2),
            None,
        ),
        (
            "200, and a chunk that is shorter",
            Answer::lying_chunk,
            Some(false),
        ),
        (
            "200, and a chunk beyond all memory",
            Answer::huge_chunk,
            Some(false),
        ),
        (
            "200, and a gigabyte in a megabyte",
            Answer::gzip_bomb,
            Some(false),
        ),
        (
            "200, and a megabyte of something",
            || Answer::status(200).body_of(1 << 20),
            None,
        ),
    ];
    let row = |(what, answer, waits): (&'static str, Fault, Option<bool>)| {
        let wire = Wire::playing(move |_| vec![answer()]);
        match waits {
            Some(true) => wire.row("F13", what, HTTP_1, &[Timeout, Heads]),
            Some(false) => wire.row("F13", what, HTTP_1, &[Heads]),
            None => wire
                .row("F13", what, HTTP_1, &[])
                .because("whoever reads it to the end has the same: it is long, and whole"),
        }
    };
    answers.into_iter().map(row).collect()
}

/// Eight threads want it to end at the same time, and all come back in time.
fn shutting_down() -> Wire {
    Wire {
        settings: Settings {
            timeout: Duration::from_secs(60),
            ..Settings::new()
        },
        drive: |stage, spans, _| {
            stage.hand_over(spans);
            shut_down_from_threads(stage);
            Ok(())
        },
        ..Wire::always(|_| Answer::hang())
    }
    .losing("shutdown_deadline", "shutdown_deadline")
}

fn shut_down_from_threads(stage: &mut Stage) {
    let mut longest = stage.longest;
    longest.time(|| {
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| stage.shutdown(Duration::from_millis(100)));
            }
        });
    });
    stage.longest = longest;
}

fn full() -> Wire {
    Wire {
        settings: Settings {
            timeout: Duration::from_secs(60),
            queue_spans: 100,
            batch_spans: 50,
            ..Settings::new()
        },
        spans: 5_000,
        identities: 1,
        drive: fill,
        ..Wire::always(|_| Answer::hang())
    }
    .expecting(|_| Expected::LostOf(vec![("queue_full", 4_900), ("shutdown_deadline", 100)]))
}

fn fill(stage: &mut Stage, spans: usize, _: Duration) -> Result<(), Failure> {
    stage.hand_over(spans);
    stage.shutdown(Duration::from_millis(1));
    Ok(())
}
