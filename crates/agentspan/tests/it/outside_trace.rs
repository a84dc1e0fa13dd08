//! A program that configures telemetry and starts no trace learns why its Agent Spec spans are missing.

use std::time::Duration;

use agentspan::model::agentspec::Tool;
use agentspan::processor::TraceError;
use agentspan::processor::execution::ToolExecution;
use agentspan_testkit::CapturedLogs;

use crate::process::has_its_own;

#[test]
fn spans_of_a_program_that_starts_no_trace_are_in_the_log_once_it_has_telemetry() {
    let name = "outside_trace::spans_of_a_program_that_starts_no_trace_are_in_the_log_once_it_has_telemetry";
    if !has_its_own(name) {
        return;
    }
    let logs = CapturedLogs::everywhere();
    let run = || {
        let tool = ToolExecution::of(&Tool::new("forecast"));
        tool.in_span(|_| Ok::<_, TraceError>("sunny")).unwrap();
    };
    run();
    assert_eq!(logs.count("outside of a trace"), 0);
    let telemetry = agentspan::configure().with_switches_on().install().unwrap();
    telemetry
        .trace()
        .in_trace(|_| {
            run();
            Ok::<_, TraceError>(())
        })
        .unwrap();
    assert_eq!(logs.count("outside of a trace"), 0);
    run();
    run();
    assert_eq!(logs.count("outside of a trace"), 1);
    assert_eq!(logs.count("with_agent_context"), 1);
    telemetry.shutdown(Duration::from_secs(30)).unwrap();
}

#[test]
fn so_are_those_of_a_program_that_never_asks_for_a_trace() {
    if !has_its_own("outside_trace::so_are_those_of_a_program_that_never_asks_for_a_trace") {
        return;
    }
    let logs = CapturedLogs::everywhere();
    let telemetry = agentspan::configure().with_switches_on().install().unwrap();
    let tool = ToolExecution::of(&Tool::new("forecast"));
    tool.in_span(|_| Ok::<_, TraceError>("sunny")).unwrap();
    assert_eq!(logs.count("outside of a trace"), 1);
    telemetry.shutdown(Duration::from_secs(30)).unwrap();
}
