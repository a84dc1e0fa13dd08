//! What scopes of the third generation do that the recorded cases do not show, and what older ones leave out.

use std::collections::HashMap;
use std::io;

use agentspan_model::agent365::{
    ExecuteToolCallArguments, ExecuteToolCallResult, GuardrailDecision, GuardrailDetails,
    GuardrailTarget, InferenceCallDetails, InferenceOperationType, InvokeAgentDetails, Profile,
    RequestParameters, ResponseParameters, ToolCallAction, ToolCallDetails, ToolCallOutcomeStatus,
    ToolCallResultOutcome, UserDetails,
};
use agentspan_otel::{
    ApplyGuardrailScope, BaggageBuilder, BaggageSpanProcessor, ExecuteToolScope, InferenceScope,
    InvokeAgentScope, ScopeTracer,
};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::propagation::BaggagePropagator;
use opentelemetry_sdk::trace::SpanData;

use crate::recorder::{Recorder, agent, values};

/// The span of what is done in a generation.
fn span_of(profile: Profile, act: impl FnOnce(&ScopeTracer)) -> SpanData {
    let recorder = Recorder::new();
    act(&ScopeTracer::with_profile(&recorder.provider, profile));
    recorder.span()
}

#[test]
fn custom_attributes_come_after_those_of_invocations() {
    let recorder = Recorder::with(|builder| {
        let processor = BaggageSpanProcessor::new().with_profile(Profile::V3);
        builder.with_span_processor(processor)
    });
    let baggage = BaggageBuilder::for_profile(Profile::V3)
        .with_custom_attribute("app.team", "blue")
        .unwrap()
        .with_user_id("u")
        .with_invoke_agent_server("srv.example.com", None)
        .build();
    let start = |name: &'static str| recorder.provider.tracer("t").start(name);
    baggage.in_baggage(|| drop((start("chat m"), start("invoke_agent a"))));
    let keys = |name| -> Vec<_> {
        let attributes = recorder.named(name).attributes.into_iter();
        attributes
            .map(|attribute| attribute.key.to_string())
            .collect()
    };
    assert_eq!(keys("chat m"), ["user.id", "app.team"]);
    let of_invocation = ["user.id", "server.address", "app.team"];
    assert_eq!(keys("invoke_agent a"), of_invocation);
}

#[test]
fn a_request_whose_operation_this_process_set_has_spans_of_agents() {
    let recorder = Recorder::with(|builder| {
        let processor = BaggageSpanProcessor::new().with_profile(Profile::V3);
        builder.with_span_processor(processor)
    });
    let operation = |name: &str| {
        let builder = BaggageBuilder::for_profile(Profile::V3).with_user_id("u");
        let pairs = [("gen_ai.operation.name", name), ("server.address", "h")];
        builder.with_pairs(pairs).build()
    };
    let start = |name: &'static str| recorder.provider.tracer("t").start(name);
    operation("chat").in_baggage(|| drop(start("GET /")));
    operation("invoke_agent").in_baggage(|| drop((start("GET /agents"), start("chat m"))));
    operation("embeddings").in_baggage(|| drop(start("GET /vectors")));
    let header = "gen_ai.operation.name=chat,user.id=u".to_owned();
    let headers = HashMap::from([("baggage".to_owned(), header)]);
    let claimed = BaggagePropagator::new().extract_with_context(&Context::new(), &headers);
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("GET /claimed", &claimed);
    let keys = |name| -> Vec<_> {
        let attributes = recorder.named(name).attributes.into_iter();
        attributes
            .map(|attribute| attribute.key.to_string())
            .collect()
    };
    let common = ["gen_ai.operation.name", "user.id"];
    assert_eq!(keys("GET /"), common);
    assert_eq!(
        keys("GET /agents"),
        [&common[..], &["server.address"]].concat()
    );
    // The name says more of the span than its request does.
    assert_eq!(keys("chat m"), common);
    assert!(keys("GET /vectors").is_empty());
    assert!(keys("GET /claimed").is_empty());
}

#[test]
fn parameters_of_agents_are_written_since_the_third_generation() {
    let request = RequestParameters::new()
        .with_temperature(0.5)
        .with_system_instructions(["be brief"]);
    let response = ResponseParameters::new()
        .with_input_tokens(1)
        .with_output_tokens(2);
    let details = InvokeAgentDetails::new(agent());
    for profile in Profile::ALL {
        let span = span_of(profile, |tracer| {
            InvokeAgentScope::builder(&details)
                .with_request_parameters(&request)
                .with_response_parameters(&response)
                .with_tracer(tracer)
                .start()
                .record_response_parameters(&ResponseParameters::new().with_output_tokens(3));
        });
        let is_written = !matches!(profile, Profile::V0_1 | Profile::V2);
        let of = |key| values(&span, key);
        let expected = if is_written { vec![0.5.into()] } else { vec![] };
        assert_eq!(of("gen_ai.request.temperature"), expected);
        let tokens = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"].map(of);
        let expected = if is_written {
            [vec![1.into()], vec![3.into()]]
        } else {
            [vec![], vec![]]
        };
        assert_eq!(tokens, expected);
        assert_eq!(
            of("gen_ai.system_instructions").is_empty(),
            !is_written,
            "{profile:?}"
        );
    }
}

