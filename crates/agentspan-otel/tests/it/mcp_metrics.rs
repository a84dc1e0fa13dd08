//! What is measured of messages and sessions of the Model Context Protocol.

use std::collections::BTreeMap;
use std::io;

use agentspan_model::agent365::{Endpoint, ToolCallDetails};
use agentspan_model::mapping::Rendering;
use agentspan_model::mcp::{McpRequest, McpTransport};
use agentspan_otel::{AgentMetrics, ExecuteToolScope, McpScope, McpSessions, ScopeTracer};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::mcp::weather;
use crate::meters::Meters;

/// How often each series was recorded.
fn counts(meters: &Meters) -> BTreeMap<String, f64> {
    let mut series = meters.collect();
    series.retain(|name, _| name.contains(".count{"));
    series
}

fn measured(work: impl FnOnce(&ScopeTracer)) -> BTreeMap<String, f64> {
    measured_in(Rendering::GenAi, work)
}

fn measured_in(rendering: Rendering, work: impl FnOnce(&ScopeTracer)) -> BTreeMap<String, f64> {
    let meters = Meters::new();
    let metrics = AgentMetrics::in_words_of(rendering, &meters.provider.meter("t"));
    let provider = SdkTracerProvider::builder()
        .with_span_processor(metrics)
        .build();
    work(&ScopeTracer::new(&provider));
    counts(&meters)
}

