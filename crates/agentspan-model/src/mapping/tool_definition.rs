//! Tools as models are told of them: a name, a description and a JSON schema of the parameters.

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::agentspec::{Property, Tool};

/// The list of tools that a model may call, as the GenAI conventions have it.
pub(super) struct Definitions<'a>(pub(super) &'a [Tool]);

impl Serialize for Definitions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|tool| {
            let function = Function(tool);
            Definition { function }
        }))
    }
}

/// One tool, with its members beside its type.
struct Definition<'a> {
    function: Function<'a>,
}

impl Serialize for Definition<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "function")?;
        self.function.write(&mut map)?;
        map.end()
    }
}

/// One tool, with its members in a function, as OpenAI and OpenInference have it.
pub(super) struct FunctionTool<'a>(pub(super) &'a Tool);

impl Serialize for FunctionTool<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "function")?;
        map.serialize_entry("function", &Function(self.0))?;
        map.end()
    }
}

struct Function<'a>(&'a Tool);

impl Function<'_> {
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let tool = self.0;
        map.serialize_entry("name", tool.name())?;
        if let Some(description) = tool.description() {
            map.serialize_entry("description", description)?;
        }
        map.serialize_entry("parameters", &Parameters(tool.inputs()))
    }
}

impl Serialize for Function<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
    }
}

/// The schema of the parameters. Required are those without a default.
struct Parameters<'a>(&'a [Property]);

/// Whether a schema has a default, which may be null.
#[derive(Deserialize)]
struct Known {
    #[serde(default, deserialize_with = "present")]
    default: bool,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let properties = Properties(self.0);
        let is_required = |property: &&Property| {
            let known: Result<Known, _> = property.schema().to();
            known.is_ok_and(|known| !known.default)
        };
        let required: Vec<&str> = self
            .0
            .iter()
            .filter(is_required)
            .map(Property::title)
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "object")?;
        map.serialize_entry("properties", &properties)?;
        map.serialize_entry("required", &required)?;
        map.end()
    }
}

struct Properties<'a>(&'a [Property]);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|p| (p.title(), p.schema())))
    }
}
