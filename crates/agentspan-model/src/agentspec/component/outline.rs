//! Outlines: components without their prompts and settings.

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::{Component, ComponentValue, MAX_DEPTH, reading::Head};
use crate::agentspec::{Detail, Json, MASK};

/// The members that every outline shows, except lists and objects, in which anything may be: what a
/// component is, which model it uses, and what is connected to what.
const NAMES: &[&str] = &[
    "agentspec_version",
    "api_provider",
    "api_type",
    "component_type",
    "destination_input",
    "from_branch",
    "id",
    "model_id",
    "name",
    "provider",
    "source_output",
];

/// The members that an outline also shows, if it describes: what a component is for, what it takes
/// and gives.
const DESCRIPTIONS: &[&str] = &["description", "inputs", "outputs"];

/// Of those, lists of schemas.
const SCHEMAS: &[&str] = &["inputs", "outputs"];

/// How the model of a component is asked to generate. The numbers are shown, texts are not.
const PARAMETERS: &str = "default_generation_parameters";

/// The outlines of a component, made once. `None` is one that is the component itself.
#[derive(Default)]
pub(super) struct Outlines {
    described: OnceLock<Option<Component>>,
    named: OnceLock<Option<Component>>,
}

impl Outlines {
    /// Takes out those that are not the component itself.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Component> + use<> {
        let outlines = [self.described.take(), self.named.take()];
        outlines.into_iter().flatten().flatten()
    }
}

impl Component {
    /// The component without its contents: prompts, templates, addresses, settings, and unknown
    /// members.
    ///
    /// An outline has ids, names, types, models, and nested components as outlines. With
    /// [`Detail::Described`], it also has descriptions, inputs and outputs. Booleans and numbers
    /// among the generation parameters stay. [`MASK`] replaces every other value, so an outline is
    /// a valid component. It also replaces all nested components if they are nested more than 300 levels
    /// deep, which only code can do. [`Detail::Complete`] returns the component itself.
    ///
    /// ```
    /// use agentspan_model::agentspec::{Component, Detail};
    ///
    /// let agent = Component::builder("Agent", "Clerk")
    ///     .with_id("agent-1")
    ///     .with_text("system_prompt", "Our margin is 40 %.")
    ///     .build();
    /// let outline = agent.outline(Detail::Named);
    /// assert_eq!((outline.id(), outline.name()), ("agent-1", "Clerk"));
    /// assert_eq!(outline.text("system_prompt").as_deref(), Some("** MASKED **"));
    /// ```
    #[must_use]
    pub fn outline(&self, detail: Detail) -> Self {
        let outlines = &self.0.outlines;
        let place = match detail {
            Detail::Complete => return self.clone(),
            Detail::Described => &outlines.described,
            Detail::Named => &outlines.named,
        };
        let outline = place.get_or_init(|| outline_of(self, detail));
        outline.as_ref().unwrap_or(self).clone()
    }
}

/// An outline that differs from the component.
fn outline_of(component: &Component, detail: Detail) -> Option<Component> {
    let inner = &component.0;
    let mut differs = false;
    let members = inner.members.iter().map(|(name, value)| {
        let value = match value {
            ComponentValue::Json(_) => member(name, value, detail),
            // Outlines of what is deep would need the stack for each level.
            _ if inner.depth > MAX_DEPTH => Cow::Owned(Json::from(Value::from(MASK)).into()),
            _ => member(name, value, detail),
        };
        differs |= matches!(value, Cow::Owned(_));
        (name.clone(), value.into_owned())
    });
    let members: Vec<_> = members.collect();
    let shows_descriptions = is_shown("description", detail);
    let head = Head {
        component_type: inner.component_type.clone(),
        id: inner.id.clone(),
        name: inner.name.clone(),
        description: inner.description.clone().filter(|_| shows_descriptions),
    };
    differs.then(|| Component::assemble(head, members))
}

fn is_shown(name: &str, detail: Detail) -> bool {
    NAMES.contains(&name) || (detail == Detail::Described && DESCRIPTIONS.contains(&name))
}

/// Whether a value is what its name says.
fn may_be_shown(name: &str, json: &Json) -> bool {
    SCHEMAS.contains(&name) || !json.as_str().starts_with(['{', '['])
}

fn member<'a>(name: &str, value: &'a ComponentValue, detail: Detail) -> Cow<'a, ComponentValue> {
    match value {
        ComponentValue::Json(json) if is_nothing(json) => Cow::Borrowed(value),
        ComponentValue::Json(json) if is_shown(name, detail) && may_be_shown(name, json) => {
            Cow::Borrowed(value)
        }
        // Readers take any text for a description, so that a mask would be shown as one.
        ComponentValue::Json(_) if name == "description" => {
            Cow::Owned(Json::from(Value::Null).into())
        }
        ComponentValue::Json(json) if name == PARAMETERS => match numbers(json) {
            Some(json) => Cow::Owned(json.into()),
            None => Cow::Borrowed(value),
        },
        value => value.outlined(detail),
    }
}

impl ComponentValue {
    /// The value with outlines in the place of components, and masks in the place of all else.
    pub(crate) fn outline(&self, detail: Detail) -> Cow<'_, Self> {
        match detail {
            Detail::Complete => Cow::Borrowed(self),
            Detail::Described | Detail::Named => self.outlined(detail),
        }
    }

    fn outlined(&self, detail: Detail) -> Cow<'_, Self> {
        match self {
            Self::Component(component) => {
                let outline = component.outline(detail);
                if outline.is_same(component) {
                    Cow::Borrowed(self)
                } else {
                    Cow::Owned(Self::Component(outline))
                }
            }
            Self::List(values) => {
                let outlines: Vec<_> = values.iter().map(|value| value.outlined(detail)).collect();
                if outlines
                    .iter()
                    .all(|value| matches!(value, Cow::Borrowed(_)))
                {
                    return Cow::Borrowed(self);
                }
                Cow::Owned(Self::List(
                    outlines.into_iter().map(Cow::into_owned).collect(),
                ))
            }
            Self::Map(pairs) => Cow::Owned(Self::Map(
                pairs
                    .iter()
                    .map(|(name, value)| (name.clone(), value.outlined(detail).into_owned()))
                    .collect(),
            )),
            Self::Json(json) if is_nothing(json) => Cow::Borrowed(self),
            Self::Json(_) => Cow::Owned(Json::from(Value::from(MASK)).into()),
        }
    }
}

impl From<Json> for ComponentValue {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}

/// Whether a value holds no content: a truth value, null, or an empty list, object or text.
fn is_nothing(json: &Json) -> bool {
    matches!(
        json.as_str(),
        "null" | "true" | "false" | "[]" | "{}" | r#""""#
    )
}

/// The members that are numbers or truth values, if there are others.
fn numbers(json: &Json) -> Option<Json> {
    let Ok(mut parameters) = json.to::<Map<String, Value>>() else {
        return (!is_nothing(json)).then(|| Value::from(MASK).into());
    };
    let all = parameters.len();
    parameters.retain(|_, value| value.is_number() || value.is_boolean() || value.is_null());
    (parameters.len() < all).then(|| Value::Object(parameters).into())
}
