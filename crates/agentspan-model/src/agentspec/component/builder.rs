//! Builds components in code.

use std::fmt;

use super::{Component, ComponentValue, Property, reading::Head};
use crate::agentspec::{Id, Json, JsonObject};

/// Builds a [`Component`] of any class, for a runtime without an Agent Spec document.
///
/// Choose the class and the name, which every component has, optionally an id, which is random by
/// default, and the members of the class in Agent Spec. The builder does not check members against
/// the class, and a dump has no other members.
///
/// ```
/// use agentspan_model::agentspec::{Component, LlmConfig, Property, Tool};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let weather = Component::builder("ServerTool", "get_weather")
///     .with_id("tool-weather")
///     .with_description("Looks up the weather")
///     .with_inputs([Property::new("city", "string")])
///     .with_outputs([Property::new("weather", "string")])
///     .build();
/// let weather = Tool::try_from(weather)?;
/// assert_eq!(weather.inputs()[0].title(), "city");
///
/// let model = Component::builder("OpenAiConfig", "main model")
///     .with_text("model_id", "gpt-4o")
///     .build();
/// assert_eq!(LlmConfig::try_from(model)?.model_id().as_deref(), Some("gpt-4o"));
/// # Ok(())
/// # }
/// ```
#[must_use = "a component is made by `build`"]
pub struct ComponentBuilder {
    component_type: String,
    name: String,
    id: Option<String>,
    description: Option<String>,
    metadata: JsonObject,
    members: Vec<(Box<str>, ComponentValue)>,
}

/// Shows class and name: members may still hold secrets.
impl fmt::Debug for ComponentBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentBuilder")
            .field("component_type", &self.component_type)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Component {
    /// Builds a component of a class.
    pub fn builder(component_type: impl Into<String>, name: impl Into<String>) -> ComponentBuilder {
        ComponentBuilder {
            component_type: component_type.into(),
            name: name.into(),
            id: None,
            description: None,
            metadata: JsonObject::new(),
            members: Vec::new(),
        }
    }
}

impl ComponentBuilder {
    /// Sets the id. The default is a random UUID.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the description.
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the metadata. Every dump shows it.
    pub fn with_metadata(mut self, metadata: JsonObject) -> Self {
        self.metadata = metadata;
        self
    }

    /// Adds inputs.
    pub fn with_inputs(self, inputs: impl IntoIterator<Item = Property>) -> Self {
        self.with_properties("inputs", inputs)
    }

    /// Adds outputs.
    pub fn with_outputs(self, outputs: impl IntoIterator<Item = Property>) -> Self {
        self.with_properties("outputs", outputs)
    }

    /// Adds a member with a text.
    pub fn with_text(self, name: &str, text: impl Into<String>) -> Self {
        self.with_json(name, Json::from(serde_json::Value::String(text.into())))
    }

    /// Adds a member with any JSON value.
    pub fn with_json(self, name: &str, value: Json) -> Self {
        self.with_value(name, ComponentValue::Json(value))
    }

    /// Adds a member with a component.
    pub fn with_component(self, name: &str, component: impl Into<Component>) -> Self {
        self.with_value(name, ComponentValue::Component(component.into()))
    }

    /// Adds a member with a list of components.
    pub fn with_components<C: Into<Component>>(
        self,
        name: &str,
        components: impl IntoIterator<Item = C>,
    ) -> Self {
        let list = components.into_iter();
        let list = list.map(|component| ComponentValue::Component(component.into()));
        self.with_value(name, ComponentValue::List(list.collect()))
    }

    /// Adds a member.
    pub fn with_value(mut self, name: &str, value: ComponentValue) -> Self {
        self.members.push((name.into(), value));
        self
    }

    /// Builds the component, and drops its secrets, see [`Component`].
    #[must_use]
    pub fn build(self) -> Component {
        let id = self.id.unwrap_or_else(|| Id::random().as_str().to_owned());
        let text = |text: &str| ComponentValue::Json(Json::from(serde_json::json!(text)));
        let description = self.description.as_deref();
        let mut members = vec![
            ("id".into(), text(&id)),
            ("name".into(), text(&self.name)),
            (
                "description".into(),
                ComponentValue::Json(Json::from(serde_json::json!(description))),
            ),
            (
                "metadata".into(),
                ComponentValue::Json(self.metadata.into()),
            ),
        ];
        members.extend(self.members);
        members.push(("component_type".into(), text(&self.component_type)));
        let head = Head {
            component_type: self.component_type.into(),
            id: id.into(),
            name: self.name.into(),
            description: self.description.map(Into::into),
        };
        Component::assemble(head, members)
    }

    fn with_properties(self, name: &str, properties: impl IntoIterator<Item = Property>) -> Self {
        let properties: Vec<Property> = properties.into_iter().collect();
        // Schemas are JSON already, so writing a list of them does not fail.
        match Json::from_serialize(&properties) {
            Ok(json) => self.with_json(name, json),
            Err(_) => self,
        }
    }
}
