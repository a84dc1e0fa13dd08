//! Receives data from programs: OTLP over HTTP and gRPC, and requests to Agent 365.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{
    CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use hyper::{Request, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::{Value, json};

use super::answer::{self, Response, error};
use super::body::{self, Refused};
use super::fault::Fault;
use super::guard::shown_token;
use super::shared::Shared;
use crate::ingest::{self, Taken};
use crate::span::Form;

/// The method of OTLP's service.
const GRPC_EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Destinations inside Agent 365, as they were seen in its answers.
const SINKS: [&str; 3] = ["flashpoint", "sentinel", "esp"];

/// Why a span is not kept.
const TOO_LARGE: &str = "spans too large for the memory of this server";

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

/// Takes what a program sends.
pub(super) async fn receive(shared: &Shared, request: Request<Incoming>) -> Response {
    let path = request.uri().path();
    let is_agent365 = path.ends_with("/traces") && path.contains("/agents/");
    if let Some(fault) = shared.fault() {
        return of_fault(&fault, path == GRPC_EXPORT);
    }
    let result = if path == GRPC_EXPORT {
        return grpc(shared, request).await;
    } else if path == "/v1/traces" {
        otlp(shared, request).await
    } else if is_agent365 {
        agent365(shared, request).await
    } else {
        Err(Refused(StatusCode::NOT_FOUND, "nothing is received here"))
    };
    result.unwrap_or_else(|Refused(status, what)| {
        let is_unread = matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::UNSUPPORTED_MEDIA_TYPE
        );
        shared.count_unreadable(usize::from(is_unread));
        error(status, what)
    })
}

async fn otlp(shared: &Shared, request: Request<Incoming>) -> Result<Response, Refused> {
    let content_type = media_type(request.headers());
    let is_json = content_type == JSON;
    let bytes = whole(shared, request).await?;
    let taken = if is_json {
        take(shared, &request_from_json(&bytes)?, Form::Otlp)
    } else {
        // Other types may stand before protobuf, but what is none is told by its type.
        let taken = take_protobuf(shared, &bytes);
        taken.map_err(|refused| match content_type == PROTOBUF {
            true => refused,
            false => NOT_OF_OTLP,
        })?
    };
    let response = response(taken);
    Ok(match is_json {
        // Numbers of 64 bits are texts in the JSON of OTLP.
        true => answer::json(&match response.partial_success {
            None => json!({}),
            Some(partial) => json!({"partialSuccess": {
                "rejectedSpans": partial.rejected_spans.to_string(),
                "errorMessage": partial.error_message,
            }}),
        }),
        false => answer::of_type(PROTOBUF, response.encode_to_vec()),
    })
}

const NOT_OF_OTLP: Refused = Refused(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "the content type is neither application/json nor application/x-protobuf, and the body is not protobuf",
);

/// The content type in lower case, without its parameters.
fn media_type(headers: &HeaderMap) -> String {
    let value = header(headers, CONTENT_TYPE).split(';').next();
    value.unwrap_or_default().trim().to_ascii_lowercase()
}

