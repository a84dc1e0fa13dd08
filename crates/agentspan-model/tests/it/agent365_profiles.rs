//! What the generations write of the same facts.

pub(crate) mod scope_tables;

use std::collections::BTreeSet;

use agentspan_model::agent365::contract::{Judge, ObservedSpan, RuleSet};
use agentspan_model::agent365::mapping::{
    ApplyGuardrail, BaggageEntry, CopiedBaggage, ExecuteTool, Inference, InvokeAgent, Output,
    Recorded,
};
use agentspan_model::agent365::{
    AgentDetails, AgentId, CallerDetails, Channel, ClientAddress, Endpoint, ExecutionType,
    GuardrailDecision, GuardrailDetails, GuardrailFinding, InferenceCallDetails,
    InferenceOperationType, InvokeAgentDetails, Profile, Request, RequestParameters, Response,
    ResponseParameters, SourceMetadata, TenantDetails, TenantId, ToolCallDetails, UserDetails,
};
use agentspan_model::attribute::{AttributeValue, AttributeVisitor};
use agentspan_model::keys;
use agentspan_model::mapping::normal::SourceValue;

use crate::value_text::value_text;

/// Every fact that can be known.
struct Facts {
    invocation: InvokeAgentDetails,
    tool: ToolCallDetails,
    inference: InferenceCallDetails,
    guardrail: GuardrailDetails,
    response: Response,
    tenant: TenantDetails,
    request: Request,
    caller: CallerDetails,
    user: UserDetails,
    request_parameters: RequestParameters,
    response_parameters: ResponseParameters,
}

fn facts() -> Facts {
    facts_at_port(443)
}

/// Every fact, of servers at this port.
fn facts_at_port(port: u16) -> Facts {
    let agent = AgentDetails::new(AgentId::parse("agent").unwrap())
        .with_name("n")
        .with_description("d")
        .with_auid("u")
        .with_upn("p")
        .with_blueprint_id("b")
        .with_type("Custom")
        .with_tenant_id(TenantId::parse("tenant-of-agent").unwrap())
        .with_conversation_id("conversation-of-agent")
        .with_icon_uri("i")
        .with_user_email("e")
        .with_platform_id("f")
        .with_provider_name("provider-of-agent")
        .with_version("v");
    let endpoint = Endpoint::new("H.example").with_port(port);
    let mut guardrail = GuardrailDetails::new("llm_input", "allow")
        .with_guardian_name("g")
        .with_policy_id("p")
        .with_content_modified(false);
    guardrail.decision_reason = Some("r".to_owned());
    Facts {
        invocation: InvokeAgentDetails::new(agent)
            .with_endpoint(endpoint.clone())
            .with_session_id("session-of-invocation"),
        tool: tool_call().with_endpoint(endpoint.clone()),
        inference: InferenceCallDetails::new(InferenceOperationType::Chat, " m ", "openai")
            .with_input_tokens(1)
            .with_output_tokens(2)
            .with_cache_read_input_tokens(3)
            .with_cache_write_input_tokens(4)
            .with_finish_reasons(["stop"])
            .with_response_id("r")
            .with_response_model("m-2")
            .with_thought_process("hm")
            .with_endpoint(endpoint),
        guardrail,
        response: Response::from("answer"),
        tenant: TenantDetails::new(TenantId::parse("tenant").unwrap()),
        request: Request::new("question", ExecutionType::HumanToAgent)
            .with_session_id("session")
            .with_conversation_id("conversation")
            .with_source_metadata(
                SourceMetadata::new()
                    .with_name("source")
                    .with_description("source-link"),
            )
            .with_channel(Channel::new().with_name("channel").with_link("link")),
        caller: CallerDetails::new()
            .with_id("caller")
            .with_name("c")
            .with_upn("c@x"),
        user: UserDetails::new()
            .with_id("user")
            .with_name("u")
            .with_email("u@x")
            .with_client_address(ClientAddress::parse("::1").ok()),
        request_parameters: RequestParameters::new()
            .with_model("m")
            .with_seed(1)
            .with_choice_count(2)
            .with_frequency_penalty(0.1)
            .with_max_tokens(3)
            .with_presence_penalty(0.2)
            .with_stop_sequences(["s"])
            .with_temperature(0.3)
            .with_top_p(0.4)
            .with_data_source_id("d")
            .with_output_type("json")
            .with_system_instructions(["i"]),
        response_parameters: ResponseParameters::new()
            .with_finish_reasons(["stop"])
            .with_input_tokens(1)
            .with_output_tokens(2)
            .with_cache_write_input_tokens(3)
            .with_cache_read_input_tokens(4),
    }
}

