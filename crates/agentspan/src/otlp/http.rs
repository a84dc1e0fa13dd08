//! OTLP as protobuf over HTTP, with and without TLS.

use std::time::SystemTime;

use agentspan_agent365::transport::{HttpAnswer, Transport};
use agentspan_discovery::Environment;
use agentspan_model::received::words_of_body;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::endpoint::Endpoint;
use super::exporter::{OtlpExporter, Wire, is_other_protocol_likely};
use super::partial_success::{Said, message_of_status};
use super::settings::{Place, Settings};
use super::verdict::Verdict;
use super::{Otlp, OtlpError};
use crate::destination::Destination;

const PLACE: Place = Place {
    endpoint: "http://localhost:4318/v1/traces",
    base: "http://localhost:4318",
    // Only the variable of one signal is taken as it is.
    of_base: |base| {
        let (path, query) = base.split_at(base.find(['?', '#']).unwrap_or(base.len()));
        format!("{}/v1/traces{query}", path.trim_end_matches('/'))
    },
    parse: |url, _| Endpoint::parse(url),
};

impl Destination {
    /// Exports over OTLP with HTTP and protobuf, under the name `otlp`. Needs the feature
    /// `otlp-http`.
    ///
    /// `rustls` provides TLS. It trusts the authorities of the system, or of
    /// [`Otlp::with_certificate_authorities`]. Redirects are not followed, and proxy variables of
    /// the environment are ignored. All I/O runs on the destination's thread.
    ///
    /// Broken connections and the statuses 429, 502, 503 and 504 are retried for a minute, with
    /// growing pauses, and no sooner than `Retry-After` asks for: see [`Otlp::with_timeout`]. Other
    /// refusals are final. Spans that the receiver
    /// rejects in a partial success are counted as
    /// [`DropReason::Rejected`](agentspan_otel::DropReason::Rejected), and
    /// [`DestinationReport::receiver_message`](crate::DestinationReport::receiver_message) says
    /// why.
    ///
    /// ```no_run
    /// use agentspan::{Destination, Otlp};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let collector = Otlp::new().with_endpoint("http://127.0.0.1:4318/v1/traces");
    /// let telemetry = agentspan::configure()
    ///     .with_destination(Destination::otlp_http(collector)?)
    ///     .install()?;
    /// # drop(telemetry);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OtlpError`] if a setting is invalid, or if there is no runtime.
    pub fn otlp_http(otlp: Otlp) -> Result<Self, OtlpError> {
        Self::otlp_http_in(&otlp, &Environment::from_process())
    }

    pub(crate) fn otlp_http_in(otlp: &Otlp, environment: &Environment) -> Result<Self, OtlpError> {
        OtlpExporter::<Http>::destination(Settings::new(otlp, environment, &PLACE)?)
    }
}

/// Protobuf as the body of a POST.
#[derive(Debug)]
struct Http;

impl Wire for Http {
    const PREFIX: usize = 0;

    fn transport(transport: Transport) -> Transport {
        transport
    }

    fn set_headers(headers: &mut HeaderMap, gzip: bool) {
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(CONTENT_TYPE, protobuf);
        if gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
    }

    fn seal(_body: &mut [u8], _gzip: bool) {}

    /// Follows the [specification]. A head with status 2xx proves the delivery, even if the body
    /// breaks off.
    ///
    /// [specification]: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
    fn judge(answer: &HttpAnswer) -> Verdict {
        match answer.status().as_u16() {
            200..=299 => Verdict::Taken(said(answer)),
            429 | 502..=504 => Verdict::Again {
                asked: answer.retry_after(SystemTime::now()),
            },
            _ => Verdict::Refused,
        }
    }

    fn status(answer: &HttpAnswer) -> String {
        format!("status {}", answer.status().as_u16())
    }

    /// The message of the status that the specification asks for, or else the text of the body.
    fn reason(answer: &HttpAnswer) -> String {
        if is_of(answer, "application/x-protobuf") {
            message_of_status(answer.body())
        } else {
            words_of_body(answer.body())
        }
    }

