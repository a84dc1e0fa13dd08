//! The answer of the server.

use std::fmt;
use std::time::{Duration, SystemTime};

use agentspan_model::received::Withheld;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use crate::retry_after::{AskedPause, asked_pause};

/// The headers that may hold the id of an answer, the better one first.
const CORRELATION_IDS: [HeaderName; 2] = [
    HeaderName::from_static("x-ms-correlation-id"),
    HeaderName::from_static("request-id"),
];

/// How much of a correlation id is kept.
const MAX_CORRELATION_ID: usize = 128;

/// An answer. Its head decides what it means; its body may be less than the server meant to send.
///
/// `Debug` shows neither headers nor the body, which may be a token.
pub struct HttpAnswer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    is_whole: bool,
}

impl fmt::Debug for HttpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .field("is_whole", &self.is_whole)
            .finish_non_exhaustive()
    }
}

impl HttpAnswer {
    /// Reads the body of `response` up to `longest` bytes, for at most `remaining`. Reading it to its end
    /// lets the connection be used again. A body that is longer, that
    /// breaks or that is late is left there, which closes a connection of HTTP/1.1.
    pub(super) async fn read(
        response: Response<Incoming>,
        longest: usize,
        remaining: Duration,
    ) -> Self {
        let (head, mut incoming) = response.into_parts();
        // Room for all of it, so that a body that holds a secret leaves no copies behind as it grows.
        let expected = usize::try_from(incoming.size_hint().lower()).unwrap_or(longest);
        let mut body = Vec::with_capacity(expected.min(longest));
        let mut trailers = None;
        let read = async {
            while let Some(frame) = incoming.frame().await {
                let Ok(frame) = frame else {
                    return false;
                };
                match frame.into_data() {
                    Ok(data) => {
                        let room = longest - body.len();
                        body.extend(data.iter().take(room));
                        if data.len() > room {
                            return false;
                        }
                    }
                    Err(frame) => trailers = frame.into_trailers().ok(),
                }
            }
            true
        };
        let is_whole = timeout(remaining, read).await.unwrap_or(false);
        Self {
            status: head.status,
            headers: head.headers,
            body,
            trailers,
            is_whole,
        }
    }

    /// The status of its head.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers of its head.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body, up to the limit of the transport.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body for whoever overwrites its memory in the end, since it holds a secret.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The trailers, which came after the body.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.trailers.as_ref()
    }

    /// Whether the body came whole and in time, and was not too long.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// How long the server asks to wait before the next try, from `now` on: its header `Retry-After`, be it
    /// seconds or a date.
    #[must_use]
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        Some(self.asked_pause()?.counted_from(now))
    }

    pub(crate) fn asked_pause(&self) -> Option<AskedPause> {
        asked_pause(&self.headers)
    }

    pub(crate) fn correlation_id(&self, withheld: &Withheld<'_>) -> Option<String> {
        correlation_id(&self.headers, withheld)
    }
}

/// The first of the two headers that has a value, made fit for a log: the service may be hostile.
fn correlation_id(headers: &HeaderMap, withheld: &Withheld<'_>) -> Option<String> {
    let value = CORRELATION_IDS
        .iter()
        .filter_map(|name| headers.get(name))
        .find(|value| !value.is_empty())?;
    let shown = |byte: &u8| match byte {
        0x20..=0x7e => char::from(*byte),
        _ => '?',
    };
    let text: String = value.as_bytes().iter().map(shown).collect();
    Some(withheld.show(&text, MAX_CORRELATION_ID))
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
                    HeaderName::from_static(name),
                    HeaderValue::from_bytes(value).unwrap(),
                )
            })
            .collect();
        assert_eq!(
            correlation_id(&headers, &Withheld::new().with_secret(b"s3cret")).as_deref(),
            expected
        );
    }

    #[test]
    fn debug_shows_neither_headers_nor_the_body() {
        let mut headers = HeaderMap::new();
        headers.insert("x-echo", "canary".parse().unwrap());
        let answer = HttpAnswer {
            status: StatusCode::OK,
            headers: headers.clone(),
            body: b"canary".to_vec(),
            trailers: Some(headers),
            is_whole: true,
        };
        assert_eq!(
            format!("{answer:?}"),
            "HttpAnswer { status: 200, body_bytes: 6, is_whole: true, .. }"
        );
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
    fn t13_a_hostile_correlation_id_is_made_harmless() {
        check_id(&[("request-id", b"a\tb\xe2\x80\xae\xff")], Some("a?b????"));
        let long = [b'x'; 1_000];
        let cut = format!("{}…", "x".repeat(128));
        check_id(&[("request-id", &long)], Some(&cut));
        check_id(&[("request-id", b"id of s3cret")], Some("id of …"));
    }
}
