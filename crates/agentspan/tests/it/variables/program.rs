//! Variables that decide about the provider of a program: each is set in a process of its own, whose spans arrive
//! over OTLP.

use std::collections::BTreeMap;

use agentspan::model::agentspec::Disclosure;
use agentspan::opentelemetry::trace::{Link, Span as _, TraceContextExt, Tracer as _};
use agentspan::otel::{BaggageBuilder, Propagation};
use agentspan::{Destination, configure};
use agentspan_testkit::Service;
use opentelemetry::{Context, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span as ReceivedSpan;
use opentelemetry_sdk::trace::InMemorySpanExporter;
use prost::Message as _;

use crate::canaries;
use crate::otlp::WHILE;
use crate::process::{is_started_by_test, must_pass, said};

/// A row of a table, and the test of it.
pub(super) struct Row {
    pub(super) variable: &'static str,
    pub(super) test: &'static str,
}

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-00";

/// The names of the spans of [`program`] that have no attributes: without a caller, and with
/// one that is sampled or not.
const ALONE: &str = "alone";
const OF_SAMPLED: &str = "of sampled";
const OF_UNSAMPLED: &str = "of unsampled";

fn three() -> Vec<KeyValue> {
    let keys = ["a", "b", "c"];
    keys.map(|key| KeyValue::new(key, "value")).to_vec()
}

/// Installs telemetry in the environment of the process and makes spans.
fn program() {
    let telemetry = configure().with_switches_on().install().unwrap();
    let tracer = telemetry.tracer("t");
    for (name, parent) in [
        (ALONE, None),
        (OF_SAMPLED, Some(SAMPLED)),
        (OF_UNSAMPLED, Some(UNSAMPLED)),
    ] {
        let header = parent.map(|parent| ("traceparent", parent));
        let parent = Propagation::new().extract_headers(&Context::new(), header);
        tracer.start_with_context(name, &parent).end();
    }
    let caller = Propagation::new().extract_headers(&Context::new(), [("traceparent", SAMPLED)]);
    let caller = caller.span().span_context().clone();
    let link = || Link::new(caller.clone(), three(), 0);
    let full = tracer.span_builder("full").with_attributes(three());
    let mut full = full.with_links(vec![link(), link(), link()]).start(&tracer);
    full.add_event("event", three());
    full.end();
    telemetry.flush(WHILE).unwrap();
}

/// What arrives of a program.
struct Seen {
    resource: BTreeMap<String, String>,
    spans: Vec<ReceivedSpan>,
}

impl Seen {
    fn names(&self) -> Vec<&str> {
        let names = self.spans.iter().map(|span| &*span.name);
        names
            .filter(|name| [ALONE, OF_SAMPLED, OF_UNSAMPLED].contains(name))
            .collect()
    }

    /// How many attributes the full span, its event and its links have, and how many links it has.
    fn sizes(&self) -> [usize; 4] {
        let span = self.spans.iter().find(|span| span.name == "full").unwrap();
        let of_link = span.links.first().map_or(0, |link| link.attributes.len());
        [
            span.attributes.len(),
            span.events[0].attributes.len(),
            of_link,
            span.links.len(),
        ]
    }
}

/// Runs the test of a row again, in a process with these variables, and decodes what it sends.
fn seen(row: &Row, variables: &[(&str, &str)]) -> Seen {
    let service = Service::start().unwrap();
    let url = service.url();
    let mut all = vec![
        ("OTEL_TRACES_EXPORTER", "otlp"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
    ];
    all.extend_from_slice(variables);
    must_pass(row.test, &all);
    let mut seen = Seen {
        resource: BTreeMap::new(),
        spans: Vec::new(),
    };
    for request in service.requests() {
        let request = ExportTraceServiceRequest::decode(&request.body[..]).unwrap();
        for spans in request.resource_spans {
            let attributes = spans.resource.into_iter().flat_map(|it| it.attributes);
            seen.resource.extend(attributes.map(|attribute| {
                let value = attribute.value.and_then(|value| value.value);
                let Some(Value::StringValue(value)) = value else {
                    unreachable!("{value:?}");
                };
                (attribute.key, value)
            }));
            let of_scopes = spans.scope_spans.into_iter();
            seen.spans.extend(of_scopes.flat_map(|it| it.spans));
        }
    }
    seen
}

pub(super) fn is_disabled(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    assert!(seen(row, &[(row.variable, "TRUE")]).spans.is_empty());
    assert!(!seen(row, &[(row.variable, "1")]).spans.is_empty());
}

pub(super) fn resource_attributes(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    let value = "team%2Cname=a%3Db, city = Z%C3%BCrich ,service.name=shop,";
    let resource = seen(row, &[(row.variable, value)]).resource;
    assert_eq!(resource["team,name"], "a=b");
    assert_eq!(resource["city"], "Zürich");
    assert_eq!(resource["service.name"], "shop");
    assert_eq!(resource["telemetry.sdk.language"], "rust");
    // One broken entry spoils all of them.
    let resource = seen(row, &[(row.variable, "city=a,broken=%zz")]).resource;
    assert_eq!(resource.get("city"), None);
    assert!(resource["service.name"].starts_with("unknown_service:it-"));
}

pub(super) fn service_name(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other");
    let resource = seen(row, &[(row.variable, "shop é%20"), attributes]).resource;
    assert_eq!(resource["service.name"], "shop é%20");
    let resource = seen(row, &[(row.variable, " "), attributes]).resource;
    assert_eq!(resource["service.name"], "other");
}

pub(super) fn sampler(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    for (value, expected) in [
        ("always_on", &[ALONE, OF_SAMPLED, OF_UNSAMPLED][..]),
        ("Always_Off", &[]),
        (" parentbased_always_on ", &[ALONE, OF_SAMPLED]),
        ("PARENTBASED_ALWAYS_OFF", &[OF_SAMPLED]),
        ("traceidratio", &[ALONE, OF_SAMPLED, OF_UNSAMPLED]),
        ("parentbased_traceidratio", &[ALONE, OF_SAMPLED]),
        // Not known here: the default.
        ("jaeger_remote", &[ALONE, OF_SAMPLED]),
        ("", &[ALONE, OF_SAMPLED]),
    ] {
        assert_eq!(
            seen(row, &[(row.variable, value)]).names(),
            expected,
            "{value:?}"
        );
    }
}

pub(super) fn sampler_argument(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    let sampler = |name| ("OTEL_TRACES_SAMPLER", name);
    let all = [ALONE, OF_SAMPLED, OF_UNSAMPLED];
    for (value, name, expected) in [
        ("0", "traceidratio", &[][..]),
        ("0.0", "parentbased_traceidratio", &[OF_SAMPLED]),
        ("1", "traceidratio", &all),
        // No ratio: as if it were not set.
        ("-1", "traceidratio", &all),
        ("NaN", "traceidratio", &all),
        // Used by samplers of a ratio only.
        ("0", "always_on", &all),
    ] {
        let seen = seen(row, &[(row.variable, value), sampler(name)]);
        assert_eq!(seen.names(), expected, "{name} {value:?}");
    }
}

#[track_caller]
fn check_sizes(row: &Row, variables: &[(&str, &str)], expected: [usize; 4]) {
    assert_eq!(seen(row, variables).sizes(), expected, "{variables:?}");
}

pub(super) fn attributes_of_all(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    check_sizes(row, &[(row.variable, "2")], [2, 2, 2, 3]);
    check_sizes(row, &[(row.variable, "-2")], [3; 4]);
    // As many as there are.
    check_sizes(row, &[(row.variable, "18446744073709551615")], [3; 4]);
}

pub(super) fn attributes_of_spans(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    let of_all = ("OTEL_ATTRIBUTE_COUNT_LIMIT", "2");
    check_sizes(row, &[(row.variable, "1"), of_all], [1, 2, 2, 3]);
    check_sizes(row, &[(row.variable, "0")], [0, 3, 3, 3]);
    check_sizes(row, &[(row.variable, "one"), of_all], [2, 2, 2, 3]);
}

pub(super) fn attributes_of_events(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    check_sizes(row, &[(row.variable, "1")], [3, 1, 3, 3]);
}

pub(super) fn attributes_of_links(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    check_sizes(row, &[(row.variable, "1")], [3, 3, 1, 3]);
}

pub(super) fn links(row: &Row) {
    if is_started_by_test() {
        return program();
    }
    check_sizes(row, &[(row.variable, "1")], [3, 3, 3, 1]);
}

/// Whether prompts of Agent Spec spans are on OpenTelemetry spans, where a destination may see them.
fn is_captured() -> bool {
    let kept = InMemorySpanExporter::default();
    let destination = Destination::exporter("kept", kept.clone());
    let destination = destination.with_disclosure(Disclosure::Clear);
    let configuration = configure().with_destination(destination);
    let telemetry = configuration.with_switches_on().install().unwrap();
    let trace = telemetry.trace().start().unwrap();
    canaries::agent_spec();
    trace.end().unwrap();
    telemetry.flush(WHILE).unwrap();
    let spans = kept.get_finished_spans().unwrap();
    let shown = format!("{spans:?}");
    assert!(shown.contains("chat gpt-4o"), "{shown}");
    shown.contains("gen_ai.system_instructions")
}

pub(super) fn capture(row: &Row) {
    if is_started_by_test() {
        assert_eq!(is_captured(), said("EXPECTED") == "shown");
        return;
    }
    for (value, expected) in [
        ("SPAN_AND_EVENT", "shown"),
        (" span_and_event", "shown"),
        ("NO_CONTENT", "hidden"),
        ("everything", "hidden"),
        ("", "hidden"),
    ] {
        let variables = [(row.variable, value), ("EXPECTED", expected)];
        must_pass(row.test, &variables);
    }
}

/// What a span that runs a workflow is called at a destination.
fn name_of_workflow() -> String {
    let exporter = InMemorySpanExporter::default();
    let telemetry = configure()
        .with_destination(Destination::exporter("memory", exporter.clone()))
        .with_switches_on()
        .install()
        .unwrap();
    let mut span = telemetry.tracer("t").start("run");
    span.set_attribute(KeyValue::new("gen_ai.operation.name", "invoke_workflow"));
    span.set_attribute(KeyValue::new("gen_ai.agent.name", "travel"));
    span.end();
    telemetry.flush(WHILE).unwrap();
    let spans = exporter.get_finished_spans().unwrap();
    spans[0].name.clone().into_owned()
}

pub(super) fn conventions(row: &Row) {
    if is_started_by_test() {
        assert_eq!(name_of_workflow(), said("EXPECTED"));
        return;
    }
    for (value, expected) in [
        ("gen_ai_latest_experimental", "invoke_agent travel"),
        (
            "http/dup, gen_ai_latest_experimental",
            "invoke_agent travel",
        ),
        ("http", "invoke_workflow travel"),
        ("", "invoke_workflow travel"),
    ] {
        let variables = [(row.variable, value), ("EXPECTED", expected)];
        must_pass(row.test, &variables);
    }
}

/// Whether the trace and the baggage of a request that leaves are there, and the same of one that came.
fn in_formats() {
    let telemetry = configure().with_switches_on().install().unwrap();
    let baggage = BaggageBuilder::new()
        .with_correlation_id("request-1")
        .build();
    let came = [("traceparent", SAMPLED), ("baggage", "correlation.id=1")];
    let received = Propagation::new().extract_headers(&Context::new(), came);
    let leaves = telemetry.propagation();
    let leaves = leaves.to_headers(&baggage.to_context(&received));
    let leaves: Vec<_> = leaves.iter().map(|(name, _)| &**name).collect();
    let came = telemetry
        .propagation()
        .extract_headers(&Context::new(), came);
    let mut expected: Vec<_> = said("EXPECTED")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    assert_eq!(leaves, expected);
    expected.retain(|name| name != "tracestate");
    let mut entered = Vec::new();
    if came.span().span_context().is_valid() {
        entered.push("traceparent");
    }
    if !opentelemetry::baggage::BaggageExt::baggage(&came).is_empty() {
        entered.push("baggage");
    }
    assert_eq!(entered, expected);
}

pub(super) fn propagators(row: &Row) {
    if is_started_by_test() {
        return in_formats();
    }
    for (value, expected) in [
        ("", "traceparent baggage"),
        ("TraceContext, Baggage,baggage", "traceparent baggage"),
        ("tracecontext", "traceparent"),
        ("baggage", "baggage"),
        ("none", ""),
        ("b3,baggage", "baggage"),
        ("b3", "traceparent baggage"),
    ] {
        let variables = [(row.variable, value), ("EXPECTED", expected)];
        must_pass(row.test, &variables);
        // Whether the SDK is disabled changes nothing of it.
        let disabled = [variables[0], variables[1], ("OTEL_SDK_DISABLED", "true")];
        must_pass(row.test, &disabled);
    }
}