/// A fault that somebody asked for.
fn of_fault(fault: &Fault, is_grpc: bool) -> Response {
    const WHY: &str = "a fault that --fault asks for";
    if is_grpc {
        return grpc_answer(None, fault.grpc_status(), WHY);
    }
    let mut response = error(fault.status, WHY);
    if let Some(seconds) = fault.retry_after {
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Keeps the spans of a request. Those without ids are counted.
fn take(shared: &Shared, body: &Value, form: Form) -> Taken {
    let taken = shared.change(|store| ingest::body(body, Some(form), None, store));
    shared.keep(|archive| archive.keep(body));
    shared.count_unreadable(taken.without_ids);
    taken
}

/// Keeps the spans of a request in protobuf.
fn take_protobuf(shared: &Shared, bytes: &[u8]) -> Result<Taken, Refused> {
    const NOT_OTLP: Refused = Refused(StatusCode::BAD_REQUEST, "the body is not a request of OTLP");
    let request = ExportTraceServiceRequest::decode(bytes).map_err(|_| NOT_OTLP)?;
    let as_json = || serde_json::to_value(&request).map_err(|_| NOT_OTLP);
    let body = shared.has_archive().then(as_json).transpose()?;
    let taken = shared
        .change(|store| ingest::otlp(request, store))
        .map_err(|_| NOT_OTLP)?;
    if let Some(body) = body {
        shared.keep(|archive| archive.keep(&body));
    }
    shared.count_unreadable(taken.without_ids);
    Ok(taken)
}

/// The answer of OTLP, with how many spans were rejected.
fn response(taken: Taken) -> ExportTraceServiceResponse {
    let rejected = taken.without_ids + taken.too_large;
    let partial_success = (rejected > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
        error_message: match (taken.without_ids, taken.too_large) {
            (_, 0) => "spans without traceId or spanId",
            (0, _) => TOO_LARGE,
            _ => {
                "spans without traceId or spanId, and spans too large for the memory of this server"
            }
        }
        .to_owned(),
    });
    ExportTraceServiceResponse { partial_success }
}

async fn agent365(shared: &Shared, request: Request<Incoming>) -> Result<Response, Refused> {
    if shown_token(&request).is_none_or(|token| token.is_empty()) {
        return Err(Refused(StatusCode::UNAUTHORIZED, "no bearer token"));
    }
    let body = request_from_json(&whole(shared, request).await?)?;
    take(shared, &body, Form::Agent365);
    let results = shared.look(|store| {
        let ids = ingest::span_ids(&body);
        let results = ids.iter().map(|(trace, span)| {
            let is_refused = store.trace(trace).and_then(|trace| trace.is_refused(span));
            let status = match is_refused {
                None => json!({"status": "rejected", "reason": TOO_LARGE}),
                Some(true) => {
                    json!({"status": "rejected", "reason": "see the findings on the page"})
                }
                Some(false) => json!({"status": "sent"}),
            };
            let sinks = SINKS.map(|sink| (sink.to_owned(), status.clone()));
            json!({"spanId": span, "sinks": Value::Object(sinks.into_iter().collect())})
        });
        results.collect::<Vec<_>>()
    });
    Ok(answer::json(
        &json!({"results": results, "partialSuccess": null}),
    ))
}

/// The whole body, decompressed.
async fn whole(shared: &Shared, request: Request<Incoming>) -> Result<Bytes, Refused> {
    let encoding = header(request.headers(), CONTENT_ENCODING).to_ascii_lowercase();
    let memory = shared.look(|store| store.limit());
    body::decompressed(body::read(request.into_body()).await?, &encoding, memory)
}

fn from_json(bytes: &[u8]) -> Result<Value, Refused> {
    serde_json::from_slice(bytes)
        .map_err(|_| Refused(StatusCode::BAD_REQUEST, "the body is not JSON"))
}

/// A request, whose lists are lists.
fn request_from_json(bytes: &[u8]) -> Result<Value, Refused> {
    let body = from_json(bytes)?;
    match ingest::misplaced(&body) {
        Some(what) => Err(Refused(StatusCode::BAD_REQUEST, what)),
        None => Ok(body),
    }
}

fn header(headers: &HeaderMap, name: HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// One call of OTLP's method: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>.
async fn grpc(shared: &Shared, request: Request<Incoming>) -> Response {
    const INVALID: u8 = 3;
    const EXHAUSTED: u8 = 8;
    let encoding = header(request.headers(), HeaderName::from_static("grpc-encoding")).to_owned();
    let taken = body::read(request.into_body()).await.and_then(|mut bytes| {
        const NO_MESSAGE: Refused = Refused(StatusCode::BAD_REQUEST, "no whole message");
        let is_compressed = bytes.try_get_u8().map_err(|_| NO_MESSAGE)? == 1;
        let length = bytes.try_get_u32().map_err(|_| NO_MESSAGE)?;
        if usize::try_from(length) != Ok(bytes.len()) {
            return Err(NO_MESSAGE);
        }
        let encoding = if is_compressed { encoding.as_str() } else { "" };
        let memory = shared.look(|store| store.limit());
        take_protobuf(shared, &body::decompressed(bytes, encoding, memory)?)
    });
    match taken {
        Ok(taken) => {
            let message = response(taken).encode_to_vec();
            let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
            // Not compressed, the length, the message.
            let frame = [&[0], &length.to_be_bytes()[..], &message].concat();
            grpc_answer(Some(frame.into()), 0, "")
        }
        Err(Refused(StatusCode::PAYLOAD_TOO_LARGE, what)) => grpc_answer(None, EXHAUSTED, what),
        Err(Refused(_, what)) => {
            shared.count_unreadable(1);
            grpc_answer(None, INVALID, what)
        }
    }
}

fn grpc_answer(message: Option<Bytes>, status: u8, what: &'static str) -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(u16::from(status)));
    if !what.is_empty() {
        trailers.insert("grpc-message", HeaderValue::from_static(what));
    }
    let message = message.map(Frame::data);
    let frames = message.into_iter().chain([Frame::trailers(trailers)]);
    answer::stream_of_type("application/grpc", Frames(frames.collect()).boxed())
}

/// A body of a few frames.
#[derive(Debug)]
struct Frames(VecDeque<Frame<Bytes>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}
