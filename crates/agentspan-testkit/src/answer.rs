//! What the service does with a request: a well-formed answer or a fault.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// One answer of a script.
///
/// An answer begins as [`status`](Self::status), [`json`](Self::json) or one of the faults, and
/// the methods that take `self` refine it. Status, headers and body are used by those answers that
/// have a head.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) delay: Duration,
    pub(crate) play: Play,
}

/// How the answer is played.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    Whole,
    Truncated { declared: u64 },
    StalledBody,
    EndlessBody,
    TricklingBody,
    EndlessHead,
    InformationalFlood,
    Raw,
    Hang,
    Close,
    Reset,
    Refuse,
}

impl Answer {
    /// Answers with this status, no headers and an empty body.
    ///
    /// # Panics
    ///
    /// When `status` is not between 100 and 999.
    #[must_use]
    #[expect(clippy::panic, reason = "a mistake in the script of a test")]
    pub fn status(status: u16) -> Self {
        let Ok(status) = StatusCode::from_u16(status) else {
            panic!("{status} is not a status of HTTP");
        };
        Self {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            delay: Duration::ZERO,
            play: Play::Whole,
        }
    }

    /// Answers 200 with `value` as `application/json`.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self::status(200)
            .header("content-type", "application/json")
            .body(value.to_string())
    }

    /// Answers with `status` and a `location` header.
    ///
    /// # Panics
    ///
    /// As [`status`](Self::status) and [`header`](Self::header).
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// Resets the connection (RST) after the whole request has been read.
    #[must_use]
    pub fn reset() -> Self {
        Self::played(Play::Reset)
    }

    /// Resets the connection (RST) before anything is read from it, TLS included.
    ///
    /// Such a connection leaves a [`ConnectionRecord`](crate::ConnectionRecord) and no request. On a connection that was
    /// kept alive, the reset comes after the head of the next request. Only scripts can refuse: a
    /// closure or a route needs a request to look at, and then this acts as [`reset`](Self::reset).
    #[must_use]
    pub fn refuse() -> Self {
        Self::played(Play::Refuse)
    }

    /// Reads the request and closes the connection without an answer.
    #[must_use]
    pub fn close() -> Self {
        Self::played(Play::Close)
    }

    /// Answers 200 with a head that promises ten bytes, and closes the connection instead of
    /// sending them.
    #[must_use]
    pub fn close_after_head() -> Self {
        Self::status(200).truncated(10)
    }

    /// Reads the request and never answers. The connection stays open until the service stops.
    #[must_use]
    pub fn hang() -> Self {
        Self::played(Play::Hang)
    }

    /// Answers with bytes that are not HTTP, then closes the connection.
    #[must_use]
    pub fn garbage() -> Self {
        Self::raw(&b"\x00\xff\x16\x03 this is not http\r\n\r\n"[..])
    }

    /// Writes exactly these bytes, then closes the connection.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::played(Play::Raw).body(bytes)
    }

    /// Sends informational answers (100) for ever, and never a final one.
    #[must_use]
    pub fn informational_flood() -> Self {
        Self::played(Play::InformationalFlood)
    }

    /// Sends a head whose headers never end.
    #[must_use]
    pub fn endless_head() -> Self {
        Self::played(Play::EndlessHead)
    }

    /// Sends a body that never ends, as fast as the client reads it.
    #[must_use]
    pub fn endless_body() -> Self {
        Self::played(Play::EndlessBody)
    }

    /// Adds a header, also beside one of the same name.
    ///
    /// # Panics
    ///
    /// When HTTP does not allow the name or the value. [`raw`](Self::raw) sends what is not allowed.
    #[must_use]
    #[expect(clippy::panic, reason = "a mistake in the script of a test")]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) else {
            panic!("header {name} cannot be sent");
        };
        self.headers.append(name, value);
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets a body of so many bytes, each an `x`.
    #[must_use]
    pub fn body_of(self, bytes: usize) -> Self {
        self.body(vec![b'x'; bytes])
    }

    /// Waits before the answer begins.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Promises `declared` bytes, sends the body given and closes the connection.
    #[must_use]
    pub fn truncated(mut self, declared: u64) -> Self {
        self.play = Play::Truncated { declared };
        self
    }

    /// Sends the head and the body given, and then nothing more, with the connection left open.
    #[must_use]
    pub fn stalled(mut self) -> Self {
        self.play = Play::StalledBody;
        self
    }

    /// Sends the head and the body given at once, and then a byte every few milliseconds, for ever.
    #[must_use]
    pub fn trickling(mut self) -> Self {
        self.play = Play::TricklingBody;
        self
    }

    fn played(play: Play) -> Self {
        Self {
            play,
            ..Self::status(200)
        }
    }
}
