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
