//! Inputs and outputs of components.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::agentspec::Json;

/// An input or an output of a component: a JSON schema with a title.
#[derive(Clone, PartialEq, Eq)]
pub struct Property {
    title: String,
    schema: Json,
}

/// The part of a schema that is read: its title.
#[derive(Deserialize)]
struct Known {
    title: Option<String>,
}

impl Property {
    /// Of a type that JSON schema has a name for: `string`, `integer`, `number`, `boolean`, `object`, …
    #[must_use]
    pub fn new(title: impl Into<String>, json_type: &str) -> Self {
        let title = title.into();
        let members = [("title", title.as_str()), ("type", json_type)];
        // Written as a map of two texts, in this order, so this does not fail.
        let schema = Json::from_serialize(&Pairs(&members))
            .unwrap_or_else(|_| Json::from(serde_json::Value::Null));
        Self { title, schema }
    }

    /// A text, with a description.
    pub(super) fn text(title: &str, description: &str) -> Self {
        let members = [
            ("title", title),
            ("description", description),
            ("type", "string"),
        ];
        let schema = Json::from_serialize(&Pairs(&members))
            .unwrap_or_else(|_| Json::from(serde_json::Value::Null));
        Self {
            title: title.to_owned(),
            schema,
        }
    }

    /// From a JSON schema.
    #[must_use]
    pub fn from_schema(schema: Json) -> Self {
        let title = schema.to().ok().and_then(|known: Known| known.title);
        Self {
            title: title.unwrap_or_else(|| "property".to_owned()),
            schema,
        }
    }

    /// The approximate memory in bytes.
    pub(super) fn size(&self) -> usize {
        self.title.len() + self.schema.as_str().len()
    }

    /// Its name: as in Agent Spec, `property` if the schema has no title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The name of its type, if the schema names one: `string`, `integer`, `object`, …
    #[must_use]
    pub fn json_type(&self) -> Option<String> {
        let schema: serde_json::Value = self.schema.to().ok()?;
        Some(schema.get("type")?.as_str()?.to_owned())
    }

    /// The whole JSON schema: type, description, default and so on.
    #[must_use]
    pub fn schema(&self) -> &Json {
        &self.schema
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property")
            .field("title", &self.title)
            .finish_non_exhaustive()
    }
}

/// Writes the schema.
impl Serialize for Property {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.schema.serialize(serializer)
    }
}

/// Reads a schema, which must be an object.
impl<'de> Deserialize<'de> for Property {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let schema = Json::deserialize(deserializer)?;
        if schema.as_str().starts_with('{') {
            Ok(Self::from_schema(schema))
        } else {
            Err(D::Error::custom("a property is an object"))
        }
    }
}

struct Pairs<'a>(&'a [(&'a str, &'a str)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
