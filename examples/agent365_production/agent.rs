//! The agent: looks up books and lets a model answer, with everything that Agent 365 asks for.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};

use agentspan::model::agent365::ClientAddress;
use agentspan::prelude::*;

use crate::services::BLUEPRINT;

/// `Profile::V3` leaves out port 443, as its reference does, and Agent 365 asks for a port.
const PORT: u16 = 8443;

const QUESTION: &str = "What is there about crabs?";
const ANSWER: &str = "Two books: one on tides, one on claws.";

/// Answers a question of somebody of the tenant.
pub(crate) async fn answer(identity: &Identity) -> Result<(), Box<dyn Error>> {
    let agent = AgentDetails::new(identity.agent.clone())
        .with_name("Librarian")
        .with_blueprint_id(BLUEPRINT);
    let tenant = TenantDetails::new(identity.tenant.clone());
    let user = UserDetails::new()
        .with_id("a0000000-0000-0000-0000-0000000000f1")
        .with_client_address(ClientAddress::from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7))));
    let request = Request::new(QUESTION, ExecutionType::HumanToAgent)
        .with_conversation_id("c-1")
        .with_channel(Channel::new().with_name("msteams"));
    let endpoint = Endpoint::new("library.example.com").with_port(PORT);
    let invocation = InvokeAgentDetails::new(agent.clone()).with_endpoint(endpoint);
    InvokeAgentScope::builder(&invocation)
        .with_tenant(&tenant)
        .with_request(&request)
        .with_user(&user)
        .start()
        .run(|scope| async move {
            scope.record_input_messages(QUESTION);
            look_up(&agent, &tenant, &request, &user).await?;
            let answer = ask_model(&agent, &tenant, &request, &user).await?;
            scope.record_output_messages(answer);
            Ok::<_, std::io::Error>(())
        })
        .await?;
    Ok(())
}

async fn look_up(
    agent: &AgentDetails,
    tenant: &TenantDetails,
    request: &Request,
    user: &UserDetails,
) -> Result<(), std::io::Error> {
    let call = ToolCallDetails::new("find_books")
        .with_arguments(r#"{"about": "crabs"}"#)
        .with_call_id("call-1")
        .with_type(ToolType::Function)
        .with_endpoint(Endpoint::new("catalogue.example.com").with_port(PORT));
    ExecuteToolScope::builder(&call)
        .with_agent(agent)
        .with_tenant(tenant)
        .with_request(request)
        .with_user(user)
        .start()
        .run(|scope| async move {
            scope.record_response("Tides; Claws");
            Ok(())
        })
        .await
}

async fn ask_model(
    agent: &AgentDetails,
    tenant: &TenantDetails,
    request: &Request,
    user: &UserDetails,
) -> Result<&'static str, std::io::Error> {
    let chat = InferenceOperationType::Chat;
    let call = InferenceCallDetails::new(chat, "scripted-1", "openai")
        .with_endpoint(Endpoint::new("models.example.com").with_port(443));
    InferenceScope::builder(&call)
        .with_agent(agent)
        .with_tenant(tenant)
        .with_request(request)
        .with_user(user)
        .start()
        .run(|scope| async move {
            scope.record_input_messages(QUESTION);
            scope.record_output_messages(ANSWER);
            Ok(ANSWER)
        })
        .await
}
