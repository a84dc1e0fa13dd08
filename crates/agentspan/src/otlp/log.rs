//! Log lines about requests: the host, the number of tries, and the kind of the outcome, but no
//! text from the receiver.

use std::time::Duration;

use agentspan_agent365::transport::{HttpAnswer, TransportError};
use agentspan_discovery::ShownValue;
use agentspan_otel::export_queue::Receipt;
use agentspan_queue::contain;
use http::Uri;

type Outcome = Result<HttpAnswer, TransportError>;

pub(super) fn taken(uri: &Uri, tries: u32, receipt: &Receipt) {
    let host = ShownValue(uri.host().unwrap_or_default());
    contain::log(|| {
        tracing::debug!(
            target: "agentspan::otlp",
            %host,
            tries,
            rejected = receipt.rejected(),
            is_confirmed = receipt.is_confirmed(),
            "the receiver took a batch"
        );
    });
}

pub(super) fn again(uri: &Uri, tries: u32, outcome: &Outcome, pause: Duration) {
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::otlp",
            host = %ShownValue(uri.host().unwrap_or_default()),
            tries,
            outcome = kind(outcome),
            status = status(outcome),
            pause_ms = pause.as_millis(),
            "the receiver did not take a batch, which is sent again"
        );
    });
}

pub(super) fn given_up(uri: &Uri, tries: u32, outcome: &Outcome) {
    // The queue counts the loss, and logs it as an error.
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::otlp",
            host = %ShownValue(uri.host().unwrap_or_default()),
            tries,
            outcome = kind(outcome),
            status = status(outcome),
            "the receiver did not take a batch, which is dropped"
        );
    });
}

fn kind(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(_) => "answered",
        Err(error) => error.kind(),
    }
}

fn status(outcome: &Outcome) -> Option<u16> {
    outcome.as_ref().ok().map(|it| it.status().as_u16())
}
