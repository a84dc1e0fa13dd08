//! What the runners of Agent Spec Tracing share: reading of inputs, and dumps in the form of the vectors.

use std::collections::HashMap;

use agentspan_model::agentspec::{Component, PathSegment, ProblemKind, ReadError};
use serde::Serialize;

use crate::compare::differences;
use crate::{Failure, Json, Tolerances};

mod deviation;
mod event_of;
mod fields;
mod lax;
mod plain;
mod refused;
mod span_of;

pub(super) use deviation::{OTHER_TYPES, SHOWN_SECRETS, is_free_content, is_wide};
pub(super) use event_of::event_of;
pub(super) use fields::Fields;
pub(super) use plain::{NotFinite, is_component, plain};
pub(super) use refused::refused;
pub(super) use span_of::span_of;

/// The components of an input, by name and by id.
pub(super) struct Components {
    specs: Vec<(String, Json)>,
    /// As they stand in the expected dumps, defaults of the reference included.
    built: HashMap<String, (Json, Component)>,
    /// The names of the members of the expected dump.
    in_dump: Vec<String>,
}

impl Components {
    /// Reads `input.components`, and finds what the reference made of them in `dump`.
    pub(super) fn read(specs: Json, dump: Option<&Json>) -> Result<Self, Failure> {
        let Json::Array(specs) = specs else {
            return Err("components are a list".into());
        };
        let specs = specs
            .into_iter()
            .map(|pair| match pair {
                Json::Array(mut pair) if pair.len() == 2 => {
                    match (pair.remove(0), pair.remove(0)) {
                        (Json::String(name), spec) => Ok((name, spec)),
                        _ => Err("a component has a name".into()),
                    }
                }
                _ => Err(Failure::from("a component is a pair of name and spec")),
            })
            .collect::<Result<_, _>>()?;
        let mut built = HashMap::new();
        if let Some(dump) = dump {
            find_components(dump, &mut built);
        }
        let in_dump = match dump {
            Some(Json::Object(members)) => members.iter().map(|(name, _)| name.clone()).collect(),
            _ => Vec::new(),
        };
        Ok(Self {
            specs,
            built,
            in_dump,
        })
    }

    /// Whether the expected dump has a member of this name.
    pub(super) fn is_in_dump(&self, name: &str) -> bool {
        self.in_dump.iter().any(|member| member == name)
    }

    /// A value of free content in which components stand as they are dumped.
    pub(super) fn dumped(&self, value: &Json) -> Result<Json, Failure> {
        if value.member("$ref").is_some() {
            let (id, component) = self.find(value)?;
            let dump = self.built.get(&id).map(|(dump, _)| dump.clone());
            return Ok(dump.map_or_else(|| Json::parse(component.dump()), Ok)?);
        }
        Ok(match value {
            Json::Object(members) => {
                let members = members.iter();
                let members = members.map(|(name, value)| Ok((name.clone(), self.dumped(value)?)));
                Json::Object(members.collect::<Result<_, Failure>>()?)
            }
            Json::Array(items) => {
                let items = items.iter().map(|item| self.dumped(item));
                Json::Array(items.collect::<Result<_, Failure>>()?)
            }
            other => other.clone(),
        })
    }

    /// The spec with a name.
    pub(super) fn spec(&self, name: &str) -> Result<&Json, Failure> {
        let found = self.specs.iter().find(|(other, _)| other == name);
        let (_, spec) = found.ok_or_else(|| format!("no component {name}"))?;
        Ok(spec)
    }

    /// The spec of the component with an id.
    pub(super) fn spec_with_id(&self, id: &str) -> Option<&Json> {
        let mut specs = self.specs.iter().map(|(_, spec)| spec);
        specs.find(|spec| {
            let found = spec.member("fields").and_then(|fields| fields.member("id"));
            found.and_then(Json::as_str) == Some(id)
        })
    }

    /// What the reference made of `{"$ref": name}`. A component that is in no dump, because it is only in
    /// events that the reference cuts, is as its spec says.
    pub(super) fn built(&self, reference: &Json) -> Result<Component, Failure> {
        Ok(self.find(reference)?.1)
    }

