//! The runners of Agent Spec Tracing can fail, and take cases that are not shipped.

use std::fs;
use std::path::Path;

use conformance::{Deviations, SHIPPED_VECTORS, Suite, runners};

use crate::scratch::{Scratch, file, printed};

fn shipped(name: &str) -> String {
    fs::read_to_string(Path::new(SHIPPED_VECTORS).join(name)).unwrap()
}

/// Runs one file and compares the last line of the report.
#[track_caller]
fn check(name: &str, text: &str, total: &str) {
    let directory = Scratch::new().with(name, text);
    let suite = Suite::new(runners::all(), &Deviations::shipped().unwrap()).unwrap();
    let report = printed(&suite.run(directory.path()).unwrap());
    assert_eq!(report.lines().last(), Some(total), "{report}");
}

#[track_caller]
fn check_mutated(name: &str, from: &str, to: &str, total: &str) {
    let text = shipped(name);
    let mutated = text.replacen(from, to, 1);
    assert!(text != mutated, "{from} is not in {name}");
    check(name, &mutated, total);
}

#[test]
fn a_wrong_dump_fails_its_case_and_no_other() {
    check_mutated(
        "agentspec_events.json",
        r#""content":"** MASKED **""#,
        r#""content":"shown""#,
        "82 passed, 1 failed",
    );
    check_mutated(
        "agentspec_spans.json",
        r#""type":"RootSpan""#,
        r#""type":"RootSpaM""#,
        "61 passed, 1 failed",
    );
    check_mutated(
        "agentspec_components.json",
        r#""$component_ref":"llm-openai.api_key""#,
        r#""$component_ref":"llm-openai.api_kez""#,
        "47 passed, 1 failed",
    );
    check_mutated(
        "agentspec_sensitive_fields.json",
        r#""sensitive":false"#,
        r#""sensitive":true"#,
        "0 passed, 1 failed",
    );
    check_mutated(
        "agentspec_real_run.jsonl",
        r#""hook":"on_end""#,
        r#""hook":"on_finish""#,
        "147 passed, 1 failed",
    );
}

/// A case with an event that the reference refuses.
#[track_caller]
fn check_refused(class: &str, fields: &str, location: &str, kind: &str) {
    let case = format!(
        r#"{{"name":"n","input":{{"components":[
            ["tool",{{"$class":"ServerTool","fields":{{"id":"t","name":"t"}}}}],
            ["flow",{{"$class":"Flow","fields":{{"id":"f","name":"f"}}}}]
        ],"object":{{"$class":"{class}","fields":{{"id":"e","timestamp":1,{fields}}}}}}},
        "expected":{{"validation_errors":[{{"loc":{location},"type":"{kind}"}}]}}}}"#
    );
    check(
        "agentspec_events.json",
        &file(&[&case]),
        "1 passed, 0 failed",
    );
}

