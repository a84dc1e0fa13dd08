//! The mapping shows each key once, in the reference's order.

use agentspan_model::agent365::mapping::{ExecuteTool, Inference, InvokeAgent};
use agentspan_model::agent365::{
    AgentDetails, AgentId, InferenceCallDetails, InferenceOperationType, InvokeAgentDetails,
    Profile, TenantDetails, TenantId, ToolCallDetails,
};
use agentspan_model::attribute::AttributeValue;
use agentspan_model::keys;

use crate::value_text::value_text;

fn agent() -> AgentDetails {
    AgentDetails::new(AgentId::parse("agent").unwrap())
        .with_name("Weather")
        .with_tenant_id(TenantId::parse("tenant-of-agent").unwrap())
        .with_conversation_id("conversation")
}

#[test]
fn the_tenant_wins_over_that_of_the_agent_and_comes_last() {
    let (details, tenant) = (
        InvokeAgentDetails::new(agent()),
        TenantDetails::new(TenantId::parse("tenant").unwrap()),
    );
    let mut call = InvokeAgent::new(&details);
    call.tenant = Some(&tenant);

    let mut seen = Vec::new();
    call.visit_attributes(
        Profile::V0_1,
        &mut |key: &'static str, value: AttributeValue<'_>| {
            seen.push(key);
            if key == keys::TENANT_ID {
                assert_eq!(value, AttributeValue::Str("tenant"));
            }
        },
    );

    assert_eq!(
        seen,
        [
            keys::GEN_AI_SYSTEM,
            keys::GEN_AI_OPERATION_NAME,
            keys::GEN_AI_AGENT_ID,
            keys::GEN_AI_AGENT_NAME,
            keys::GEN_AI_CONVERSATION_ID,
            keys::TENANT_ID,
        ]
    );
}

#[test]
fn an_inference_names_its_operation_after_the_agent() {
    let (details, agent) = (
        InferenceCallDetails::new(InferenceOperationType::Chat, "gpt-4o", "openai")
            .with_input_tokens(10),
        agent(),
    );
    let mut call = Inference::new(&details);
    call.agent = Some(&agent);

    let mut seen = Vec::new();
    call.visit_attributes(
        Profile::V0_1,
        &mut |key: &'static str, value: AttributeValue<'_>| {
            seen.push((key, value_text(value)));
        },
    );

    let position = |wanted| seen.iter().position(|(key, _)| *key == wanted).unwrap();
    assert!(position(keys::GEN_AI_OPERATION_NAME) > position(keys::TENANT_ID));
    assert_eq!(
        seen[position(keys::GEN_AI_USAGE_INPUT_TOKENS)].1,
        "DecimalText(10)"
    );
    assert_eq!(call.span_name(Profile::V0_1), "Chat gpt-4o");
}

#[test]
fn a_span_is_named_after_what_is_done_to_whom() {
    let mut agent = agent();
    let name_of = |agent: &AgentDetails| {
        InvokeAgent::new(&InvokeAgentDetails::new(agent.clone())).span_name()
    };
    assert_eq!(name_of(&agent), "invoke_agent Weather");
    agent.agent_name = Some(String::new());
    assert_eq!(name_of(&agent), "invoke_agent");
    assert_eq!(
        ExecuteTool::new(&ToolCallDetails::new("search")).span_name(),
        "execute_tool search"
    );
}
