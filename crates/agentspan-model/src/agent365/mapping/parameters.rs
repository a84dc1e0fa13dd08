//! The parameters of an agent's request and answer, which 1.5.0 of the successor writes.

use super::v0_1::text;
use crate::agent365::{RequestParameters, ResponseParameters};
use crate::attribute::AttributeValue::{F64, I64, StrList};
use crate::attribute::AttributeVisitor;
use crate::keys;

pub(super) fn request_parameters(
    parameters: Option<&RequestParameters>,
    visitor: &mut impl AttributeVisitor,
) {
    let Some(parameters) = parameters else {
        return;
    };
    text(
        keys::GEN_AI_REQUEST_MODEL,
        parameters.model.as_deref(),
        visitor,
    );
    integer(keys::GEN_AI_REQUEST_SEED, parameters.seed, visitor);
    integer(
        keys::GEN_AI_REQUEST_CHOICE_COUNT,
        parameters.choice_count,
        visitor,
    );
    float(
        keys::GEN_AI_REQUEST_FREQUENCY_PENALTY,
        parameters.frequency_penalty,
        visitor,
    );
    integer(
        keys::GEN_AI_REQUEST_MAX_TOKENS,
        parameters.max_tokens,
        visitor,
    );
    float(
        keys::GEN_AI_REQUEST_PRESENCE_PENALTY,
        parameters.presence_penalty,
        visitor,
    );
    texts(
        keys::GEN_AI_REQUEST_STOP_SEQUENCES,
        parameters.stop_sequences.as_deref(),
        visitor,
    );
    float(
        keys::GEN_AI_REQUEST_TEMPERATURE,
        parameters.temperature,
        visitor,
    );
    float(keys::GEN_AI_REQUEST_TOP_P, parameters.top_p, visitor);
    text(
        keys::GEN_AI_DATA_SOURCE_ID,
        parameters.data_source_id.as_deref(),
        visitor,
    );
    text(
        keys::GEN_AI_OUTPUT_TYPE,
        parameters.output_type.as_deref(),
        visitor,
    );
    let instructions = parameters.system_instructions_text();
    text(
        keys::GEN_AI_SYSTEM_INSTRUCTIONS,
        instructions.as_deref(),
        visitor,
    );
}

pub(super) fn response_parameters(
    parameters: Option<&ResponseParameters>,
    visitor: &mut impl AttributeVisitor,
) {
    let Some(parameters) = parameters else {
        return;
    };
    texts(
        keys::GEN_AI_RESPONSE_FINISH_REASONS,
        parameters.finish_reasons.as_deref(),
        visitor,
    );
    for (key, tokens) in [
        (keys::GEN_AI_USAGE_INPUT_TOKENS, parameters.input_tokens),
        (keys::GEN_AI_USAGE_OUTPUT_TOKENS, parameters.output_tokens),
        (
            keys::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
            parameters.cache_write_input_tokens,
        ),
        (
            keys::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
            parameters.cache_read_input_tokens,
        ),
    ] {
        integer(key, tokens, visitor);
    }
}

fn integer(key: &'static str, value: Option<i64>, visitor: &mut impl AttributeVisitor) {
    if let Some(value) = value {
        visitor.visit(key, I64(value));
    }
}

fn float(key: &'static str, value: Option<f64>, visitor: &mut impl AttributeVisitor) {
    if let Some(value) = value {
        visitor.visit(key, F64(value));
    }
}

fn texts(key: &'static str, value: Option<&[String]>, visitor: &mut impl AttributeVisitor) {
    if let Some(value) = value {
        let texts: Vec<&str> = value.iter().map(String::as_str).collect();
        visitor.visit(key, StrList(&texts));
    }
}
