//! `agentspec_documents.json`: documents in JSON and YAML, what they become, and why they are refused.

use std::collections::{BTreeMap, HashSet};

use agentspan_model::agentspec::{
    Agent, Component, DocumentReader, Flow, LlmConfig, ManagerWorkers, Node, ReadError, Swarm, Tool,
};
use serde::Deserialize;

use self::form::Form;
use super::agentspec::SHOWN_SECRETS;
use crate::reviewed::sha256;
use crate::{Allowance, Case, Failure, Json, Outcome, Predicate, Runner, Tolerances};

mod catalogue;
mod deviation;
mod form;
mod reason;

pub(super) struct AgentspecDocuments;

impl Runner for AgentspecDocuments {
    fn file_stem(&self) -> &'static str {
        "agentspec_documents"
    }

    fn run(&self, case: &Case) -> Outcome {
        let input: Input = case.input()?;
        let outcome = match input.read() {
            Ok(read) => accepted(&read, &case.expected)?,
            Err(error) => refused(&error, &case.expected),
        };
        deviation::as_compared(case, outcome)
    }

    /// Leaves out what only the reference says, and what Python orders as it likes.
    fn normalize(&self, outcome: &mut Json) -> Result<(), Failure> {
        reason::normalize(outcome);
        form::normalize(outcome);
        Ok(())
    }

    fn tolerances(&self) -> Tolerances {
        Tolerances {
            unordered: &["components"],
            ..Tolerances::default()
        }
    }

    fn predicates(&self) -> &'static [Predicate] {
        &[SHOWN_SECRETS, deviation::NUMBERS_AS_TEXTS]
    }

    fn allowances(&self) -> Vec<Allowance> {
        deviation::ALLOWANCES.to_vec()
    }
}

#[derive(Deserialize)]
struct Input {
    text: String,
    format: Format,
    call: Call,
    given: Option<GivenInput>,
}

