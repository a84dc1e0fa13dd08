//! A7, A8, D3, D4: contents are known by their key, whoever wrote them.

use std::collections::BTreeSet;

use agentspan_model::agentspec::{Component, Detail, Disclosure, Event, MASK, Span};
use agentspan_model::keys::Sensitivity;
use agentspan_model::mapping::{ContentCapture, Mapping, Rendering, named_only};
use agentspan_model::{agent365::Profile, keys};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::mapping::instances;
use crate::mapping::shown::Shown;

const CANARY: &str = "canary-4711";

/// What the conventions of others mark as content, and where they do.
#[derive(Deserialize)]
struct Convention {
    convention: String,
    keys: Vec<String>,
}

#[test]
fn a8_d3_d4_every_key_that_a_convention_marks_as_content_holds_content() {
    let conventions: Vec<Convention> =
        serde_json::from_str(include_str!("content_keys.json")).unwrap();
    for Convention { convention, keys } in conventions {
        for key in keys {
            let sensitivity = Sensitivity::of(&key);
            let is_content = matches!(sensitivity, Sensitivity::Content | Sensitivity::Suspect);
            assert!(is_content, "{convention}: {key} is {sensitivity:?}");
        }
    }
}

/// What a masked destination shows of a text.
fn masked(key: &str, text: &str) -> String {
    match Sensitivity::of(key) {
        Sensitivity::Content | Sensitivity::Suspect => {
            named_only(key, text).unwrap_or_else(|| MASK.to_owned())
        }
        _ => text.to_owned(),
    }
}

/// Members that say what something is, and not what somebody said.
const STRUCTURE: &[&str] = &[
    "api_provider",
    "branch_selected",
    "call_id",
    "completion_id",
    "component_type",
    "conversation_id",
    "exception_type",
    "id",
    "model_id",
    "name",
    "provider",
    "request_id",
    "tool_execution_request_id",
    "tool_name",
    "type",
];

/// Puts the canary into every text that is no structure, and into every object that takes more members.
fn fill(name: &str, value: &mut Value) {
    match value {
        Value::String(text) if !STRUCTURE.contains(&name) => CANARY.clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(|value| fill(name, value)),
        Value::Object(members) => {
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                fill(&name, &mut members[&name]);
            }
            members.insert("unknown_member".to_owned(), json!(CANARY));
            if members.contains_key("component_type") {
                members.insert("system_prompt".to_owned(), json!(CANARY));
                members.insert("metadata".to_owned(), json!({"note": CANARY}));
            }
        }
        _ => {}
    }
}

fn filled(mut value: Value) -> Value {
    fill("", &mut value);
    value
}

const RENDERINGS: [Rendering; 5] = [
    Rendering::GenAi,
    Rendering::Agent365(Profile::V0_1),
    Rendering::Agent365(Profile::V2),
    Rendering::OpenInference,
    Rendering::AgentSpec,
];

#[test]
fn t15_whatever_a_mapping_writes_of_contents_is_masked() {
    let mut found = BTreeSet::new();
    for (span_type, event) in instances::events() {
        let event = Event::from_json(&filled(event).to_string()).unwrap();
        let span = Span::from_json(&filled(instances::span_of(span_type)).to_string()).unwrap();
        let span = span.with_event(event.clone());
        for rendering in RENDERINGS {
            let mapping = Mapping::new(rendering).with_capture(ContentCapture::SpanAndEvent);
            let of_span = Shown::of_span(&mapping, &span).0;
            let of_event = Shown::of_event(&mapping, &event, &span).0;
            for (key, text) in of_span.into_iter().chain(of_event) {
                let shown = masked(&key, &text);
                assert!(
                    !shown.contains(CANARY),
                    "{rendering:?} shows {key} = {shown}"
                );
                if text.contains(CANARY) {
                    found.insert(key);
                }
            }
        }
    }
    // The test looked where contents are.
    for key in [
        "agentspec.agent",
        "agentspec.tools",
        "agentspec.unknown",
        "gen_ai.system_instructions",
    ] {
        assert!(found.contains(key), "{found:?}");
    }
    assert!(found.len() > 40, "{}: {found:?}", found.len());
}

