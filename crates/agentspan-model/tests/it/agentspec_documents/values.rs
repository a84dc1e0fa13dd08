//! References to values that the reader was given, and how deep they are followed (N15).

use agentspan_model::agentspec::{Component, DocumentReader};
use serde_json::{Value, json};

fn member(component: &Component, name: &str) -> Value {
    let dump: Value = serde_json::from_str(component.dump()).unwrap();
    dump[name].clone()
}

/// A component of a class whose member is `value`, read with `5` given as `five`.
#[track_caller]
fn check(class: &str, name: &str, value: &Value, expected: &Value) {
    let document =
        json!({"component_type": class, "id": "c", "name": "c", name: value}).to_string();
    let reader = DocumentReader::new().with_value("five", json!(5));
    let component = reader.read(&document).unwrap();
    assert_eq!(member(&component, name), *expected);
    let error = DocumentReader::new().read(&document).unwrap_err();
    assert!(
        error.to_string().contains("no component with the id five"),
        "{error}"
    );
}

#[test]
fn n15_references_are_followed_in_plain_objects_as_deep_as_agent_spec_defines_them() {
    let five = json!({"$component_ref": "five"});
    check("StdioTransport", "command", &five, &json!(5));
    check(
        "StdioTransport",
        "env",
        &json!({"A": five, "B": "b"}),
        &json!({"A": 5, "B": "b"}),
    );
    check(
        "StdioTransport",
        "args",
        &json!(["-x", five]),
        &json!(["-x", 5]),
    );
    check(
        "RemoteTool",
        "headers",
        &json!({"A": five}),
        &json!({"A": 5}),
    );
    check("Agent", "metadata", &json!({"a": five}), &json!({"a": 5}));
    check(
        "OpenAiConfig",
        "retry_policy",
        &json!({"max_attempts": five}),
        &json!({"max_attempts": 5}),
    );
    let statuses = |value: &Value| json!({"recoverable_statuses": {"409": [value]}});
    check(
        "OpenAiConfig",
        "retry_policy",
        &statuses(&five),
        &statuses(&json!(5)),
    );
    check(
        "OpenAiConfig",
        "default_generation_parameters",
        &json!({"seed": five}),
        &json!({"seed": 5}),
    );
}

#[test]
fn n15_content_of_others_is_kept_as_it_is() {
    let five = json!({"$component_ref": "five"});
    let deep = json!({"a": {"b": five}});
    check("Agent", "metadata", &deep, &deep);
    check(
        "RemoteTool",
        "data",
        &json!({"a": five}),
        &json!({"a": five}),
    );
    let schema = json!([{"title": "q", "default": five}]);
    check("ServerTool", "inputs", &schema, &schema);
}

#[test]
fn a_name_may_be_a_value_and_a_value_is_no_component() {
    let document =
        r#"{"component_type": "ServerTool", "id": {"$component_ref": "i"}, "name": "t"}"#;
    let reader = DocumentReader::new().with_value("i", json!("given"));
    assert_eq!(reader.read(document).unwrap().id(), "given");

    let agent = r#"{"component_type": "Agent", "id": "a", "name": "a", "llm_config": {"$component_ref": "i"}}"#;
    for value in [
        json!("given"),
        json!(null),
        json!({"component_type": "OpenAiConfig"}),
    ] {
        let error = DocumentReader::new()
            .with_value("i", value)
            .read(agent)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "llm_config: not a component (line 1, column 67)"
        );
    }
    let filter = r#"{"component_type": "MCPToolBox", "id": "b", "name": "b", "tool_filter": [{"$component_ref": "i"}]}"#;
    assert_eq!(
        member(&reader.read(filter).unwrap(), "tool_filter"),
        json!(["given"])
    );
}

#[test]
fn a_list_without_components_may_be_a_value() {
    let agent =
        r#"{"component_type": "Agent", "id": "a", "name": "a", "tools": {"$component_ref": "v"}}"#;
    let read = |document: &str, value: Value| {
        let reader = DocumentReader::new().with_value("v", value);
        reader.read(document).map_err(|error| error.to_string())
    };
    assert_eq!(member(&read(agent, json!([])).unwrap(), "tools"), json!([]));
    for value in [json!("text"), json!(["text"]), json!({})] {
        let error = read(agent, value).unwrap_err();
        assert_eq!(error, "tools: not a component (line 1, column 62)");
    }
    let filter = r#"{"component_type": "MCPToolBox", "id": "b", "name": "b", "tool_filter": {"$component_ref": "v"}}"#;
    let texts = json!(["one", "two"]);
    assert_eq!(
        member(&read(filter, texts.clone()).unwrap(), "tool_filter"),
        texts
    );
}

#[test]
fn what_is_given_takes_precedence_over_what_is_listed() {
    let tool = |name: &str| Component::builder("ServerTool", name).with_id("t").build();
    let document = r#"{"$component_ref": "t", "$referenced_components": {
        "t": {"component_type": "ServerTool", "id": "t", "name": "listed"}}}"#;
    let given = DocumentReader::new().with_component(tool("given"));
    assert_eq!(given.read(document).unwrap().name(), "given");
}

#[test]
fn a_secret_is_dropped_given_or_not() {
    let document = r#"{"component_type": "OpenAiConfig", "id": "m", "name": "m", "api_key": {"$component_ref": "m.api_key"}}"#;
    for (value, dumped) in [
        (json!("sk-1"), json!({"$component_ref": "m.api_key"})),
        (json!(null), json!(null)),
    ] {
        let reader = DocumentReader::new().with_value("m.api_key", value);
        assert_eq!(member(&reader.read(document).unwrap(), "api_key"), dumped);
    }
    assert!(DocumentReader::new().read(document).is_ok());
}

#[test]
fn a_filter_may_leave_out_the_only_class_that_it_holds() {
    let filter = r#"{"component_type": "MCPToolBox", "id": "b", "name": "b", "tool_filter": ["t", {"id": "s", "name": "s"}]}"#;
    let toolbox = DocumentReader::new().read(filter).unwrap();
    let tools = toolbox.components("tool_filter");
    assert_eq!(tools[0].component_type(), "MCPToolSpec");
    assert_eq!(tools[0].id(), "s");
}
