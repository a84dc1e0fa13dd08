//! Baggage of one request that is entered where the baggage, the scope or the token of another is.

use std::sync::Arc;

use agentspan_model::agent365::{
    AgentDetails, AgentId, InvokeAgentDetails, Profile, TenantDetails, TenantId,
};
use agentspan_model::agentspec::SpanDetails;
use agentspan_model::mapping::ContentCapture;
use agentspan_otel::baggage::RequestBaggage;
use agentspan_otel::{BaggageBuilder, BaggageSpanProcessor, InvokeAgentScope};
use agentspan_processor::Span;
use agentspan_processor::span::OpenSpan;
use agentspan_record::RequestToken;
use opentelemetry::baggage::{Baggage, BaggageExt as _};
use opentelemetry::trace::{Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};

use crate::bridge::watched::Watched;
use crate::recorder::{Recorder, values};

/// What a request can say, tenant and agent first.
const KEYS: [&str; 8] = [
    "tenant.id",
    "gen_ai.agent.id",
    "gen_ai.agent.name",
    "gen_ai.agent.applicationid",
    "gen_ai.agent.user.id",
    "gen_ai.caller.id",
    "gen_ai.conversation.id",
    "correlation.id",
];

fn request(tenant: &str, agent: &str) -> RequestBaggage {
    let says = |what: &str| format!("{what} of {tenant} {agent}");
    BaggageBuilder::new()
        .with_tenant_id(tenant)
        .with_agent_id(agent)
        .with_agent_name(says("name"))
        .with_agent_blueprint_id(says("blueprint"))
        .with_agent_auid(says("auid"))
        .with_caller_id(says("user"))
        .with_conversation_id(says("talk"))
        .with_correlation_id(says("correlation"))
        .with_pairs([("custom", says("custom"))])
        .build()
}

fn identity(tenant: Option<&str>, agent: Option<&str>) -> RequestBaggage {
    let baggage = BaggageBuilder::new()
        .with_tenant_id(tenant)
        .with_agent_id(agent);
    baggage.build()
}

/// What an invocation that starts in `context` says under [`KEYS`], and the custom pair of the baggage.
#[track_caller]
fn check(context: &Context, expected: [Option<&str>; 8], custom: Option<&str>) {
    let recorder = Recorder::new();
    let tracer = recorder.provider.tracer("t");
    tracer.start_with_context("invoke_agent x", context);
    let span = recorder.span();
    let said = KEYS.map(|key| values(&span, key).first().map(ToString::to_string));
    assert_eq!(said.each_ref().map(Option::as_deref), expected);
    let found = context.baggage().get("custom").map(ToString::to_string);
    assert_eq!(found.as_deref(), custom);
}

#[test]
fn nothing_of_a_request_stays_where_that_of_another_tenant_is_entered() {
    let outer = request("a", "agent-a").to_context(&Context::new());
    let none = None;
    let whole = identity(Some("b"), Some("agent-b")).to_context(&outer);
    let of_b = [
        Some("b"),
        Some("agent-b"),
        none,
        none,
        none,
        none,
        none,
        none,
    ];
    check(&whole, of_b, None);
    // One half: nobody knows the agent.
    let half = identity(Some("b"), None).to_context(&outer);
    let mut of_b = [None; 8];
    of_b[0] = Some("b");
    check(&half, of_b, None);
    // Also an agent of the same name is another one.
    let namesake = identity(Some("b"), Some("agent-a")).to_context(&outer);
    of_b[1] = Some("agent-a");
    check(&namesake, of_b, None);
}

#[test]
fn nothing_of_a_request_stays_where_a_whole_other_identity_is_entered() {
    let outer = request("a", "agent-a").to_context(&Context::new());
    let inner = identity(Some("a"), Some("agent-2")).to_context(&outer);
    let mut expected = [None; 8];
    expected[0] = Some("a");
    expected[1] = Some("agent-2");
    check(&inner, expected, None);
}

#[test]
fn another_agent_in_a_request_has_a_name_of_its_own_and_the_same_conversation() {
    let outer = request("a", "agent-a").to_context(&Context::new());
    let inner = identity(None, Some("agent-2")).to_context(&outer);
    let expected = [
        Some("a"),
        Some("agent-2"),
        None,
        None,
        None,
        Some("user of a agent-a"),
        Some("talk of a agent-a"),
        Some("correlation of a agent-a"),
    ];
    check(&inner, expected, Some("custom of a agent-a"));
}