#[test]
fn a7_without_capture_no_prompt_of_a_component_is_on_a_span() {
    let instructed = |mut span: Value| {
        for member in ["agent", "node", "llm_config", "tool"] {
            if let Some(component) = span.get_mut(member) {
                component["system_prompt"] = json!(CANARY);
                component["prompt_template"] = json!(CANARY);
                component["headers"] = json!({"X-Note": CANARY});
                component["default_generation_parameters"] = json!({"stop": CANARY, "seed": 4});
            }
        }
        span
    };
    for span in instances::spans() {
        let mut span = Span::from_json(&instructed(span).to_string()).unwrap();
        for (_, event) in instances::events() {
            let event = instructed(event);
            span = span.with_event(Event::from_json(&event.to_string()).unwrap());
        }
        let mapping = Mapping::new(Rendering::AgentSpec);
        let of_events = span.events.iter();
        let mut shown: Vec<_> = of_events
            .map(|event| Shown::of_event(&mapping, event, &span))
            .collect();
        shown.push(Shown::of_span(&mapping, &span));
        assert!(!shown.iter().any(|one| one.contains(CANARY)), "{shown:?}");
    }
}

#[test]
fn a_recording_without_details_names_what_there_was_and_reads_back() {
    for (span_type, event) in instances::events() {
        let event = Event::from_json(&filled(event).to_string()).unwrap();
        let span = Span::from_json(&filled(instances::span_of(span_type)).to_string()).unwrap();
        let span = span.with_event(event);
        let dump = span.dump(Disclosure::Masked).with_detail(Detail::Named);
        let text = serde_json::to_string(&dump).unwrap();
        assert!(!text.contains(CANARY), "{text}");
        let again = Span::from_json(&text).unwrap();
        assert_eq!((&again.id, &again.name), (&span.id, &span.name));
        let names = |span: &Span| {
            span.details
                .component()
                .map(|it| (it.id().to_owned(), it.name().to_owned()))
        };
        assert_eq!(names(&again), names(&span));
        // Nothing more is lost the second time.
        let dump = again.dump(Disclosure::Masked).with_detail(Detail::Named);
        assert_eq!(serde_json::to_string(&dump).unwrap(), text);
    }
}

