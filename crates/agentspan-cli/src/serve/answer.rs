//! Answers, with their common headers.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::StatusCode;
use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use serde_json::{Value, json};

/// The response of the server.
pub(super) type Response = hyper::Response<BoxBody<Bytes, Infallible>>;

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// An answer of one type.
pub(super) fn of_type(content_type: &'static str, body: impl Into<Bytes>) -> Response {
    stream_of_type(content_type, Full::new(body.into()).boxed())
}

/// An answer that comes in pieces.
pub(super) fn stream_of_type(
    content_type: &'static str,
    body: BoxBody<Bytes, Infallible>,
) -> Response {
    let mut response = hyper::Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CORP, HeaderValue::from_static("same-origin"));
    response
}

/// Shows bytes of a sender in a page that cannot run scripts or load anything.
pub(super) fn alone(content_type: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = of_type(content_type, bytes);
    let policy = HeaderValue::from_static("default-src 'none'; sandbox");
    response
        .headers_mut()
        .insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Offers bytes of a sender as a download.
pub(super) fn file(bytes: Vec<u8>) -> Response {
    let mut response = alone("application/octet-stream", bytes);
    let attached = HeaderValue::from_static("attachment");
    response.headers_mut().insert(CONTENT_DISPOSITION, attached);
    response
}

/// An answer in JSON.
pub(super) fn json(value: &Value) -> Response {
    of_type("application/json", value.to_string())
}

/// An error, which repeats nothing of the request.
pub(super) fn error(status: StatusCode, what: &str) -> Response {
    let mut response = json(&json!({"error": what}));
    *response.status_mut() = status;
    response
}