#[track_caller]
fn check(found: &BTreeMap<String, f64>, expected: &[(&str, f64)]) {
    let found: Vec<_> = found
        .iter()
        .map(|(name, count)| (&**name, *count))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn both_sides_measure_a_call_and_the_caller_counts_it() {
    let found = measured(|tracer| {
        McpScope::client(&weather())
            .with_tracer(tracer)
            .start()
            .end();
        McpScope::server(&weather())
            .with_tracer(tracer)
            .start()
            .end();
    });
    let call = "gen_ai.operation.name=execute_tool,gen_ai.tool.name=get-weather,\
        mcp.method.name=tools/call,mcp.protocol.version=2025-11-25,network.transport=tcp";
    check(
        &found,
        &[
            (
                "gen_ai.client.operation.duration.count{gen_ai.operation.name=execute_tool}",
                1.0,
            ),
            (
                &format!(
                    "mcp.client.operation.duration.count{{{call},server.address=mcp.example,server.port=8080}}"
                ),
                1.0,
            ),
            (
                &format!("mcp.server.operation.duration.count{{{call}}}"),
                1.0,
            ),
        ],
    );
}

#[test]
fn messages_that_are_no_operation_are_measured_without_what_they_hold() {
    let found = measured(|tracer| {
        for request in [
            McpRequest::new("initialize"),
            McpRequest::prompt("analyze"),
            McpRequest::resource("file:///secret"),
        ] {
            McpScope::client(&request).with_tracer(tracer).start().end();
        }
    });
    let client = |of: &str| format!("mcp.client.operation.duration.count{{{of}}}");
    check(
        &found,
        &[
            (
                &client("gen_ai.prompt.name=analyze,mcp.method.name=prompts/get"),
                1.0,
            ),
            (&client("mcp.method.name=initialize"), 1.0),
            (&client("mcp.method.name=resources/read"), 1.0),
        ],
    );
}

#[test]
fn failures_are_told_apart() {
    let ping = McpRequest::new("ping");
    let found = measured(|tracer| {
        let start = || McpScope::client(&ping).with_tracer(tracer).start();
        start().record_tool_error();
        start().record_rpc_error(-32603, "it broke");
        let broken = start().in_scope(|_| Err::<(), _>(io::Error::from(io::ErrorKind::TimedOut)));
        broken.unwrap_err();
    });
    let client = |of: &str| format!("mcp.client.operation.duration.count{{{of}}}");
    check(
        &found,
        &[
            (
                &client("error.type=-32603,mcp.method.name=ping,rpc.response.status_code=-32603"),
                1.0,
            ),
            (&client("error.type=io::Error,mcp.method.name=ping"), 1.0),
            (&client("error.type=tool_error,mcp.method.name=ping"), 1.0),
        ],
    );
}

#[test]
fn what_a_caller_makes_up_is_no_dimension_of_a_server() {
    let found = measured(|tracer| {
        for n in 0..5 {
            let method = McpRequest::new(format!("made/up{n}"));
            let scope = McpScope::server(&method).with_tracer(tracer).start();
            scope.record_rpc_error(-32601, "no such method");
            let tool = McpRequest::tool(format!("made-up-{n}"));
            let scope = McpScope::server(&tool).with_tracer(tracer).start();
            scope.record_rpc_error(-32602, "no such tool");
        }
    });
    let server = |of: &str| format!("mcp.server.operation.duration.count{{{of}}}");
    check(
        &found,
        &[
            (
                &server("error.type=-32601,mcp.method.name=_OTHER,rpc.response.status_code=-32601"),
                5.0,
            ),
            (
                &server(
                    "error.type=-32602,gen_ai.operation.name=execute_tool,gen_ai.tool.name=_OTHER,\
                    mcp.method.name=tools/call,rpc.response.status_code=-32602",
                ),
                5.0,
            ),
        ],
    );
}

#[test]
fn a_server_keeps_names_of_what_it_answers_without_an_error() {
    let found = measured(|tracer| {
        for n in 0..5 {
            let request = McpRequest::tool(format!("made-up-{n}"));
            let request = request.with_protocol_version(format!("2025-01-0{n}"));
            let start = || McpScope::server(&request).with_tracer(tracer).start();
            start().record_tool_error();
            drop(start().run_infallible(|_| std::future::pending::<()>()));
            let prompt = McpRequest::prompt(format!("made-up-{n}"));
            let scope = McpScope::server(&prompt).with_tracer(tracer).start();
            scope
                .in_scope(|_| Err::<(), _>(io::Error::other("x")))
                .unwrap_err();
        }
        let known = McpRequest::tool("known").with_protocol_version("2025-11-25");
        McpScope::server(&known).with_tracer(tracer).start().end();
        // Who calls knows what it names.
        let own = McpRequest::tool("own").with_protocol_version("2030-01-01");
        let scope = McpScope::client(&own).with_tracer(tracer).start();
        scope.record_tool_error();
    });
    let server = |of: &str| format!("mcp.server.operation.duration.count{{{of}}}");
    let tool = "gen_ai.operation.name=execute_tool,gen_ai.tool.name";
    let made_up = format!("{tool}=_OTHER,mcp.method.name=tools/call,mcp.protocol.version=_OTHER");
    let of_server: Vec<_> = found
        .iter()
        .filter(|(name, _)| name.starts_with("mcp."))
        .map(|(name, count)| (name.clone(), *count))
        .collect();
    let version = "mcp.method.name=tools/call,mcp.protocol.version";
    let client = format!(
        "mcp.client.operation.duration.count{{error.type=tool_error,{tool}=own,{version}=2030-01-01}}"
    );
    assert_eq!(
        of_server,
        [
            (client, 1.0),
            (
                server(&format!("error.type=TaskCanceledException,{made_up}")),
                5.0
            ),
            (
                server(
                    "error.type=io::Error,gen_ai.prompt.name=_OTHER,mcp.method.name=prompts/get"
                ),
                5.0,
            ),
            (server(&format!("error.type=tool_error,{made_up}")), 5.0),
            (server(&format!("{tool}=known,{version}=2025-11-25")), 1.0),
        ]
    );
}

#[test]
fn a_call_in_the_span_of_its_tool_is_measured_once_in_each_metric() {
    for (rendering, operation) in [
        (
            Rendering::GenAi,
            "gen_ai.client.operation.duration.count{gen_ai.operation.name=execute_tool}",
        ),
        (
            Rendering::GenAiV0_1,
            "gen_ai.execute_tool.duration.count{gen_ai.tool.name=get-weather}",
        ),
    ] {
        let found = measured_in(rendering, |tracer| {
            ExecuteToolScope::builder(&ToolCallDetails::new("get-weather"))
                .with_tracer(tracer)
                .start()
                .in_scope_infallible(|_| {
                    let request = McpRequest::tool("get-weather");
                    McpScope::client(&request).with_tracer(tracer).start().end();
                });
        });
        let message = "mcp.client.operation.duration.count{gen_ai.operation.name=execute_tool,\
            gen_ai.tool.name=get-weather,mcp.method.name=tools/call}";
        check(&found, &[(operation, 1.0), (message, 1.0)]);
    }
}

#[test]
fn what_the_other_side_makes_up_of_a_session_has_a_bound() {
    let meters = Meters::new();
    let sessions = McpSessions::new(&meters.provider.meter("t"));
    let long = "v".repeat(1_000);
    let initialize = McpRequest::new("initialize").with_protocol_version(long.as_str());
    let mut session = sessions.server(&initialize);
    session.record_error_as(&long);
    drop(session);
    let mut session = sessions.server(&McpRequest::new("initialize"));
    session.record_protocol_version(&long);
    drop(session);
    for made_up in ["1", "2", "2025-11-26"] {
        let initialize = McpRequest::new("initialize").with_protocol_version(made_up);
        drop(sessions.server(&initialize));
    }
    let series = "mcp.server.session.duration.count";
    check(
        &counts(&meters),
        &[
            (
                &format!("{series}{{error.type=_OTHER,mcp.protocol.version=_OTHER}}"),
                1.0,
            ),
            (&format!("{series}{{mcp.protocol.version=_OTHER}}"), 4.0),
        ],
    );
}

#[test]
fn sessions_are_measured_when_they_are_over() {
    let meters = Meters::new();
    let sessions = McpSessions::new(&meters.provider.meter("t"));
    let initialize = McpRequest::new("initialize")
        .with_session_id("s-1")
        .with_protocol_version("2025-06-18")
        .with_transport(McpTransport::Stdio)
        .with_server(Endpoint::new("mcp.example"));
    let mut client = sessions.client(&initialize);
    client.record_protocol_version("2025-11-25");
    let mut server = sessions.server(&initialize);
    server.record_error(&io::Error::from(io::ErrorKind::BrokenPipe));
    drop(sessions.server(&initialize));
    let server_series =
        "mcp.server.session.duration.count{mcp.protocol.version=2025-06-18,network.transport=pipe}";
    check(&counts(&meters), &[(server_series, 1.0)]);
    client.end();
    server.end();
    check(
        &counts(&meters),
        &[
            (
                "mcp.client.session.duration.count{mcp.protocol.version=2025-11-25,\
                network.transport=pipe,server.address=mcp.example}",
                1.0,
            ),
            (
                "mcp.server.session.duration.count{error.type=io::Error,\
                mcp.protocol.version=2025-06-18,network.transport=pipe}",
                1.0,
            ),
            (server_series, 1.0),
        ],
    );
}

#[test]
fn durations_have_the_buckets_of_the_conventions() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder()
        .with_periodic_exporter(exporter.clone())
        .build();
    let meter = provider.meter("t");
    let initialize = McpRequest::new("initialize");
    drop(McpSessions::new(&meter).client(&initialize));
    let tracers = SdkTracerProvider::builder()
        .with_span_processor(AgentMetrics::new(&meter))
        .build();
    let tracer = ScopeTracer::new(&tracers);
    McpScope::client(&initialize)
        .with_tracer(&tracer)
        .start()
        .end();
    provider.force_flush().unwrap();
    let metrics = exporter.get_finished_metrics().unwrap();
    let scopes = metrics.iter().flat_map(|resource| resource.scope_metrics());
    let mut found = 0;
    for metric in scopes.flat_map(|scope| scope.metrics()) {
        assert_eq!(metric.unit(), "s");
        let AggregatedMetrics::F64(MetricData::Histogram(histogram)) = metric.data() else {
            panic!("{} is no histogram", metric.name());
        };
        for point in histogram.data_points() {
            let bounds: Vec<f64> = point.bounds().collect();
            let expected = [
                0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
            ];
            assert_eq!(bounds, expected, "{}", metric.name());
            found += 1;
        }
    }
    assert_eq!(found, 2);
}
