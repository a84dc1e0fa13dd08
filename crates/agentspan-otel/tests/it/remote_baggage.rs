//! Baggage that travels between processes, and whom we believe.

use std::collections::HashMap;

use agentspan_model::agent365::Profile;
use agentspan_model::agent365::mapping::CopiedBaggage;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, BaggageSpanProcessor, Propagation};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_sdk::propagation::BaggagePropagator;

use crate::recorder::{Recorder, values};

fn hostile() -> HashMap<String, String> {
    let header = "tenant.id=victim,gen_ai.agent.id=victims-agent,correlation.id=c";
    HashMap::from([("baggage".to_owned(), header.to_owned())])
}

/// The values of tenant, agent and correlation id of a span that starts in `context`.
fn copied(recorder: &Recorder, context: &Context) -> [Vec<String>; 3] {
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("plain", context);
    let span = recorder.spans().pop().unwrap();
    ["tenant.id", "gen_ai.agent.id", "correlation.id"].map(|key| {
        let values = values(&span, key);
        values.iter().map(ToString::to_string).collect()
    })
}

fn is(values: [Option<&str>; 3]) -> [Vec<String>; 3] {
    values.map(|value| value.map(str::to_owned).into_iter().collect())
}

#[test]
fn t04_a_header_cannot_say_whose_telemetry_a_span_is() {
    let recorder = Recorder::new();
    let context = BaggagePropagator::new().extract_with_context(&Context::new(), &hostile());
    assert_eq!(copied(&recorder, &context), is([None, None, Some("c")]));
}

/// What spans of a generation say of the user that their agent acts as, with a header and, over
/// it, with baggage of this process.
fn users(profile: Profile, own: &RequestBaggage, processor: BaggageSpanProcessor) -> Vec<String> {
    let recorder = Recorder::with(|it| it.with_span_processor(processor.with_profile(profile)));
    let header =
        "gen_ai.agent.user.id=victim,microsoft.agent.user.id=victim,gen_ai.conversation.id=c";
    let headers = HashMap::from([("baggage".to_owned(), header.to_owned())]);
    let context = BaggagePropagator::new().extract_with_context(&Context::new(), &headers);
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("chat m", &own.to_context(&context));
    let span = recorder.span();
    // The rest of the header is copied.
    assert_eq!(values(&span, "gen_ai.conversation.id"), ["c".into()]);
    let users = ["gen_ai.agent.user.id", "microsoft.agent.user.id"].map(|key| values(&span, key));
    users.iter().flatten().map(ToString::to_string).collect()
}

#[test]
fn t04_a_header_cannot_say_which_user_an_agent_acts_as() {
    let processor = BaggageSpanProcessor::new;
    for profile in Profile::ALL {
        let builder = || BaggageBuilder::for_profile(profile);
        let none: [&str; 0] = [];
        let users_with = |own| users(profile, &own, processor());
        assert_eq!(users_with(builder().build()), none, "{profile:?}");
        let named = builder().with_tenant_id("t").with_agent_id("a");
        assert_eq!(users_with(named.clone().build()), none, "{profile:?}");
        let own = builder().with_agent_auid("own");
        assert_eq!(users_with(own.build()), ["own"], "{profile:?}");
        let own = named.with_agent_auid("own");
        assert_eq!(users_with(own.build()), ["own"], "{profile:?}");
        let trusting = processor().with_trusted_remote_identity();
        let trusted = users(profile, &builder().build(), trusting);
        assert_eq!(trusted, ["victim"], "{profile:?}");
    }
}

/// What a header can say of a request, in all generations.
const OF_REQUEST: [&str; 14] = [
    "correlation.id",
    "gen_ai.conversation.id",
    "gen_ai.conversation.item.link",
    "microsoft.conversation.item.link",
    "microsoft.session.id",
    "microsoft.session.description",
    "microsoft.channel.name",
    "microsoft.channel.link",
    "gen_ai.execution.type",
    "gen_ai.execution.sourceMetadata.id",
    "gen_ai.channel.name",
    "gen_ai.channel.link",
    "operation.source",
    "service.name",
];

