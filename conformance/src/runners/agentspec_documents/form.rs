//! Dumps as the reference writes them: its order, its defaults, its numbers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use agentspan_model::agentspec::{Component, ComponentValue, Json as ModelJson, Property};

use super::catalogue::{self, Kind, Member};
use crate::{Failure, Json};

/// Writes the components of one document.
#[derive(Default)]
pub(super) struct Form {
    /// The reference dumps components by their ids: of two with one id, the first stands in both places.
    dumps: RefCell<HashMap<String, Rc<str>>>,
    /// Ids that the reference makes up and we derive, in the order of the dump.
    made: RefCell<Vec<String>>,
}

impl Form {
    /// The id of a component, or what stands for one that the reference makes up.
    pub(super) fn id(&self, component: &Component) -> String {
        let id = component.id();
        if !is_default(component) {
            return id.to_owned();
        }
        let mut made = self.made.borrow_mut();
        let known = made.iter().position(|known| known == id);
        let index = known.unwrap_or_else(|| {
            made.push(id.to_owned());
            made.len() - 1
        });
        format!("<made {}>", index + 1)
    }

    /// The compact text of a component in a masked dump.
    pub(super) fn dump(&self, component: &Component) -> Result<Rc<str>, Failure> {
        let known = self.dumps.borrow().get(component.id()).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let class = component.component_type();
        let members = catalogue::members(class).ok_or_else(|| format!("no class {class}"))?;
        let mut text = String::from("{");
        for member in members {
            let value = self.member(component, member)?;
            // Writing to a string does not fail.
            let _ = write!(text, "{}:{value},", quoted(&member.name));
        }
        let _ = write!(text, r#""component_type":{}}}"#, quoted(class));
        let dump: Rc<str> = text.into();
        let id = component.id().to_owned();
        self.dumps.borrow_mut().insert(id, dump.clone());
        Ok(dump)
    }

    fn member(&self, component: &Component, member: &Member) -> Result<String, Failure> {
        let value = component.member(&member.name);
        match (member.name.as_str(), value) {
            ("id", _) => Ok(quoted(&self.id(component))),
            ("inputs", _) => schemas(component.inputs()),
            ("outputs", _) => schemas(component.outputs()),
            ("branches", _) if is_empty(value) => Ok(branches(component)),
            ("reducers", None) => Ok(reducers(component)),
            // What was a switch once.
            ("handoff", Some(ComponentValue::Json(json))) if json.as_str() == "true" => {
                Ok(quoted("optional"))
            }
            ("handoff", Some(ComponentValue::Json(json))) if json.as_str() == "false" => {
                Ok(quoted("never"))
            }
            (_, None) => written(&member.kind, &member.default),
            (_, Some(value)) => self.value(&member.kind, value),
        }
    }

    fn value(&self, kind: &Kind, value: &ComponentValue) -> Result<String, Failure> {
        if let Some(plain) = plain(value)? {
            return written(kind, &plain);
        }
        Ok(match value {
            ComponentValue::Component(component) => self.dump(component)?.to_string(),
            ComponentValue::List(values) => {
                let inner = match kind {
                    Kind::List(inner) => inner,
                    _ => kind,
                };
                let values = values.iter().map(|value| self.value(inner, value));
                let values: Vec<String> = values.collect::<Result<_, Failure>>()?;
                format!("[{}]", values.join(","))
            }
            ComponentValue::Map(pairs) => {
                let pairs = pairs.iter().map(|(name, value)| {
                    let value = self.value(&Kind::Other, value)?;
                    Ok(format!("{}:{value}", quoted(name)))
                });
                let pairs: Vec<String> = pairs.collect::<Result<_, Failure>>()?;
                format!("{{{}}}", pairs.join(","))
            }
            other => return Err(format!("no form of {other:?}").into()),
        })
    }
}

/// Whether a component stands in its place by default.
fn is_default(component: &Component) -> bool {
    component.component_type() == "InMemoryCollectionDatastore"
        && component.name() == "default-inmemory-datastore"
        && component.id().ends_with(".datastore")
}

fn quoted(text: &str) -> String {
    Json::String(text.into()).to_string()
}

/// A value without components.
fn plain(value: &ComponentValue) -> Result<Option<Json>, Failure> {
    Ok(match value {
        ComponentValue::Json(value) => Some(json(value)?),
        ComponentValue::List(values) => {
            let values = values.iter().map(plain);
            let values: Option<Vec<Json>> = values.collect::<Result<_, Failure>>()?;
            values.map(Json::Array)
        }
        ComponentValue::Map(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| {
                let value = plain(value)?;
                Ok(value.map(|value| (name.to_string(), value)))
            });
            let pairs: Option<Vec<_>> = pairs.collect::<Result<_, Failure>>()?;
            pairs.map(Json::Object)
        }
        _ => None,
    })
}

