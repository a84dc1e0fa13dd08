//! Agent Spec documents: references are followed, shared, and refused with a place.

mod defaults;
mod field;
mod inference;
mod limits;
mod listings;
mod members;
mod values;
#[cfg(feature = "yaml")]
mod yaml;

use std::collections::BTreeMap;

use agentspan_model::agentspec::{Agent, Component, DocumentReader, Flow, Json};
use proptest::prelude::*;

fn llm(id: &str) -> String {
    format!(
        r#"{{"component_type":"OpenAiConfig","id":"{id}","name":"{id}","model_id":"m","api_key":{{"$component_ref":"{id}.api_key"}}}}"#
    )
}

/// An agent whose model is `llm_config`, in a document that lists `referenced`.
fn agent(llm_config: &str, referenced: &str) -> String {
    format!(
        r#"{{"component_type":"Agent","id":"a","name":"a","agentspec_version":"26.1.0",
        "llm_config":{llm_config},"tools":[],"$referenced_components":{{{referenced}}}}}"#
    )
}

const REFERENCE: &str = r#"{"$component_ref":"llm"}"#;

#[track_caller]
fn check_refused(document: &str, problem: &str) {
    let error = DocumentReader::new().read(document).unwrap_err();
    assert_eq!(error.to_string(), problem);
}