impl Input {
    fn read(self) -> Result<Read, ReadError> {
        let reader = self.given.unwrap_or_default().reader()?;
        match (self.call, self.format) {
            (Call::Read, Format::Json) => reader.read(&self.text).map(Read::One),
            (Call::Read, Format::Yaml) => reader.read_yaml(&self.text).map(Read::One),
            (Call::ReadReferenced, Format::Json) => {
                reader.read_referenced(&self.text).map(Read::All)
            }
            (Call::ReadReferenced, Format::Yaml) => {
                reader.read_referenced_yaml(&self.text).map(Read::All)
            }
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Yaml,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Call {
    Read,
    ReadReferenced,
}

/// What the document may refer to. Later ones take precedence.
#[derive(Default, Deserialize)]
#[serde(default)]
struct GivenInput {
    listings: Vec<String>,
    components: BTreeMap<String, String>,
    values: BTreeMap<String, serde_json::Value>,
}

impl GivenInput {
    fn reader(self) -> Result<DocumentReader, ReadError> {
        let mut reader = DocumentReader::new();
        for listing in self.listings {
            for (id, component) in reader.read_referenced(&listing)? {
                reader = reader.with_component_as(id, component);
            }
        }
        for (id, document) in self.components {
            let component = reader.read(&document)?;
            reader = reader.with_component_as(id, component);
        }
        for (id, value) in self.values {
            reader = reader.with_value(id, as_schemas(value));
        }
        Ok(reader)
    }
}

/// A value in which schemas stand as schemas: the reference takes only arguments of its class for them.
fn as_schemas(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(mut members) => match members.remove("json_schema") {
            Some(schema) => schema,
            None => {
                let members = members.into_iter();
                members
                    .map(|(name, value)| (name, as_schemas(value)))
                    .collect()
            }
        },
        serde_json::Value::Array(items) => items.into_iter().map(as_schemas).collect(),
        other => other,
    }
}

enum Read {
    One(Component),
    All(BTreeMap<String, Component>),
}

fn object(members: Vec<(&str, Json)>) -> Json {
    let members = members.into_iter();
    Json::Object(members.map(|(name, value)| (name.into(), value)).collect())
}

fn string(text: &str) -> Json {
    Json::String(text.into())
}

/// What was read, with those parts that the reference could say of it.
fn accepted(read: &Read, expected: &Json) -> Outcome {
    let (name, what) = match read {
        Read::One(component) => {
            let expected = expected.member("component");
            ("component", described(component, expected)?)
        }
        Read::All(components) => {
            let expected = expected.member("components");
            let components = components.iter().map(|(id, component)| {
                let expected = expected.and_then(|expected| expected.member(id));
                Ok((id.clone(), described(component, expected)?))
            });
            let components: Result<_, Failure> = components.collect();
            ("components", Json::Object(components?))
        }
    };
    Ok(object(vec![("accepted", Json::Bool(true)), (name, what)]))
}

fn described(component: &Component, expected: Option<&Json>) -> Outcome {
    let form = Form::default();
    let mut members = vec![
        ("component_type", string(component.component_type())),
        ("id", string(&form.id(component))),
        ("name", string(component.name())),
        (
            "description",
            component.description().map_or(Json::Null, string),
        ),
    ];
    let is_expected = |name: &str| expected.is_some_and(|expected| expected.member(name).is_some());
    // Before the list of those nested in it: ids that are made up are counted in the order of the dump.
    let dump = (is_expected("masked") || is_expected("masked_sha256"))
        .then(|| form.dump(component))
        .transpose()?;
    members.extend(nested(component, &form));
    if catalogue::has(component.component_type(), "inputs") {
        members.push(("inputs", properties(component.inputs())?));
        members.push(("outputs", properties(component.outputs())?));
    }
    members.push(("stands_in", stands_in(component)));
    match dump {
        Some(dump) if is_expected("masked_sha256") => {
            members.push(("masked_sha256", string(&sha256(dump.as_bytes()))));
            members.push(("masked_utf8_len", number(dump.len())?));
        }
        Some(dump) => members.push(("masked", Json::parse(&dump)?)),
        None => {}
    }
    Ok(object(members))
}

fn number(number: usize) -> Outcome {
    Ok(Json::of(&number)?)
}

/// Every component in a component, as class, id and name.
fn nested(component: &Component, form: &Form) -> Vec<(&'static str, Json)> {
    const MOST: usize = 200;
    let mut found = HashSet::new();
    let mut seen = HashSet::new();
    let mut rest = component.children();
    while let Some(component) = rest.pop() {
        // Shared components share their texts.
        if seen.insert(component.component_type().as_ptr()) {
            let names = [component.component_type(), component.name()].map(str::to_owned);
            let [class, name] = names;
            found.insert([class, form.id(component), name]);
            rest.extend(component.children());
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort();
    let triples = found
        .iter()
        .map(|triple| Json::Array(triple.iter().map(|text| string(text)).collect()));
    let triples = Json::Array(triples.collect());
    if found.len() <= MOST {
        return vec![("nested", triples)];
    }
    let text = triples.to_string();
    let number = |number: usize| Json::from(serde_json::Value::from(number));
    vec![
        ("nested_sha256", string(&sha256(text.as_bytes()))),
        ("nested_utf8_len", number(text.len())),
        ("nested_count", number(found.len())),
    ]
}

fn properties(properties: &[agentspan_model::agentspec::Property]) -> Outcome {
    let mut pairs = Vec::new();
    for property in properties {
        pairs.push((property.title(), form::json(property.schema())?));
    }
    pairs.sort_by_key(|(title, _)| *title);
    let pairs = pairs.into_iter();
    let pairs = pairs.map(|(title, schema)| Json::Array(vec![string(title), schema]));
    Ok(Json::Array(pairs.collect()))
}

/// The member of a span in which a component can stand.
fn stands_in(component: &Component) -> Json {
    let is = |fits: bool, member: &'static str| fits.then_some(member);
    let component = || component.clone();
    let member = is(
        Agent::try_from(component()).is_ok(),
        "AgentExecutionSpan.agent",
    )
    .or(is(
        Flow::try_from(component()).is_ok(),
        "FlowExecutionSpan.flow",
    ))
    .or(is(
        Node::try_from(component()).is_ok(),
        "NodeExecutionSpan.node",
    ))
    .or(is(
        Tool::try_from(component()).is_ok(),
        "ToolExecutionSpan.tool",
    ))
    .or(is(
        LlmConfig::try_from(component()).is_ok(),
        "LlmGenerationSpan.llm_config",
    ))
    .or(is(
        ManagerWorkers::try_from(component()).is_ok(),
        "ManagerWorkersExecutionSpan.managerworkers",
    ))
    .or(is(
        Swarm::try_from(component()).is_ok(),
        "SwarmExecutionSpan.swarm",
    ));
    member.map_or(Json::Null, string)
}

fn refused(error: &ReadError, expected: &Json) -> Json {
    object(vec![
        ("accepted", Json::Bool(false)),
        ("reason", reason::of(error, expected)),
    ])
}