#[test]
fn events_that_the_reference_refuses_are_refused_at_the_same_place() {
    check_refused(
        "ToolExecutionRequest",
        r#""tool":{"$ref":"tool"},"inputs":{}"#,
        r#"["request_id"]"#,
        "missing",
    );
    check_refused(
        "ToolExecutionRequest",
        r#""tool":{"$ref":"tool"},"inputs":[],"request_id":"r""#,
        r#"["inputs"]"#,
        "dict_type",
    );
    check_refused(
        "ToolExecutionRequest",
        r#""tool":{"$ref":"flow"},"inputs":{},"request_id":"r""#,
        r#"["tool"]"#,
        "model_type",
    );
    check_refused(
        "LlmGenerationResponse",
        r#""llm_config":"m","content":1,"request_id":"r","output_tokens":"many","input_tokens":1.5"#,
        r#"["llm_config"],"type":"model_type"},{"loc":["content"],"type":"string_type"},
            {"loc":["input_tokens"],"type":"int_from_float"},{"loc":["output_tokens"]"#,
        "int_parsing",
    );
    check_refused(
        "StateSnapshotEmitted",
        r#""conversation_id":"c","state_snapshot":{"x":[{"$float":"nan"}]}"#,
        "[]",
        "value_error",
    );
    check_refused(
        "StateSnapshotEmitted",
        r#""conversation_id":"c","state_snapshot":null"#,
        "[]",
        "value_error",
    );
}

#[test]
fn an_object_inside_of_another_fails_by_itself() {
    check_refused(
        "LlmGenerationRequest",
        r#""llm_config":"m","prompt":[{"$class":"Message","fields":{"role":"user"}}],"tools":5,"request_id":"r""#,
        r#"["content"]"#,
        "missing",
    );
    check_refused(
        "LlmGenerationResponse",
        r#""llm_config":"m","content":"c","tool_calls":[{}],"request_id":"r""#,
        r#"["llm_config"],"type":"model_type"},{"loc":["tool_calls",0,"call_id"],"type":"missing"},
            {"loc":["tool_calls",0,"tool_name"],"type":"missing"},{"loc":["tool_calls",0,"arguments"]"#,
        "missing",
    );
}

#[test]
fn a_component_is_no_mapping_and_a_float_that_is_not_finite_no_integer() {
    check_refused(
        "Event",
        r#""metadata":{"$ref":"tool"}"#,
        r#"["metadata"]"#,
        "dict_type",
    );
    check_refused(
        "LlmGenerationResponse",
        r#""llm_config":"m","content":null,"request_id":"r","input_tokens":{"$float":"nan"}"#,
        r#"["llm_config"],"type":"model_type"},{"loc":["input_tokens"]"#,
        "finite_number",
    );
}

#[test]
fn an_object_of_another_class_is_refused_where_it_stands() {
    let message = r#"{"$class":"Message","fields":{"role":"user","content":"c"}}"#;
    check_refused(
        "ToolConfirmationRequest",
        &format!(r#""tool":{message},"request_id":"r""#),
        r#"["tool"]"#,
        "is_instance_of",
    );
    check_refused(
        "ToolExecutionStreamingChunkReceived",
        &format!(r#""tool":{{"$ref":"tool"}},"request_id":"r","content":{message}"#),
        r#"["content"]"#,
        "string_type",
    );
    check_refused(
        "LlmGenerationRequest",
        r#""llm_config":"m","prompt":[{"$ref":"tool"}],"tools":[],"request_id":"r""#,
        r#"["llm_config"],"type":"model_type"},{"loc":["prompt",0]"#,
        "model_type",
    );
}

/// A case with an event, and what the reference made of it: the members after those that all events have.
fn made(class: &str, fields: &str, timestamp: &str, metadata: &str, members: &str) -> String {
    let dump = format!(
        r#"{{"id":"e","name":"{class}","description":"","timestamp":{timestamp},"metadata":{metadata}{members},"type":"{class}"}}"#
    );
    format!(
        r#"{{"name":"n","input":{{"components":[
            ["pg",{{"$class":"TlsPostgresDatabaseConnectionConfig",
                "fields":{{"id":"p","name":"p","user":"u","password":"w","url":"l","sslkey":"k"}}}}],
            ["tool",{{"$class":"ServerTool","fields":{{"id":"t","name":"t"}}}}]
        ],"object":{{"$class":"{class}","fields":{{"id":"e",{fields}}}}}}},
        "expected":{{"dump_mode":"python","masked":{dump},"unmasked":{dump},"default_call_masks":true}}}}"#
    )
}

