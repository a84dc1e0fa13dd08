//! A span whose parent is not sent goes under its nearest ancestor that is, or becomes a root, and links
//! to the parent that it had.

use agentspan_agent365::{Delivery, DeliveryBuilder, Enrichment, PerRequestExport};
use agentspan_model::agent365::Profile;
use agentspan_model::keys;
use agentspan_testkit::{Answer, Service};
use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData};
use serde_json::Value as Json;

use crate::any_span::plain_span;
use crate::delivery_fixture::{LONG, TENANT, check_conserved, delivery_to, export, service, token};

/// What names an operation, if there is one, and whose span it is.
fn attributes(operation: &'static str) -> Vec<KeyValue> {
    let operation =
        (!operation.is_empty()).then(|| KeyValue::new(keys::GEN_AI_OPERATION_NAME, operation));
    let identity = [
        KeyValue::new(keys::MICROSOFT_TENANT_ID, TENANT),
        KeyValue::new(keys::GEN_AI_AGENT_ID, "a"),
    ];
    operation.into_iter().chain(identity).collect()
}

/// A span of this operation, or of none, with a parent, or none.
fn span(id: u64, parent: u64, operation: &'static str) -> SpanData {
    SpanData {
        span_context: local(id),
        parent_span_id: SpanId::from(parent),
        attributes: attributes(operation),
        ..plain_span()
    }
}

fn local(id: u64) -> SpanContext {
    let (trace, span) = (TraceId::from(1), SpanId::from(id));
    SpanContext::new(trace, span, TraceFlags::SAMPLED, false, TraceState::NONE)
}

fn version_2(service: &Service) -> DeliveryBuilder<Delivery> {
    delivery_to(service, token("t")).with_profile(Profile::V2)
}

/// Span id, parent and links of each span that arrived, by the number of the span.
fn arrived(service: &Service) -> Vec<(String, Option<String>, Vec<String>)> {
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let mut arrived = Vec::new();
    for request in service.requests() {
        let body = request.json().unwrap();
        let scopes = body["resourceSpans"][0]["scopeSpans"].as_array().unwrap();
        for span in scopes
            .iter()
            .flat_map(|scope| scope["spans"].as_array().unwrap())
        {
            let links = span["links"].as_array().into_iter().flatten();
            for link in links.clone() {
                assert_eq!(link["traceId"], span["traceId"]);
            }
            let links = links.map(|link| text(&link["spanId"]).unwrap());
            let parent = text(&span["parentSpanId"]);
            arrived.push((text(&span["spanId"]).unwrap(), parent, links.collect()));
        }
    }
    arrived
}

/// Number, parent and link of each span, the latter two zero for none.
fn expect(spans: &[(u64, u64, u64)]) -> Vec<(String, Option<String>, Vec<String>)> {
    let hex = |id: u64| (id != 0).then(|| SpanId::from(id).to_string());
    let spans = spans.iter();
    spans
        .map(|(id, parent, link)| {
            (
                hex(*id).unwrap(),
                hex(*parent),
                hex(*link).into_iter().collect(),
            )
        })
        .collect()
}

/// Exports `spans` as one batch and checks what arrives.
fn check(spans: Vec<SpanData>, expected: &[(u64, u64, u64)]) {
    let service = service([Answer::status(200)]);
    let delivery = version_2(&service).build().unwrap();
    let report = export(&delivery.exporter(), spans);
    assert!(report.is_success());
    assert_eq!(arrived(&service), expect(expected));
    check_conserved(&delivery);
}

