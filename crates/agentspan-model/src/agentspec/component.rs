//! Components of Agent Spec, as spans and events carry them.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use super::{Json, ReadError, json_text, reader::KnownComponents, reader::Reader};

mod builder;
pub(crate) mod classes;
mod document;
mod handles;
mod outline;
mod property;
pub(crate) mod reading;
mod slots;

pub use builder::ComponentBuilder;
pub use document::DocumentReader;
pub use handles::{Agent, Flow, LlmConfig, ManagerWorkers, Node, Swarm, Tool, WrongComponentError};
pub use property::Property;

/// A component of Agent Spec: an agent, a flow, a node, a tool, a model's configuration, and so on.
///
/// Cloning shares. Whatever the component says is kept as it came and comes out again in the same
/// order, with one exception: its **secrets** (keys, passwords, certificates, secret headers) are
/// dropped when it is read or built, and leave the reference `{"$component_ref": "<id>.<field>"}`
/// that `pyagentspec` 26.3.1 writes in their place. So no dump can show them, nor can `Debug`.
/// [`is_secret_field`] tells which fields those are. An object inside that names a class, but lacks its
/// id or its name, loses its secrets too; without an id, the class stands in the reference.
///
/// ```
/// use agentspan_model::agentspec::Component;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let component = Component::from_json(
///     r#"{"id":"llm","name":"my model","model_id":"gpt-4o","api_key":"sk-secret","component_type":"OpenAiConfig"}"#,
/// )?;
/// assert_eq!(component.component_type(), "OpenAiConfig");
/// assert_eq!(
///     component.dump(),
///     r#"{"id":"llm","name":"my model","model_id":"gpt-4o","api_key":{"$component_ref":"llm.api_key"},"component_type":"OpenAiConfig"}"#,
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Component(Arc<Inner>);

struct Inner {
    component_type: Box<str>,
    id: Box<str>,
    name: Box<str>,
    description: Option<Box<str>>,
    /// All members in order, those above included, without secrets.
    members: Vec<(Box<str>, ComponentValue)>,
    /// The length of the dump, give or take punctuation.
    size: usize,
    dump: OnceLock<Box<RawValue>>,
    outlines: outline::Outlines,
}

/// What a member of a component holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentValue {
    /// Another component.
    Component(Component),
    /// A list with components somewhere in it.
    List(Vec<Self>),
    /// An object with components somewhere in it, or that lacks members of a component and had secrets.
    Map(Vec<(Box<str>, Self)>),
    /// Anything without components.
    Json(Json),
}

/// Whether a field of a component class is a secret that no dump shows.
///
/// These are the fields that `pyagentspec` 26.3.1 masks, and those which it declares as sensitive but
/// fails to mask: the credentials of `OAuthClientConfig` and the Postgres `sslkey`. In a class that
/// it does not know, or that does not declare the field, each field is secret that is so in some class.
#[must_use]
pub fn is_secret_field(component_type: &str, field: &str) -> bool {
    classes::is_secret(component_type, field)
}

