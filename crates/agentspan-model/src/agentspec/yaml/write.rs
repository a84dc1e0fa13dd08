//! Writes the values of a YAML text as JSON, with the place of each.

use super::{
    Fault, YamlFault,
    compose::{Content, Graph, Node},
    scalar::Value,
};
use crate::agentspec::source::Mark;

/// How many bytes aliases may add, more or less.
const MAX_ADDED: usize = 16 << 20;

/// Without aliases, JSON is at most so many times as long as the YAML that says the same.
const LONGER: usize = 8;

/// References in a document may be of any type in YAML, and are texts in JSON, as keys are.
const REFERENCE: &str = "$component_ref";

/// The text and its marks.
pub(super) type Written = (String, Vec<Mark>);

pub(super) fn write(graph: &Graph, yaml: &str) -> Result<Written, Fault> {
    let mut writer = Writer {
        graph,
        json: String::new(),
        marks: Vec::new(),
        most: yaml.len().saturating_mul(LONGER).saturating_add(MAX_ADDED),
    };
    writer.run()?;
    Ok((writer.json, writer.marks))
}

struct Writer<'g> {
    graph: &'g Graph,
    json: String,
    marks: Vec<Mark>,
    most: usize,
}

/// The steps that are still to be written, the next one last.
enum Step<'g> {
    Value(usize),
    Items(&'g [usize], &'static str),
    Members(&'g [(String, usize)], &'static str),
}

impl<'g> Writer<'g> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut steps = vec![Step::Value(self.graph.root())];
        while let Some(step) = steps.pop() {
            match step {
                Step::Value(index) => steps.extend(self.value(index)?),
                Step::Items([], _) => self.json.push(']'),
                Step::Items([item, rest @ ..], separator) => {
                    self.json.push_str(separator);
                    steps.push(Step::Items(rest, ","));
                    steps.push(Step::Value(*item));
                }
                Step::Members([], _) => self.json.push('}'),
                Step::Members([(name, value), rest @ ..], separator) => {
                    self.json.push_str(separator);
                    self.text(name);
                    self.json.push(':');
                    steps.push(Step::Members(rest, ","));
                    match self.graph.get(*value) {
                        Some(Node {
                            content: Content::Scalar(scalar),
                            place,
                        }) if name == REFERENCE => {
                            self.mark(*place);
                            self.text(&scalar.name());
                        }
                        _ => steps.push(Step::Value(*value)),
                    }
                }
            }
        }
        Ok(())
    }

    fn mark(&mut self, place: super::Place) {
        self.marks.push(Mark {
            start: self.json.len(),
            position: place.into(),
        });
    }

    fn text(&mut self, text: &str) {
        let is_escaped = |byte: u8| byte < 0x20 || matches!(byte, b'"' | b'\\');
        if text.bytes().any(is_escaped) {
            let json = serde_json::Value::from(text);
            self.json.push_str(&json.to_string());
        } else {
            self.json.push('"');
            self.json.push_str(text);
            self.json.push('"');
        }
    }

    fn value(&mut self, index: usize) -> Result<Option<Step<'g>>, Fault> {
        let graph = self.graph;
        let Some(node) = graph.get(index) else {
            return Ok(None);
        };
        if self.json.len() > self.most {
            return Err(Fault::new(node.place, YamlFault::TooLarge));
        }
        self.mark(node.place);
        Ok(match &node.content {
            Content::Scalar(value) => {
                self.scalar(value, node)?;
                None
            }
            Content::Sequence(items) => {
                self.json.push('[');
                Some(Step::Items(items, ""))
            }
            Content::Mapping(members) => {
                self.json.push('{');
                Some(Step::Members(members, ""))
            }
            Content::Set(members) => {
                let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                let names = serde_json::Value::from(names);
                self.json.push_str(&names.to_string());
                None
            }
        })
    }

    fn scalar(&mut self, value: &Value, node: &Node) -> Result<(), Fault> {
        match value {
            Value::Null => self.json.push_str("null"),
            Value::Bool(value) => self.json.push_str(if *value { "true" } else { "false" }),
            Value::Integer(digits) => self.json.push_str(digits),
            Value::Float(value) if value.is_finite() => self.json.push_str(&format!("{value:?}")),
            Value::Float(_) | Value::Text(_) | Value::Time(_) => self.text(&value.name()),
            Value::Merge | Value::Equals => return Err(Fault::new(node.place, YamlFault::Tag)),
        }
        Ok(())
    }
}