    fn doubt(uri: &Uri, status: Option<StatusCode>) -> Option<&'static str> {
        if uri.port_u16() == Some(4317) && is_other_protocol_likely(status) {
            return Some("port 4317 is usually for OTLP over gRPC");
        }
        let is_path_unknown = status.is_some_and(|status| matches!(status.as_u16(), 404 | 405));
        let has_usual_path = uri.path().ends_with("/v1/traces");
        (is_path_unknown && !has_usual_path)
            .then_some("the path of the endpoint does not end in /v1/traces")
    }
}

/// Whether the content type begins with this text.
fn is_of(answer: &HttpAnswer, media_type: &str) -> bool {
    let content_type = answer.headers().get(CONTENT_TYPE);
    let content_type =
        content_type.and_then(|content_type| content_type.as_bytes().get(..media_type.len()));
    content_type.is_some_and(|it| it.eq_ignore_ascii_case(media_type.as_bytes()))
}

fn said(answer: &HttpAnswer) -> Said {
    let mut said = match answer.body() {
        body @ [b'{', ..] => Said::in_json(body),
        body @ [_, ..] if is_of(answer, "application/json") => Said::in_json(body),
        body => Said::in_protobuf(body),
    };
    said.is_whole &= answer.is_whole();
    said
}

#[cfg(test)]
mod tests {
    use std::future::{Future, ready};
    use std::pin::Pin;
    use std::time::Duration;

    use agentspan_agent365::retry::RetryTimer;
    use agentspan_testkit::{Answer, Service};
    use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// Retries at once.
    #[derive(Debug)]
    struct AtOnce;

    impl RetryTimer for AtOnce {
        fn pause(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            Box::pin(ready(()))
        }
    }

    #[test]
    fn a_try_that_hangs_leaves_time_for_another() {
        let answers = [Answer::hang(), Answer::status(200)];
        let service = Service::builder().script(answers).start().unwrap();
        let url = format!("{}/v1/traces", service.url());
        let otlp = Otlp::new().with_endpoint(url).with_retry_timer(AtOnce);
        let settings = Settings::new(&otlp, &Environment::default(), &PLACE);
        let settings = Settings {
            try_timeout: Duration::from_millis(300),
            ..settings.unwrap()
        };
        let queue = OtlpExporter::<Http>::destination(settings).unwrap();
        let queue = queue.start().unwrap();
        let provider = SdkTracerProvider::builder().build();
        let mut span = provider.tracer("t").start("s");
        queue.put(span.exported_data().unwrap());
        span.end();
        queue.flush(Duration::from_secs(60)).unwrap();
        assert_eq!(queue.stats().exported, 1);
    }

    #[test]
    fn a_path_and_a_port_of_grpc_are_doubted_where_grpc_may_be_what_answers() {
        let doubt = |url: &str, status: Option<u16>| {
            let status = status.map(|status| StatusCode::from_u16(status).unwrap());
            Http::doubt(&url.parse().unwrap(), status)
        };
        let port = Some("port 4317 is usually for OTLP over gRPC");
        for status in [None, Some(400), Some(404), Some(405), Some(415)] {
            assert_eq!(doubt("http://h:4317/v1/traces", status), port);
            assert_eq!(doubt("http://h:4318/v1/traces", status), None);
        }
        assert_eq!(doubt("http://h:4317", Some(404)), port);
        assert_eq!(doubt("http://h:4317", Some(401)), None);
        let path = Some("the path of the endpoint does not end in /v1/traces");
        for url in ["http://h:4318", "http://h:4318/v1/traces/"] {
            assert_eq!(doubt(url, Some(404)), path);
        }
    }

    #[test]
    fn the_path_of_a_base_ends_before_its_query() {
        for (base, expected) in [
            ("http://h:4318", "http://h:4318/v1/traces"),
            ("http://h:4318/a//", "http://h:4318/a/v1/traces"),
            ("http://h:4318/?key=k/", "http://h:4318/v1/traces?key=k/"),
            ("http://h?key=k", "http://h/v1/traces?key=k"),
        ] {
            assert_eq!((PLACE.of_base)(base), expected);
        }
    }
}