    fn find(&self, reference: &Json) -> Result<(String, Component), Failure> {
        let name = reference.member("$ref").and_then(Json::as_str);
        let spec = self.spec(name.ok_or("a component is a $ref")?)?;
        let id = spec.member("fields").and_then(|fields| fields.member("id"));
        let id = id.and_then(Json::as_str).ok_or("a component has an id")?;
        let component = match self.built.get(id) {
            Some((_, component)) => component.clone(),
            None => Component::from_json(&plain(spec, self)?.to_string()).map_err(text)?,
        };
        Ok((id.to_owned(), component))
    }
}

fn find_components(dump: &Json, found: &mut HashMap<String, (Json, Component)>) {
    match dump {
        Json::Object(members) => {
            let id = dump.member("id").and_then(Json::as_str);
            let class = dump.member("component_type").and_then(Json::as_str);
            if let (Some(id), Some(_)) = (id, class) {
                // What cannot be read is content that only looks like a component, or the run finds out.
                if let Ok(component) = Component::from_json(&dump.to_string()) {
                    found.insert(id.to_owned(), (dump.clone(), component));
                }
            }
            let values = members.iter().map(|(_, value)| value);
            values.for_each(|value| find_components(value, found));
        }
        Json::Array(items) => items.iter().for_each(|item| find_components(item, found)),
        _ => {}
    }
}

/// An error with its causes, as a failure.
pub(super) fn text(error: impl std::error::Error) -> Failure {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text.into()
}

/// What was made in two ways must be the same.
pub(super) fn agree(what: &str, one: &Json, two: &Json) -> Result<(), Failure> {
    match differences(one, two, &Tolerances::default()).first() {
        Some(difference) => Err(format!("{what}: {difference}").into()),
        None => Ok(()),
    }
}

/// The dumps of an object, in the form of `expected`.
pub(super) fn dumps(
    masked: &impl Serialize,
    unmasked: &impl Serialize,
    default_call_masks: bool,
) -> Result<Json, Failure> {
    Ok(Json::Object(vec![
        ("masked".into(), Json::of(masked)?),
        ("unmasked".into(), Json::of(unmasked)?),
        ("default_call_masks".into(), Json::Bool(default_call_masks)),
    ]))
}

/// The problems of a document as pydantic writes them.
pub(super) fn validation_errors(error: &ReadError) -> Json {
    let problems = error.problems().iter().map(|problem| {
        let location = problem.path.iter().map(|segment| match segment {
            PathSegment::Member(name) => serde_json::json!(name),
            PathSegment::Index(index) => serde_json::json!(index),
        });
        let location: Vec<_> = location.collect();
        serde_json::json!({"loc": location, "type": pydantic_type(&problem.kind)})
    });
    let problems: Vec<_> = problems.collect();
    serde_json::json!({ "validation_errors": problems }).into()
}

/// The kinds of errors that pydantic splits further than we do, by what was expected and what was found.
const PYDANTIC_KINDS: [(&str, &[&str]); 4] = [
    (
        "int_type",
        &[
            "int_parsing",
            "int_from_float",
            "int_parsing_size",
            "finite_number",
        ],
    ),
    ("float_type", &["float_parsing"]),
    ("bool_type", &["bool_parsing"]),
    ("model_type", &["model_attributes_type", "is_instance_of"]),
];

/// Brings the kinds of validation errors to those that we tell apart.
pub(super) fn coarse_kinds(outcome: &mut Json) {
    let errors = outcome
        .member_mut("validation_errors")
        .and_then(Json::as_array_mut);
    for kind in errors
        .into_iter()
        .flatten()
        .filter_map(|error| error.member_mut("type"))
    {
        let fine = kind.as_str().unwrap_or_default();
        let coarse = PYDANTIC_KINDS
            .iter()
            .find(|(_, finer)| finer.contains(&fine));
        if let Some((coarse, _)) = coarse {
            *kind = Json::String((*coarse).into());
        }
    }
}

/// What pydantic calls a problem.
fn pydantic_type(kind: &ProblemKind) -> String {
    match kind {
        ProblemKind::Missing => "missing".into(),
        ProblemKind::EmptySnapshot => "value_error".into(),
        ProblemKind::WrongComponent { .. } => "model_type".into(),
        ProblemKind::WrongType { expected } => match *expected {
            "a string" => "string_type",
            "true or false" => "bool_type",
            "an integer of 64 bits" => "int_type",
            "a number" => "float_type",
            "an array" => "list_type",
            "an object" => "dict_type",
            "a component" | "an event" | "a message" | "a tool call" | "a generation config" => {
                "model_type"
            }
            other => other,
        }
        .into(),
        other => other.to_string(),
    }
}
