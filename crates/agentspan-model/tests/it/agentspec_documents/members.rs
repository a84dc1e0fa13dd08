//! Members that are repeated, that the class does not have, and references that lead nowhere in them.

use agentspan_model::agentspec::{Component, DocumentReader};

fn read(document: &str) -> Component {
    DocumentReader::new().read(document).unwrap()
}

#[test]
fn n1_of_a_member_that_is_repeated_the_last_counts_and_only_that_is_kept() {
    let tool = read(
        r#"{"component_type": "Agent", "id": "one", "name": "n", "i\u0064": "two", "metadata": {"a": [1, {"b": 1, "b": 2}], "a": 3},
        "id": "three", "metadata": {"c": {"x": 1, "x": 2, "x": 3}, "d": 4}}"#,
    );
    assert_eq!(tool.id(), "three");
    assert_eq!(
        tool.dump(),
        r#"{"component_type":"Agent","name":"n","id":"three","metadata":{"c":{"x":3},"d":4}}"#
    );
}

#[test]
fn n1_of_components_that_are_listed_twice_in_one_list_the_last_counts() {
    let tool = read(
        r#"{"$component_ref": "t", "$referenced_components": {
        "t": {"component_type": "ServerTool", "id": "t", "name": "first"},
        "t": {"component_type": "ServerTool", "id": "t", "name": "second"}}}"#,
    );
    assert_eq!(tool.name(), "second");
}

#[test]
fn n1_places_are_those_of_the_text_also_after_what_is_left_out() {
    let error = DocumentReader::new()
        .read("{\"component_type\": \"A\",\n \"id\": \"x\", \"metadata\": NaN,\n \"id\": 5, \"name\": \"n\"}")
        .unwrap_err();
    assert_eq!(error.to_string(), "id: not a string (line 3, column 8)");
}

#[test]
fn n10_components_in_members_that_a_class_does_not_have_are_no_children() {
    let agent = read(
        r#"{"component_type": "Agent", "id": "a", "name": "a", "tools": [],
        "x": {"component_type": "ServerTool", "id": "hidden", "name": "hidden"},
        "y": [{"component_type": "OpenAiConfig", "id": "hidden2", "name": "hidden2", "api_key": "s3"}]}"#,
    );
    assert!(agent.children().is_empty());
    assert!(agent.dump().contains(r#""id":"hidden2""#));
    assert!(!agent.dump().contains("s3"), "{}", agent.dump());
}

#[test]
fn classes_of_plugins_may_hold_components_anywhere() {
    let node = read(
        r#"{"component_type": "AcmeNode", "id": "n", "name": "n", "options": {"tool": {"$component_ref": "t"}},
        "$referenced_components": {"t": {"component_type": "AcmeTool", "id": "t", "name": "t"}}}"#,
    );
    assert_eq!(node.children().len(), 1);
}

#[test]
fn n14_all_references_that_lead_nowhere_are_named_wherever_they_are() {
    let document = r#"{"component_type": "Agent", "id": "a", "name": "a", "llm_config": {"$component_ref": "m"},
 "metadata": {"deep": [[{"$component_ref": "in metadata"}]]},
 "inputs": [{"title": "q", "default": {"$component_ref": "in a schema"}}],
 "unknown": {"$component_ref": "m"},
 "$referenced_components": {"unused": {"component_type": "ServerTool", "id": "u", "name": "u",
  "x": {"$component_ref": "é\u0022"}}}}"#;
    let error = DocumentReader::new().read(document).unwrap_err();
    assert_eq!(
        error.to_string(),
        "llm_config: no component with the id m (line 1, column 67); \
         metadata.deep[0][0]: no component with the id in metadata (line 2, column 25); \
         inputs[0].default: no component with the id in a schema (line 3, column 39); \
         $referenced_components.unused.x: no component with the id é\" (line 6, column 8)"
    );
}

#[test]
fn n14_what_is_listed_anywhere_is_not_missing() {
    let document = r#"{"component_type": "Agent", "id": "a", "name": "a", "metadata": {"x": {"y": {"$component_ref": "m"}},
        "$referenced_components": {"m": 1}}}"#;
    assert_eq!(read(document).id(), "a");
}

