//! Reads bodies of requests with a size limit, compressed or not.

use std::io::Read;
use std::time::Duration;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use hyper::body::Incoming;

/// How large a body may be on its way.
const MAX_BYTES: usize = 16 << 20;

/// How large it may be when it is decompressed, at most. If the store is smaller, then as large as the store, or as a
/// body that is not compressed.
const MAX_DECOMPRESSED: usize = 64 << 20;

/// How long it may take to come.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) StatusCode, pub(super) &'static str);

/// The whole body, as it was sent.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Refused> {
    let collected = tokio::time::timeout(TIMEOUT, Limited::new(body, MAX_BYTES).collect()).await;
    let Ok(collected) = collected else {
        return Err(Refused(
            StatusCode::REQUEST_TIMEOUT,
            "the body takes too long",
        ));
    };
    let collected =
        collected.map_err(
            |error| match error.is::<http_body_util::LengthLimitError>() {
                true => Refused(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
                false => Refused(StatusCode::BAD_REQUEST, "the body ends early"),
            },
        )?;
    Ok(collected.to_bytes())
}

/// Decompresses a body with this encoding, for a store of so many bytes.
pub(super) fn decompressed(bytes: Bytes, encoding: &str, store: usize) -> Result<Bytes, Refused> {
    match encoding {
        "" | "identity" => Ok(bytes),
        "gzip" => gunzip(&bytes, store.clamp(MAX_BYTES, MAX_DECOMPRESSED)),
        _ => Err(Refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "only gzip is decompressed",
        )),
    }
}

fn gunzip(bytes: &[u8], limit: usize) -> Result<Bytes, Refused> {
    let mut whole = Vec::new();
    let read = MultiGzDecoder::new(bytes)
        .take(u64::try_from(limit).map_or(u64::MAX, |limit| limit.saturating_add(1)))
        .read_to_end(&mut whole);
    match read {
        Ok(length) if length > limit => Err(Refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the decompressed body is too large",
        )),
        Ok(_) => Ok(whole.into()),
        Err(_) => Err(Refused(StatusCode::BAD_REQUEST, "the body is not gzip")),
    }
}
