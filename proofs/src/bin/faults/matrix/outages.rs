//! F1, F2, F8, F9, F12: services that are slow, away, or go in the middle of something.

use std::time::Duration;

use agentspan_testkit::Answer;

use crate::defence::Defence::{Age, Queue, Retry, Timeout};
use crate::front::{AGENT365, OTLP, WIRE};
use crate::row::Row;
use crate::stage::Settings;
use crate::wire::{Expected, Wire};

const EXHAUSTED: &str = "retries_exhausted";
const FAILED: &str = "export_failed";
const TIMED_OUT: &str = "export_timed_out";

/// One try fails, and the next one passes where there is time for one.
fn once(answer: fn() -> Answer) -> Wire {
    Wire::playing(move |_| vec![answer()])
}

/// The answer takes all the time there is: Agent 365 has another try, and an export over OTLP ends.
pub(super) fn once_too_slow(answer: fn() -> Answer) -> Wire {
    once(answer).expecting(|front| match front.is_agent365() {
        true => Expected::Taken,
        false => Expected::Lost(TIMED_OUT),
    })
}

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        Wire {
            settings: Settings {
                timeout: Duration::from_secs(5),
                ..Settings::new()
            },
            ..Wire::playing(|front| vec![front.taken().delay(Duration::from_millis(400))])
        }
        .row("F1", "a slow answer", WIRE, &[Queue]),
        nobody_listens().row("F2", "nobody listens", AGENT365, &[Age]),
        nobody_listens().row("F2", "nobody listens", OTLP, &[Queue]),
        Wire::playing(|_| vec![Answer::refuse(); 9]).row(
            "F2",
            "9 connections are refused",
            AGENT365,
            &[Retry],
        ),
        once_too_slow(Answer::black_hole).row("F2", "a black hole", WIRE, &[Timeout]),
        thirty_percent().row("F8", "30 % of the requests fail", AGENT365, &[Retry]),
        Wire::playing(|front| vec![front.unavailable(); 2]).row(
            "F8",
            "two answers of 503",
            WIRE,
            &[Retry],
        ),
        unavailable().row("F8", "503 for ever", AGENT365, &[Age]),
        unavailable().row("F8", "503 for ever", OTLP, &[Queue]),
        Wire {
            is_ambiguous: true,
            ..once(Answer::reset)
        }
        .row("F9", "a reset after the request", AGENT365, &[Retry]),
        Wire {
            is_ambiguous: true,
            ..once(Answer::reset)
        }
        .row("F9", "a reset after the request", OTLP, &[Retry]),
    ];
    for (what, answer) in [
        ("a reset before the request", Answer::refuse as fn() -> _),
        ("a reset within the request", || Answer::reset_within(500)),
    ] {
        rows.push(once(answer).row("F9", what, AGENT365, &[Retry]));
        rows.push(once(answer).row("F9", what, OTLP, &[Retry]));
    }
    rows.push(half_open().row("F12", "a connection whose end vanished", WIRE, &[Timeout]));
    rows
}

fn nobody_listens() -> Wire {
    Wire {
        drive: |stage, spans, patience| {
            drop(stage.service.take());
            stage.hand_over(spans);
            stage.flush(patience);
            stage.shutdown(Duration::from_millis(100));
            Ok(())
        },
        ..Wire::always(|front| front.taken())
    }
    .losing(EXHAUSTED, FAILED)
}

fn unavailable() -> Wire {
    Wire::always(|front| front.unavailable()).losing(EXHAUSTED, FAILED)
}

fn thirty_percent() -> Wire {
    Wire {
        answerer: Some(|front, request| match request.order * 7 % 10 {
            0..3 => front.unavailable(),
            _ => front.taken(),
        }),
        settings: Settings {
            batch_spans: 10,
            ..Settings::new()
        },
        spans: 2_000,
        identities: 20,
        ..Wire::new()
    }
}

/// The first batch is taken, and the connection then says nothing any more.
fn half_open() -> Wire {
    Wire {
        identities: 1,
        drive: |stage, spans, patience| {
            for part in [spans / 3, spans - spans / 3 * 2, spans / 3] {
                stage.hand_over(part);
                stage.flush(patience);
            }
            stage.shutdown(Duration::from_millis(100));
            Ok(())
        },
        ..Wire::playing(|front| vec![front.taken().then_silent()])
    }
    .expecting(|front| match front.is_agent365() {
        true => Expected::Taken,
        false => Expected::LostOf(vec![(TIMED_OUT, 20)]),
    })
}