/// A value of the model, with the numbers of Python.
pub(super) fn json(json: &ModelJson) -> Result<Json, Failure> {
    Ok(pythonic(Json::parse(json.as_str())?))
}

fn pythonic(json: Json) -> Json {
    match json {
        Json::Number(number) => {
            let text = number.to_string();
            let is_integer = !text.contains(['.', 'e', 'E']);
            match text.parse::<f64>() {
                Ok(value) if value == f64::INFINITY && !is_integer => {
                    Json::String("Infinity".into())
                }
                Ok(value) if value == f64::NEG_INFINITY && !is_integer => {
                    Json::String("-Infinity".into())
                }
                _ if text == "-0" => Json::from(serde_json::Value::from(0)),
                _ if is_integer && text.parse::<i64>().is_err() && text.parse::<u64>().is_err() => {
                    Json::from(serde_json::json!({"$bigint": text}))
                }
                _ => Json::Number(number),
            }
        }
        Json::Array(items) => Json::Array(items.into_iter().map(pythonic).collect()),
        Json::Object(members) => {
            let members = members.into_iter();
            Json::Object(
                members
                    .map(|(name, value)| (name, pythonic(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

fn is_empty(value: Option<&ComponentValue>) -> bool {
    match value {
        Some(ComponentValue::Json(json)) => matches!(json.as_str(), "[]" | "null"),
        Some(_) => false,
        None => true,
    }
}

fn schemas(properties: &[Property]) -> Result<String, Failure> {
    let schemas = properties
        .iter()
        .map(|property| Ok(json(property.schema())?.to_string()));
    let schemas: Vec<String> = schemas.collect::<Result<_, Failure>>()?;
    Ok(format!("[{}]", schemas.join(",")))
}

/// A value as pydantic makes it of what a document says, which is lax with types.
fn written(kind: &Kind, value: &Json) -> Result<String, Failure> {
    Ok(match (kind, value) {
        (_, Json::Null) => "null".into(),
        // What stands for a secret has no type.
        (_, Json::Object(members)) if matches!(members.as_slice(), [(name, _)] if name == "$component_ref") => {
            value.to_string()
        }
        (Kind::Float, Json::Number(number)) => float(&number.to_string()),
        (Kind::Float, Json::String(text)) => float(text),
        (Kind::Float, Json::Bool(value)) => float(if *value { "1" } else { "0" }),
        (Kind::Integer, Json::Bool(value)) => u8::from(*value).to_string(),
        (Kind::Integer, Json::String(text)) => match text.trim().parse::<i64>() {
            Ok(value) => value.to_string(),
            Err(_) => quoted(text),
        },
        (Kind::Integer, Json::Number(number)) => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).to_owned()
        }
        (Kind::Bool, Json::String(text)) => {
            let text = text.to_ascii_lowercase();
            ["1", "on", "t", "true", "y", "yes"]
                .contains(&text.as_str())
                .to_string()
        }
        (Kind::Bool, Json::Number(number)) => (float(&number.to_string()) != "0.0").to_string(),
        (Kind::List(inner), Json::Array(items)) => {
            let items = items.iter().map(|item| written(inner, item));
            let items: Vec<String> = items.collect::<Result<_, Failure>>()?;
            format!("[{}]", items.join(","))
        }
        (Kind::Dict(inner), Json::Object(members)) => {
            let members = members
                .iter()
                .map(|(name, value)| Ok(format!("{}:{}", quoted(name), written(inner, value)?)));
            let members: Vec<String> = members.collect::<Result<_, Failure>>()?;
            format!("{{{}}}", members.join(","))
        }
        // It looks for the members in whatever it finds.
        (Kind::Model(model), Json::Object(_) | Json::Array(_) | Json::String(_)) => {
            self::model(model, value)?
        }
        _ => value.to_string(),
    })
}

fn float(text: &str) -> String {
    match text.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => format!("{value:?}"),
        _ => quoted(text),
    }
}

fn model(name: &str, value: &Json) -> Result<String, Failure> {
    // Of this one, the reference dumps only what is there, whatever its name.
    let is_open = name == "LlmGenerationConfig";
    let members = catalogue::members(name).unwrap_or_default();
    let mut pairs = Vec::new();
    for member in members {
        let text = match value.member(&member.name) {
            None | Some(Json::Null) if is_open => continue,
            None => written(&member.kind, &member.default)?,
            Some(value) => written(&member.kind, value)?,
        };
        pairs.push(format!("{}:{text}", quoted(&member.name)));
    }
    if let (Json::Object(all), true) = (value, is_open) {
        let is_known = |name: &str| members.iter().any(|member| member.name == name);
        let others = all
            .iter()
            .filter(|(name, value)| !is_known(name) && *value != Json::Null);
        pairs.extend(others.map(|(name, value)| format!("{}:{value}", quoted(name))));
    }
    Ok(format!("{{{}}}", pairs.join(",")))
}

/// The branches that a node has if it does not say.
fn branches(node: &Component) -> String {
    let ends = || {
        let subflow = node.component("subflow");
        let nodes = subflow
            .map(|flow| flow.components("nodes"))
            .unwrap_or_default();
        let ends = nodes
            .into_iter()
            .filter(|node| node.component_type() == "EndNode");
        let mut names: Vec<String> = ends
            .map(|end| end.text("branch_name").unwrap_or_else(|| "next".into()))
            .collect();
        names.sort();
        names.dedup();
        names
    };
    let mut branches = match node.component_type() {
        "EndNode" => Vec::new(),
        "FlowNode" => {
            let ends = ends();
            if ends.is_empty() {
                vec!["next".into()]
            } else {
                ends
            }
        }
        "CatchExceptionNode" => {
            let mut branches = ends();
            branches.push("caught_exception_branch".into());
            branches
        }
        "BranchingNode" => {
            let mapping = match node.member("mapping") {
                Some(ComponentValue::Json(json)) => json.to::<HashMap<String, String>>().ok(),
                _ => None,
            };
            let mut branches: Vec<String> = mapping.unwrap_or_default().into_values().collect();
            branches.push("default".into());
            branches
        }
        _ => vec!["next".into()],
    };
    branches.sort();
    branches.dedup();
    Json::Array(branches.into_iter().map(Json::String).collect()).to_string()
}

/// The reducers that a node has if it does not say.
fn reducers(node: &Component) -> String {
    let outputs = node
        .component("subflow")
        .map(Component::outputs)
        .unwrap_or_default();
    let pairs = outputs
        .iter()
        .map(|output| format!(r#"{}:"append""#, quoted(output.title())));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

/// Orders schemas, which the reference takes from a set, and leaves out what it fails to say.
pub(super) fn normalize(outcome: &mut Json) {
    match outcome {
        Json::Object(members) => {
            // An exception of the reference when it dumped what it had read, and the version of the
            // document, which it leaves in the dumps of two classes.
            let others = ["dump_error", "min_agentspec_version"];
            members.retain(|(name, _)| !others.contains(&name.as_str()));
            for (name, value) in members {
                normalize(value);
                if matches!(name.as_str(), "inputs" | "outputs") {
                    if let Some(items) = value.as_array_mut() {
                        items.sort_by_key(|item| {
                            let title = item.member("title").and_then(Json::as_str);
                            title.unwrap_or_default().to_owned()
                        });
                    }
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(normalize),
        _ => {}
    }
}
