//! Faults that documents of the field showed: h01 to h06 and h16, each with its kind.

use agentspan_model::agentspec::{Agent, Component, DocumentReader, ProblemKind};

const LLM: &str =
    r#"{"component_type": "OpenAiConfig", "id": "mod", "name": "mod", "model_id": "m1"}"#;

fn read(document: &str) -> Component {
    DocumentReader::new().read(document).unwrap()
}

#[track_caller]
fn check_refused(document: &str, problem: &str) {
    let error = DocumentReader::new().read(document).unwrap_err();
    assert_eq!(error.to_string(), problem);
}

#[test]
fn h01_a_root_may_be_a_reference() {
    let document = format!(
        r#"{{"$component_ref": "helper", "agentspec_version": "26.3.1", "$referenced_components": {{"helper":
        {{"component_type": "Agent", "id": "helper", "name": "helper", "llm_config": {LLM},
        "system_prompt": "Be brief.", "tools": []}}}}}}"#
    );
    let agent = Agent::try_from(read(&document)).unwrap();
    assert_eq!(
        (agent.id(), agent.llm_config().unwrap().id()),
        ("helper", "mod")
    );
}

#[test]
fn h01_a_listed_entry_may_be_a_reference() {
    let listed = format!(
        r#""r0": {{"$component_ref": "r1"}}, "r1": {{"$component_ref": "r2"}}, "r2": {LLM}"#
    );
    let document = |llm_config: &str, listed: &str| {
        format!(
            r#"{{"component_type": "Agent", "id": "a", "name": "a", "llm_config": {{"$component_ref": "{llm_config}"}},
            "$referenced_components": {{{listed}}}}}"#
        )
    };
    let agent = Agent::try_from(read(&document("r0", &listed))).unwrap();
    assert_eq!(agent.llm_config().unwrap().id(), "mod");

    let circle = r#""r0": {"$component_ref": "r1"}, "r1": {"$component_ref": "r0"}"#;
    check_refused(
        &document("r0", circle),
        "llm_config: the component with the id r0 contains itself (line 2, column 78)",
    );
}

#[test]
fn h01_what_is_wrong_with_a_referenced_root_is_told_as_that() {
    check_refused(
        r#"{"$component_ref": "gone"}"#,
        "no component with the id gone (line 1, column 1)",
    );
    check_refused(
        r#"{"$component_ref": "a", "$referenced_components": {"a": {"$component_ref": "a"}}}"#,
        "the component with the id a contains itself (line 1, column 57)",
    );
}

#[test]
fn h02_a_prompt_may_be_a_reference_to_a_value() {
    let document = format!(
        r#"{{"component_type": "Agent", "id": "helper", "name": "helper", "llm_config": {LLM},
        "system_prompt": {{"$component_ref": "texts.prompt"}}, "tools": [], "agentspec_version": "26.3.1"}}"#
    );
    let reader = DocumentReader::new().with_value("texts.prompt", serde_json::json!("Be kind."));
    let agent = reader.read(&document).unwrap();
    assert_eq!(agent.text("system_prompt").as_deref(), Some("Be kind."));
    assert!(agent.dump().contains(r#""system_prompt":"Be kind.""#));
    check_refused(
        &document,
        "system_prompt: no component with the id texts.prompt (line 2, column 26)",
    );
}

/// A flow around a flow, both of which list their start under one id.
const TWICE: &str = r#"{"component_type": "Flow", "id": "outer", "name": "outer", "start_node": {"$component_ref": "s"},
 "nodes": [{"$component_ref": "s"}, {"component_type": "FlowNode", "id": "fn", "name": "fn", "subflow":
 {"component_type": "Flow", "id": "inner", "name": "inner", "start_node": {"$component_ref": "s"},
  "nodes": [{"$component_ref": "s"}, {"$component_ref": "e"}], "control_flow_connections": [],
  "$referenced_components": {"s": {"component_type": "StartNode", "id": "s", "name": "inner start"},
   "e": {"component_type": "EndNode", "id": "e", "name": "inner end"}}}}, {"$component_ref": "e"}],
 "control_flow_connections": [], "agentspec_version": "26.3.1",
 "$referenced_components": {"s": {"component_type": "StartNode", "id": "s", "name": "outer start"},
  "e": {"component_type": "EndNode", "id": "e", "name": "outer end"}}}"#;