fn tool_call() -> ToolCallDetails {
    ToolCallDetails::new("t")
        .with_arguments("{}")
        .with_call_id("c")
        .with_description("d")
        .with_type("function")
}

type Shown = Vec<(&'static str, String)>;

fn shown(visit: impl FnOnce(&mut dyn FnMut(&'static str, AttributeValue<'_>))) -> Shown {
    let mut shown = Vec::new();
    visit(&mut |key, value| shown.push((key, value_text(value))));
    shown
}

/// Gives a `dyn` closure to functions that take any visitor.
struct Closure<'c>(&'c mut dyn FnMut(&'static str, AttributeValue<'_>));

impl AttributeVisitor for Closure<'_> {
    fn visit(&mut self, key: &'static str, value: AttributeValue<'_>) {
        (self.0)(key, value);
    }
}

impl Facts {
    /// What all scopes show with everything that can be said to them.
    fn scopes(&self, profile: Profile) -> [Shown; 5] {
        let agent = Some(&self.invocation.details);
        let tenant = Some(&self.tenant);
        let mut invocation = InvokeAgent::new(&self.invocation);
        invocation.tenant = tenant;
        invocation.request = Some(&self.request);
        invocation.caller_agent = agent;
        invocation.caller = Some(&self.caller);
        invocation.user = Some(&self.user);
        invocation.request_parameters = Some(&self.request_parameters);
        invocation.response_parameters = Some(&self.response_parameters);
        let mut tool = ExecuteTool::new(&self.tool);
        (tool.agent, tool.tenant) = (agent, tenant);
        (tool.request, tool.user) = (Some(&self.request), Some(&self.user));
        let mut inference = Inference::new(&self.inference);
        (inference.agent, inference.tenant) = (agent, tenant);
        (inference.request, inference.user) = (Some(&self.request), Some(&self.user));
        let mut output = Output::new(&self.response);
        (output.agent, output.tenant) = (agent, tenant);
        (output.request, output.user) = (Some(&self.request), Some(&self.user));
        let mut guardrail = ApplyGuardrail::new(&self.guardrail);
        (guardrail.agent, guardrail.tenant) = (agent, tenant);
        (guardrail.request, guardrail.user) = (Some(&self.request), Some(&self.user));
        [
            shown(|v| invocation.visit_attributes(profile, &mut Closure(v))),
            shown(|v| tool.visit_attributes(profile, &mut Closure(v))),
            shown(|v| inference.visit_attributes(profile, &mut Closure(v))),
            shown(|v| output.visit_attributes(profile, &mut Closure(v))),
            shown(|v| guardrail.visit_attributes(profile, &mut Closure(v))),
        ]
    }
}

fn value<'a>(shown: &'a Shown, key: &str) -> Option<&'a str> {
    let found = shown.iter().find(|(known, _)| *known == key);
    found.map(|(_, value)| value.as_str())
}

#[test]
fn no_scope_shows_a_key_twice() {
    for profile in Profile::ALL {
        for shown in facts().scopes(profile) {
            let keys: BTreeSet<_> = shown.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), shown.len(), "{profile:?}: {shown:?}");
        }
    }
}

#[test]
fn no_generation_writes_a_key_of_the_other() {
    let of_one = |profile: Profile| -> BTreeSet<_> {
        let shown = facts().scopes(profile);
        shown.into_iter().flatten().map(|(key, _)| key).collect()
    };
    let [first, second, third, _] = Profile::ALL.map(of_one);
    let renamed = |key: &&&str| key.starts_with("microsoft.") || key.starts_with("user.");
    assert_eq!(first.iter().filter(renamed).count(), 0, "{first:?}");
    for key in [
        keys::GEN_AI_SYSTEM,
        keys::TENANT_ID,
        keys::SESSION_ID,
        keys::GEN_AI_AGENT_UPN,
        keys::GEN_AI_CALLER_ID,
        keys::GEN_AI_EXECUTION_TYPE,
        keys::GEN_AI_RESPONSE_ID,
        keys::GEN_AI_TOOL_ARGUMENTS,
    ] {
        assert!(first.contains(key) && !second.contains(key), "{key}");
        assert!(!third.contains(key), "{key}");
    }
    // The third has no word for the kind of an agent, and shows a guardian's content only on request.
    let gone: Vec<_> = second.difference(&third).collect();
    let content = keys::MICROSOFT_SECURITY_CONTENT_INPUT_VALUE;
    assert_eq!(gone, [&keys::GEN_AI_AGENT_TYPE, &content]);
    // What it has besides is the parameters of requests to agents: the model, say, others have, too.
    let new: Vec<_> = third.difference(&second).copied().collect();
    assert_eq!(
        new,
        [
            keys::GEN_AI_DATA_SOURCE_ID,
            keys::GEN_AI_OUTPUT_TYPE,
            keys::GEN_AI_REQUEST_CHOICE_COUNT,
            keys::GEN_AI_REQUEST_FREQUENCY_PENALTY,
            keys::GEN_AI_REQUEST_MAX_TOKENS,
            keys::GEN_AI_REQUEST_PRESENCE_PENALTY,
            keys::GEN_AI_REQUEST_SEED,
            keys::GEN_AI_REQUEST_STOP_SEQUENCES,
            keys::GEN_AI_REQUEST_TEMPERATURE,
            keys::GEN_AI_REQUEST_TOP_P,
            keys::GEN_AI_SYSTEM_INSTRUCTIONS,
        ]
    );
}

