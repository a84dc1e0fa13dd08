//! Answers of the service: well-formed answers and faults.

use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// One answer of a script.
///
/// Create an answer with [`status`](Self::status), [`json`](Self::json) or one of the faults, and
/// refine it with the methods that take `self`. Status, headers and body only apply to answers with
/// a head.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) delay: Duration,
    pub(crate) play: Play,
    /// Nothing more is read from the connection afterwards, and it stays open.
    pub(crate) is_last: bool,
}

/// How the answer is played.
#[derive(Clone, Debug)]
pub(crate) enum Play {
    Whole,
    Truncated { declared: u64 },
    StalledBody,
    EndlessBody,
    TricklingBody,
    TricklingHead,
    EndlessHead,
    InformationalFlood,
    Raw,
    Hang,
    Close,
    Reset,
    Refuse,
    BlackHole,
    ResetWithin { bytes: usize },
    Greeting,
}

impl Play {
    /// Whether it needs no request to look at, so that it begins with the connection.
    pub(crate) fn is_of_connection(&self) -> bool {
        matches!(self, Self::Refuse | Self::BlackHole | Self::Greeting)
    }

    /// Whether it begins before the body of a request was read.
    pub(crate) fn is_before_body(&self) -> bool {
        self.is_of_connection() || matches!(self, Self::ResetWithin { .. })
    }
}

impl Answer {
    /// Answers with this status, without headers and with an empty body.
    ///
    /// # Panics
    ///
    /// If `status` is not between 100 and 999.
    #[must_use]
    #[expect(clippy::panic, reason = "a mistake in the script of a test")]
    pub fn status(status: u16) -> Self {
        let Ok(status) = StatusCode::from_u16(status) else {
            panic!("{status} is not a status of HTTP");
        };
        Self {
            status,
            headers: HeaderMap::new(),
            trailers: HeaderMap::new(),
            body: Bytes::new(),
            delay: Duration::ZERO,
            play: Play::Whole,
            is_last: false,
        }
    }

