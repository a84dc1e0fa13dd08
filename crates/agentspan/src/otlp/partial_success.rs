//! Reads a receiver's answer about accepted spans (OTLP's partial success) and about refused
//! batches.

use agentspan_model::received::Withheld;
#[cfg(feature = "otlp-http")]
use agentspan_model::received::{ReceivedJson, span_count};
use agentspan_otel::export_queue::Receipt;
use prost::Message;
use prost::encoding::decode_varint;

/// The tag of the partial success in a message: field 1, followed by its length.
const PARTIAL_SUCCESS: u8 = 0x0a;

/// `ExportTraceServiceResponse`, with bytes for its text. Some receivers cut a text in the middle
/// of a character, and prost rejects a whole message if a text is not UTF-8.
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// `ExportTracePartialSuccess`.
#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
    #[prost(bytes = "vec", tag = "2")]
    error_message: Vec<u8>,
}

/// The content of an answer, with the receiver's own message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) rejected: u64,
    pub(super) message: String,
    /// Whether the answer was read to its end. If not, it confirms no span, but the spans that it
    /// rejects still count as rejected.
    pub(super) is_whole: bool,
}

impl Said {
    /// The message of an answer, in protobuf.
    pub(super) fn in_protobuf(message: &[u8]) -> Self {
        let mut response = Response::default();
        let is_whole = response.merge(message).is_ok();
        let mut partial = response.partial_success.unwrap_or_default();
        if !is_whole && partial == PartialSuccess::default() {
            partial = cut_off(message).unwrap_or_default();
        }
        Self {
            rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
            message: String::from_utf8_lossy(&partial.error_message).into_owned(),
            is_whole,
        }
    }

    /// The same in JSON: some receivers answer protobuf requests with JSON. There, 64-bit numbers
    /// may be texts.
    #[cfg(feature = "otlp-http")]
    pub(super) fn in_json(message: &[u8]) -> Self {
        let read = ReceivedJson::read(message);
        let partial = read.value.get("partialSuccess");
        let member = |name| partial.and_then(|partial| partial.get(name));
        let text = member("errorMessage").and_then(|text| text.as_str());
        Self {
            rejected: member("rejectedSpans").map_or(0, span_count),
            message: text.unwrap_or_default().to_owned(),
            is_whole: read.is_whole,
        }
    }

    /// The receipt, without any words that are `withheld`.
    pub(super) fn receipt(&self, withheld: &Withheld<'_>) -> Receipt {
        let receipt = if self.is_whole {
            Receipt::confirmed()
        } else {
            Receipt::unconfirmed()
        };
        receipt
            .with_rejected(self.rejected)
            .with_message_withholding(&self.message, withheld)
    }
}

/// The fields of `google.rpc.Status` that we read.
#[cfg(feature = "otlp-http")]
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(bytes = "vec", tag = "2")]
    message: Vec<u8>,
}

/// The readable part of a status in protobuf.
#[cfg(feature = "otlp-http")]
pub(super) fn message_of_status(status: &[u8]) -> String {
    let mut read = Status::default();
    // Fields that were read before an error are kept.
    let _ = read.merge(status);
    String::from_utf8_lossy(&read.message).into_owned()
}