/// The keys of the attributes that baggage gives to the span of an invocation.
fn keys_of(profile: Profile, context: &Context, processor: BaggageSpanProcessor) -> Vec<String> {
    let recorder = Recorder::with(|it| it.with_span_processor(processor.with_profile(profile)));
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("invoke_agent a", context);
    let attributes = recorder.span().attributes.into_iter();
    attributes.map(|pair| pair.key.to_string()).collect()
}

#[test]
fn t04_a_header_says_what_the_request_is_and_not_who_takes_part_in_it() {
    for profile in Profile::ALL {
        let keys = CopiedBaggage::of(profile).keys;
        let header: Vec<_> = keys.iter().map(|key| format!("{key}=forged")).collect();
        let headers = [("baggage", header.join(","))];
        let claimed = Propagation::new().extract_headers(&Context::new(), headers);
        let copied = |context: &Context| keys_of(profile, context, BaggageSpanProcessor::new());
        let of_request = keys.iter().filter(|key| OF_REQUEST.contains(key));
        let of_request: Vec<_> = of_request.map(ToString::to_string).collect();
        assert_eq!(copied(&claimed), of_request, "{profile:?}");

        let trusting = BaggageSpanProcessor::new().with_trusted_remote_identity();
        assert_eq!(keys_of(profile, &claimed, trusting), keys, "{profile:?}");
        let said_here =
            BaggageBuilder::for_profile(profile).with_pairs(keys.iter().map(|key| (*key, "own")));
        let said_here = said_here.build().to_context(&Context::new());
        assert_eq!(copied(&said_here), keys, "{profile:?}");
    }
}

#[test]
fn t04_a_header_does_not_replace_the_people_that_this_process_named() {
    let recorder = Recorder::with(|it| {
        let processor = BaggageSpanProcessor::new().with_profile(Profile::V3);
        it.with_span_processor(processor)
    });
    let own = BaggageBuilder::for_profile(Profile::V3)
        .with_user_id("own")
        .with_user_name("Own")
        .with_custom_attribute("app.user", "own")
        .unwrap();
    let header = "user.id=forged,user.email=forged,app.user=forged".to_owned();
    let headers = HashMap::from([("baggage".to_owned(), header)]);
    let own = own.build().to_context(&Context::new());
    // This propagator replaces the baggage of the context.
    let context = BaggagePropagator::new().extract_with_context(&own, &headers);
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("invoke_agent a", &context);
    let attributes = recorder.span().attributes.into_iter();
    let attributes: Vec<_> = attributes
        .map(|pair| format!("{}={}", pair.key, pair.value))
        .collect();
    assert_eq!(attributes, ["user.id=own", "user.name=Own", "app.user=own"]);
}

#[test]
fn a_person_is_not_taken_along_to_another_request() {
    let builder = || BaggageBuilder::for_profile(Profile::V3);
    let outer = builder()
        .with_tenant_id("t")
        .with_agent_id("a")
        .with_agent_name("A")
        .with_user_id("u");
    let outer = outer.build().to_context(&Context::new());
    let users = |inner: BaggageBuilder| {
        let context = inner.build().to_context(&outer);
        let keys = keys_of(Profile::V3, &context, BaggageSpanProcessor::new());
        ["user.id", "gen_ai.agent.name"].map(|key| keys.contains(&key.to_owned()))
    };
    assert_eq!(users(builder().with_session_id("s")), [true, true]);
    assert_eq!(users(builder().with_agent_id("b")), [true, false]);
    assert_eq!(users(builder().with_tenant_id("other")), [false, false]);
}

#[test]
fn the_user_of_an_agent_stays_with_that_agent() {
    let builder = || BaggageBuilder::for_profile(Profile::V3);
    let recorder = Recorder::with(|it| {
        let processor = BaggageSpanProcessor::new().with_profile(Profile::V3);
        it.with_span_processor(processor)
    });
    let outer = builder().with_tenant_id("t").with_agent_id("a");
    let outer = outer.with_agent_auid("u").build();
    let outer = outer.to_context(&Context::new());
    let user_in = |context: &Context, name: &'static str| {
        let tracer = recorder.provider.tracer("t");
        tracer.start_with_context(name, context);
        values(&recorder.named(name), "microsoft.agent.user.id")
    };
    let same = builder().with_agent_id("a").build().to_context(&outer);
    assert_eq!(user_in(&same, "chat same"), ["u".into()]);
    let other = builder().with_agent_id("b").build().to_context(&outer);
    assert_eq!(user_in(&other, "chat other"), []);
    // Another user is no other agent: what is known of the agent stays.
    let user = builder().with_agent_auid("v").build().to_context(&outer);
    assert_eq!(user_in(&user, "chat user"), ["v".into()]);
    let agent = values(&recorder.named("chat user"), "gen_ai.agent.id");
    assert_eq!(agent, ["a".into()]);
}

