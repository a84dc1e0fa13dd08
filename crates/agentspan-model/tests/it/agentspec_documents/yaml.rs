//! Documents in YAML, read as those in JSON are.

use agentspan_model::agentspec::{Component, DocumentReader, ProblemKind};

fn read(document: &str) -> Component {
    DocumentReader::new().read_yaml(document).unwrap()
}

const AGENT: &str = "\
component_type: Agent
id: helper
name: helper
llm_config:
  $component_ref: m
system_prompt: |
  Hi {{name}},
  today is {{day}}.
tools: []
agentspec_version: 26.3.1
$referenced_components:
  m: {component_type: OpenAiConfig, id: m, name: m, model_id: m1}
";

#[test]
fn a_document_is_the_same_in_yaml_and_in_json() {
    let yaml = read(AGENT);
    let json = r#"{"component_type":"Agent","id":"helper","name":"helper","llm_config":{"$component_ref":"m"},
        "system_prompt":"Hi {{name}},\ntoday is {{day}}.\n","tools":[],"agentspec_version":"26.3.1",
        "$referenced_components":{"m":{"component_type":"OpenAiConfig","id":"m","name":"m","model_id":"m1"}}}"#;
    assert_eq!(yaml, DocumentReader::new().read(json).unwrap());
    assert_eq!(yaml, DocumentReader::new().read_yaml(json).unwrap());
    assert_eq!(yaml.inputs().len(), 2);
    let marked = format!("\u{feff}{AGENT}");
    assert_eq!(read(&marked), yaml);
}

#[track_caller]
fn check_refused(document: &str, problem: &str) {
    let error = DocumentReader::new().read_yaml(document).unwrap_err();
    assert_eq!(error.to_string(), problem);
}

#[test]
fn problems_say_where_they_are_in_the_yaml() {
    check_refused(
        &AGENT.replace("$component_ref: m", "$component_ref: gone"),
        "llm_config: no component with the id gone (line 5, column 3)",
    );
    check_refused(
        &AGENT.replace("name: helper", "name: no"),
        "name: not a string (line 3, column 7)",
    );
    check_refused(
        &AGENT.replace("26.3.1", "26.3"),
        "agentspec_version: version 26.3 of Agent Spec is unknown; the newest known version is 26.3.1 (line 10, column 20)",
    );
    check_refused(
        &AGENT.replace("OpenAiConfig", "ServerTool"),
        "llm_config: a component of the type ServerTool is not of the type LlmConfig (line 5, column 3)",
    );
}

#[test]
fn what_is_no_yaml_is_refused_with_a_place() {
    check_refused(
        &AGENT.replace("id: helper", "id:\thelper"),
        "not YAML: line 2, column 4: a character that cannot begin a value",
    );
    check_refused(
        &AGENT.replace("name: helper", "name: {{x}}"),
        "not YAML: line 3, column 8: a key that is a list or a mapping",
    );
    check_refused(
        &format!("{AGENT}---\n{AGENT}"),
        "not YAML: line 13, column 1: a second document",
    );
    check_refused(
        &AGENT.replace("name: helper", "name: *x"),
        "not YAML: line 3, column 7: an alias that stands for nothing",
    );
    check_refused(
        &AGENT.replace("component_ref: m", "component_ref: <<"),
        "not YAML: line 5, column 19: a tag that does not fit",
    );
    check_refused(
        &format!("{AGENT}x: {{<<: [{{}}, 5]}}\n"),
        "not YAML: line 13, column 14: a tag that does not fit",
    );
    let error = DocumentReader::new().read_yaml("a: [").unwrap_err();
    assert!(error.is_syntax());
}

#[test]
fn ids_may_be_of_any_type() {
    for id in ["1", "yes", "2001-12-14", "1.50", "~"] {
        let document = AGENT.replace("$component_ref: m", &format!("$component_ref: {id}"));
        let document = document.replace("\n  m:", &format!("\n  {id}:"));
        assert_eq!(read(&document).component("llm_config").unwrap().id(), "m");
    }
}

#[test]
fn lists_of_components_may_be_yaml() {
    let listed = "$referenced_components:\n  m: {component_type: OpenAiConfig, id: m, name: m}\n";
    let components = DocumentReader::new().read_referenced_yaml(listed).unwrap();
    assert_eq!(components["m"].id(), "m");
    let more = format!("{listed}agentspec_version: 26.3.1\n");
    let error = DocumentReader::new()
        .read_referenced_yaml(&more)
        .unwrap_err();
    assert_eq!(error.problems()[0].kind, ProblemKind::MoreThanAList);
}
