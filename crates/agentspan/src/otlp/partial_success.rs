//! What a receiver says of the spans that it took: OTLP's partial success.

use agentspan_otel::Receipt;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;

/// The receipt in an answer's message, in protobuf. One that cannot be read confirms nothing.
pub(super) fn of_protobuf(message: &[u8]) -> Receipt {
    match ExportTraceServiceResponse::decode(message) {
        Ok(response) => of(response.partial_success.unwrap_or_default()),
        Err(_) => Receipt::unconfirmed(),
    }
}

/// The same in JSON, which some receivers answer with although they were sent protobuf. Numbers of 64 bits
/// may be texts there.
#[cfg(feature = "otlp-http")]
pub(super) fn of_json(message: &[u8]) -> Receipt {
    let Ok(response) = serde_json::from_slice::<serde_json::Value>(message) else {
        return Receipt::unconfirmed();
    };
    let partial = &response["partialSuccess"];
    let rejected = &partial["rejectedSpans"];
    let rejected = rejected
        .as_i64()
        .or_else(|| rejected.as_str()?.parse().ok());
    let text = partial["errorMessage"].as_str();
    of(ExportTracePartialSuccess {
        rejected_spans: rejected.unwrap_or_default(),
        error_message: text.unwrap_or_default().to_owned(),
    })
}

fn of(partial: ExportTracePartialSuccess) -> Receipt {
    let rejected = u64::try_from(partial.rejected_spans).unwrap_or(0);
    Receipt::confirmed()
        .with_rejected(rejected)
        .with_message(&partial.error_message)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn receipt(rejected: u64, message: &str) -> Receipt {
        Receipt::confirmed()
            .with_rejected(rejected)
            .with_message(message)
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

    /// What anybody may take for an answer: bytes, or a message of OTLP with a byte changed.
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
            prop_assert!(message.chars().count() <= 200 && !message.contains(char::is_control));
            #[cfg(feature = "otlp-http")]
            of_json(&answer);
        }
    }
}