#[test]
fn a_typed_payload_is_json_in_all_generations() {
    let arguments = ExecuteToolCallArguments::new().with_action(ToolCallAction::Read);
    let outcome = ToolCallResultOutcome::new().with_status(ToolCallOutcomeStatus::Success);
    let result = ExecuteToolCallResult::new().with_outcome(outcome);
    let call = ToolCallDetails::new("t").with_typed_arguments(&arguments);
    let later = ["gen_ai.tool.call.arguments", "gen_ai.tool.call.result"];
    for (profile, [given, returned]) in [
        (
            Profile::V0_1,
            ["gen_ai.tool.arguments", "gen_ai.event.content"],
        ),
        (Profile::V2, later),
        (Profile::V3, later),
    ] {
        let span = span_of(profile, |tracer| {
            ExecuteToolScope::builder(&call)
                .with_tracer(tracer)
                .start()
                .record_typed_response(&result);
        });
        assert_eq!(
            values(&span, given),
            [r#"{"action": "read", "schema_version": "1.0"}"#.into()]
        );
        assert_eq!(
            values(&span, returned),
            [r#"{"outcome": {"status": "success"}, "schema_version": "1.0"}"#.into()]
        );
    }
}

#[test]
fn what_a_guardian_is_shown_is_recorded_as_text_or_as_messages() {
    let details = GuardrailDetails::new(GuardrailTarget::LlmInput, GuardrailDecision::Allow);
    let user = UserDetails::new().with_id("u");
    for (profile, texts, users) in [
        (Profile::V0_1, vec![], vec![]),
        (Profile::V2, vec![r#"["a"]"#.into()], vec![]),
        (
            Profile::V3,
            vec![r#"[{"role": "user", "parts": [{"content": "a", "type": "text"}]}]"#.into()],
            vec!["u".into()],
        ),
    ] {
        let guard = |tracer: &ScopeTracer| {
            ApplyGuardrailScope::builder(&details)
                .with_user(&user)
                .with_tracer(tracer)
                .start()
        };
        let key = "microsoft.security.content.input.value";
        let span = span_of(profile, |tracer| {
            guard(tracer).record_content_input(vec!["a".to_owned()]);
        });
        assert_eq!(values(&span, key), texts, "{profile:?}");
        assert_eq!(values(&span, "user.id"), users, "{profile:?}");
        let span = span_of(profile, |tracer| guard(tracer).record_content_input("a"));
        let is_written = profile != Profile::V0_1;
        let expected = if is_written { vec!["a".into()] } else { vec![] };
        assert_eq!(values(&span, key), expected, "{profile:?}");
    }
}

#[test]
fn the_first_free_attribute_stays_in_the_third_generation_and_with_direct() {
    for (profile, expected) in [(Profile::V2, 2), (Profile::V3, 1), (Profile::Direct, 1)] {
        let span = span_of(profile, |tracer| {
            let scope = ExecuteToolScope::builder(&ToolCallDetails::new("t"))
                .with_tracer(tracer)
                .start();
            scope.record_attributes([("k", 1)]);
            drop(scope.enter());
            scope.record_attributes([("k", 2), ("gen_ai.tool.name", 3)]);
        });
        assert_eq!(values(&span, "k"), [expected.into()], "{profile:?}");
        assert_eq!(values(&span, "gen_ai.tool.name"), ["t".into()]);
    }
}

#[test]
fn a_model_is_named_as_it_is_and_an_unnamed_one_is_not() {
    let span = |model: &str, answered: Option<&str>| {
        let operation = InferenceOperationType::Chat;
        let mut call = InferenceCallDetails::new(operation, model, "p");
        call.response_model = answered.map(str::to_owned);
        span_of(Profile::V3, |tracer| {
            let builder = InferenceScope::builder(&call).with_tracer(tracer);
            builder.start().end();
        })
    };
    assert_eq!(span(" m", None).name, "chat  m");
    assert_eq!(span("", Some("r")).name, "chat r");
    let unnamed = span("", None);
    assert_eq!(unnamed.name, "chat");
    assert_eq!(values(&unnamed, "gen_ai.request.model"), []);
}

#[test]
fn the_status_of_an_answer_is_the_type_of_its_error() {
    let span = span_of(Profile::V3, |tracer| {
        ExecuteToolScope::builder(&ToolCallDetails::new("t"))
            .with_tracer(tracer)
            .start()
            .record_error_with_status(&io::Error::other("too many"), 429);
    });
    assert_eq!(values(&span, "error.type"), ["429".into()]);
    assert_eq!(span.status, Status::error("too many"));
    let event = &span.events.events[0];
    let class = event.attributes.iter();
    let mut class = class.filter(|attribute| attribute.key.as_str() == "exception.type");
    let class = class
        .next()
        .map(|attribute| attribute.value.as_str().into_owned());
    assert_ne!(class.as_deref(), Some("429"));
}

#[test]
fn a_cancellation_has_the_reason_that_it_is_given() {
    for (reason, expected) in [
        ("the user left", "the user left"),
        (" ", "Task was cancelled"),
    ] {
        let span = span_of(Profile::V3, |tracer| {
            ExecuteToolScope::builder(&ToolCallDetails::new("t"))
                .with_tracer(tracer)
                .start()
                .record_cancellation_because(reason);
        });
        assert_eq!(span.status, Status::error(expected));
        assert_eq!(
            values(&span, "error.type"),
            ["TaskCanceledException".into()]
        );
    }
}
