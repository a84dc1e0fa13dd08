//! What the service answered.

use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::TransportError;
use crate::retry_after::{AskedPause, asked_pause};

/// How much of an answer's body is read. What it says is not used, but reading it to its end lets the
/// connection be used again.
const MAX_BODY: usize = 64 * 1024;

/// How much of a correlation id is kept.
const MAX_CORRELATION_ID: usize = 128;

/// An answer, without its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) correlation_id: Option<String>,
    pub(crate) body_bytes: usize,
    asked_pause: Option<AskedPause>,
}

impl Answer {
    /// Reads the body of `response` up to the limit. A longer one is left unread, which closes the
    /// connection, and the head alone decides what the answer means.
    pub(super) async fn read(response: Response<Incoming>) -> Result<Self, TransportError> {
        let (head, mut body) = response.into_parts();
        let mut body_bytes = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(TransportError::from_body)?;
            body_bytes += frame.data_ref().map_or(0, bytes::Bytes::len);
            if body_bytes > MAX_BODY {
                break;
            }
        }
        Ok(Self {
            status: head.status,
            correlation_id: correlation_id(&head.headers),
            body_bytes,
            asked_pause: asked_pause(&head.headers),
        })
    }

    /// How long the service asks to wait before the next try.
    pub(crate) fn asked_pause(&self) -> Option<AskedPause> {
        self.asked_pause
    }
}

/// The first of the two headers that has a value, made fit for a log: the service may be hostile.
fn correlation_id(headers: &HeaderMap) -> Option<String> {
    let value = ["x-ms-correlation-id", "request-id"]
        .into_iter()
        .filter_map(|name| headers.get(name))
        .find(|value| !value.is_empty())?;
    let shown = |byte: &u8| match byte {
        0x20..=0x7e => char::from(*byte),
        _ => '?',
    };
    Some(
        value
            .as_bytes()
            .iter()
            .take(MAX_CORRELATION_ID)
            .map(shown)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn check_id(headers: &[(&'static str, &[u8])], expected: Option<&str>) {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .collect();
        assert_eq!(correlation_id(&headers).as_deref(), expected);
    }

    #[test]
    fn the_correlation_id_comes_before_the_request_id() {
        check_id(
            &[("request-id", b"r"), ("x-ms-correlation-id", b"c")],
            Some("c"),
        );
        check_id(&[("request-id", b"r")], Some("r"));
        check_id(
            &[("request-id", b"r"), ("x-ms-correlation-id", b"")],
            Some("r"),
        );
        check_id(&[], None);
    }

    #[test]
    fn a_hostile_correlation_id_is_made_harmless() {
        check_id(&[("request-id", b"a\tb\xe2\x80\xae\xff")], Some("a?b????"));
        let long = [b'x'; 1_000];
        check_id(&[("request-id", &long)], Some(&"x".repeat(128)));
    }
}