    /// Answers 200 with `value` as `application/json`.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self::status(200)
            .header("content-type", "application/json")
            .body(value.to_string())
    }

    /// Answers 200 with an empty gRPC message, and this gRPC code in the trailers: 0 is success.
    #[must_use]
    pub fn grpc(code: u16) -> Self {
        let mut answer = Self::status(200)
            .header("content-type", "application/grpc")
            .body(&[0; 5][..]);
        let code = HeaderValue::from(code);
        answer.trailers.insert("grpc-status", code);
        answer
    }

    /// Answers with `status` and the body of an Agent 365 error with this `code`.
    ///
    /// # Panics
    ///
    /// The same as of [`status`](Self::status).
    #[must_use]
    pub fn refusal(status: u16, code: &str) -> Self {
        let error = serde_json::json!({"error": {"code": code, "message": "said by the testkit"}});
        Self {
            status: Self::status(status).status,
            ..Self::json(&error)
        }
    }

    /// Answers with `status` and a `location` header.
    ///
    /// # Panics
    ///
    /// The same as of [`status`](Self::status) and [`header`](Self::header).
    #[must_use]
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// Resets the connection (RST) after the whole request has been read.
    #[must_use]
    pub fn reset() -> Self {
        Self::played(Play::Reset)
    }

    /// Resets the connection (RST) before any byte is read from it, even of TLS.
    ///
    /// Such a connection leaves a [`ConnectionRecord`](crate::ConnectionRecord) and no request. On
    /// a kept-alive connection, the reset comes after the head of the next request. It only works
    /// in scripts: closures and routes need a request, so there it acts like
    /// [`reset`](Self::reset).
    #[must_use]
    pub fn refuse() -> Self {
        Self::played(Play::Refuse)
    }

    /// Resets the connection (RST) after the head of a request and at least this many bytes of its
    /// body.
    ///
    /// It leaves no request. It only works in scripts, like [`refuse`](Self::refuse).
    #[must_use]
    pub fn reset_within(bytes: usize) -> Self {
        Self::played(Play::ResetWithin { bytes })
    }

    /// Accepts a connection, reads nothing from it, not even TLS, and keeps it open until the
    /// service stops.
    ///
    /// It leaves no request. It only works in scripts, like [`refuse`](Self::refuse).
    #[must_use]
    pub fn black_hole() -> Self {
        Self::played(Play::BlackHole)
    }

    /// Answers the TLS hello with these bytes, then reads until the client disconnects.
    ///
    /// It leaves no request; the client's bytes are in
    /// [`unserved`](crate::ConnectionRecord::unserved). It only works in scripts, like
    /// [`refuse`](Self::refuse).
    #[must_use]
    pub fn greeting(bytes: impl Into<Bytes>) -> Self {
        Self::played(Play::Greeting).body(bytes)
    }

    /// Answers the TLS hello like a server that supports at most TLS 1.1.
    ///
    /// rustls does not support this version, so these are the bytes of such a server's first
    /// message.
    #[must_use]
    pub fn tls_1_1() -> Self {
        // RFC 4346, 7.4.1.3: version 3.2, 32 random bytes, no session, AES_128_CBC_SHA, no
        // compression.
        let mut hello = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02".to_vec();
        hello.extend_from_slice(&[7; 32]);
        hello.extend_from_slice(b"\x00\x00\x2f\x00");
        Self::greeting(hello)
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

    /// Answers as HTTP/0.9 does: a body without a head.
    #[must_use]
    pub fn http_0_9() -> Self {
        Self::raw("{\"results\": []}\n")
    }

    /// Answers 200 with a chunk that is shorter than its declared length, so the body ends within
    /// the chunk.
    #[must_use]
    pub fn lying_chunk() -> Self {
        Self::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\n{}\r\n0\r\n\r\n")
    }

    /// Answers 200 with a chunk whose declared length exceeds any machine's memory.
    #[must_use]
    pub fn huge_chunk() -> Self {
        Self::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffff0\r\n{}")
    }

    /// Answers with a gzipped body of one mebibyte that inflates to one gibibyte, although the
    /// client did not accept gzip.
    ///
    /// # Panics
    ///
    /// If the system has no memory for it.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a vector takes every byte")]
    pub fn gzip_bomb() -> Self {
        let mut member = GzEncoder::new(Vec::new(), Compression::best());
        let member = member
            .write_all(&vec![b' '; 1 << 20])
            .and_then(|()| member.finish())
            .expect("a vector");
        // RFC 1952, 2.2: a file is a series of members.
        Self::status(200)
            .header("content-encoding", "gzip")
            .header("content-type", "application/json")
            .body(member.repeat(1 << 10))
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

    /// Adds a header. A name may occur several times.
    ///
    /// # Panics
    ///
    /// If HTTP does not allow the name or the value. To send invalid headers, use
    /// [`raw`](Self::raw).
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

    /// Sets a body of this many bytes, each an `x`.
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

    /// Declares `declared` bytes, sends the given body, and closes the connection.
    #[must_use]
    pub fn truncated(mut self, declared: u64) -> Self {
        self.play = Play::Truncated { declared };
        self
    }

    /// Sends the head and the given body, then nothing more, and keeps the connection open.
    #[must_use]
    pub fn stalled(mut self) -> Self {
        self.play = Play::StalledBody;
        self
    }

    /// Sends the head and the given body at once, then a byte every few milliseconds, for ever.
    #[must_use]
    pub fn trickling(mut self) -> Self {
        self.play = Play::TricklingBody;
        self
    }

    /// Sends the head byte by byte, a byte every few milliseconds, with headers that never end.
    #[must_use]
    pub fn trickling_head(mut self) -> Self {
        self.play = Play::TricklingHead;
        self
    }

    /// Reads nothing more from the connection after this answer and keeps it open, as if the
    /// machine had vanished.
    #[must_use]
    pub fn then_silent(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// Whether it says that it takes a request, if there is a head.
    pub(crate) fn takes(&self) -> Option<bool> {
        let status = self.shown_status()?;
        let code = self.trailers.get("grpc-status");
        Some(status.is_success() && code.is_none_or(|code| code == "0"))
    }

    fn shown_status(&self) -> Option<StatusCode> {
        match self.play {
            Play::Whole
            | Play::Truncated { .. }
            | Play::StalledBody
            | Play::EndlessBody
            | Play::TricklingBody => Some(self.status),
            Play::Raw => {
                let status = self.body.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
                StatusCode::from_bytes(status).ok()
            }
            _ => None,
        }
    }

    fn played(play: Play) -> Self {
        Self {
            play,
            ..Self::status(200)
        }
    }
}