impl Component {
    /// Reads one component from its dump, as spans and events hold it: without references.
    ///
    /// # Errors
    ///
    /// When the text is not JSON, or it or a component in it lacks `id`, `name` or `component_type`.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let raw = json_text::read(text)?;
        Reader::document(&raw, &mut KnownComponents::default(), |raw, reader| {
            reading::read_component(raw, reader)
        })
    }

    /// Its class, for instance `Agent` or `VllmConfig`.
    #[must_use]
    pub fn component_type(&self) -> &str {
        &self.0.component_type
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its description, if it has one.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Whether its class is, or derives from, the class `component_type` of Agent Spec 26.3.1.
    /// `None` if its class is not known there.
    #[must_use]
    pub fn is_a(&self, component_type: &str) -> Option<bool> {
        classes::Class::named(self.component_type()).map(|class| class.is_a(component_type))
    }

    /// A member by its name in Agent Spec.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&ComponentValue> {
        let members = &self.0.members;
        let found = members.iter().rev().find(|(member, _)| **member == *name);
        found.map(|(_, value)| value)
    }

    /// The text of a member, if it holds text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self.member(name)? {
            ComponentValue::Json(json) => json.to().ok(),
            _ => None,
        }
    }

    /// The component in a member, if it holds one.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&Self> {
        match self.member(name)? {
            ComponentValue::Component(component) => Some(component),
            _ => None,
        }
    }

    /// The components in a member, at whatever depth of lists and objects, in order.
    #[must_use]
    pub fn components(&self, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        if let Some(value) = self.member(name) {
            value.collect(&mut found);
        }
        found
    }

    /// The components in all members, in order. Theirs are not included.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        for (_, value) in &self.0.members {
            value.collect(&mut found);
        }
        found
    }

    /// What it takes. Empty for a component that has no inputs.
    #[must_use]
    pub fn inputs(&self) -> Vec<Property> {
        self.properties("inputs")
    }

    /// What it gives. Empty for a component that has no outputs.
    #[must_use]
    pub fn outputs(&self) -> Vec<Property> {
        self.properties("outputs")
    }

    fn properties(&self, name: &str) -> Vec<Property> {
        match self.member(name) {
            Some(ComponentValue::Json(json)) => json.to().unwrap_or_default(),
            _ => Vec::new(),
        }
    }

    /// Whether both are one and the same shared component, not only equal ones.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The component as JSON text, as it stands in the dumps of spans and events. Made once.
    #[must_use]
    pub fn dump(&self) -> &str {
        self.raw_dump().get()
    }

    fn raw_dump(&self) -> &RawValue {
        self.0.dump.get_or_init(|| {
            // Texts and raw JSON under string keys: writing them cannot fail.
            serde_json::value::to_raw_value(&Members(self))
                .unwrap_or_else(|_| RawValue::NULL.to_owned())
        })
    }
}

impl ComponentValue {
    fn collect<'a>(&'a self, found: &mut Vec<&'a Component>) {
        match self {
            Self::Component(component) => found.push(component),
            Self::List(values) => values.iter().for_each(|value| value.collect(found)),
            Self::Map(pairs) => pairs.iter().for_each(|(_, value)| value.collect(found)),
            Self::Json(_) => {}
        }
    }

    fn size(&self) -> usize {
        let sum = |sizes: &mut dyn Iterator<Item = usize>| sizes.fold(2, usize::saturating_add);
        match self {
            Self::Component(component) => component.0.size,
            Self::List(values) => sum(&mut values.iter().map(Self::size)),
            Self::Map(pairs) => sum(&mut pairs
                .iter()
                .map(|(name, value)| value.size().saturating_add(name.len()))),
            Self::Json(json) => json.as_str().len(),
        }
    }
}

/// Shows class, id and name.
impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.component_type())
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

/// Equal if their dumps are.
impl PartialEq for Component {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || self.dump() == other.dump()
    }
}

impl Eq for Component {}

/// Writes the [dump](Component::dump).
impl Serialize for Component {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw_dump().serialize(serializer)
    }
}

/// Reads like [`Component::from_json`].
impl<'de> Deserialize<'de> for Component {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_json(raw.get()).map_err(serde::de::Error::custom)
    }
}

/// Writes the members of a component, and nested ones member by member: only the dump of the outermost
/// one is kept.
struct Members<'a>(&'a Component);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let inner = &self.0.0;
        if let Some(dump) = inner.dump.get() {
            return dump.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(inner.members.len()))?;
        for (name, value) in &inner.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for ComponentValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Component(component) => Members(component).serialize(serializer),
            Self::List(values) => serializer.collect_seq(values),
            Self::Map(pairs) => {
                serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
            }
            Self::Json(json) => json.serialize(serializer),
        }
    }
}
