//! What is hidden of any span.

use std::time::SystemTime;

use opentelemetry::StringValue;
use opentelemetry::trace::{Event, Link, SpanId, SpanKind, TraceFlags, TraceId};
use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};
use proptest::prelude::*;

use super::*;

const CANARY: &str = "canary-4711";

fn span(name: impl Into<String>, attributes: Vec<KeyValue>) -> SpanData {
    SpanData {
        span_context: context(TraceState::NONE),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.into().into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

fn context(state: TraceState) -> SpanContext {
    SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        false,
        state,
    )
}

fn hidden(hiding: Hiding, mut span: SpanData) -> SpanData {
    hiding.apply(&mut span);
    span
}

#[track_caller]
fn check_span_name(
    hiding: Hiding,
    name: &str,
    attributes: &[(&'static str, &'static str)],
    expected: &str,
) {
    let attributes = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, *value));
    let span = hidden(hiding, span(name, attributes.collect()));
    assert_eq!(span.name, expected);
}

#[test]
fn t15_a_name_of_a_span_that_is_a_text_becomes_its_operation() {
    let long = CANARY.repeat(12);
    let chat = [("gen_ai.operation.name", "chat")];
    check_span_name(
        Hiding::Contents,
        "weather clerk run",
        &[],
        "weather clerk run",
    );
    check_span_name(Hiding::Contents, &long, &[], MASK);
    for lines in ["a\nb", "a\u{2028}b", "a\u{2029}b", "a\u{85}b"] {
        check_span_name(Hiding::Contents, lines, &chat, "chat");
    }
    check_span_name(
        Hiding::Contents,
        &long,
        &[("openinference.span.kind", "LLM")],
        "LLM",
    );
    check_span_name(Hiding::Nothing, &long, &chat, &long);
}

#[test]
fn a_name_of_a_span_has_128_bytes_at_most_and_no_control_character() {
    let (most, more) = ("x".repeat(128), "x".repeat(129));
    for (name, stays) in [
        (most.as_str(), true),
        (&more, false),
        ("a\n\nb", false),
        ("a\u{85}b", false),
        // Its first byte is that of U+0085, too.
        ("a \u{a7} b", true),
    ] {
        let expected = if stays { name } else { MASK };
        check_span_name(Hiding::Contents, name, &[], expected);
    }
}

#[test]
fn a_span_is_named_after_no_attribute_but_its_operation() {
    let long = CANARY.repeat(30);
    let others = [
        ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.operation.name", "chat"),
    ];
    check_span_name(Hiding::Contents, &long, &others, "chat");
    check_span_name(Hiding::Contents, &long, &others[..1], MASK);
    for text in [long.as_str(), "a\nb"] {
        let attributes = vec![KeyValue::new("gen_ai.operation.name", text.to_owned())];
        for hiding in [Hiding::Contents, Hiding::AllButHarmless] {
            let span = hidden(hiding, span(text.to_owned(), attributes.clone()));
            assert_eq!(span.name, MASK);
        }
    }
}

#[test]
fn of_harmless_names_are_those_that_are_made_of_harmless_attributes() {
    let hiding = Hiding::AllButHarmless;
    let chat = [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.request.model", "gpt-4o mini"),
        ("app.note", CANARY),
    ];
    check_span_name(hiding, "chat gpt-4o mini", &chat, "chat gpt-4o mini");
    check_span_name(hiding, "chat", &chat, "chat");
    check_span_name(hiding, "chat canary-4711", &chat, "chat");
    check_span_name(hiding, CANARY, &chat, "chat");
    check_span_name(hiding, "What is my salary?", &[], MASK);
    let http = [
        ("http.request.method", "GET"),
        ("http.route", "/users/{id}"),
    ];
    check_span_name(hiding, "GET /users/{id}", &http, "GET /users/{id}");
}

#[track_caller]
fn check_event_name(name: &'static str, keys: &[&'static str], contents: bool, harmless: bool) {
    let attributes = keys.iter().map(|key| KeyValue::new(*key, name));
    let event = Event::new(name, SystemTime::UNIX_EPOCH, attributes.collect(), 0);
    for (hiding, stays) in [
        (Hiding::Contents, contents),
        (Hiding::AllButHarmless, harmless),
    ] {
        let mut span = span("chat", Vec::new());
        span.events.events.push(event.clone());
        let shown = &hidden(hiding, span).events.events[0].name;
        assert_eq!(shown == name, stays, "{hiding:?} {name}");
        assert!(stays || shown == MASK);
    }
}

