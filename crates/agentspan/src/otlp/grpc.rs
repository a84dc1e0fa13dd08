//! OTLP over gRPC, with and without TLS.
//!
//! A unary gRPC call is one HTTP/2 request, so the transport of the other exporters can send it.

mod status;

use agentspan_agent365::transport::{HttpAnswer, Transport};
use agentspan_discovery::{Environment, standard_variables as names};
use agentspan_model::received::words_of_body;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use self::status::GrpcStatus;
use super::endpoint::Endpoint;
use super::exporter::{OtlpExporter, Wire, is_other_protocol_likely};
use super::partial_success::Said;
use super::settings::{Place, Settings};
use super::verdict::Verdict;
use super::{Otlp, OtlpError};
use crate::destination::Destination;
use crate::environment::is_on;

const PLACE: Place = Place {
    endpoint: "http://localhost:4317",
    base: "http://localhost:4317",
    of_base: str::to_owned,
    parse: |url, environment| {
        let endpoint = Endpoint::parse(&with_scheme(url.trim(), environment))?;
        endpoint.with_path("/opentelemetry.proto.collector.trace.v1.TraceService/Export")
    },
};

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// The length of the prefix of a message: a byte for the compression, and four for the length of
/// the message.
const PREFIX: usize = 5;

impl Destination {
    /// Exports over OTLP with gRPC, under the name `otlp`. Needs the feature `otlp-grpc`.
    ///
    /// `rustls` provides TLS. It trusts the authorities of the system, or of
    /// [`Otlp::with_certificate_authorities`]. Proxy variables of the environment are ignored. All
    /// I/O runs on the destination's thread.
    ///
    /// Broken connections, and the codes that the OTLP specification calls retryable, are retried
    /// for a minute, with growing pauses, and no sooner than `RetryInfo` asks for: see
    /// [`Otlp::with_timeout`]. Other codes are final. Spans that the
    /// receiver rejects in a partial success are counted as
    /// [`DropReason::Rejected`](agentspan_otel::DropReason::Rejected), and
    /// [`DestinationReport::receiver_message`](crate::DestinationReport::receiver_message) says
    /// why.
    ///
    /// # Errors
    ///
    /// [`OtlpError`] if a setting is invalid, or if there is no runtime.
    pub fn otlp_grpc(otlp: Otlp) -> Result<Self, OtlpError> {
        Self::otlp_grpc_in(&otlp, &Environment::from_process())
    }

    pub(crate) fn otlp_grpc_in(otlp: &Otlp, environment: &Environment) -> Result<Self, OtlpError> {
        OtlpExporter::<Grpc>::destination(Settings::new(otlp, environment, &PLACE)?)
    }
}

/// A URL without a scheme gets https, or http if `OTEL_EXPORTER_OTLP_INSECURE` is true.
fn with_scheme(url: &str, environment: &Environment) -> String {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| !scheme.contains(['/', '?', '#'])) {
        return url.to_owned();
    }
    let variables = [
        names::OTEL_EXPORTER_OTLP_TRACES_INSECURE,
        names::OTEL_EXPORTER_OTLP_INSECURE,
    ];
    let scheme = if is_on(environment, variables) {
        "http"
    } else {
        "https"
    };
    format!("{scheme}://{url}")
}

/// Protobuf as the only message of a call.
#[derive(Debug)]
struct Grpc;

impl Wire for Grpc {
    const PREFIX: usize = PREFIX;

    fn transport(transport: Transport) -> Transport {
        transport.with_http2()
    }

