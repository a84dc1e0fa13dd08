//! What payloads look like.

use serde_json::{Map, Value, json};

use super::*;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[test]
fn members_stand_in_the_order_of_the_schema_and_metadata_is_last() {
    let arguments = ExecuteToolCallArguments::new()
        .with_extension_data(object(json!({"m": 1e16})))
        .with_parameters(object(json!({"p": null})))
        .with_resources([ToolCallResource::new()
            .with_type("file")
            .with_extension_data(object(json!({"a": "é"})))])
        .with_action(ToolCallAction::Delete);
    assert_eq!(
        arguments.to_json_text(),
        r#"{"action": "delete", "resources": [{"type": "file", "metadata": {"a": "é"}}], "parameters": {"p": null}, "schema_version": "1.0", "metadata": {"m": 1e+16}}"#
    );
}

#[test]
fn empty_lists_are_written_and_empty_metadata_is_not() {
    let result = ExecuteToolCallResult::new()
        .with_resources(Vec::new())
        .with_extension_data(Map::new());
    assert_eq!(
        result.to_json_text(),
        r#"{"resources": [], "schema_version": "1.0"}"#
    );
}

#[test]
fn a_payload_that_is_nested_too_deep_says_so() {
    let deep = (0..200).fold(json!([]), |inner, _| json!([inner]));
    let data = Map::from_iter([("a".to_owned(), deep)]);
    let expected = r#"{"serialization_error":"Failed to serialize execute tool payload."}"#;
    let result = ExecuteToolCallResult::new().with_data(data.clone());
    assert_eq!(result.to_json_text(), expected);
    let arguments = ExecuteToolCallArguments::new().with_parameters(data);
    assert_eq!(arguments.to_json_text(), expected);
}

#[test]
fn what_is_written_is_read_back() {
    let outcome = ToolCallResultOutcome::new().with_status(ToolCallOutcomeStatus::Failure);
    let resource = ToolCallResultResource::new()
        .with_policy(ToolCallResultPolicy::new().with_decision(ToolPolicyDecision::Deny))
        .with_outcome(outcome);
    let result = ExecuteToolCallResult::new().with_resources([resource]);
    assert_eq!(
        serde_json::from_str::<ExecuteToolCallResult>(&result.to_json_text()).unwrap(),
        result
    );
    serde_json::from_value::<ExecuteToolCallArguments>(json!({"action": "Read"})).unwrap_err();
}

#[test]
fn debug_shows_nothing_of_a_payload() {
    let data = object(json!({"canary": "canary"}));
    let result = ExecuteToolCallResult::new().with_data(data.clone());
    let arguments = ExecuteToolCallArguments::new()
        .with_resources([ToolCallResource::new().with_name("canary")])
        .with_parameters(data);
    assert!(!format!("{result:?} {arguments:#?}").contains("canary"));
}
