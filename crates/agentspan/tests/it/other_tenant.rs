//! A scope of another tenant than the baggage around it is in the log.

use agentspan::prelude::*;
use agentspan_testkit::CapturedLogs;

use crate::process::has_its_own;

#[test]
fn a_scope_of_another_tenant_than_the_baggage_is_in_the_log_once() {
    if !has_its_own("other_tenant::a_scope_of_another_tenant_than_the_baggage_is_in_the_log_once") {
        return;
    }
    let logs = CapturedLogs::everywhere();
    let telemetry = agentspan::configure().with_switches_on().install().unwrap();
    let run = |tenant: &str, agent: &str| {
        let agent = AgentDetails::new(AgentId::parse(agent).unwrap());
        let tenant = TenantDetails::new(TenantId::parse(tenant).unwrap());
        let details = InvokeAgentDetails::new(agent);
        InvokeAgentScope::start(&details, &tenant).in_scope_infallible(|_| ());
    };
    let lines = || logs.count("another tenant than the baggage");
    run("tenant-1", "agent-1");
    let request = BaggageBuilder::request_context("tenant-1", "agent-1", "request-1");
    request.in_baggage(|| {
        run("tenant-1", "agent-1");
        run("tenant-1", "agent-2");
        assert_eq!(lines(), 0);
        run("tenant-2", "agent-2");
        run("tenant-2", "agent-2");
        assert_eq!(lines(), 1);
    });
    drop(telemetry);
}