    fn set_headers(headers: &mut HeaderMap, gzip: bool) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if gzip {
            headers.insert(ENCODING, HeaderValue::from_static("gzip"));
        }
    }

    fn seal(body: &mut [u8], gzip: bool) {
        let Some((prefix, message)) = body.split_first_chunk_mut::<PREFIX>() else {
            return;
        };
        let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let [l1, l2, l3, l4] = length.to_be_bytes();
        *prefix = [u8::from(gzip), l1, l2, l3, l4];
    }

    /// Follows the [specification]. A receiver sends a message only after it has accepted the
    /// batch. So the beginning of a message proves the delivery, unless a later status contradicts
    /// it.
    ///
    /// [specification]: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response
    fn judge(answer: &HttpAnswer) -> Verdict {
        match GrpcStatus::of(answer) {
            Some(status) if status.is_ok() => Verdict::Taken(said(answer.body())),
            Some(status) => status.verdict(),
            None if answer.body().is_empty() => Verdict::Again { asked: None },
            None => Verdict::Taken(Said {
                is_whole: false,
                ..said(answer.body())
            }),
        }
    }

    fn status(answer: &HttpAnswer) -> String {
        match GrpcStatus::of(answer) {
            _ if answer.status() != StatusCode::OK => {
                format!("status {}", answer.status().as_u16())
            }
            Some(status) => status.to_string(),
            None => "an answer without a grpc status".to_owned(),
        }
    }

    /// The message of the status. Without a status, a proxy in front of the receiver may give the
    /// reason in the body.
    fn reason(answer: &HttpAnswer) -> String {
        status::message(answer).unwrap_or_else(|| words_of_body(answer.body()))
    }

    fn doubt(uri: &Uri, status: Option<StatusCode>) -> Option<&'static str> {
        (uri.port_u16() == Some(4318) && is_other_protocol_likely(status))
            .then_some("port 4318 is usually for OTLP over HTTP")
    }
}

/// The payload of an answer's message. It is not compressed, since the request does not offer
/// compression.
fn said(body: &[u8]) -> Said {
    let Some((&[0, l1, l2, l3, l4], rest)) = body.split_first_chunk::<PREFIX>() else {
        return Said::default();
    };
    let length = usize::try_from(u32::from_be_bytes([l1, l2, l3, l4]));
    match length.ok().and_then(|length| rest.get(..length)) {
        Some(message) => Said::in_protobuf(message),
        None => Said {
            is_whole: false,
            ..Said::in_protobuf(rest)
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_scheme_gets_one() {
        for (insecure, url, expected) in [
            ("", "collector:4317", "https://collector:4317"),
            ("TRUE", "collector:4317", "http://collector:4317"),
            ("1", "collector:4317", "https://collector:4317"),
            ("true", "https://collector", "https://collector"),
            ("true", "collector/a://b", "http://collector/a://b"),
        ] {
            let environment = [("OTEL_EXPORTER_OTLP_INSECURE", insecure)];
            let environment = environment.into_iter().collect();
            assert_eq!(with_scheme(url, &environment), expected);
        }
    }

    #[test]
    fn a_port_of_http_is_doubted_where_http_may_be_what_answers() {
        let doubt = |url: &'static str, status| Grpc::doubt(&Uri::from_static(url), status);
        let port = Some("port 4318 is usually for OTLP over HTTP");
        for status in [None, Some(StatusCode::NOT_FOUND)] {
            assert_eq!(doubt("http://h:4318", status), port);
            assert_eq!(doubt("http://h:4317", status), None);
        }
        assert_eq!(doubt("http://h:4318", Some(StatusCode::UNAUTHORIZED)), None);
    }

    #[test]
    fn a_message_that_is_not_whole_confirms_nothing() {
        assert!(said(&[0, 0, 0, 0, 0]).is_whole);
        for body in [&[][..], &[0, 0, 0, 0], &[0, 0, 0, 0, 1], &[1, 0, 0, 0, 0]] {
            assert_eq!(said(body), Said::default(), "{body:?}");
        }
        // Two rejected spans, and a byte that is missing.
        let cut = said(b"\0\0\0\0\x08\x0a\x06\x08\x02\x12\x02n");
        assert_eq!((cut.rejected, cut.is_whole), (2, false));
    }

    proptest::proptest! {
        #[test]
        fn any_body_is_read(body: Vec<u8>) {
            let is_confirmed = said(&body).is_whole;
            proptest::prop_assert!(!is_confirmed || body.starts_with(&[0]) && body.len() >= PREFIX);
        }
    }
}
