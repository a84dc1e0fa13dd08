//! What the scopes of `microsoft-opentelemetry` 1.5.0 take beyond version 2, as our types.

use agentspan_model::agent365::{RequestParameters, ResponseParameters};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Stop;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestInput {
    model: Option<String>,
    seed: Option<i64>,
    choice_count: Option<i64>,
    frequency_penalty: Option<f64>,
    max_tokens: Option<i64>,
    presence_penalty: Option<f64>,
    stop_sequences: Option<Vec<String>>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    data_source_id: Option<String>,
    output_type: Option<String>,
    system_instructions: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseInput {
    finish_reasons: Option<Vec<String>>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_write_input_tokens: Option<i64>,
    cache_read_input_tokens: Option<i64>,
}

/// No parameters, where the reference was given `None`.
fn members(input: Value) -> Value {
    match input {
        Value::Null => Value::Object(Map::new()),
        other => other,
    }
}

pub(super) fn request_parameters(input: Value) -> Result<RequestParameters, Stop> {
    let input: RequestInput = serde_json::from_value(members(input))?;
    let mut parameters = RequestParameters::new();
    parameters.model = input.model;
    parameters.seed = input.seed;
    parameters.choice_count = input.choice_count;
    parameters.frequency_penalty = input.frequency_penalty;
    parameters.max_tokens = input.max_tokens;
    parameters.presence_penalty = input.presence_penalty;
    parameters.stop_sequences = input.stop_sequences;
    parameters.temperature = input.temperature;
    parameters.top_p = input.top_p;
    parameters.data_source_id = input.data_source_id;
    parameters.output_type = input.output_type;
    parameters.system_instructions = input.system_instructions;
    Ok(parameters)
}

pub(super) fn response_parameters(input: Value) -> Result<ResponseParameters, Stop> {
    let input: ResponseInput = serde_json::from_value(members(input))?;
    let mut parameters = ResponseParameters::new();
    parameters.finish_reasons = input.finish_reasons;
    parameters.input_tokens = input.input_tokens;
    parameters.output_tokens = input.output_tokens;
    parameters.cache_write_input_tokens = input.cache_write_input_tokens;
    parameters.cache_read_input_tokens = input.cache_read_input_tokens;
    Ok(parameters)
}

/// Leaves out the reasons of messages that are `None`, for which the reference writes `stop`, as we do for a
/// message that is given none.
pub(super) fn leave_out_missing_reasons(input: &mut Value) {
    match input {
        Value::Array(items) => items.iter_mut().for_each(leave_out_missing_reasons),
        Value::Object(members) => {
            let is_message = members.contains_key("role") && members.contains_key("parts");
            if is_message && members.get("finish_reason") == Some(&Value::Null) {
                members.remove("finish_reason");
            }
            members.values_mut().for_each(leave_out_missing_reasons);
        }
        _ => {}
    }
}