#[test]
fn a_custom_attribute_may_have_the_name_that_another_generation_has_for_the_user() {
    let recorder = Recorder::with(|it| {
        let processor = BaggageSpanProcessor::new().with_profile(Profile::V3);
        it.with_span_processor(processor)
    });
    let custom = BaggageBuilder::for_profile(Profile::V3)
        .with_custom_attribute("gen_ai.agent.user.id", "own")
        .unwrap();
    let context = custom.build().to_context(&Context::new());
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("chat m", &context);
    let user = values(&recorder.span(), "gen_ai.agent.user.id");
    assert_eq!(user, ["own".into()]);
}

#[test]
fn an_application_that_trusts_its_callers_takes_their_identity() {
    let recorder = Recorder::with(|builder| {
        builder.with_span_processor(BaggageSpanProcessor::new().with_trusted_remote_identity())
    });
    let context = BaggagePropagator::new().extract_with_context(&Context::new(), &hostile());
    assert_eq!(
        copied(&recorder, &context),
        is([Some("victim"), Some("victims-agent"), Some("c")])
    );
}

#[test]
fn a_header_cannot_take_away_or_replace_the_identity_that_was_set_here() {
    let recorder = Recorder::new();
    let own = BaggageBuilder::request_context("own", "own-agent", "own-c");
    let context = own.to_context(&Context::new());
    let context = BaggagePropagator::new().extract_with_context(&context, &hostile());
    assert_eq!(
        copied(&recorder, &context),
        is([Some("own"), Some("own-agent"), Some("c")])
    );
}

#[test]
fn t04_half_an_identity_is_not_completed_by_a_header() {
    let recorder = Recorder::new();
    let context = BaggagePropagator::new().extract_with_context(&Context::new(), &hostile());
    let context = BaggageBuilder::new()
        .with_tenant_id("own")
        .build()
        .to_context(&context);
    // The rest of the header is of another tenant, too.
    assert_eq!(copied(&recorder, &context), is([Some("own"), None, None]));
}

#[test]
fn inner_baggage_changes_the_agent_and_keeps_the_tenant() {
    let outer = BaggageBuilder::request_context("outer", "outer-agent", None::<&str>);
    let outer = outer.to_context(&Context::new());
    let tenant = BaggageBuilder::new().with_tenant_id("inner").build();
    assert_eq!(
        copied(&Recorder::new(), &tenant.to_context(&outer)),
        is([Some("inner"), None, None])
    );
    let agent = BaggageBuilder::new().with_agent_id("inner-agent").build();
    assert_eq!(
        copied(&Recorder::new(), &agent.to_context(&outer)),
        is([Some("outer"), Some("inner-agent"), None])
    );
}

#[test]
fn baggage_travels_in_the_w3c_header_and_marks_the_spans_of_the_other_side() {
    let sent = BaggageBuilder::new()
        .with_conversation_id("conversation ä, 1;=%")
        .with_channel_name("Weather Channel")
        .with_pairs([("custom", "x y")])
        .build();
    let mut headers = HashMap::new();
    let propagator = BaggagePropagator::new();
    propagator.inject_context(&sent.to_context(&Context::new()), &mut headers);

    let recorder = Recorder::new();
    let received = propagator.extract_with_context(&Context::new(), &headers);
    recorder
        .provider
        .tracer("t")
        .start_with_context("invoke_agent", &received);
    let span = recorder.span();
    // The SDK's propagator writes a percent sign as it is, so that what follows it must be no digit.
    assert_eq!(
        values(&span, "gen_ai.conversation.id"),
        ["conversation ä, 1;=%".into()]
    );
    let channel = values(&span, "gen_ai.channel.name");
    assert_eq!(channel, ["Weather Channel".into()]);
    assert_eq!(values(&span, "custom"), []);
}
