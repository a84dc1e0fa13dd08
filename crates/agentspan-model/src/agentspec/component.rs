//! Components of Agent Spec, as spans and events hold them.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde_json::value::RawValue;

use super::{Json, ReadError, json_text, reader::KnownComponents, reader::Reader};

mod builder;
pub(crate) mod classes;
mod constructors;
mod default_component;
mod document;
#[cfg(feature = "yaml")]
mod document_yaml;
mod dump;
mod fields;
mod handles;
mod inference;
mod outline;
pub(crate) mod place;
mod placeholder;
mod property;
pub(crate) mod reading;
pub(crate) mod references;
mod secrets;
mod survey;
pub(crate) mod version;

use inference::Properties;

pub use builder::ComponentBuilder;
pub use document::DocumentReader;
pub use handles::{Agent, Flow, LlmConfig, ManagerWorkers, Node, Swarm, Tool, WrongComponentError};
pub use property::Property;

/// A component of Agent Spec: an agent, a flow, a node, a tool, a model's configuration, and so on.
///
/// Clones share their data. [`to_builder`](Self::to_builder) makes a changed copy. All members are
/// kept unchanged and in order, with one exception:
/// **secrets** (keys, passwords, certificates, secret headers) are dropped when the component is
/// read or built. The reference `{"$component_ref": "<id>.<field>"}`, which `pyagentspec` 26.3.1
/// writes in their place, remains. So neither a dump nor `Debug` can show secrets.
/// [`is_secret_field`] lists the secret fields. A nested object that has a class, but no id or no
/// name, also loses its secrets; without an id, the reference has the class instead.
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
    /// The length of the dump with everything written out, give or take punctuation.
    size: usize,
    /// How deep components, lists and objects are nested in it, itself included.
    depth: usize,
    dump: OnceLock<Box<RawValue>>,
    outlines: outline::Outlines,
    properties: OnceLock<Properties>,
}

/// How deep components may be before they are treated as deep: code can nest them without end, and nothing
/// that follows them down recurses beyond this. Readers accept less.
const MAX_DEPTH: usize = 300;

/// Deep components are dropped from the outside in: one component inside another would need the
/// stack for each.
impl Drop for Inner {
    fn drop(&mut self) {
        if self.depth <= MAX_DEPTH {
            return;
        }
        let mut waiting = Vec::new();
        self.give_up(&mut waiting);
        while let Some(value) = waiting.pop() {
            match value {
                ComponentValue::Component(Component(shared)) => {
                    if let Some(mut inner) = Arc::into_inner(shared) {
                        inner.give_up(&mut waiting);
                    }
                }
                ComponentValue::List(values) => waiting.extend(values),
                ComponentValue::Map(pairs) => waiting.extend(pairs.into_iter().map(|(_, it)| it)),
                ComponentValue::Json(_) => {}
            }
        }
    }
}

impl Inner {
    /// Gives up what holds components.
    fn give_up(&mut self, waiting: &mut Vec<ComponentValue>) {
        let members = std::mem::take(&mut self.members);
        waiting.extend(members.into_iter().map(|(_, value)| value));
        waiting.extend(self.outlines.take().map(ComponentValue::Component));
    }
}

/// The value of a component's member.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentValue {
    /// Another component.
    Component(Component),
    /// A list with components somewhere in it.
    List(Vec<Self>),
    /// An object with components somewhere in it.
    Map(Vec<(Box<str>, Self)>),
    /// Anything without components.
    Json(Json),
}

/// Whether a field of a component class is a secret, which dumps never show.
///
/// These are the fields that `pyagentspec` 26.3.1 masks, and the fields that it declares as
/// sensitive but fails to mask: the credentials of `OAuthClientConfig` and the Postgres `sslkey`.
/// In an unknown class, or in a class that does not declare the field, a field is secret if it is
/// secret in any class.
#[must_use]
pub fn is_secret_field(component_type: &str, field: &str) -> bool {
    classes::is_secret(component_type, field)
}

impl Component {
    /// Reads one component from its dump in a span or an event, without references.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or a component in it lacks `id`, `name` or `component_type`.
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
    /// `None` if that version does not have its class.
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

    /// The text of a member, if its value is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        match self.member(name)? {
            ComponentValue::Json(json) => json.to().ok(),
            _ => None,
        }
    }

    /// The component in a member, if there is one.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&Self> {
        match self.member(name)? {
            ComponentValue::Component(component) => Some(component),
            _ => None,
        }
    }

    /// The components in a member, at any depth of lists and objects, in order.
    #[must_use]
    pub fn components(&self, name: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        if let Some(value) = self.member(name) {
            value.collect(&mut found);
        }
        found
    }

    /// The components in all members, in order, without nested components.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        let mut found = Vec::new();
        for (_, value) in &self.0.members {
            value.collect(&mut found);
        }
        found
    }

    /// The inputs: declared by the component, or else derived from its placeholders and its nested
    /// components, as in `pyagentspec` 26.3.1. Empty for a component without inputs.
    #[must_use]
    pub fn inputs(&self) -> &[Property] {
        &self.properties().inputs
    }

    /// The outputs, declared or derived like [`inputs`](Self::inputs). Empty for a component
    /// without outputs.
    #[must_use]
    pub fn outputs(&self) -> &[Property] {
        &self.properties().outputs
    }

    fn shared_inputs(&self) -> Arc<[Property]> {
        self.properties().inputs.clone()
    }

    fn shared_outputs(&self) -> Arc<[Property]> {
        self.properties().outputs.clone()
    }

    fn properties(&self) -> &Properties {
        let properties = &self.0.properties;
        properties.get_or_init(|| Properties::of(self))
    }

    /// Whether both are the same shared component, not only equal components.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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

    /// Whether it holds no components.
    fn is_plain(&self) -> bool {
        matches!(self, Self::Json(_))
    }

    /// The component as JSON, with the dumps of its components.
    fn to_json(&self) -> Json {
        // Texts and JSON under string keys: writing them cannot fail.
        Json::from_serialize(self).unwrap_or_else(|_| Json::from(serde_json::Value::Null))
    }

    fn depth(&self) -> usize {
        match self {
            Self::Component(component) => component.0.depth,
            Self::List(values) => values.iter().map(Self::depth).max().unwrap_or_default() + 1,
            Self::Map(pairs) => {
                let depths = pairs.iter().map(|(_, value)| value.depth());
                depths.max().unwrap_or_default() + 1
            }
            Self::Json(_) => 0,
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