#[test]
fn h03_one_id_on_two_levels_is_refused_with_both_places() {
    check_refused(
        TWICE,
        "nodes[1].subflow.$referenced_components.s: the id s is listed on two levels, for the first time \
         at line 8, column 34 (line 5, column 35); \
         nodes[1].subflow.$referenced_components.e: the id e is listed on two levels, for the first time \
         at line 9, column 8 (line 6, column 9)",
    );
}

#[test]
fn h03_ids_that_no_two_levels_share_may_be_anywhere() {
    let apart = TWICE.replace(r#""id": "inner""#, r#""id": "s""#);
    assert!(DocumentReader::new().read(&apart).is_err());
    // An entry that nobody refers to is not read, and what it lists is not listed.
    let unused = r#"{"component_type": "ServerTool", "id": "t", "name": "t", "$referenced_components": {
        "t": {"component_type": "ServerTool", "id": "u", "name": "u",
              "$referenced_components": {"t": {"component_type": "ServerTool", "id": "v", "name": "v"}}}}}"#;
    assert_eq!(read(unused).id(), "t");
}

#[test]
fn h04_an_object_without_a_class_is_no_component_whatever_it_holds() {
    for secret in ["", r#", "cert_file": "/etc/agent/cert.pem""#] {
        let document = format!(
            r#"{{"component_type": "A2AAgent", "id": "far", "name": "far", "agent_url": "http://agents.internal",
            "connection_config": {{"timeout": 30.0, "headers": null, "verify": true{secret}}}}}"#
        );
        check_refused(
            &document,
            "connection_config: not a component (line 2, column 34)",
        );
    }
    check_refused(
        r#"{"component_type": "Agent", "id": "a", "name": "a", "tools": [{"model": {"component_type": "Tool"}}]}"#,
        "tools[0]: not a component (line 1, column 63)",
    );
}

#[test]
fn h05_a_small_document_of_nested_flows_is_read_with_its_nodes_shared() {
    let document = include_str!("../../golden/nested_flows.json");
    let flow = read(document);
    assert_eq!(flow.id(), "f6");
    let nodes = flow.components("nodes");
    for (edge, [from, to]) in flow
        .components("control_flow_connections")
        .iter()
        .zip([[0, 1], [1, 2]])
    {
        assert!(edge.component("from_node").unwrap().is_same(nodes[from]));
        assert!(edge.component("to_node").unwrap().is_same(nodes[to]));
    }
}

#[test]
fn h06_inputs_follow_from_placeholders() {
    let tool = read(
        r#"{"component_type": "RemoteTool", "id": "w", "name": "weather", "url": "https://api.internal/{{city}}",
        "http_method": "GET", "query_params": {"days": "{{days}}"}, "agentspec_version": "26.3.1"}"#,
    );
    let titles: Vec<_> = tool.inputs().iter().map(|input| input.title()).collect();
    assert_eq!(titles, ["city", "days"]);
    assert_eq!(
        tool.inputs()[0].schema().as_str(),
        r#"{"title":"city","type":"string"}"#
    );
}

#[test]
fn h16_a_version_that_there_is_not_is_refused_by_name_unless_the_caller_takes_any() {
    let document = |version: &str| {
        format!(r#"{{"component_type": "ServerTool", "id": "t", "name": "t", {version}}}"#)
    };
    let check = |version: &str, name: &str| {
        let document = document(version);
        let error = DocumentReader::new().read(&document).unwrap_err();
        let expected = ProblemKind::UnknownVersion {
            version: name.to_owned(),
        };
        assert_eq!(error.problems()[0].kind, expected);
        let lenient = DocumentReader::new().with_any_version();
        assert_eq!(lenient.read(&document).unwrap().id(), "t");
    };
    check(r#""agentspec_version": "20.99.99""#, "20.99.99");
    check(r#""agentspec_version": "26.3""#, "26.3");
    check(r#""agentspec_version": 26"#, "26");
    check(r#""agentspec_version": null"#, "null");
    check(r#""air_version": "25.9.9""#, "25.9.9");
    check_refused(
        &document(r#""agentspec_version": "20.99.99""#),
        "agentspec_version: version 20.99.99 of Agent Spec is unknown; the newest known version is 26.3.1 (line 1, column 79)",
    );
    for version in ["25.3.0", "25.4.1", "26.1.2", "26.3.1"] {
        let both = format!(r#""air_version": "0", "agentspec_version": "{version}""#);
        let tool = read(&document(&both));
        assert!(!tool.dump().contains("version"), "{}", tool.dump());
    }
}