#[test]
fn a_reference_leads_to_the_component_and_is_written_out_in_dumps() {
    let document = agent(REFERENCE, &format!(r#""llm":{}"#, llm("llm")));
    let agent = DocumentReader::new().read(&document).unwrap();
    assert_eq!(
        agent.dump(),
        format!(
            r#"{{"component_type":"Agent","id":"a","name":"a","llm_config":{},"tools":[]}}"#,
            llm("llm")
        )
    );
    assert_eq!(Component::from_json(agent.dump()).unwrap(), agent);
}

#[test]
fn a_secret_in_a_document_is_dropped() {
    let secret = llm("llm").replace(r#"{"$component_ref":"llm.api_key"}"#, r#""sk-secret""#);
    let document = agent(REFERENCE, &format!(r#""llm":{secret}"#));
    let agent = DocumentReader::new().read(&document).unwrap();
    assert!(agent.dump().contains(&llm("llm")));
    assert!(!format!("{agent:?}").contains("sk-secret"));
}

#[test]
fn a_component_that_is_referred_to_twice_is_shared() {
    let node = r#"{"component_type":"StartNode","id":"n","name":"n"}"#;
    let reference = r#"{"$component_ref":"n"}"#;
    let document = format!(
        r#"{{"component_type":"Flow","id":"f","name":"f","start_node":{reference},"nodes":[{reference}],
        "$referenced_components":{{"n":{node}}}}}"#
    );
    let flow = Flow::try_from(DocumentReader::new().read(&document).unwrap()).unwrap();
    let start = flow.start_node().unwrap();
    assert!(start.is_same(&flow.nodes()[0]));
}

#[test]
fn a_reference_that_leads_nowhere_is_refused() {
    check_refused(
        &agent(REFERENCE, ""),
        "llm_config: no component with the id llm (line 2, column 22)",
    );
    check_refused(
        &agent(r#"{"$component_ref":1}"#, ""),
        "llm_config: no component with the id 1 (line 2, column 22)",
    );
    check_refused(
        &agent(r#"{"$component_ref":["llm"]}"#, ""),
        "llm_config.$component_ref: not a string (line 2, column 22)",
    );
}

#[test]
fn a_component_that_contains_itself_is_refused() {
    let node = |id: &str, other: &str| {
        format!(
            r#""{id}":{{"component_type":"Acme","id":"{id}","name":"n","next":{{"$component_ref":"{other}"}}}}"#
        )
    };
    let document = |referenced: &str| {
        format!(
            r#"{{"component_type":"Acme","id":"x","name":"n","next":{{"$component_ref":"one"}},
            "again":{{"$component_ref":"one"}},"$referenced_components":{{{referenced}}}}}"#
        )
    };
    check_refused(
        &document(&node("one", "one")),
        "next.next: the component with the id one contains itself (line 2, column 132)",
    );
    let two = format!("{},{}", node("one", "two"), node("two", "one"));
    check_refused(
        &document(&two),
        "next.next.next: the component with the id one contains itself (line 2, column 218)",
    );
}

#[test]
fn a_component_of_the_wrong_class_is_refused() {
    let tool = r#"{"component_type":"ServerTool","id":"t","name":"t"}"#;
    check_refused(
        &agent(tool, ""),
        "llm_config: a component of the type ServerTool is not of the type LlmConfig (line 2, column 22)",
    );
    check_refused(
        &agent(REFERENCE, &format!(r#""llm":{tool}"#)),
        "llm_config: a component of the type ServerTool is not of the type LlmConfig (line 2, column 22)",
    );
    check_refused(
        &agent(r#""gpt""#, ""),
        "llm_config: not a component (line 2, column 22)",
    );
    let tools = agent(&llm("l"), "").replace("[]", &format!("[{tool},{}]", llm("l")));
    check_refused(
        &tools,
        "tools[1]: a component of the type OpenAiConfig is not of the type Tool (line 2, column 140)",
    );
}

#[test]
fn a_component_without_an_id_is_refused_wherever_a_document_has_one() {
    check_refused(
        r#"{"component_type":"AcmeTool","id":"t","name":"t","model":{"component_type":"OpenAiConfig","api_key":"k"}}"#,
        "model.id: missing (line 1, column 58); model.name: missing (line 1, column 58)",
    );
}

#[test]
fn a_document_about_nothing_is_refused() {
    check_refused(
        "{}",
        "component_type: missing (line 1, column 1); id: missing (line 1, column 1); \
         name: missing (line 1, column 1)",
    );
    check_refused(
        r#"{"component_type":1,"id":"i","name":"n"}"#,
        "component_type: not a string (line 1, column 19)",
    );
    check_refused("[]", "not a component (line 1, column 1)");
    check_refused("nonsense", "not JSON: line 1, column 2");
}

/// A document that the reference wrote; the file says how.
fn golden(name: &str) -> Json {
    let text = include_str!("../golden/agentspec_documents.json");
    let mut documents: BTreeMap<String, Json> = serde_json::from_str(text).unwrap();
    documents.remove(name).unwrap()
}

#[test]
fn a_flow_that_the_reference_wrote_is_read_with_its_nodes_shared() {
    let flow = DocumentReader::new().read(golden("flow").as_str()).unwrap();
    let flow = Flow::try_from(flow).unwrap();
    let nodes = flow.nodes();
    let ids: Vec<_> = nodes.iter().map(|node| node.id()).collect();
    assert_eq!(
        ids,
        ["n-start2", "n-tool", "n-branch", "n-end-one", "n-end-two"]
    );
    assert_eq!(nodes[1].tool().unwrap().id(), "tool-server");
    for edge in flow.components("control_flow_connections") {
        for end in ["from_node", "to_node"] {
            let end = edge.component(end).unwrap();
            assert!(nodes.iter().any(|node| node.is_same(end)), "{end:?}");
        }
    }
    assert_eq!(
        Component::from_json(flow.dump()).unwrap(),
        Component::from(flow)
    );
}

#[test]
fn an_agent_that_the_reference_wrote_is_read_without_its_secrets() {
    let document = golden("agent");
    assert!(document.as_str().contains("CLIENT-SECRET"));
    let agent = Agent::try_from(DocumentReader::new().read(document.as_str()).unwrap()).unwrap();
    assert_eq!(
        agent.llm_config().unwrap().model_id().as_deref(),
        Some("gpt-4o")
    );
    assert_eq!(agent.tools().len(), 4);
    assert_eq!(agent.toolboxes().len(), 1);
    assert!(!agent.dump().contains("CLIENT-SECRET"));
    assert!(!agent.dump().contains("$referenced_components"));
}

proptest! {
    #[test]
    fn a_document_with_a_broken_place_is_read_or_refused(
        at in any::<prop::sample::Index>(),
        by in "[\\[\\]{}0\"x:,\\\\]{0,3}",
        removed in 0..20_usize,
    ) {
        let mut text = golden("flow").as_str().to_owned();
        let at = at.index(text.len());
        text.replace_range(at..text.len().min(at + removed), &by);
        if let Ok(component) = DocumentReader::new().read(&text) {
            prop_assert!(Component::from_json(component.dump()).is_ok());
        }
    }
}

/// Components made by constructors are as those that are read: nothing is lost on the way through text.
#[test]
fn constructed_components_read_back_as_they_were_made() {
    use agentspan_model::agentspec::{
        Agent, Component, Flow, LlmConfig, ManagerWorkers, Node, Property, Swarm, Tool,
    };

    let model = LlmConfig::openai("gpt-4o").with_id("model");
    let tool = Tool::new("forecast")
        .with_description("The weather of a city")
        .with_input(Property::new("city", "string"))
        .with_input(Property::new("day", "string"))
        .with_output(Property::new("weather", "string"));
    let shared = tool.clone();
    let changed = tool.clone().with_description("Another");
    assert_eq!(shared.description(), Some("The weather of a city"));
    assert_eq!(
        (changed.id(), changed.description()),
        (tool.id(), Some("Another"))
    );
    let titles: Vec<_> = tool.inputs().iter().map(Property::title).collect();
    assert_eq!(titles, ["city", "day"]);
    let agent = Agent::new("agent")
        .with_llm_config(model.clone())
        .with_system_prompt("You know the weather.")
        .with_tool(tool.clone());
    let flow = Flow::new("flow")
        .with_node(Node::tool_node("look up", tool.clone()))
        .with_node(Node::llm_node("answer", model.clone()))
        .with_node(Node::agent_node("ask", agent.clone()));
    let made: [Component; 9] = [
        flow.clone().into(),
        Node::flow_node("flow", flow).into(),
        ManagerWorkers::new("managed", agent.clone())
            .with_worker(agent.clone())
            .into(),
        Swarm::new("swarm", agent.clone())
            .with_relationship(agent.clone(), agent.clone())
            .into(),
        LlmConfig::ollama("llama", "http://localhost").into(),
        LlmConfig::of_provider("anthropic", "claude").into(),
        Tool::client("ask the user").into(),
        agent.into(),
        tool.into(),
    ];
    for component in made {
        let class = component.component_type().to_owned();
        assert!(
            component.is_a(&class).is_some(),
            "{class} is a class of Agent Spec"
        );
        let read = Component::from_json(component.dump()).unwrap();
        assert_eq!(read, component);
        assert_eq!((read.id(), read.dump()), (component.id(), component.dump()));
    }
    assert_eq!(model.id(), "model");
}