#[test]
fn a_component_that_is_listed_later_is_told_as_that() {
    let document = r#"{"component_type": "ManagerWorkers", "id": "mw", "name": "mw",
 "workers": [{"component_type": "Agent", "id": "w", "name": "w", "llm_config": {"$component_ref": "m"},
  "$referenced_components": {"m": {"component_type": "OpenAiConfig", "id": "m", "name": "m"}}}],
 "group_manager": {"component_type": "Agent", "id": "b", "name": "b", "llm_config": {"$component_ref": "m"}}}"#;
    // The members are read in the order of the class, whatever that of the text.
    let error = DocumentReader::new().read(document).unwrap_err();
    assert_eq!(
        error.to_string(),
        "group_manager.llm_config: the component with the id m is listed by a component that is read later \
         (line 4, column 85)"
    );
    let first = r#"{"component_type": "ManagerWorkers", "id": "mw", "name": "mw",
 "workers": [{"component_type": "Agent", "id": "w", "name": "w", "llm_config": {"$component_ref": "m"}}],
 "group_manager": {"component_type": "Agent", "id": "b", "name": "b", "llm_config": {"$component_ref": "m"},
  "$referenced_components": {"m": {"component_type": "OpenAiConfig", "id": "m", "name": "m"}}}}"#;
    assert_eq!(read(first).children().len(), 2);
}

#[test]
fn what_python_writes_is_read() {
    let tool = read(
        r#"{"component_type": "ServerTool", "id": "t", "name": "\udc00tail", "metadata": {"a": NaN, "b": [-Infinity, 1e400]}}"#,
    );
    assert_eq!(tool.name(), "\u{fffd}tail");
    assert!(
        tool.dump()
            .ends_with(r#""metadata":{"a":"NaN","b":["-Infinity",1e400]}}"#),
        "{}",
        tool.dump()
    );
    let marked = "\u{feff}{}";
    let error = DocumentReader::new().read(marked).unwrap_err();
    assert_eq!(error.to_string(), "not JSON: line 1, column 1");
}

#[test]
fn what_is_wrong_inside_is_told_beside_what_is_wrong_around_it() {
    let document = r#"{"component_type": "AgentNode", "id": 5, "name": "n", "agent": {"id": "a", "name": "a",
 "$referenced_components": {"m": 1}}, "$referenced_components": {"m": 2}}"#;
    let error = DocumentReader::new().read(document).unwrap_err();
    assert_eq!(
        error.to_string(),
        "id: not a string (line 1, column 39); \
         agent.$referenced_components.m: the id m is listed on two levels, for the first time at line 2, \
         column 71 (line 2, column 34); \
         agent: not a component (line 1, column 64)"
    );
}

#[test]
fn escaped_names_are_read_once_wherever_they_stand() {
    let part = r#"{"component_type":"Tool","id":"t","name":"t","\u00e9":1,"a":[{"\u0041\ud83d\ude00":{"q\"":2}}]}"#;
    let places = [
        r#"{"component_type":"Agent","id":"a","name":"a","unknown":PART}"#,
        r#"{"component_type":"Agent","id":"a","name":"a","unknown":[{"x":PART}]}"#,
        r#"{"component_type":"Agent","id":"a","name":"a","metadata":{"x":PART}}"#,
        r#"{"component_type":"Agent","id":"a","name":"a","unknown\u0020":{"\u0078":[[PART]]}}"#,
        r#"{"component_type":"Acme","id":"a","name":"a","unknown":{"x":PART}}"#,
        r#"{"component_type":"OpenAiConfig","id":"a","name":"a","default_generation_parameters":{"x":PART}}"#,
    ];
    for place in places {
        let document = place.replace("PART", part);
        let read = DocumentReader::new().read(&document).unwrap();
        let again = Component::from_json(read.dump()).unwrap();
        assert_eq!(read.dump(), again.dump(), "{document}");
        assert_eq!(read, again);
    }
}
