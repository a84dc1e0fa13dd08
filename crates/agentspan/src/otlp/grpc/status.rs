//! The status of a call.

use std::fmt;
use std::time::Duration;

use agentspan_agent365::transport::HttpAnswer;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use http::HeaderMap;
use percent_encoding::percent_decode;
use prost::Message;

use super::super::verdict::Verdict;

/// The numbers of the [codes] that this file names.
///
/// [codes]: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
const OK: u16 = 0;
const CANCELLED: u16 = 1;
const UNKNOWN: u16 = 2;
const DEADLINE_EXCEEDED: u16 = 4;
const PERMISSION_DENIED: u16 = 7;
const RESOURCE_EXHAUSTED: u16 = 8;
const ABORTED: u16 = 10;
const OUT_OF_RANGE: u16 = 11;
const UNIMPLEMENTED: u16 = 12;
const INTERNAL: u16 = 13;
const UNAVAILABLE: u16 = 14;
const DATA_LOSS: u16 = 15;
const UNAUTHENTICATED: u16 = 16;

/// The names of the codes, by number.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The status of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GrpcStatus {
    code: u16,
    /// The pause that the receiver asks for before the next try.
    retry_info: Option<Duration>,
}

impl GrpcStatus {
    /// The status of an answer, from its trailers, or from its head if it has no message, or else
    /// [derived from its HTTP status]. `None` if the answer broke off before its status.
    ///
    /// [derived from its HTTP status]: https://grpc.github.io/grpc/core/md_doc_http-grpc-status-mapping.html
    pub(super) fn of(answer: &HttpAnswer) -> Option<Self> {
        let in_trailers = answer.trailers().and_then(Self::in_headers);
        let said = in_trailers.or_else(|| Self::in_headers(answer.headers()));
        let code = match answer.status().as_u16() {
            _ if said.is_some() => return said,
            200 => return None,
            400 => INTERNAL,
            401 => UNAUTHENTICATED,
            403 => PERMISSION_DENIED,
            404 => UNIMPLEMENTED,
            429 | 502..=504 => UNAVAILABLE,
            _ => UNKNOWN,
        };
        Some(Self {
            code,
            retry_info: None,
        })
    }

    fn in_headers(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get("grpc-status")?;
        let code = code.to_str().ok().and_then(|code| code.parse().ok());
        let details = headers.get("grpc-status-details-bin");
        Some(Self {
            code: code.unwrap_or(UNKNOWN),
            retry_info: details.and_then(|details| retry_info(details.as_bytes())),
        })
    }

    pub(super) fn is_ok(&self) -> bool {
        self.code == OK
    }

    /// The meaning of a status other than OK, after the [specification].
    ///
    /// [specification]: https://opentelemetry.io/docs/specs/otlp/#failures
    pub(super) fn verdict(&self) -> Verdict {
        let asked = self.retry_info;
        match self.code {
            CANCELLED | DEADLINE_EXCEEDED | ABORTED | OUT_OF_RANGE | UNAVAILABLE | DATA_LOSS => {
                Verdict::Again { asked }
            }
            // Without the pause the receiver says that it will not recover.
            RESOURCE_EXHAUSTED if asked.is_some() => Verdict::Again { asked },
            _ => Verdict::Refused,
        }
    }
}

/// The number, with the name that tables of codes have.
impl fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "grpc status {}", self.code)?;
        match NAMES.get(usize::from(self.code)) {
            Some(name) => write!(f, " ({name})"),
            None => Ok(()),
        }
    }
}

/// The message beside the status: `grpc-message`, which is percent-encoded.
pub(super) fn message(answer: &HttpAnswer) -> Option<String> {
    let of = |headers: &HeaderMap| headers.get("grpc-message").cloned();
    let message = answer.trailers().and_then(of);
    let message = message.or_else(|| of(answer.headers()))?;
    let decoded = percent_decode(message.as_bytes()).decode_utf8_lossy();
    Some(decoded.into_owned())
}

/// The fields of `google.rpc.Status` that we read.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// The pause in the details of a status. They are Base64, with or without padding.
fn retry_info(details: &[u8]) -> Option<Duration> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let details = GeneralPurpose::new(&STANDARD, config).decode(details);
    let status = RpcStatus::decode(details.ok()?.as_slice()).ok()?;
    let mut infos = status.details.iter();
    let info = infos.find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    let seconds = u64::try_from(delay.seconds).ok()?;
    let nanos = u32::try_from(delay.nanos).ok()?;
    Some(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos.into())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn details(type_url: &str, delay: Option<(i64, i32)>) -> String {
        let retry_delay = delay.map(|(seconds, nanos)| Delay { seconds, nanos });
        let any = Any {
            type_url: type_url.to_owned(),
            value: RetryInfo { retry_delay }.encode_to_vec(),
        };
        let status = RpcStatus { details: vec![any] };
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(status.encode_to_vec())
    }

    fn check(code: &str, details: Option<String>, expected: Verdict) {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", code.parse().unwrap());
        headers.extend(details.map(|details| {
            let name = http::HeaderName::from_static("grpc-status-details-bin");
            (name, details.parse().unwrap())
        }));
        let status = GrpcStatus::in_headers(&headers).unwrap();
        assert_eq!(status.verdict(), expected, "{code}");
    }

    const TYPE: &str = "type.googleapis.com/google.rpc.RetryInfo";

    #[test]
    fn codes_mean_what_the_specification_of_otlp_says() {
        for code in ["1", "4", "10", "11", "14", "15"] {
            check(code, None, Verdict::Again { asked: None });
        }
        for code in [
            "2", "3", "5", "6", "7", "8", "9", "12", "13", "16", "17", "-1", "x", "",
        ] {
            check(code, None, Verdict::Refused);
        }
    }

    #[test]
    fn an_exhausted_receiver_is_asked_again_if_it_says_when() {
        let asked = Some(Duration::from_millis(2_500));
        let delay = || Some(details(TYPE, Some((2, 500_000_000))));
        check("8", delay(), Verdict::Again { asked });
        check("14", delay(), Verdict::Again { asked });
        check("3", delay(), Verdict::Refused);
        for details in [
            details(TYPE, None),
            details(TYPE, Some((-1, 0))),
            details("type.googleapis.com/google.rpc.Help", Some((1, 0))),
            "!".to_owned(),
        ] {
            check("8", Some(details), Verdict::Refused);
        }
    }

    proptest! {
        #[test]
        fn any_details_are_read(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            retry_info(&bytes);
            let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
            retry_info(encoded.as_bytes());
        }

        #[test]
        fn a_pause_of_any_length_is_read(seconds in 0_i64.., nanos in 0..1_000_000_000_i32) {
            let details = details(TYPE, Some((seconds, nanos)));
            let expected = Duration::new(seconds.unsigned_abs(), nanos.unsigned_abs());
            prop_assert_eq!(retry_info(details.as_bytes()), Some(expected));
        }
    }
}
