//! Arguments and results of tools as the vectors write them, as our types.
//!
//! A payload in the schema of Agent 365 is a `{"$model": …}`, and values that JSON does not have are other markers.
//! Those that a program in Rust writes as texts or lists become that here; the others have no form.

use agentspan_model::agent365::{
    ExecuteToolCallArguments, ExecuteToolCallResult, ToolCallContainer, ToolCallIdentifier,
    ToolCallResource, ToolCallResultOutcome, ToolCallResultPagination, ToolCallResultPolicy,
    ToolCallResultResource, ToolCallResultSecurity, ToolCallResultSensitivity,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Stop;

/// What a tool is called with, or gave back.
pub(super) enum ToolPayload {
    None,
    Text(String),
    Object(Map<String, Value>),
    Arguments(ExecuteToolCallArguments),
    Result(Box<ExecuteToolCallResult>),
}

impl ToolPayload {
    pub(super) fn read(input: Value) -> Result<Self, Stop> {
        Ok(match input {
            Value::Null => Self::None,
            Value::String(text) => Self::Text(text),
            Value::Object(members) => match members.get("$model") {
                Some(model) => Self::of_model(model)?,
                None => Self::Object(members_of(members, Place::Object)?),
            },
            _ => return Err(refused("this is no payload of a tool")),
        })
    }

    fn of_model(model: &Value) -> Result<Self, Stop> {
        let fields = || Ok::<_, Stop>(Value::Object(fields_of(model)?));
        Ok(match class_of(model) {
            "ExecuteToolCallArguments" => Self::Arguments(typed(fields()?)?),
            "ExecuteToolCallResult" => Self::Result(Box::new(typed(fields()?)?)),
            _ => return Err(refused("a part of a payload is none")),
        })
    }
}

/// What a value is a part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An object of JSON, in which Python writes the texts of other values.
    Object,
    /// A payload in the schema, which says how other values are written.
    Schema,
}

fn members_of(members: Map<String, Value>, place: Place) -> Result<Map<String, Value>, Stop> {
    let members = members.into_iter();
    members
        .map(|(name, value)| Ok((name, value_of(value, place)?)))
        .collect()
}

fn value_of(value: Value, place: Place) -> Result<Value, Stop> {
    Ok(match value {
        Value::Object(members) => match marker(&members) {
            Some((name, argument)) => marked(name, argument, place)?,
            None => Value::Object(members_of(members, place)?),
        },
        Value::Array(items) => {
            let items = items.into_iter().map(|item| value_of(item, place));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        other => other,
    })
}

fn marker(members: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = members.iter().next()?;
    (members.len() == 1 && name.starts_with('$')).then_some((name, argument))
}

/// What a program in Rust gives for a value that JSON does not have.
fn marked(name: &str, argument: &Value, place: Place) -> Result<Value, Stop> {
    let text = || argument.as_str().unwrap_or_default();
    match (name, place) {
        ("$date" | "$uuid", _) => Ok(argument.clone()),
        ("$enum", _) => {
            let member = text().rsplit('.').next().unwrap_or_default();
            Ok(member.to_lowercase().into())
        }
        ("$datetime", Place::Schema) => Ok(match text().strip_suffix("+00:00") {
            Some(time) => format!("{time}Z").into(),
            None => argument.clone(),
        }),
        ("$set_of_one", Place::Schema) => {
            Ok(Value::Array(vec![value_of(argument.clone(), place)?]))
        }
        ("$model", Place::Schema) => part(argument),
        _ => Err(refused("JSON has no such value")),
    }
}

/// A part of a payload, as our type for it writes it.
fn part(model: &Value) -> Result<Value, Stop> {
    macro_rules! written {
        ($($type:ident),*) => {
            match class_of(model) {
                $(stringify!($type) => {
                    let fields = Value::Object(fields_of(model)?);
                    let part: $type = typed(fields)?;
                    Ok(serde_json::to_value(part)?)
                })*
                class => Err(super::unknown(class)),
            }
        };
    }
    written!(
        ExecuteToolCallArguments,
        ExecuteToolCallResult,
        ToolCallContainer,
        ToolCallIdentifier,
        ToolCallResource,
        ToolCallResultOutcome,
        ToolCallResultPagination,
        ToolCallResultPolicy,
        ToolCallResultResource,
        ToolCallResultSecurity,
        ToolCallResultSensitivity
    )
}

/// A part of a payload. Words that the schema does not have are refused, like values of other types.
fn typed<T: DeserializeOwned>(fields: Value) -> Result<T, Stop> {
    serde_json::from_value(fields).map_err(|error| refused(&error.to_string()))
}

fn class_of(model: &Value) -> &str {
    model["type"].as_str().unwrap_or_default()
}

/// The fields of a model under their names in JSON, without those that are `None`.
fn fields_of(model: &Value) -> Result<Map<String, Value>, Stop> {
    let fields = model["fields"].as_object().into_iter().flatten();
    fields
        .filter(|(name, value)| !value.is_null() || *name == "schema_version")
        .map(|(name, value)| {
            let value = value_of(value.clone(), Place::Schema)?;
            Ok((json_name(name).to_owned(), value))
        })
        .collect()
}

/// The name of a field in JSON. No two classes call different members by one name.
fn json_name(field: &str) -> &str {
    match field {
        "container_id" | "resource_id" | "policy_id" => "id",
        "identifier_type" | "container_type" | "resource_type" => "type",
        "extension_data" => "metadata",
        _ => field,
    }
}

fn refused(why: &str) -> Stop {
    Stop::Refused(why.to_owned())
}
