//! Documents that only list components for others to refer to.

use agentspan_model::agentspec::{Agent, DocumentReader, ProblemKind};

use super::{agent, llm};

#[test]
fn components_can_come_from_other_documents() {
    let listed = format!(
        r#"{{"$referenced_components":{{"shared":{}}}}}"#,
        llm("llm")
    );
    let components = DocumentReader::new().read_referenced(&listed).unwrap();
    let mut reader = DocumentReader::new();
    for (reference, component) in components {
        reader = reader.with_component_as(reference, component);
    }
    let agent = reader
        .read(&agent(r#"{"$component_ref":"shared"}"#, ""))
        .unwrap();
    let model = Agent::try_from(agent).unwrap().llm_config().unwrap();
    assert_eq!(model.id(), "llm");
}

#[track_caller]
fn check_refused(document: &str, problem: &str) {
    let error = DocumentReader::new().read_referenced(document).unwrap_err();
    assert_eq!(error.to_string(), problem);
}

#[test]
fn n16_a_list_has_nothing_else() {
    check_refused("{}", "$referenced_components: missing (line 1, column 1)");
    let with = |member: &str| {
        let document = format!(r#"{{"$referenced_components":{{}},{member}}}"#);
        DocumentReader::new()
            .read_referenced(&document)
            .unwrap_err()
    };
    for member in [
        r#""agentspec_version":"26.3.1""#,
        r#""component_type":"Agent""#,
    ] {
        assert_eq!(with(member).problems()[0].kind, ProblemKind::MoreThanAList);
    }
    check_refused("[]", "not a list of components (line 1, column 1)");
    check_refused(
        r#"{"$referenced_components":{"m":null}}"#,
        "$referenced_components.m: not a component (line 1, column 32)",
    );
}

#[test]
fn n16_a_list_is_no_component() {
    let error = DocumentReader::new()
        .read(r#"{"$referenced_components":{}}"#)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "only lists components under $referenced_components (line 1, column 1)"
    );
}

#[test]
fn n17_entries_may_refer_to_each_other_in_any_order() {
    let listed = format!(
        r#"{{"$referenced_components":{{"a":{{"component_type":"Agent","id":"a","name":"a","llm_config":
        {{"$component_ref":"m"}}}},"again":{{"$component_ref":"a"}},"m":{}}}}}"#,
        llm("m")
    );
    let components = DocumentReader::new().read_referenced(&listed).unwrap();
    assert_eq!(components.len(), 3);
    assert!(components["a"].is_same(&components["again"]));
    assert!(
        components["a"]
            .component("llm_config")
            .unwrap()
            .is_same(&components["m"])
    );

    check_refused(
        r#"{"$referenced_components":{"a":{"$component_ref":"b"},"b":{"$component_ref":"a"}}}"#,
        "$referenced_components.a: the component with the id a contains itself (line 1, column 59)",
    );
}

#[test]
fn entries_are_documents_with_lists_and_versions_of_their_own() {
    let listed = format!(
        r#"{{"$referenced_components":{{"m":{},"a":{{"component_type":"Agent","id":"a","name":"a","llm_config":
        {{"$component_ref":"m"}},"$referenced_components":{{"m":{}}},"agentspec_version":"25.4.1"}}}}}}"#,
        llm("beside"),
        llm("inner")
    );
    let components = DocumentReader::new().read_referenced(&listed).unwrap();
    assert_eq!(
        components["a"].component("llm_config").unwrap().id(),
        "inner"
    );
    let newer = listed.replace("25.4.1", "99.1.1");
    let error = DocumentReader::new().read_referenced(&newer).unwrap_err();
    assert_eq!(
        error.problems()[0].kind,
        ProblemKind::UnknownVersion {
            version: "99.1.1".to_owned()
        }
    );
}
