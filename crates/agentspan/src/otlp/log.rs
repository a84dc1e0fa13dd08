//! Log lines about requests: the destination, the receiver, the number of tries, and the cause of a failure, but no
//! text from the receiver.

use std::time::Duration;

use agentspan_discovery::ShownValue;
use agentspan_otel::export_queue::Receipt;
use agentspan_queue::contain;
use http::Uri;
use http::uri::Authority;

pub(super) fn taken(destination: &str, uri: &Uri, tries: u32, receipt: &Receipt) {
    contain::log(|| {
        tracing::debug!(
            target: "agentspan::otlp",
            destination,
            receiver = %receiver(uri),
            tries,
            rejected = receipt.rejected(),
            is_confirmed = receipt.is_confirmed(),
            "the receiver took a batch"
        );
    });
}

/// `cause` is in our own words.
pub(super) fn again(destination: &str, uri: &Uri, tries: u32, cause: &str, pause: Duration) {
    contain::log(|| {
        tracing::warn!(
            target: "agentspan::otlp",
            destination,
            receiver = %receiver(uri),
            tries,
            cause,
            pause_ms = pause.as_millis(),
            "export failed, retrying"
        );
    });
}

/// `cause` is in our own words.
pub(super) fn given_up(destination: &str, uri: &Uri, tries: u32, cause: &str) {
    // The queue counts the loss, and logs it as an error with the cause.
    contain::log(|| {
        tracing::debug!(
            target: "agentspan::otlp",
            destination,
            receiver = %receiver(uri),
            tries,
            cause,
            "export failed, not retrying"
        );
    });
}

/// Host and port: two receivers may be on one host. The URL's user and password are not in `uri`.
fn receiver(uri: &Uri) -> ShownValue<'_> {
    ShownValue(uri.authority().map_or("", Authority::as_str))
}