#[test]
fn t15_a_name_of_an_event_that_may_be_a_message_is_masked() {
    check_event_name("exception", &["level", "target"], true, true);
    check_event_name("gen_ai.choice", &[], true, true);
    check_event_name("cache.miss", &[], true, false);
    // Others have a level, or a target, or whatever else.
    check_event_name("cache.miss", &["level"], true, false);
    check_event_name("cache.miss", &["target"], true, false);
    check_event_name("cache.miss", &["app.shard", "app.key"], true, false);
    check_event_name("AgentExecutionStart", &["agentspec.event.type"], true, true);
    // The event that rig makes of a request at the level TRACE.
    check_event_name(
        "Responses completion request: {\n  \"model\": 1}",
        &[],
        false,
        false,
    );
    // The messages of `tracing`, however short.
    check_event_name("yes", &["level", "target"], false, false);
    check_event_name("EMPTY CHOICE CONTENT", &[], false, false);
}

#[test]
fn t15_everything_that_has_attributes_is_masked() {
    let secret = || vec![KeyValue::new("gen_ai.prompt.0.content", CANARY)];
    for hiding in [Hiding::Contents, Hiding::AllButHarmless] {
        let mut whole = span("chat", secret());
        let event = Event::new("e", SystemTime::UNIX_EPOCH, secret(), 0);
        whole.events.events.push(event);
        let link = Link::new(context(TraceState::NONE), secret(), 0);
        whole.links.links.push(link);
        whole.status = Status::error(CANARY);
        whole.instrumentation_scope = InstrumentationScope::builder("lib")
            .with_version("1")
            .with_schema_url("https://example.test/1")
            .with_attributes(secret())
            .build();
        let whole = hidden(hiding, whole);
        assert!(!format!("{whole:?}").contains(CANARY), "{whole:?}");
        let scope = &whole.instrumentation_scope;
        assert_eq!(
            (scope.name(), scope.version(), scope.schema_url()),
            ("lib", Some("1"), Some("https://example.test/1"))
        );
        let resource = Resource::builder_empty()
            .with_schema_url(secret(), "https://example.test/2")
            .build();
        let resource = hiding.apply_to_resource(&resource).unwrap();
        assert!(!format!("{resource:?}").contains(CANARY));
        assert_eq!(resource.schema_url(), Some("https://example.test/2"));
    }
}

#[test]
fn what_holds_no_content_is_left_as_it_is() {
    let resource = Resource::builder_empty().with_service_name("shop").build();
    for hiding in [Hiding::Nothing, Hiding::Contents, Hiding::AllButHarmless] {
        assert_eq!(hiding.apply_to_resource(&resource), None);
        let attributes = vec![KeyValue::new("gen_ai.usage.input_tokens", 12)];
        let before = span("gen_ai.usage.input_tokens", attributes);
        assert_eq!(hidden(hiding, before.clone()).attributes, before.attributes);
    }
}

#[test]
fn a_number_under_a_suspect_key_is_no_content_and_a_text_is() {
    let attributes = vec![
        KeyValue::new("gen_ai.new.count", 3),
        KeyValue::new("gen_ai.new.text", CANARY),
        KeyValue::new("result", true),
        KeyValue::new("arguments", CANARY),
        KeyValue::new("gen_ai.prompt", 4711),
    ];
    let span = hidden(Hiding::Contents, span("chat", attributes));
    let values: Vec<_> = span
        .attributes
        .iter()
        .map(|a| a.value.to_string())
        .collect();
    assert_eq!(values, ["3", MASK, "true", MASK, MASK]);
}

#[test]
fn of_a_component_its_outline_stays() {
    let agent =
        r#"{"component_type":"Agent","id":"a","name":"Clerk","system_prompt":"canary-4711"}"#;
    let attributes = vec![KeyValue::new("agentspec.agent", agent)];
    let span = hidden(Hiding::Contents, span("s", attributes));
    let shown = span.attributes[0].value.as_str();
    assert_eq!(shown, agent.replace(CANARY, MASK));
}

#[test]
fn a_name_that_is_a_text_is_masked_under_any_known_key() {
    let long = CANARY.repeat(12);
    let names = [
        "agentspec.span.name",
        "agentspec.trace.name",
        "gen_ai.agent.name",
        "langfuse.trace.name",
    ];
    for key in names {
        for (name, stays) in [
            ("a clerk", true),
            ("a\nclerk", false),
            (long.as_str(), false),
        ] {
            let attributes = vec![KeyValue::new(key, name.to_owned())];
            let span = hidden(Hiding::Contents, span("s", attributes));
            assert_eq!(
                span.attributes[0].value.as_str() == name,
                stays,
                "{key} = {name}"
            );
        }
    }
    // Ids may be as long as they like: a span is rebuilt by them.
    let attributes = vec![KeyValue::new("agentspec.span.id", long.clone())];
    let span = hidden(Hiding::Contents, span("s", attributes));
    assert_eq!(span.attributes[0].value.as_str(), long);
}

