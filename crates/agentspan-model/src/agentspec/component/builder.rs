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
///
/// To change a component, get a builder from it with [`Component::to_builder`].
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

    /// A builder with everything that the component has, to make a changed copy.
    ///
    /// The copy keeps the id. Other components that hold this one keep it as it is. Like all
    /// components of the builder, the copy starts with `id`, `name`, `description` and `metadata`.
    ///
    /// ```
    /// use agentspan_model::agentspec::{Agent, LlmConfig};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let model = LlmConfig::ollama("llama3", "http://127.0.0.1:11434");
    /// let other = model.to_builder().with_text("url", "http://127.0.0.1:8080").build();
    /// let agent = Agent::new("weather agent").with_llm_config(model.clone());
    /// let agent = agent.with_llm_config(LlmConfig::try_from(other)?);
    /// let url = agent.llm_config().and_then(|model| model.text("url"));
    /// assert_eq!(url.as_deref(), Some("http://127.0.0.1:8080"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_builder(&self) -> ComponentBuilder {
        let builder = Self::builder(self.component_type(), self.name()).with_id(self.id());
        let members = self.0.members.iter();
        members.fold(builder, |builder, (name, value)| {
            builder.with_value(name, value.clone())
        })
    }
}

impl ComponentBuilder {
    /// Sets another name.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

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

    /// Sets the inputs.
    pub fn with_inputs(self, inputs: impl IntoIterator<Item = Property>) -> Self {
        self.with_properties("inputs", inputs)
    }

    /// Sets the outputs.
    pub fn with_outputs(self, outputs: impl IntoIterator<Item = Property>) -> Self {
        self.with_properties("outputs", outputs)
    }

    /// Sets a member to a text.
    pub fn with_text(self, name: &str, text: impl Into<String>) -> Self {
        self.with_json(name, Json::from(serde_json::Value::String(text.into())))
    }

    /// Sets a member to any JSON value.
    pub fn with_json(self, name: &str, value: Json) -> Self {
        self.with_value(name, ComponentValue::Json(value))
    }

    /// Sets a member to a component.
    pub fn with_component(self, name: &str, component: impl Into<Component>) -> Self {
        self.with_value(name, ComponentValue::Component(component.into()))
    }

    /// Sets a member to a list of components.
    pub fn with_components<C: Into<Component>>(
        self,
        name: &str,
        components: impl IntoIterator<Item = C>,
    ) -> Self {
        let list = components.into_iter();
        let list = list.map(|component| ComponentValue::Component(component.into()));
        self.with_value(name, ComponentValue::List(list.collect()))
    }

    /// Sets a member, in place of one with the same name. The members that every component has can
    /// be set so, too: `id`, `name`, `component_type` and `description` to a text, `metadata` to an
    /// object. Any other value takes away the description and the metadata, and leaves the rest.
    pub fn with_value(mut self, name: &str, value: ComponentValue) -> Self {
        if self.set_common(name, &value) {
            return self;
        }
        match self
            .members
            .iter_mut()
            .find(|(member, _)| **member == *name)
        {
            Some((_, old)) => *old = value,
            None => self.members.push((name.into(), value)),
        }
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

    /// Sets a member that every component has; false if it is none.
    fn set_common(&mut self, name: &str, value: &ComponentValue) -> bool {
        let json = match value {
            ComponentValue::Json(json) => Some(json),
            _ => None,
        };
        let text = || json.and_then(|json| json.to::<String>().ok());
        match name {
            "id" => self.id = text().or(self.id.take()),
            "name" => self.name = text().unwrap_or(std::mem::take(&mut self.name)),
            "component_type" => {
                self.component_type = text().unwrap_or(std::mem::take(&mut self.component_type));
            }
            "description" => self.description = text(),
            "metadata" => {
                let object = json.and_then(|json| JsonObject::try_from(json.clone()).ok());
                self.metadata = object.unwrap_or_default();
            }
            _ => return false,
        }
        true
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