#[test]
fn arguments_that_python_turns_into_others_or_ignores_are_what_they_become() {
    for timestamp in [r#"" 1_000 ""#, r#""1000.00""#, "1e3", "1000"] {
        let fields = format!(r#""timestamp":{timestamp},"type":"Other","colour":"red""#);
        check(
            "agentspec_events.json",
            &file(&[&made("Event", &fields, "1000", "{}", "")]),
            "1 passed, 0 failed",
        );
    }
    let tool =
        r#"{"id":"t","name":"t","description":null,"metadata":{},"component_type":"ServerTool"}"#;
    for confirmed in ["1", r#""Yes""#, "1.0"] {
        let fields = format!(
            r#""timestamp":1,"tool":{{"$ref":"tool"}},"execution_confirmed":{confirmed},"request_id":"r""#
        );
        let members = format!(
            r#","tool":{tool},"execution_confirmed":true,"request_id":"r","tool_execution_request_id":null"#
        );
        let case = made("ToolConfirmationResponse", &fields, "1", "{}", &members);
        check(
            "agentspec_events.json",
            &file(&[&case]),
            "1 passed, 0 failed",
        );
    }
}

#[test]
fn an_argument_that_the_reference_took_is_not_overlooked() {
    let case = made(
        "Event",
        r#""timestamp":1,"colour":"red""#,
        "1",
        "{}",
        r#","colour":"red""#,
    );
    check(
        "agentspec_events.json",
        &file(&[&case]),
        "0 passed, 1 failed",
    );
}

#[test]
fn components_in_free_content_stand_there_as_the_reference_dumps_them() {
    let dump = r#"{"c":[{"id":"p","name":"p","description":null,"metadata":{},
        "password":{"$component_ref":"p.password"},"sslkey":"k",
        "component_type":"TlsPostgresDatabaseConnectionConfig"}]}"#;
    let fields = r#""timestamp":1,"metadata":{"c":[{"$ref":"pg"}]}"#;
    check(
        "agentspec_events.json",
        &file(&[&made("Event", fields, "1", dump, "")]),
        "1 passed, 0 failed",
    );
}

#[test]
fn integers_beyond_64_bits_are_refused_and_no_others() {
    let case = |timestamp: &str| {
        let fields = format!(r#""timestamp":{timestamp}"#);
        file(&[&made("Event", &fields, timestamp, "{}", "")])
    };
    for (timestamp, is_refused) in [
        ("9223372036854775807", false),
        ("9223372036854775808", true),
        ("-9223372036854775809", true),
    ] {
        let directory = Scratch::new().with("agentspec_events.json", &case(timestamp));
        let suite = Suite::new(runners::all(), &Deviations::shipped().unwrap()).unwrap();
        let report = printed(&suite.run(directory.path()).unwrap());
        assert!(report.ends_with("1 passed, 0 failed\n"), "{report}");
        let rule = "rule integers-have-64-bits: 1 cases\n";
        assert_eq!(report.contains(rule), is_refused, "{report}");
    }
}

#[test]
fn a_dictionary_in_the_place_of_a_component_lacks_what_all_components_have() {
    check_refused(
        "ToolExecutionRequest",
        r#""tool":{"id":"x"},"request_id":"r""#,
        r#"["tool","name"],"type":"missing"},{"loc":["inputs"]"#,
        "missing",
    );
}

/// A case with an event that the reference refuses with `errors`, and we treat by a rule.
#[track_caller]
fn check_rule(class: &str, fields: &str, errors: &str, rule: Option<&str>) {
    let case = format!(
        r#"{{"name":"n","input":{{"components":[
            ["tool",{{"$class":"ServerTool","fields":{{"id":"t","name":"t"}}}}],
            ["llm",{{"$class":"LlmConfig","fields":{{"id":"l","name":"l","model_id":"m"}}}}]
        ],"object":{{"$class":"{class}","fields":{{"id":"e","timestamp":1,{fields}}}}}}},
        "expected":{{"validation_errors":[{errors}]}}}}"#
    );
    let directory = Scratch::new().with("agentspec_events.json", &file(&[&case]));
    let suite = Suite::new(runners::all(), &Deviations::shipped().unwrap()).unwrap();
    let report = printed(&suite.run(directory.path()).unwrap());
    assert!(report.ends_with("1 passed, 0 failed\n"), "{report}");
    match rule {
        Some(rule) => assert!(
            report.contains(&format!("rule {rule}: 1 cases\n")),
            "{report}"
        ),
        None => assert!(report.contains("0 of the passed cases"), "{report}"),
    }
}