#[test]
fn what_is_known_twice_is_taken_from_where_the_generation_has_it() {
    for (profile, name_key, name, conversation) in [
        (
            Profile::V0_1,
            keys::GEN_AI_EXECUTION_SOURCE_NAME,
            r#"Str("source")"#,
            r#"Str("conversation-of-agent")"#,
        ),
        (
            Profile::V2,
            keys::MICROSOFT_CHANNEL_NAME,
            r#"Str("channel")"#,
            r#"Str("conversation")"#,
        ),
    ] {
        let [invocation, ..] = facts().scopes(profile);
        assert_eq!(value(&invocation, name_key), Some(name));
        let key = keys::GEN_AI_CONVERSATION_ID;
        assert_eq!(value(&invocation, key), Some(conversation));
    }
}

#[test]
fn either_description_of_who_called_serves_either_generation() {
    let facts = facts();
    let mut call = InvokeAgent::new(&facts.invocation);
    call.user = Some(&facts.user);
    let first = shown(|v| call.visit_attributes(Profile::V0_1, &mut Closure(v)));
    assert_eq!(
        value(&first, keys::GEN_AI_CALLER_ID),
        Some(r#"Str("user")"#)
    );
    assert_eq!(value(&first, keys::CLIENT_ADDRESS), None);
    (call.user, call.caller) = (None, Some(&facts.caller));
    let second = shown(|v| call.visit_attributes(Profile::V2, &mut Closure(v)));
    assert_eq!(value(&second, keys::USER_ID), Some(r#"Str("caller")"#));
    assert_eq!(value(&second, keys::USER_EMAIL), None);
}

#[test]
fn only_an_inference_of_the_second_generation_records_the_usual_port_and_its_own_provider() {
    let [invocation, tool, inference, ..] = facts().scopes(Profile::V2);
    assert_eq!(
        value(&invocation, keys::SERVER_ADDRESS),
        Some(r#"Str("H.example")"#)
    );
    assert_eq!(value(&invocation, keys::SERVER_PORT), None);
    assert_eq!(value(&tool, keys::SERVER_PORT), None);
    assert_eq!(value(&inference, keys::SERVER_PORT), Some("I64(443)"));
    assert_eq!(
        value(&inference, keys::GEN_AI_PROVIDER_NAME),
        Some(r#"Str("openai")"#)
    );
    assert_eq!(
        value(&tool, keys::GEN_AI_PROVIDER_NAME),
        Some(r#"Str("provider-of-agent")"#)
    );
    assert_eq!(
        value(&inference, keys::GEN_AI_REQUEST_MODEL),
        Some(r#"Str("m")"#)
    );
}

/// What a judge misses on scopes that were told everything, by operation and key.
fn missed(profile: Profile, judge: Judge<'_>) -> Vec<(String, String)> {
    let of_profile = facts().scopes(profile);
    let missed = of_profile.iter().flat_map(|shown| {
        let mut span = ObservedSpan::new("scope");
        for (key, value) in shown {
            span.attribute(key, SourceValue::Text(value));
        }
        // Values are written as Rust shows them here.
        let name = value(shown, keys::GEN_AI_OPERATION_NAME).unwrap();
        let name = name.split('"').nth(1).unwrap().to_owned();
        span.attribute(keys::GEN_AI_OPERATION_NAME, SourceValue::Text(&name));
        let findings = judge.judge_span(&span);
        let keys = findings.into_iter().filter_map(|finding| finding.attribute);
        keys.filter(|key| value(shown, key).is_none())
            .map(|key| (name.clone(), key))
            .collect::<Vec<_>>()
    });
    missed.collect()
}

#[test]
fn a_judge_who_knows_the_profile_does_not_miss_the_port_that_it_leaves_out() {
    let strict = Judge::new(RuleSet::AttributeReference);
    for profile in [Profile::V2, Profile::V3, Profile::Direct] {
        let without_port = |found: Vec<(String, String)>| {
            let ports = found.iter().filter(|(_, key)| key == keys::SERVER_PORT);
            ports
                .map(|(operation, _)| operation.clone())
                .collect::<Vec<_>>()
        };
        let leaves_out = match profile {
            Profile::Direct => &[][..],
            _ => &["invoke_agent", "execute_tool"][..],
        };
        assert_eq!(without_port(missed(profile, strict)), leaves_out);
        let knowing = strict.with_scopes_of(profile);
        // Messages and results are recorded while a scope is open, and the channel of an output is baggage.
        let later = [
            ("invoke_agent", keys::GEN_AI_OUTPUT_MESSAGES),
            ("execute_tool", keys::GEN_AI_TOOL_CALL_RESULT),
            ("chat", keys::GEN_AI_OUTPUT_MESSAGES),
            ("output_messages", keys::MICROSOFT_CHANNEL_NAME),
        ]
        .map(|(operation, key)| (operation.to_owned(), key.to_owned()));
        assert_eq!(missed(profile, knowing), later, "{profile:?}");
    }
}

#[test]
fn direct_writes_every_port_and_one_operation_for_all_calls_to_models() {
    let [invocation, tool, inference, ..] = facts().scopes(Profile::Direct);
    for scope in [&invocation, &tool, &inference] {
        assert_eq!(value(scope, keys::SERVER_PORT), Some("I64(443)"));
        assert_eq!(value(scope, keys::GEN_AI_AGENT_TYPE), None);
    }
    for operation in [
        InferenceOperationType::Chat,
        InferenceOperationType::TextCompletion,
        InferenceOperationType::GenerateContent,
    ] {
        assert_eq!(Profile::Direct.inference_operation(operation), "chat");
    }
}

#[test]
fn the_first_generation_has_no_words_for_guardians() {
    let facts = facts();
    let [.., output, guardrail] = facts.scopes(Profile::V0_1);
    let base = |shown: &Shown| -> Vec<_> {
        let keys = shown.iter().map(|(key, _)| *key);
        keys.filter(|key| !key.starts_with("gen_ai.agent"))
            .collect()
    };
    let of_all = [
        keys::GEN_AI_SYSTEM,
        keys::GEN_AI_OPERATION_NAME,
        keys::GEN_AI_CONVERSATION_ID,
        keys::TENANT_ID,
    ];
    assert_eq!(base(&guardrail), of_all);
    assert_eq!(
        base(&output),
        [&of_all[..], &[keys::GEN_AI_OUTPUT_MESSAGES]].concat()
    );
    assert_eq!(
        value(&output, keys::GEN_AI_OUTPUT_MESSAGES),
        Some(r#"Str("[\"answer\"]")"#)
    );
    let finding = GuardrailFinding::new("pii", "high");
    assert_eq!(GuardrailFinding::event_name(Profile::V0_1), None);
    let recorded = Recorded::Decision {
        decision: &GuardrailDecision::Deny,
        reason: Some("r"),
    };
    assert!(shown(|v| finding.visit_attributes(Profile::V0_1, &mut Closure(v))).is_empty());
    assert!(shown(|v| recorded.visit_attributes(Profile::V0_1, &mut Closure(v))).is_empty());
}

#[test]
fn baggage_keys_are_unique_and_have_room() {
    for profile in Profile::ALL {
        let copied = CopiedBaggage::of(profile);
        assert!(copied.keys.len() <= CopiedBaggage::MOST && copied.common < copied.keys.len());
        let unique: BTreeSet<_> = copied.keys.iter().collect();
        assert_eq!(unique.len(), copied.keys.len());
        assert_eq!(copied.keys[0], profile.tenant_id_key());
    }
    let of_v2 = |entry: BaggageEntry| entry.key(Profile::V2);
    assert_eq!(
        of_v2(BaggageEntry::TenantId),
        Some(keys::MICROSOFT_TENANT_ID)
    );
    assert_eq!(of_v2(BaggageEntry::UserName), Some(keys::USER_NAME));
    assert_eq!(of_v2(BaggageEntry::CorrelationId), None);
    let same = BaggageEntry::CorrelationId.key(Profile::V0_1);
    assert_eq!(same, Some(keys::CORRELATION_ID));
}
