//! One span, delivered to Agent 365.

use std::error::Error;
use std::time::Duration;

use agentspan::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = agentspan::configure()
        .with_service_name("weight")
        .with_token_resolver(token_from_fn(|_| Ok(Some(AccessToken::new("a-token")?))))
        .with_switches_on()
        .install()?;
    let agent = AgentDetails::new(AgentId::parse("a0000000-0000-0000-0000-00000000000a")?);
    let tenant = TenantDetails::new(TenantId::parse("e3064512-cc6d-4703-be71-a2ecaecaa98a")?);
    let tool = ToolCallDetails::new("weigh");
    ExecuteToolScope::start(&tool, &agent, &tenant)
        .in_scope_infallible(|scope| scope.record_response("light"));
    telemetry.shutdown(Duration::from_secs(5))?;
    Ok(())
}
