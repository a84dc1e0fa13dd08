//! Changed copies of components, through their builders.

use agentspan_model::agentspec::{Agent, Component, Json, LlmConfig, Property, Tool};

/// The members of a dump, without their order.
fn members(component: &Component) -> serde_json::Value {
    serde_json::from_str(component.dump()).unwrap()
}

#[test]
fn a_copy_without_changes_is_equal() {
    let model = LlmConfig::openai("gpt-4o").with_description("the best");
    let agent = Agent::new("agent").with_llm_config(model);
    let agent = agent.with_tool(Tool::new("forecast").with_input(Property::new("city", "string")));
    assert_eq!(agent.to_builder().build().dump(), agent.dump());
    let read = Component::from_json(
        r#"{"component_type":"Plugin","x":[1,{"y":null}],"id":"p","metadata":{"a":1},"name":"n","description":null}"#,
    );
    let read = read.unwrap();
    assert_eq!(members(&read.to_builder().build()), members(&read));
}

#[test]
fn one_member_is_replaced_and_the_others_stay() {
    let tool = Tool::new("old").with_input(Property::new("city", "string"));
    let copy = tool
        .to_builder()
        .with_name("new")
        .with_inputs([Property::new("country", "string")])
        .with_json("requires_confirmation", Json::from(serde_json::json!(true)))
        .build();
    assert_eq!((copy.name(), copy.id()), ("new", tool.id()));
    let mut expected = members(&tool);
    expected["name"] = "new".into();
    expected["inputs"][0]["title"] = "country".into();
    expected["requires_confirmation"] = true.into();
    assert_eq!(members(&copy), expected);
    assert_eq!(copy.dump().matches("inputs").count(), 1);
    assert_eq!(copy.inputs()[0].title(), "country");
    // Others that share the data keep it.
    assert_eq!(tool.name(), "old");
}

#[test]
fn a_copy_has_no_secrets_either() {
    let model = Component::from_json(
        r#"{"id":"llm","name":"m","api_key":"sk-secret","component_type":"OpenAiConfig"}"#,
    );
    let copy = model
        .unwrap()
        .to_builder()
        .with_text("api_key", "sk-other")
        .build();
    assert!(
        copy.dump().contains(r#"{"$component_ref":"llm.api_key"}"#),
        "{}",
        copy.dump()
    );
    assert!(!copy.dump().contains("sk-"), "{}", copy.dump());
}

#[test]
fn members_that_every_component_has_are_replaced_like_others() {
    let text = |text: &str| Json::from(serde_json::json!(text));
    let tool = Tool::new("old").with_description("does it");
    let copy = tool
        .to_builder()
        .with_text("name", "new")
        .with_text("id", "tool-2")
        .with_text("component_type", "ClientTool")
        .with_json("description", Json::from(serde_json::json!(null)))
        .with_json("metadata", Json::from(serde_json::json!({"a": 1})))
        .build();
    assert_eq!((copy.name(), copy.id()), ("new", "tool-2"));
    assert_eq!(copy.description(), None);
    let dump = r#"{"id":"tool-2","name":"new","description":null,"metadata":{"a":1},"#;
    assert!(copy.dump().starts_with(dump), "{}", copy.dump());
    for member in ["id", "name", "description", "metadata", "component_type"] {
        let times = copy.dump().matches(&format!("{member:?}:")).count();
        assert_eq!(times, 1, "{member}: {}", copy.dump());
        // What it cannot be takes away what need not be there.
        let number = Json::from(serde_json::json!(1));
        let described = copy.to_builder().with_description("does it").build();
        let mut expected = members(&described);
        match member {
            "description" => expected[member] = serde_json::json!(null),
            "metadata" => expected[member] = serde_json::json!({}),
            _ => {}
        }
        let other = described.to_builder().with_json(member, number).build();
        assert_eq!(members(&other), expected);
    }
    assert_eq!(
        copy.to_builder()
            .with_json("name", text("a"))
            .build()
            .name(),
        "a"
    );
}
