//! Feedback about a span that has ended: in its trace, linked to it, its explanation masked like any content.

use std::time::Duration;

use agentspan::discovery::Environment;
use agentspan::model::agentspec::Disclosure;
use agentspan::otel::SpanRef;
use agentspan::otel::feedback::Annotator;
use agentspan::{Destination, Otlp, configure};
use agentspan_testkit::Service;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use crate::process::has_its_own;

const WHILE: Duration = Duration::from_secs(30);

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    attribute.value.as_ref()?.value.as_ref()
}

fn text(text: &str) -> Value {
    Value::StringValue(text.to_owned())
}

/// The judged span and its judgement, as a destination gets them.
fn received(disclosure: Disclosure) -> (Span, Span) {
    let service = Service::start().unwrap();
    let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
    let destination = Destination::otlp_http(otlp).unwrap();
    let telemetry = configure()
        .with_environment(&Environment::default())
        .with_destination(destination.with_disclosure(disclosure))
        .with_switches_on()
        .install()
        .unwrap();
    let mut answer = telemetry.tracer("a program").start("answer");
    let stored = SpanRef::of(answer.span_context()).unwrap().to_string();
    answer.end();
    telemetry.flush(WHILE).unwrap();

    let about: SpanRef = stored.parse().unwrap();
    let feedback = telemetry.feedback(&about).named("helpful").score(0.5);
    let feedback = feedback.labelled("pass").explained("CANARY-reason");
    feedback.judged_by(Annotator::Llm).record();
    telemetry.shutdown(WHILE).unwrap();

    let requests = service.requests();
    let spans = requests.iter().flat_map(|request| {
        let request = ExportTraceServiceRequest::decode(&*request.body).unwrap();
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|it| it.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect::<Vec<_>>()
    });
    let mut spans: Vec<Span> = spans.collect();
    assert_eq!(spans.len(), 2);
    let judgement = spans.pop().unwrap();
    (spans.pop().unwrap(), judgement)
}

#[test]
fn feedback_is_in_the_trace_of_the_span_and_says_what_was_said() {
    if !has_its_own("judgements::feedback_is_in_the_trace_of_the_span_and_says_what_was_said") {
        return;
    }
    let (answer, judgement) = received(Disclosure::Clear);
    assert_eq!(judgement.name, "evaluation helpful");
    assert_eq!(judgement.trace_id, answer.trace_id);
    assert_eq!(judgement.parent_span_id, answer.span_id);
    let linked: Vec<_> = judgement.links.iter().map(|link| &link.span_id).collect();
    assert_eq!(linked, [&answer.span_id]);

    let of_span = |key: &str| value(&judgement.attributes, key).cloned();
    assert_eq!(of_span("openinference.span.kind"), Some(text("EVALUATOR")));
    let [event] = judgement.events.as_slice() else {
        panic!("{:?}", judgement.events);
    };
    assert_eq!(event.name, "gen_ai.evaluation.result");
    for (member, of_event, expected) in [
        ("name", "name", text("helpful")),
        ("score", "score.value", Value::DoubleValue(0.5)),
        ("label", "score.label", text("pass")),
        ("explanation", "explanation", text("CANARY-reason")),
    ] {
        let key = format!("evaluations.0.evaluation.{member}");
        assert_eq!(of_span(&key), Some(expected.clone()), "{key}");
        let key = format!("gen_ai.evaluation.{of_event}");
        assert_eq!(value(&event.attributes, &key), Some(&expected), "{key}");
    }
    let judge = of_span("evaluations.0.evaluation.annotator_kind");
    assert_eq!(judge, Some(text("LLM")));
}

#[test]
fn the_reason_is_content_and_the_rest_is_not() {
    if !has_its_own("judgements::the_reason_is_content_and_the_rest_is_not") {
        return;
    }
    let (_, judgement) = received(Disclosure::Masked);
    assert!(!format!("{judgement:?}").contains("CANARY"));
    let of_span = |key: &str| value(&judgement.attributes, key).cloned();
    assert_eq!(
        of_span("evaluations.0.evaluation.name"),
        Some(text("helpful"))
    );
    let score = of_span("evaluations.0.evaluation.score");
    assert_eq!(score, Some(Value::DoubleValue(0.5)));
    let event = &judgement.events[0];
    assert_eq!(event.name, "gen_ai.evaluation.result");
    let name = value(&event.attributes, "gen_ai.evaluation.name");
    assert_eq!(name, Some(&text("helpful")));
}

#[test]
fn only_a_traceparent_is_a_reference() {
    let ids = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
    assert!(format!("00-{ids}-01").parse::<SpanRef>().is_ok());
    for wrong in [
        String::new(),
        ids.to_owned(),
        format!("00-{ids}"),
        format!("01-{ids}-01"),
        format!("00-{ids}-01-"),
        format!("00-{}-01", ids.to_uppercase()),
        format!(
            "00-{}-01",
            ids.replace('b', "0").replace(|c: char| c != '-', "0")
        ),
        format!("00-+{}-01", &ids[1..]),
    ] {
        assert!(wrong.parse::<SpanRef>().is_err(), "{wrong}");
    }
}