#[test]
fn what_is_added_for_the_same_identity_replaces_keys_only() {
    let outer = request("a", "agent-a").to_context(&Context::new());
    for (tenant, agent) in [
        (None, None),
        (Some("a"), None),
        (None, Some("agent-a")),
        (Some("a"), Some("agent-a")),
    ] {
        let more = BaggageBuilder::new()
            .with_tenant_id(tenant)
            .with_agent_id(agent);
        let inner = more.with_conversation_id("talk").build().to_context(&outer);
        let expected = [
            Some("a"),
            Some("agent-a"),
            Some("name of a agent-a"),
            Some("blueprint of a agent-a"),
            Some("auid of a agent-a"),
            Some("user of a agent-a"),
            Some("talk"),
            Some("correlation of a agent-a"),
        ];
        check(&inner, expected, Some("custom of a agent-a"));
    }
}

#[test]
fn baggage_around_a_scope_is_not_that_of_another_tenant_in_it() {
    let recorder = Recorder::new();
    let agent = AgentDetails::new(AgentId::parse("agent-a").unwrap());
    let tenant = TenantDetails::new(TenantId::parse("a").unwrap());
    let details = InvokeAgentDetails::new(agent);
    let scope = InvokeAgentScope::builder(&details)
        .with_tenant(&tenant)
        .with_tracer(&recorder.tracer);
    let talk = BaggageBuilder::new().with_conversation_id("talk-a").build();
    talk.in_baggage(|| {
        scope.start().in_scope_infallible(|_| {
            let inner = identity(Some("b"), Some("agent-b"));
            let mut expected = [None; 8];
            expected[0] = Some("b");
            expected[1] = Some("agent-b");
            check(&inner.to_context(&Context::current()), expected, None);
        });
    });
}

#[test]
fn tenants_of_two_generations_are_compared() {
    let outer = BaggageBuilder::for_profile(Profile::V0_1).with_tenant_id("a");
    let outer = outer
        .with_agent_id("agent-a")
        .with_conversation_id("talk-a")
        .build();
    let outer = outer.to_context(&Context::new());
    let inner = |tenant| {
        let inner = BaggageBuilder::for_profile(Profile::V2).with_tenant_id(tenant);
        inner.build().to_context(&outer)
    };
    let mut expected = [None; 8];
    check(&inner("b"), expected, None);
    expected[0] = Some("a");
    expected[1] = Some("agent-a");
    expected[6] = Some("talk-a");
    check(&inner("a"), expected, None);
}

#[test]
fn a_caller_of_another_tenant_is_not_mixed_with_this_one_even_if_callers_are_trusted() {
    let header = |pairs: &[(&'static str, &'static str)]| {
        let pairs = pairs.iter().map(|(key, value)| KeyValue::new(*key, *value));
        Baggage::from_iter(pairs)
    };
    let recorder = Recorder::with(|builder| {
        builder.with_span_processor(BaggageSpanProcessor::new().with_trusted_remote_identity())
    });
    let said_in = |context: &Context| {
        let tracer = recorder.provider.tracer("t");
        tracer.start_with_context("plain", context);
        let span = recorder.spans().pop().unwrap();
        let keys = ["tenant.id", "gen_ai.agent.id", "gen_ai.conversation.id"];
        keys.map(|key| values(&span, key).first().map(ToString::to_string))
    };
    let caller = Context::new().with_baggage(header(&[
        ("tenant.id", "victim"),
        ("gen_ai.agent.id", "victims-agent"),
        ("gen_ai.conversation.id", "talk"),
    ]));
    let own = identity(Some("own"), None).to_context(&caller);
    assert_eq!(said_in(&own), [Some("own".to_owned()), None, None]);

    // Another agent of the tenant called, as part of the same conversation.
    let caller = Context::new().with_baggage(header(&[
        ("tenant.id", "own"),
        ("gen_ai.agent.id", "caller"),
        ("gen_ai.agent.name", "Caller"),
        ("gen_ai.conversation.id", "talk"),
    ]));
    let own = identity(Some("own"), Some("callee")).to_context(&caller);
    let expected = ["own", "callee", "talk"].map(|it| Some(it.to_owned()));
    assert_eq!(said_in(&own), expected);
    assert_eq!(own.baggage().get("gen_ai.agent.name"), None);
}

