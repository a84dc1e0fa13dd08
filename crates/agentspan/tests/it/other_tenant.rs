//! A scope of another tenant than the baggage around it is in the log, and what a caller claims.

use std::collections::HashMap;

use agentspan::prelude::*;
use agentspan_testkit::CapturedLogs;
use opentelemetry::Context;
use opentelemetry::trace::Tracer as _;

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

#[test]
fn what_a_caller_claims_and_is_ignored_is_in_the_log_once_without_its_value() {
    if !has_its_own(
        "other_tenant::what_a_caller_claims_and_is_ignored_is_in_the_log_once_without_its_value",
    ) {
        return;
    }
    let logs = CapturedLogs::everywhere();
    let telemetry = agentspan::configure().with_switches_on().install().unwrap();
    let receive = |header: &str| {
        let headers = HashMap::from([("baggage".to_owned(), header.to_owned())]);
        let context = telemetry.propagation().extract(&Context::new(), &headers);
        let request = BaggageBuilder::request_context("tenant-1", "agent-1", "request-1");
        let request = request.to_context(&context);
        drop(telemetry.tracer("t").start_with_context("s", &request));
    };
    let lines = || logs.count("which is ignored");
    receive("microsoft.session.id=session-1,other=1,tenant.id=tenant-2");
    assert_eq!(lines(), 0, "{}", logs.text());
    for _ in 0..2 {
        receive("gen_ai.caller.id=0123-a-person");
        assert_eq!(lines(), 1, "{}", logs.text());
    }
    assert!(logs.contains("gen_ai.caller.id"), "{}", logs.text());
    assert!(!logs.contains("0123-a-person"), "{}", logs.text());
    drop(telemetry);
}