#[test]
fn a_root_whose_parent_is_not_sent_is_a_root() {
    let spans = vec![span(2, 1, "invoke_agent"), span(1, 0, "")];
    check(spans, &[(2, 0, 1)]);
    // Of another operation, and of another trace.
    let spans = vec![span(2, 1, "invoke_agent"), span(1, 0, "embeddings")];
    check(spans, &[(2, 0, 1)]);
    let mut other_trace = span(1, 0, "");
    other_trace.span_context = SpanContext::new(
        TraceId::from(2),
        SpanId::from(1),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    let spans = vec![span(2, 1, "invoke_agent"), other_trace];
    check(spans, &[(2, 1, 0)]);
}

#[test]
fn a_span_goes_under_its_nearest_ancestor_that_is_sent() {
    let spans = vec![
        span(5, 4, "chat"),
        span(4, 3, ""),
        span(3, 2, ""),
        span(6, 2, "execute_tool"),
        span(2, 1, "invoke_agent"),
        span(1, 0, ""),
    ];
    check(spans, &[(5, 2, 4), (6, 2, 0), (2, 0, 1)]);
}

#[test]
fn what_is_above_in_another_process_is_not_known_to_be_sent() {
    let mut web = span(2, 1, "");
    web.parent_span_is_remote = true;
    let mut called = span(4, 1, "invoke_agent");
    called.parent_span_is_remote = true;
    let spans = vec![span(3, 2, "invoke_agent"), web, called, span(1, 0, "")];
    check(spans, &[(3, 0, 2), (4, 1, 0)]);
}

#[test]
fn spans_that_are_each_others_parents_become_roots() {
    let spans = vec![span(3, 2, "chat"), span(2, 1, ""), span(1, 2, "")];
    check(spans, &[(3, 0, 2)]);
}

#[test]
fn an_exporter_knows_the_spans_of_its_batch_only() {
    let service = service([Answer::status(200)]);
    let delivery = version_2(&service).build().unwrap();
    let exporter = delivery.exporter();
    export(&exporter, vec![span(1, 0, "")]);
    export(&exporter, vec![span(2, 1, "invoke_agent")]);
    assert_eq!(arrived(&service), expect(&[(2, 1, 0)]));
}

#[test]
fn an_operation_that_an_enricher_gives_counts() {
    let service = service([Answer::status(200)]);
    let delivery = version_2(&service)
        .with_span_enricher(|span| match span.span_context.span_id().to_bytes() {
            [.., 1] => Enrichment::none()
                .with_attribute(KeyValue::new(keys::GEN_AI_OPERATION_NAME, "invoke_agent")),
            _ => Enrichment::none(),
        })
        .build()
        .unwrap();
    export(
        &delivery.exporter(),
        vec![span(2, 1, "chat"), span(1, 0, "")],
    );
    assert_eq!(arrived(&service), expect(&[(2, 1, 0), (1, 0, 0)]));
}

#[test]
fn parents_stay_as_they_are_on_request_and_in_version_0_1() {
    let service = service([Answer::status(200)]);
    let delivery = version_2(&service).without_reparenting().build().unwrap();
    export(
        &delivery.exporter(),
        vec![span(2, 1, "invoke_agent"), span(1, 0, "")],
    );
    assert_eq!(arrived(&service), expect(&[(2, 1, 0)]));

    let first = crate::delivery_fixture::service([Answer::status(200)]);
    let delivery = delivery_to(&first, token("t")).build().unwrap();
    let mut child = span(2, 1, "invoke_agent");
    child
        .attributes
        .push(KeyValue::new(keys::TENANT_ID, TENANT));
    export(&delivery.exporter(), vec![child, span(1, 0, "")]);
    assert_eq!(arrived(&first), expect(&[(2, 1, 0)]));
}

/// A provider over a span processor that sends each span at once.
struct Pipeline {
    service: Service,
    delivery: Delivery,
    tracer: SdkTracer,
    _provider: SdkTracerProvider,
}

impl Pipeline {
    fn new() -> Self {
        Self::with(|builder| builder.with_batch_spans(1))
    }

    fn with(
        customise: impl FnOnce(DeliveryBuilder<Delivery>) -> DeliveryBuilder<Delivery>,
    ) -> Self {
        let service = service([Answer::status(200)]);
        let delivery = customise(version_2(&service)).build().unwrap();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(delivery.span_processor())
            .build();
        Self {
            service,
            delivery,
            tracer: provider.tracer("t"),
            _provider: provider,
        }
    }

    /// Starts a span. The context below it, and its number in hexadecimal digits.
    fn start(&self, above: &Context, kind: SpanKind, operation: &'static str) -> (Context, String) {
        let builder = self.tracer.span_builder(operation).with_kind(kind);
        let span = builder
            .with_attributes(attributes(operation))
            .start_with_context(&self.tracer, above);
        let id = span.span_context().span_id().to_string();
        (above.with_span(span), id)
    }

    /// Ends the span of the context, and waits until it is settled.
    fn end(&self, context: &Context) {
        context.span().end();
        self.delivery.flush(LONG).unwrap();
    }

    fn check(&self, expected: &[(&String, Option<&String>, Option<&String>)]) {
        let expected = expected.iter().map(|(id, parent, link)| {
            (
                (*id).clone(),
                parent.cloned(),
                link.cloned().into_iter().collect(),
            )
        });
        assert_eq!(arrived(&self.service), expected.collect::<Vec<_>>());
        check_conserved(&self.delivery);
    }
}

#[test]
fn a_processor_knows_a_server_span_that_has_not_ended() {
    let pipeline = Pipeline::new();
    let (in_web, web) = pipeline.start(&Context::new(), SpanKind::Server, "");
    let (in_agent, agent) = pipeline.start(&in_web, SpanKind::Client, "invoke_agent");
    let (in_chat, chat) = pipeline.start(&in_agent, SpanKind::Client, "chat");
    for context in [&in_chat, &in_agent, &in_web] {
        pipeline.end(context);
    }
    pipeline.check(&[(&chat, Some(&agent), None), (&agent, None, Some(&web))]);
}

#[test]
fn a_processor_knows_a_server_span_below_another_process() {
    let pipeline = Pipeline::new();
    let caller = SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let caller = Context::new().with_remote_span_context(caller);
    let (in_web, web) = pipeline.start(&caller, SpanKind::Server, "");
    let (in_agent, agent) = pipeline.start(&in_web, SpanKind::Client, "invoke_agent");
    pipeline.end(&in_agent);
    pipeline.check(&[(&agent, None, Some(&web))]);
}

#[test]
fn a_processor_remembers_spans_that_were_not_sent() {
    let pipeline = Pipeline::new();
    let (in_agent, agent) = pipeline.start(&Context::new(), SpanKind::Internal, "invoke_agent");
    let (in_step, step) = pipeline.start(&in_agent, SpanKind::Internal, "");
    let (in_chat, chat) = pipeline.start(&in_step, SpanKind::Client, "chat");
    // The parent ends first, and is settled.
    for context in [&in_step, &in_chat, &in_agent] {
        pipeline.end(context);
    }
    pipeline.check(&[(&chat, Some(&agent), Some(&step)), (&agent, None, None)]);
}

/// F9: a request that is sent early keeps what is below a span that runs, which may not be sent.
#[test]
fn f9_what_is_below_a_span_that_runs_waits_for_its_parent_when_the_request_is_sent_early() {
    let bounds = PerRequestExport::new()
        .with_grace(LONG)
        .with_max_requests(1);
    let pipeline = Pipeline::with(|builder| builder.with_per_request_export(bounds));
    let start = |above: &Context, operation| pipeline.start(above, SpanKind::Internal, operation);
    let (in_agent, agent) = start(&Context::new(), "invoke_agent");
    let (in_tool, tool) = start(&in_agent, "execute_tool");
    let (in_step, step) = start(&in_agent, "");
    let (in_chat, chat) = start(&in_step, "chat");
    for context in [&in_tool, &in_chat] {
        context.span().end();
    }
    let (in_other, other) = start(&Context::new(), "invoke_agent");
    for context in [&in_step, &in_agent, &in_other] {
        context.span().end();
    }
    pipeline.delivery.flush(LONG).unwrap();
    pipeline.check(&[
        (&tool, Some(&agent), None),
        (&chat, Some(&agent), Some(&step)),
        (&agent, None, None),
        (&other, None, None),
    ]);
}

#[test]
fn a_span_that_runs_may_still_get_its_operation() {
    let pipeline = Pipeline::new();
    let (in_agent, agent) = pipeline.start(&Context::new(), SpanKind::Internal, "");
    let (in_chat, chat) = pipeline.start(&in_agent, SpanKind::Client, "chat");
    pipeline.end(&in_chat);
    in_agent
        .span()
        .set_attribute(KeyValue::new(keys::GEN_AI_OPERATION_NAME, "invoke_agent"));
    pipeline.end(&in_agent);
    pipeline.check(&[(&chat, Some(&agent), None), (&agent, None, None)]);
}