#[test]
fn a_span_without_contents_costs_no_allocation() {
    let attributes = [
        "gen_ai.request.model",
        "http.route",
        "app.note",
        "user.id",
        "agentspec.span.name",
    ];
    let attributes = attributes
        .map(|key| KeyValue::new(key, "some value"))
        .to_vec();
    let mut whole = span("chat gpt-4o", attributes.clone());
    let event = Event::new("exception", SystemTime::UNIX_EPOCH, attributes, 0);
    whole.events.events.push(event);
    // The table of keys is made once.
    Hiding::Contents.apply(&mut whole);
    for hiding in [Hiding::Nothing, Hiding::Contents] {
        let cost = allocation_counter::measure(|| hiding.apply(&mut whole));
        assert_eq!(cost.count_total, 0, "{hiding:?}");
    }
}

#[test]
fn what_other_vendors_write_into_the_trace_state_is_not_harmless() {
    let state = || TraceState::from_key_value([("vendor", CANARY)]).unwrap();
    let mut whole = span("chat", Vec::new());
    whole.span_context = context(state());
    whole
        .links
        .links
        .push(Link::new(context(state()), Vec::new(), 0));
    assert!(format!("{:?}", hidden(Hiding::Contents, whole.clone())).contains(CANARY));
    let whole = hidden(Hiding::AllButHarmless, whole);
    assert_eq!(whole.span_context, context(TraceState::NONE));
    assert!(!format!("{whole:?}").contains(CANARY));
}

#[test]
fn a_harmless_key_with_the_value_of_no_id_is_masked() {
    let long = "x".repeat(257);
    let several = texts(vec!["x".repeat(200), "y".repeat(57)]);
    for value in [Value::from(long), Value::from("a\nb"), several] {
        let attributes = vec![KeyValue::new("gen_ai.tool.name", value)];
        let span = hidden(Hiding::AllButHarmless, span("chat", attributes));
        assert_eq!(span.attributes, [KeyValue::new("gen_ai.tool.name", MASK)]);
    }
}

#[test]
fn numbers_and_short_texts_under_a_harmless_key_stay_and_so_do_lists_of_them() {
    let most = texts(vec!["x".repeat(200), "y".repeat(56)]);
    let numbers = Value::Array(vec![1, 2].into());
    let floats = Value::Array(vec![0.5].into());
    let truths = Value::Array(vec![true].into());
    let values = [
        1.into(),
        0.5.into(),
        true.into(),
        "x".repeat(256).into(),
        most,
        numbers,
        floats,
        truths,
    ];
    for value in values {
        let attributes = vec![KeyValue::new("gen_ai.tool.name", value)];
        let span = hidden(Hiding::AllButHarmless, span("chat", attributes.clone()));
        assert_eq!(span.attributes, attributes);
    }
}

fn texts(texts: Vec<String>) -> Value {
    let texts: Vec<StringValue> = texts.into_iter().map(StringValue::from).collect();
    Value::Array(texts.into())
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::collection::vec(any::<String>(), 0..3).prop_map(texts),
    ]
}

fn any_attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof!["[a-z]{1,8}(\\.[a-z_]{1,8}){0,3}", any::<String>()];
    prop::collection::vec((key, any_value()), 0..8).prop_map(|pairs| {
        let attributes = pairs.into_iter();
        attributes
            .map(|(key, value)| KeyValue::new(key, value))
            .collect()
    })
}

proptest! {
    #[test]
    fn a_key_that_nobody_knows_never_passes_the_list_of_harmless_ones(
        attributes in any_attributes(),
        name in any::<String>(),
        event_name in any::<String>(),
    ) {
        let is_known = |key: &str| Sensitivity::of(key) == Sensitivity::Harmless;
        let known = attributes.iter().filter(|a| is_known(a.key.as_str())).count();
        let mut whole = span(name, attributes.clone());
        let event = Event::new(event_name, SystemTime::UNIX_EPOCH, attributes.clone(), 0);
        whole.events.events.push(event);
        let whole = hidden(Hiding::AllButHarmless, whole);
        let dropped = u32::try_from(attributes.len() - known).unwrap();
        let event = &whole.events.events[0];
        for (left, counted) in [
            (&whole.attributes, whole.dropped_attributes_count),
            (&event.attributes, event.dropped_attributes_count),
        ] {
            prop_assert!(left.iter().all(|a| is_known(a.key.as_str())));
            prop_assert_eq!((left.len(), counted), (known, dropped));
        }
        prop_assert!(event.name == MASK || agentspan_model::keys::is_known_event(&event.name));
        let is_value = |text: &str| whole.attributes.iter().any(|a| a.value.as_str() == text);
        prop_assert!(whole.name == MASK || whole.name.split(' ').any(is_value) || is_value(&whole.name));
    }

    #[test]
    fn an_attribute_that_is_no_content_keeps_its_value(attributes in any_attributes()) {
        let expected: Vec<_> = attributes
            .iter()
            .map(|attribute| {
                let value = if holds_content(attribute) {
                    MASK.into()
                } else {
                    attribute.value.clone()
                };
                KeyValue::new(attribute.key.clone(), value)
            })
            .collect();
        prop_assert_eq!(hidden(Hiding::Contents, span("s", attributes)).attributes, expected);
    }
}