/// The bridge records what this process set; with trusted callers, that is what is in the baggage.
#[test]
fn a_trace_that_is_entered_below_a_caller_of_another_tenant_is_not_mixed_with_it() {
    let watched = Watched::new(ContentCapture::NoContent);
    let trace = request("a", "agent-a").in_baggage(|| watched.detached_trace());
    let header = [("tenant.id", "b"), ("gen_ai.agent.id", "agent-b")];
    let header = header.map(|(key, value)| KeyValue::new(key, value));
    let caller = Context::new().with_baggage(Baggage::from_iter(header));
    let entered = caller.attach();
    let root = trace.root().enter();
    let mut said: Vec<_> = Context::map_current(|current| {
        let entries = current.baggage().iter();
        entries
            .map(|(key, value)| format!("{key}={}", value.0))
            .collect()
    });
    drop((root, entered));
    trace.end().unwrap();
    said.sort();
    assert_eq!(said, ["gen_ai.agent.id=agent-b", "tenant.id=b"]);
}

fn token() -> RequestToken {
    RequestToken::new(Arc::new(()))
}

fn current_token() -> Option<RequestToken> {
    Context::map_current(|current| current.get().cloned())
}

#[test]
fn the_token_of_a_request_is_withheld_from_another_one_in_it() {
    let token = token();
    let outer = request("a", "agent-a").to_context(&Context::new());
    let outer = outer.with_value(token.clone());
    for (inner, expected) in [
        (identity(Some("b"), None), RequestToken::withheld()),
        (
            identity(Some("a"), Some("agent-2")),
            RequestToken::withheld(),
        ),
        (identity(None, Some("agent-2")), token.clone()),
        (identity(Some("a"), None), token.clone()),
    ] {
        let inner = inner.to_context(&outer);
        assert_eq!(inner.get::<RequestToken>(), Some(&expected));
        // Its own is entered in it.
        let own = RequestToken::new(Arc::new(1));
        let inner = inner.with_value(own.clone());
        assert_eq!(inner.get::<RequestToken>(), Some(&own));
    }
}

fn detached(name: &'static str) -> OpenSpan {
    let span = Span::builder(SpanDetails::Plain).with_name(name);
    span.start_detached().unwrap()
}

#[test]
fn a_token_that_is_entered_around_a_span_of_another_request_does_not_reach_it() {
    let watched = Watched::new(ContentCapture::NoContent);
    let own = token();
    let trace = request("a", "agent-a").in_baggage(|| watched.detached_trace());
    let root = trace.root().enter();
    let of_b = request("b", "agent-b").in_baggage(|| {
        let _own = Context::current_with_value(own.clone()).attach();
        detached("of b")
    });
    let of_a = detached("of a");
    // The identity is that of the span around, and the token is new.
    let news = token();
    let around = Context::current_with_value(news.clone()).attach();
    {
        let _of_a = of_a.enter();
        assert_eq!(current_token(), Some(news.clone()));
    }
    {
        let _of_b = of_b.enter();
        assert_eq!(current_token(), Some(own));
    }
    drop(around);
    // Both are new.
    request("c", "agent-c").in_baggage(|| {
        let _news = Context::current_with_value(news.clone()).attach();
        let _of_b = of_b.enter();
        assert_eq!(current_token(), Some(news.clone()));
    });
    drop(root);
    of_a.end().unwrap();
    of_b.end().unwrap();
    trace.end().unwrap();
}

#[test]
fn a_token_that_is_withheld_around_a_span_with_its_own_stays_outside() {
    let watched = Watched::new(ContentCapture::NoContent);
    let own = token();
    let trace = request("b", "agent-b").in_baggage(|| {
        let _own = Context::current_with_value(own.clone()).attach();
        watched.detached_trace()
    });
    request("a", "agent-a").in_baggage(|| {
        let _of_a = Context::current_with_value(token()).attach();
        request("b", "agent-b").in_baggage(|| {
            assert_eq!(current_token(), Some(RequestToken::withheld()));
            let _root = trace.root().enter();
            assert_eq!(current_token(), Some(own));
        });
    });
    trace.end().unwrap();
}