#[test]
fn a_snapshot_takes_a_component_by_rule_and_no_number_that_json_has_not() {
    let no_json = r#"{"loc":[],"type":"value_error"}"#;
    let rule = Some("a-component-in-a-snapshot-is-its-dump");
    let of = |state: &str| format!(r#""conversation_id":"c","extra_state":{state}"#);
    let with_component = of(r#"{"x":[{"$ref":"tool"}]}"#);
    check_rule("StateSnapshotEmitted", &with_component, no_json, rule);
    let with_both = of(r#"{"x":[{"$ref":"tool"},{"$float":"nan"}]}"#);
    check_rule("StateSnapshotEmitted", &with_both, no_json, None);
    // Elsewhere such a number is no reason to refuse anything.
    check(
        "agentspec_events.json",
        &file(&[
            r#"{"name":"n","input":{"components":[],"object":{"$class":"Event","fields":
            {"id":"e","timestamp":1,"metadata":{"x":{"$float":"nan"}}}}},
            "expected":{"validation_errors":[{"loc":[],"type":"value_error"}]}}"#,
        ]),
        "0 passed, 1 failed",
    );
}

/// A case with a span of one event that leaves out its id and its time.
#[track_caller]
fn check_made_up(id: &str, timestamp: &str, total: &str) {
    let dump = format!(
        r#"{{"id":"s","name":"Span","description":"","start_time":null,"end_time":null,"events":[{{
            "id":"{id}","name":"Event","description":"","timestamp":{timestamp},"metadata":{{}}}}],
            "metadata":{{}},"type":"Span"}}"#
    );
    let case = format!(
        r#"{{"name":"n","input":{{"components":[],"object":{{"$class":"Span","fields":{{"id":"s","events":[{{}}]}}}}}},
        "expected":{{"dump_mode":"python","masked":{dump},"unmasked":{dump},"default_call_masks":true}}}}"#
    );
    check("agentspec_spans.json", &file(&[&case]), total);
}

#[test]
fn what_the_reference_makes_up_at_random_is_taken_over() {
    let id = "6e02f261-59b3-48b9-90b0-ce9d8124090e";
    check_made_up(id, "1795180028816127376", "1 passed, 0 failed");
    check_made_up("an event", "1795180028816127376", "0 passed, 1 failed");
    check_made_up(id, "-1", "0 passed, 1 failed");
}

#[test]
fn a_dictionary_in_the_place_of_an_event_fails_for_its_own_faults_only() {
    let case = r#"{"name":"n","input":{"components":[],"object":{"$class":"Span","fields":
        {"id":"s","events":[{"type":"ExceptionRaised"},{"name":5}]}}},
        "expected":{"validation_errors":[{"loc":["events",1,"name"],"type":"string_type"}]}}"#;
    check("agentspec_spans.json", &file(&[case]), "1 passed, 0 failed");
}

#[test]
fn an_object_in_the_place_of_a_list_is_refused_once() {
    let of_fields =
        r#"{"loc":["tools",0],"type":"model_type"},{"loc":["tools",1],"type":"model_type"}"#;
    check_rule(
        "LlmGenerationRequest",
        r#""llm_config":{"$ref":"llm"},"prompt":[],"tools":{"$ref":"tool"},"request_id":"r""#,
        of_fields,
        Some("no-object-is-a-list"),
    );
}

/// What `pyagentspec` 26.3.1 and `microsoft-opentelemetry` 1.5.0 did with inputs that are odder than the shipped
/// ones.
#[test]
fn odd_cases_that_were_recorded_pass_under_these_rules() {
    let golden = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden"));
    let suite = Suite::new(runners::all(), &Deviations::shipped().unwrap()).unwrap();
    let report = printed(&suite.run(golden).unwrap());
    assert!(report.ends_with("78 passed, 0 failed\n"), "{report}");
    for (rule, count) in [
        ("a-trace-has-one-root-span-of-its-own", 2),
        ("a-trace-that-has-ended-is-active-nowhere", 2),
        ("components-say-what-they-are", 1),
        ("dates-are-those-of-http", 1),
        ("integers-have-64-bits", 5),
        ("roles-of-messages-are-open", 1),
        ("secrets-are-masked-wherever-they-are-marked", 1),
    ] {
        let line = format!("rule {rule}: {count} cases\n");
        assert!(report.contains(&line), "{line}{report}");
    }
}