#[test]
fn a_masked_copy_holds_what_a_masked_dump_shows() {
    let component =
        json!({"component_type": "Agent", "id": "u", "name": "U", "system_prompt": CANARY});
    let mixed = json!([component, CANARY]);
    let with_more = |mut value: Value| {
        value["unknown_component"] = component.clone();
        value["unknown_components"] = json!([component, [component]]);
        value["unknown_mixture"] = mixed.clone();
        value
    };
    for (span_type, event) in instances::events() {
        let event = Event::from_json(&with_more(filled(event)).to_string()).unwrap();
        let span = with_more(filled(instances::span_of(span_type)));
        let span = Span::from_json(&span.to_string()).unwrap();
        let span = span.with_event(event);
        for detail in [Detail::Complete, Detail::Described, Detail::Named] {
            let masked = span.dump(Disclosure::Masked).with_detail(detail);
            let read = Span::from_json(&serde_json::to_string(&masked).unwrap()).unwrap();
            let clear = |span: &Span| serde_json::to_string(&span.dump(Disclosure::Clear)).unwrap();
            let copy = clear(&span.masked_with(detail));
            assert_eq!(copy, clear(&read), "{detail:?}");
            assert!(
                copy.contains(r#""unknown_member":"** MASKED **""#),
                "{copy}"
            );
            assert!(
                copy.contains(r#""unknown_mixture":"** MASKED **""#),
                "{copy}"
            );
            assert!(copy.contains(r#""unknown_component":{"#), "{copy}");
            assert!(copy.contains(r#""unknown_components":[{"#), "{copy}");
            assert_eq!(copy.contains(CANARY), detail != Detail::Named, "{copy}");
        }
    }
}

#[test]
fn an_outline_is_a_component_of_the_same_class_with_its_model_and_its_parts() {
    let agent = r#"{"id":"a","name":"Clerk","description":"Sells","metadata":{"k":"v"},"component_type":"Agent",
        "system_prompt":"Our margin is 40 %","human_in_the_loop":true,"inputs":[{"title":"city","type":"string"}],
        "llm_config":{"id":"m","name":"main","component_type":"OpenAiConfig","model_id":"gpt-4o",
            "api_key":"sk-1","url":"https://example.test",
            "default_generation_parameters":{"temperature":0.5,"stop":"STOP"}},
        "tools":[{"id":"t","name":"get_weather","description":"Looks","component_type":"ServerTool"}]}"#;
    let agent = Component::from_json(agent).unwrap();
    assert_eq!(
        agent.outline(Detail::Named).dump(),
        r#"{"id":"a","name":"Clerk","description":null,"metadata":"** MASKED **","component_type":"Agent","system_prompt":"** MASKED **","human_in_the_loop":true,"inputs":"** MASKED **","llm_config":{"id":"m","name":"main","component_type":"OpenAiConfig","model_id":"gpt-4o","api_key":{"$component_ref":"m.api_key"},"url":"** MASKED **","default_generation_parameters":{"temperature":0.5}},"tools":[{"id":"t","name":"get_weather","description":null,"component_type":"ServerTool"}]}"#
    );
    let described = agent.outline(Detail::Described);
    assert_eq!(described.description(), Some("Sells"));
    assert_eq!(described.inputs()[0].title(), "city");
    assert_eq!(described.text("system_prompt").as_deref(), Some(MASK));
    assert!(agent.outline(Detail::Complete).is_same(&agent));
    // It is made once, and one that hides nothing is the component.
    assert!(
        agent
            .outline(Detail::Named)
            .is_same(&agent.outline(Detail::Named))
    );
    let tool = Component::builder("ServerTool", "t").with_id("t").build();
    assert!(tool.outline(Detail::Described).is_same(&tool));
}

#[test]
fn every_key_of_ours_says_what_it_gives_away() {
    // Names of metrics are no keys of attributes.
    let metrics = [
        "gen_ai.client.",
        "gen_ai.execute_tool.",
        "gen_ai.invoke_agent.",
        "agentspan.destination.",
        "agentspan.span.",
        "mcp.client.",
        "mcp.server.",
    ];
    let is_metric = |key: &str| metrics.iter().any(|prefix| key.starts_with(prefix));
    let source = include_str!("../../src/keys.rs");
    let literals = source
        .split("&str =")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1));
    let keys: Vec<&str> = literals.filter(|key| !is_metric(key)).collect();
    assert!(
        keys.len() > 180 && keys.contains(&keys::TENANT_ID),
        "{}",
        keys.len()
    );
    for key in keys {
        let names_others = [
            keys::AGENTSPEC_EVENT,
            keys::AGENTSPEC_PREFIX,
            keys::ERROR_TYPE_OTHER,
            keys::EXCEPTION_EVENT,
            keys::GEN_AI_EVALUATION_RESULT,
            keys::MICROSOFT_SECURITY_FINDING_EVENT,
            // What keys begin with.
            "gen_ai.",
        ];
        if names_others.contains(&key) {
            continue;
        }
        let is_said = !matches!(
            Sensitivity::of(key),
            Sensitivity::Suspect | Sensitivity::Unknown
        );
        assert!(is_said, "add {key} to a list in src/keys/");
    }
}

#[test]
fn an_outline_shows_no_object_and_no_list_under_a_harmless_name() {
    let names = [
        "agentspec_version",
        "api_provider",
        "api_type",
        "destination_input",
        "from_branch",
        "model_id",
        "provider",
        "source_output",
    ];
    for value in [r#"{"note":"OurMargin"}"#, r#"["OurMargin"]"#] {
        let members = names.map(|name| format!(r#""{name}":{value},"#)).concat();
        let text = format!(r#"{{"component_type":"Acme","id":"a",{members}"name":"n"}}"#);
        let component = Component::from_json(&text).unwrap();
        for detail in [Detail::Named, Detail::Described] {
            let outline = component.outline(detail);
            assert!(!outline.dump().contains("OurMargin"), "{}", outline.dump());
            assert_eq!(outline.text("provider").as_deref(), Some("** MASKED **"));
        }
    }
    for value in [r#""acme""#, "4", "true", "null"] {
        let text = format!(r#"{{"component_type":"Acme","id":"a","name":"n","provider":{value}}}"#);
        let component = Component::from_json(&text).unwrap();
        assert!(component.outline(Detail::Named).is_same(&component));
    }
    let described =
        r#"{"component_type":"Acme","id":"a","name":"n","inputs":[{"title":"x","type":"string"}]}"#;
    let component = Component::from_json(described).unwrap();
    assert!(component.outline(Detail::Described).is_same(&component));
}
