//! Texts of a size: what people and programs write, repeated until there is enough of it.

use std::fmt::Write as _;

/// An agent in JSON with tools in place, tools that are listed, and texts with escapes.
pub(super) fn json(size: usize) -> String {
    const HEAD: &str = r#"{"component_type": "Agent", "id": "agent", "name": "agent", "agentspec_version": "26.1.0",
 "llm_config": {"component_type": "OpenAiConfig", "id": "llm", "name": "llm", "model_id": "m"},
 "system_prompt": "Answer {{question}}.", "tools": ["#;
    let here = |number: usize| {
        format!(
            r#"{}
  {{"component_type": "RemoteTool", "id": "here-{number}", "name": "weather", "url": "https://api.internal/{{{{city}}}}",
   "http_method": "GET", "query_params": {{"days": "{{{{days}}}}"}}, "description": "The \"weather\" of\na city, 名前 \u00e9.",
   "metadata": {{"owner": ["a", {{"team": null, "cost": 1.25}}], "public": true}}}},
  {{"$component_ref": "there-{number}"}}"#,
            if number > 0 { "," } else { "" }
        )
    };
    let there = |number: usize| {
        format!(
            r#"{}
  "there-{number}": {{"component_type": "ServerTool", "id": "there-{number}", "name": "count",
   "inputs": [{{"title": "n", "type": "integer", "default": 7}}], "outputs": [{{"title": "sum", "type": "number"}}]}}"#,
            if number > 0 { "," } else { "" }
        )
    };
    const BETWEEN: &str = "],\n \"$referenced_components\": {";
    document(size, [HEAD, BETWEEN, "}}\n"], here, there)
}

/// The same in YAML, in the styles that people mix.
pub(super) fn yaml(size: usize) -> String {
    const HEAD: &str = "component_type: Agent\nid: agent\nname: agent\nagentspec_version: 26.1.0\n\
        llm_config: {component_type: OpenAiConfig, id: llm, name: llm, model_id: m}\n\
        system_prompt: |\n  Answer {{question}}.\ntools:\n";
    let here = |number: usize| {
        format!(
            r#"- component_type: RemoteTool
  id: here-{number}
  name: weather
  url: https://api.internal/{{{{city}}}}
  http_method: GET
  query_params:
    days: '{{{{days}}}}'
  description: "The \"weather\" of\na city, 名前 \u00e9."
  metadata:
    owner: [a, {{team: ~, cost: 1.25}}]
    public: yes
- $component_ref: there-{number}
"#
        )
    };
    let there = |number: usize| {
        format!(
            r#"  there-{number}:
    component_type: ServerTool
    id: there-{number}
    name: count
    inputs:
    - {{title: n, type: integer, default: 7}}
    outputs:
    - title: sum  # of all
      type: number
"#
        )
    };
    document(size, [HEAD, "$referenced_components:\n", ""], here, there)
}

/// As many pairs of tools as fit, in one piece of memory: what is freed here must not hide what reading needs.
fn document(
    size: usize,
    [head, between, end]: [&str; 3],
    here: impl Fn(usize) -> String,
    there: impl Fn(usize) -> String,
) -> String {
    const USUAL: usize = 100_000;
    let pairs = size / (here(USUAL).len() + there(USUAL).len());
    let mut text = String::with_capacity(size + 4096);
    text.push_str(head);
    (0..pairs).for_each(|number| text.push_str(&here(number)));
    text.push_str(between);
    (0..pairs).for_each(|number| text.push_str(&there(number)));
    text.push_str(end);
    text
}

/// Calls of a tool, of which every tenth is of another one.
pub(super) fn recording(size: usize) -> String {
    let mut lines = String::with_capacity(size + 4096);
    let mut number = 0;
    while lines.len() < size {
        let tool = format!(
            r#"{{"id":"tool-{}","name":"weather","description":null,"metadata":{{}},"inputs":[{{"title":"city","type":"string"}}],"outputs":[],"component_type":"ServerTool"}}"#,
            number / 10
        );
        let trace = r#""trace":{"id":"trace","name":"turns"}"#;
        let event = format!(
            r#"{{"id":"event-{number}","name":"ToolExecutionRequest","description":"","timestamp":{number},"metadata":{{}},"tool":{tool},"inputs":{{"city":"Bern \ud83d\ude00","limit":NaN}},"request_id":"r","type":"ToolExecutionRequest"}}"#
        );
        let span = |end: &str, events: &str| {
            format!(
                r#""span":{{"id":"span-{number}","name":"weather","description":"","start_time":{number},"end_time":{end},"events":[{events}],"metadata":{{}},"tool":{tool},"type":"ToolExecutionSpan"}},"parent_id":"root""#
            )
        };
        written(writeln!(
            lines,
            r#"{{"run":"run","hook":"on_start","async":false,{trace},{}}}"#,
            span("null", "")
        ));
        written(writeln!(
            lines,
            r#"{{"run":"run","hook":"on_event","async":false,{trace},{},"event":{event}}}"#,
            span("null", &event)
        ));
        written(writeln!(
            lines,
            r#"{{"run":"run","hook":"on_end","async":false,{trace},{}}}"#,
            span("9", &event)
        ));
        number += 1;
    }
    lines
}

/// Writing to a string does not fail.
fn written(_: std::fmt::Result) {}

#[cfg(test)]
mod tests {
    use agentspan_model::agentspec::{DocumentReader, Recording};

    use super::*;

    #[test]
    fn both_forms_of_the_document_say_the_same() {
        let (json, yaml) = (json(5_000), yaml(5_000));
        let first = |text: &str| text.matches("here-").count() >= 4;
        assert!(first(&json) && first(&yaml));
        let json = DocumentReader::new().read(&json).unwrap();
        let yaml = DocumentReader::new().read_yaml(&yaml).unwrap();
        let tools = [json.components("tools"), yaml.components("tools")];
        let [of_json, of_yaml] = tools.map(|tools| {
            let dumps = tools.into_iter().take(4);
            dumps
                .map(|tool| serde_json::from_str::<serde_json::Value>(tool.dump()).unwrap())
                .collect::<Vec<_>>()
        });
        assert_eq!(of_json, of_yaml);
    }

    #[test]
    fn every_line_of_the_recording_reads() {
        let text = recording(50_000);
        let lines = Recording::new(text.as_bytes()).map(Result::unwrap);
        assert_eq!(lines.count(), text.lines().count());
    }
}
