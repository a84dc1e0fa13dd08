//! Dumps of spans, events and components are read without loss, or refused with a place.

use agentspan_model::agentspec::{
    Agent, Component, Disclosure, Event, EventDetails, EventForm, Flow, Span, SpanDetails, Swarm,
};

const TOOL: &str = r#"{"id":"t","name":"tool","component_type":"ServerTool"}"#;

fn event(members: &str) -> String {
    format!(r#"{{"id":"e","timestamp":1,{members}}}"#)
}

#[track_caller]
fn check_refused(text: &str, problem: &str) {
    assert_eq!(Event::from_json(text).unwrap_err().to_string(), problem);
}

#[test]
fn a_problem_names_its_place_and_not_the_value() {
    check_refused("{", "not JSON: line 1, column 1");
    check_refused("[]", "not an event");
    check_refused(r#"{"timestamp":1,"type":"Event"}"#, "id: missing");
    check_refused(
        &event(&format!(
            r#""type":"ToolExecutionRequest","tool":{TOOL},"inputs":"secret","request_id":"r""#
        )),
        "inputs: not an object",
    );
    check_refused(
        r#"{"id":7,"timestamp":"secret","type":"ExceptionRaised","exception_message":["secret"]}"#,
        "id: not a string; timestamp: not an integer of 64 bits; exception_type: missing; \
         exception_message: not a string",
    );
    let llm = r#"{"id":"l","name":"l","component_type":"OpenAiConfig"}"#;
    check_refused(
        &event(&format!(
            r#""type":"ToolConfirmationRequest","tool":{llm},"request_id":"r""#
        )),
        "tool: a component of the type OpenAiConfig is not of the type Tool",
    );
    check_refused(
        &event(&format!(
            r#""type":"LlmGenerationResponse","llm_config":{llm},"content":null,"request_id":"r",
            "tool_calls":[{{"call_id":"c","tool_name":"t","arguments":"{{}}"}},{{"call_id":"c"}}]"#
        )),
        "tool_calls[1].tool_name: missing; tool_calls[1].arguments: missing",
    );
    check_refused(
        &event(r#""type":"StateSnapshotEmitted","conversation_id":"c","extra_state":null"#),
        "neither state_snapshot nor extra_state is given",
    );
}

#[test]
fn a_snapshot_is_found_empty_only_when_its_members_are_right() {
    check_refused(
        &event(r#""type":"StateSnapshotEmitted","conversation_id":"c","description":7"#),
        "description: not a string",
    );
    check_refused(
        r#"{"id":"e","timestamp":"now","type":"StateSnapshotEmitted","conversation_id":"c"}"#,
        "timestamp: not an integer of 64 bits",
    );
}

#[test]
fn a_problem_in_an_event_names_the_event() {
    let span = r#"{"id":"s","type":"Span","events":[{"id":"a","timestamp":1},{"id":"b"}]}"#;
    let error = Span::from_json(span).unwrap_err();
    assert_eq!(error.to_string(), "events[1].timestamp: missing");
}

#[test]
fn members_that_have_defaults_may_be_absent() {
    let event = Event::from_json(&event(
        r#""type":"ExceptionRaised","exception_type":"E","exception_message":"m""#,
    ))
    .unwrap();
    assert_eq!(event.name, "ExceptionRaised");
    assert_eq!(
        serde_json::to_string(&event.dump(Disclosure::Clear)).unwrap(),
        r#"{"id":"e","name":"ExceptionRaised","description":"","timestamp":1,"metadata":{},"exception_type":"E","exception_message":"m","exception_stacktrace":"","type":"ExceptionRaised"}"#,
    );
}

#[test]
fn a_missing_name_is_that_of_the_type_and_an_empty_one_stays_empty() {
    let cases = [("null", "RootSpan"), (r#""""#, ""), (r#""a""#, "a")];
    for (name, expected) in cases {
        let span = format!(r#"{{"id":"s","type":"RootSpan","name":{name}}}"#);
        assert_eq!(Span::from_json(&span).unwrap().name, expected);
        let event = format!(r#"{{"id":"e","timestamp":1,"type":"Event","name":{name}}}"#);
        let expected = expected.replace("RootSpan", "Event");
        assert_eq!(Event::from_json(&event).unwrap().name, expected);
    }
}

/// What comes in must come out of the clear dump, and `masked` out of the masked one.
#[track_caller]
fn check_event(text: &str, masked: &str) {
    let event = Event::from_json(text).unwrap();
    let clear = serde_json::to_string(&event.dump(Disclosure::Clear)).unwrap();
    assert_eq!(clear, text);
    assert_eq!(serde_json::to_string(&event).unwrap(), masked);
}

#[test]
fn types_and_members_that_are_not_known_survive_and_are_masked_but_for_components() {
    let head = r#"{"id":"e","name":"n","description":"","timestamp":1,"metadata":{}"#;
    check_event(
        &format!(r#"{head},"tool":{TOOL},"tools":[{TOOL}],"said":{{"a":[1.50]}},"type":"Acme"}}"#),
        &format!(r#"{head},"tool":{TOOL},"tools":[{TOOL}],"said":"** MASKED **","type":"Acme"}}"#),
    );
    check_event(
        &format!(
            r#"{head},"request_id":"r","content":{{}},"mood":"good","type":"HumanInTheLoopRequest"}}"#
        ),
        &format!(
            r#"{head},"request_id":"r","content":"** MASKED **","mood":"** MASKED **","type":"HumanInTheLoopRequest"}}"#
        ),
    );
    let event = Event::from_json(&format!(r#"{head},"said":"secret","type":"Acme"}}"#)).unwrap();
    let EventDetails::Other(other) = &event.details else {
        panic!("the type is not known");
    };
    assert_eq!(other.type_name, "Acme");
    assert_eq!(other.member_names().collect::<Vec<_>>(), ["said"]);
    assert!(!format!("{event:?}").contains("secret"));
}

#[test]
fn spans_of_unknown_type_survive() {
    let text = r#"{"id":"s","name":"n","description":"d","start_time":null,"end_time":2,"events":[],"metadata":{"z":1,"a":1e400},"what":[null],"type":"AcmeSpan"}"#;
    let span = Span::from_json(text).unwrap();
    assert!(matches!(&span.details, SpanDetails::Other(other) if other.type_name == "AcmeSpan"));
    assert_eq!(
        serde_json::to_string(&span.dump(Disclosure::Clear)).unwrap(),
        text
    );
}

#[test]
fn secrets_of_components_are_dropped_in_unknown_places_too() {
    let llm = r#"{"id":"l","name":"l","api_key":"sk-1","component_type":"OpenAiConfig"}"#;
    let text = event(&format!(r#""type":"Acme","deep":[{{"x":{llm}}}]"#));
    let event = Event::from_json(&text).unwrap();
    let clear = serde_json::to_string(&event.dump(Disclosure::Clear)).unwrap();
    assert!(
        clear.contains(r#""api_key":{"$component_ref":"l.api_key"}"#),
        "{clear}"
    );
}

/// A component that reads and writes without a change.
#[track_caller]
fn check_kept(component: &str) {
    let read = Component::from_json(component).unwrap();
    assert_eq!(read.dump(), component);
    assert!(read.children().is_empty());
}

#[test]
fn content_that_somebody_made_up_holds_no_components() {
    let lookalike = r#"{"id":"x","name":"x","api_key":"shown","component_type":"OpenAiConfig"}"#;
    for (class, member) in [
        ("A2AConnectionConfig", "headers"),
        ("ApiNode", "data"),
        ("BranchingNode", "mapping"),
        ("BuiltinTool", "configuration"),
        ("InMemoryCollectionDatastore", "datastore_schema"),
        ("OpenAiConfig", "default_generation_parameters"),
        ("ParallelMapNode", "reducers"),
        ("PostgresDatabaseDatastore", "datastore_schema"),
        ("RemoteTool", "query_params"),
        ("SSEmTLSTransport", "headers"),
        ("StdioTransport", "env"),
        ("ServerTool", "metadata"),
    ] {
        for content in [
            lookalike,
            r#"{"component_type":5}"#,
            r#"{"component_type":"x"}"#,
            r#"{"properties":{"component_type":{"type":"string"}}}"#,
            r#"{"$component_ref":7}"#,
        ] {
            check_kept(&format!(
                r#"{{"id":"c","name":"c","{member}":{content},"component_type":"{class}"}}"#
            ));
        }
    }
}

#[test]
fn what_lacks_members_that_all_components_have_is_none_unless_its_place_asks_for_one() {
    for content in [
        r#"{"component_type":5,"id":"x","name":"x"}"#,
        r#"{"component_type":"Agent","id":"x"}"#,
        r#"[{"component_type":"Agent","name":"x"}]"#,
    ] {
        check_kept(&format!(
            r#"{{"id":"c","name":"c","options":{content},"component_type":"AcmeTool"}}"#
        ));
    }
    let agent = r#"{"id":"a","name":"a","tools":[{"component_type":"ServerTool","name":"t"}],"component_type":"Agent"}"#;
    let error = Component::from_json(agent).unwrap_err();
    assert_eq!(error.to_string(), "tools[0].id: missing");
}

/// A member that no table knows, in a component of a class that none knows, as it is written again.
#[track_caller]
fn check_options(options: &str, written: &str) {
    let with = |options: &str| {
        format!(r#"{{"id":"c","name":"c","options":{options},"component_type":"AcmeTool"}}"#)
    };
    let read = Component::from_json(&with(options)).unwrap();
    assert_eq!(read.dump(), with(written));
    let again = Component::from_json(read.dump()).unwrap();
    assert_eq!(again.dump(), read.dump());
}

#[test]
fn what_says_its_class_shows_no_secret_although_it_lacks_what_all_components_have() {
    check_options(
        r#"{"component_type":"OpenAiConfig","id":"x","api_key":"sk-1"}"#,
        r#"{"component_type":"OpenAiConfig","id":"x","api_key":{"$component_ref":"x.api_key"}}"#,
    );
    check_options(
        r#"[{"component_type":"OpenAiConfig","name":"x","id":5,"api_key":"sk-1"}]"#,
        r#"[{"component_type":"OpenAiConfig","name":"x","id":5,"api_key":{"$component_ref":"OpenAiConfig.api_key"}}]"#,
    );
    check_options(
        r#"{"a":{"password":["p"],"wallet_password":"","component_type":"Acme"}}"#,
        r#"{"a":{"password":{"$component_ref":"Acme.password"},"wallet_password":"","component_type":"Acme"}}"#,
    );
    check_options(
        r#"{"component_type":"OpenAiConfi\u0067","id":"x","ap\u0069_key":"sk-1"}"#,
        r#"{"component_type":"OpenAiConfi\u0067","id":"x","api_key":{"$component_ref":"x.api_key"}}"#,
    );
    check_options(
        r#"{"component_type":"A2AConnectionConfig","key_file":"k","ca_file":"f"}"#,
        r#"{"component_type":"A2AConnectionConfig","key_file":"k","ca_file":{"$component_ref":"A2AConnectionConfig.ca_file"}}"#,
    );
}

#[test]
fn what_stands_in_the_place_of_a_component_shows_no_secret_although_it_says_no_class() {
    let agent = |model: &str| {
        format!(r#"{{"id":"a","name":"a","llm_config":{model},"component_type":"Agent"}}"#)
    };
    let read = Component::from_json(&agent(r#"{"id":"x","api_key":"sk-1"}"#)).unwrap();
    let masked = agent(r#"{"id":"x","api_key":{"$component_ref":"x.api_key"}}"#);
    assert_eq!(read.dump(), masked);
}

#[test]
fn events_that_the_reference_cut_come_back_as_they_were() {
    let text = r#"{"id":"s","name":"n","description":"","start_time":1,"end_time":2,"events":[{"id":"e","name":"ToolExecutionRequest","description":"","timestamp":1,"metadata":{}}],"metadata":{},"type":"Span"}"#;
    let span = Span::from_json(text).unwrap();
    assert_eq!(span.events[0].details, EventDetails::Abridged);
    assert_eq!(serde_json::to_string(&span).unwrap(), text);
    let without = serde_json::to_string(
        &span
            .dump(Disclosure::Masked)
            .with_events(EventForm::Omitted),
    );
    assert!(without.unwrap().contains(r#""events":[]"#));
}

#[test]
fn what_is_masked_stays_masked() {
    let text = event(&format!(
        r#""type":"ToolExecutionRequest","tool":{TOOL},"inputs":"** MASKED **","request_id":"r""#
    ));
    let event = Event::from_json(&text).unwrap();
    let EventDetails::ToolExecutionRequest(request) = &event.details else {
        panic!("a request");
    };
    assert!(request.inputs.is_withheld());
    assert_eq!(request.inputs.reveal(), None);
    let clear = serde_json::to_string(&event.dump(Disclosure::Clear)).unwrap();
    assert!(clear.contains(r#""inputs":"** MASKED **""#));
}

#[test]
fn of_members_with_the_same_name_the_last_counts() {
    let event = Event::from_json(r#"{"id":"a","id":"b","timestamp":1,"type":"Event"}"#).unwrap();
    assert_eq!(event.id, "b");
    assert!(!serde_json::to_string(&event).unwrap().contains(r#""a""#));
}

#[test]
fn deep_nesting_is_refused_where_the_reader_looks_and_kept_where_it_does_not() {
    let nested = |depth: usize, open: &str, close: &str| {
        format!("{}{}", open.repeat(depth), close.repeat(depth))
    };
    let arrays = nested(100_000, "[", "]");
    let inputs = event(&format!(
        r#""type":"ToolExecutionRequest","tool":{TOOL},"inputs":{{"x":{arrays}}},"request_id":"r""#
    ));
    let read = Event::from_json(&inputs).unwrap();
    assert!(
        serde_json::to_string(&read.dump(Disclosure::Clear))
            .unwrap()
            .contains(&arrays)
    );

    let component = format!(r#"{{"id":"c","name":"c","component_type":"Acme","x":{arrays}}}"#);
    let error = Component::from_json(&component).unwrap_err();
    assert!(error.to_string().ends_with("nested too deep"), "{error}");

    let head = r#"{"id":"c","name":"c","component_type":"Acme","x":"#;
    let component = nested(120, head, "}").replace(":}", ":null}");
    assert!(Component::from_json(&component).unwrap().dump().len() > 120 * head.len());
    let component = nested(10_000, head, "}").replace(":}", ":null}");
    assert!(Component::from_json(&component).is_err());
}

#[test]
fn components_tell_what_consumers_need() {
    let text = r#"{"id":"a","name":"agent","description":"helps","inputs":[{"title":"x","type":"integer"}],
        "llm_config":{"id":"l","name":"l","model_id":"m","provider":"p","component_type":"VllmConfig"},
        "tools":[{"id":"t","name":"t","component_type":"ServerTool"}],
        "toolboxes":[{"id":"b","name":"b","component_type":"MCPToolBox"}],"component_type":"Agent"}"#;
    let agent = Agent::try_from(Component::from_json(text).unwrap()).unwrap();
    assert_eq!(
        (agent.id(), agent.name(), agent.description()),
        ("a", "agent", Some("helps"))
    );
    let model = agent.llm_config().unwrap();
    assert_eq!(model.model_id().as_deref(), Some("m"));
    assert_eq!(model.provider().as_deref(), Some("p"));
    assert_eq!(model.is_a("OpenAiCompatibleConfig"), Some(true));
    assert_eq!(agent.tools()[0].id(), "t");
    assert_eq!(agent.toolboxes()[0].id(), "b");
    assert_eq!(agent.inputs()[0].json_type().as_deref(), Some("integer"));
    let children = agent.children();
    assert_eq!(
        children.iter().map(|child| child.id()).collect::<Vec<_>>(),
        ["l", "t", "b"]
    );

    let error = Flow::try_from(Component::from(agent)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a component of the type Agent is not of the type Flow"
    );
}

#[test]
fn a_swarm_tells_who_may_call_whom() {
    let agent = |id: &str| format!(r#"{{"id":"{id}","name":"{id}","component_type":"Agent"}}"#);
    let (one, two) = (agent("one"), agent("two"));
    let text = format!(
        r#"{{"id":"s","name":"s","first_agent":{one},"relationships":[[{one},{two}],[{two},{one}]],"component_type":"Swarm"}}"#
    );
    let swarm = Swarm::try_from(Component::from_json(&text).unwrap()).unwrap();
    let calls = swarm.relationships();
    let calls: Vec<_> = calls
        .iter()
        .map(|(caller, called)| (caller.id(), called.id()))
        .collect();
    assert_eq!(calls, [("one", "two"), ("two", "one")]);
    assert_eq!(swarm.first_agent().map(|agent| agent.id()), Some("one"));
    assert_eq!(swarm.dump(), text);
}

/// Python's `json.dumps` writes numbers that JSON does not have.
#[test]
fn h11_numbers_that_are_not_finite_cost_nothing_else() {
    let text = format!(
        r#"{{"id":"s","start_time":1,"end_time":4,"events":[{{"id":"e","timestamp":3,"tool":{TOOL},"outputs":{{"score":NaN,"best":Infinity,"worst":-Infinity,"n":2}},"request_id":"r","type":"ToolExecutionResponse"}}],"tool":{TOOL},"type":"ToolExecutionSpan"}}"#
    );
    let span = Span::from_json(&text).unwrap();
    let EventDetails::ToolExecutionResponse(response) = &span.events[0].details else {
        panic!("a response");
    };
    assert_eq!(
        response.outputs.reveal().unwrap().as_str(),
        r#"{"score":"NaN","best":"Infinity","worst":"-Infinity","n":2}"#
    );
    let clear = serde_json::to_string(&span.dump(Disclosure::Clear)).unwrap();
    assert_eq!(Span::from_json(&clear).unwrap(), span);
}

#[test]
fn h11_a_parameter_that_is_not_finite_is_left_out_and_nothing_else() {
    for number in ["NaN", "Infinity", "-Infinity"] {
        let text = format!(
            r#"{{"id":"e","timestamp":1,"llm_config":{{"id":"m","name":"m","component_type":"OpenAiConfig"}},"prompt":[],"tools":[],"request_id":"r","llm_generation_config":{{"max_tokens":5,"temperature":{number},"top_p":0.5,"x":{number}}},"type":"LlmGenerationRequest"}}"#
        );
        let event = Event::from_json(&text).unwrap();
        let EventDetails::LlmGenerationRequest(request) = &event.details else {
            panic!("a request");
        };
        let config = request.llm_generation_config.as_ref().unwrap();
        assert_eq!(
            (config.max_tokens, config.temperature, config.top_p),
            (Some(5), None, Some(0.5))
        );
        let dump = serde_json::to_string(&event.dump(Disclosure::Clear)).unwrap();
        assert!(dump.contains(&format!(r#""x":"{number}""#)), "{dump}");
        assert_eq!(Event::from_json(&dump).unwrap(), event);
    }
}

/// Python's strings hold halves of surrogate pairs, and its `json.dumps` writes them.
#[test]
fn h12_half_a_surrogate_pair_becomes_the_replacement_character_wherever_it_stands() {
    let text = r#"{"id":"s\udc00","name":"\ud83dname","description":"","start_time":1,"end_time":4,"events":[{"id":"e","timestamp":1,"llm_config":{"id":"m","name":"main\ud83d","model_id":"m","component_type":"OpenAiConfig"},"prompt":[{"id":null,"content":"\udc00tail \ud83d\ude00","sender":null,"role":"user"}],"tools":[],"request_id":"r","llm_generation_config":null,"type":"LlmGenerationRequest"}],"metadata":{"k\udfff":1},"llm_config":{"id":"m","name":"main\ud83d","model_id":"m","component_type":"OpenAiConfig"},"type":"LlmGenerationSpan"}"#;
    let span = Span::from_json(text).unwrap();
    let EventDetails::LlmGenerationRequest(request) = &span.events[0].details else {
        panic!("a request");
    };
    let prompt = request.prompt.reveal().unwrap();
    assert_eq!(prompt[0].content, "\u{fffd}tail \u{1f600}");
    assert_eq!(span.id.as_str(), "s\u{fffd}");
    assert_eq!(span.name, "\u{fffd}name");
    assert_eq!(span.details.component().unwrap().name(), "main\u{fffd}");
    assert_eq!(span.metadata.as_str(), r#"{"k\ufffd":1}"#);
}