/// The readable part of a partial success that is shorter than its length, which prost rejects.
fn cut_off(message: &[u8]) -> Option<PartialSuccess> {
    let mut partial = PartialSuccess::default();
    let mut rest = message.strip_prefix(&[PARTIAL_SUCCESS])?;
    decode_varint(&mut rest).ok()?;
    // Fields that were read before the error are kept.
    let _ = partial.merge(rest);
    Some(partial)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn receipt(rejected: u64, message: &str) -> Receipt {
        Receipt::confirmed()
            .with_rejected(rejected)
            .with_message(message)
    }

    fn of_protobuf(message: &[u8]) -> Receipt {
        Said::in_protobuf(message).receipt(&Withheld::new())
    }

    #[cfg(feature = "otlp-http")]
    fn of_json(message: &[u8]) -> Receipt {
        Said::in_json(message).receipt(&Withheld::new())
    }

    #[test]
    fn a_text_that_is_no_utf8_and_an_end_that_is_missing_hide_no_rejection() {
        // Two rejected spans, and a text of Latin-1.
        let message = b"\x0a\x08\x08\x02\x12\x04caf\xe9";
        assert_eq!(of_protobuf(message), receipt(2, "caf\u{fffd}"));
        let cut = Receipt::unconfirmed().with_rejected(2);
        assert_eq!(of_protobuf(&message[..7]), cut);
        let garbage = [message, &b"\xff\xff"[..]].concat();
        let expected = cut.with_message("caf\u{fffd}");
        assert_eq!(of_protobuf(&garbage), expected);
    }

    #[cfg(feature = "otlp-http")]
    #[test]
    fn a_token_of_json_that_serde_refuses_hides_no_rejection() {
        let of = |rejected: &str, text: &[u8]| {
            let parts: [&[u8]; 5] = [
                "\u{feff}{\"partialSuccess\":{\"rejectedSpans\":".as_bytes(),
                rejected.as_bytes(),
                b",\"errorMessage\":\"",
                text,
                b"\"}}",
            ];
            of_json(&parts.concat())
        };
        assert_eq!(of("2", b"caf\xe9"), receipt(2, "caf\u{fffd}"));
        assert_eq!(of("2", b"\\ud800"), receipt(2, "\u{fffd}"));
        assert_eq!(of("2.0", b"a\0b"), receipt(2, "a\0b"));
        assert_eq!(of("1e999", b"all"), receipt(u64::MAX, "all"));
        assert_eq!(of("NaN", b"none"), receipt(0, "none"));
        let cut = br#"{"partialSuccess":{"rejectedSpans":2,"errorMess"#;
        assert_eq!(of_json(cut), Receipt::unconfirmed().with_rejected(2));
    }

    #[test]
    fn protobuf_is_read_and_what_is_none_confirms_nothing() {
        assert_eq!(of_protobuf(b""), receipt(0, ""));
        let response = |rejected_spans| ExportTraceServiceResponse {
            partial_success: Some(ExportTracePartialSuccess {
                rejected_spans,
                error_message: "why".to_owned(),
            }),
        };
        let read = |rejected| of_protobuf(&response(rejected).encode_to_vec());
        assert_eq!(read(3), receipt(3, "why"));
        assert_eq!(read(0), receipt(0, "why"));
        assert_eq!(read(-3), receipt(0, "why"));
        assert_eq!(of_protobuf(b"<html>"), Receipt::unconfirmed());
    }

    #[cfg(feature = "otlp-http")]
    #[test]
    fn json_is_read_with_numbers_as_numbers_or_as_texts() {
        let partial = |rejected: &str| {
            let text = format!(
                r#"{{"partialSuccess": {{"rejectedSpans": {rejected}, "errorMessage": "why"}}}}"#
            );
            of_json(text.as_bytes())
        };
        assert_eq!(partial("3"), receipt(3, "why"));
        assert_eq!(partial(r#""3""#), receipt(3, "why"));
        assert_eq!(partial(r#"[]"#), receipt(0, "why"));
        for text in ["{}", r#"{"partialSuccess": null}"#, "[]", "1"] {
            assert_eq!(of_json(text.as_bytes()), receipt(0, ""), "{text}");
        }
        assert_eq!(of_json(b"{"), Receipt::unconfirmed());
    }

    /// Possible answers: any bytes, or an OTLP message with one changed byte.
    fn answers() -> impl Strategy<Value = Vec<u8>> {
        let spoilt = (
            any::<i64>(),
            ".{0,40}",
            any::<prop::sample::Index>(),
            any::<u8>(),
        );
        let spoilt = spoilt.prop_map(|(rejected_spans, error_message, at, byte)| {
            let partial_success = Some(ExportTracePartialSuccess {
                rejected_spans,
                error_message,
            });
            let mut message = ExportTraceServiceResponse { partial_success }.encode_to_vec();
            let at = at.index(message.len());
            message[at] = byte;
            message
        });
        prop_oneof![vec(any::<u8>(), 0..64), spoilt]
    }

    proptest! {
        #[test]
        fn whatever_a_receiver_answers_is_read_and_its_words_are_harmless(answer in answers()) {
            let receipt = of_protobuf(&answer);
            let message = receipt.message().unwrap_or_default();
            prop_assert!(message.chars().count() <= 201 && !message.contains(char::is_control));
            #[cfg(feature = "otlp-http")]
            of_json(&answer);
        }
    }
}
