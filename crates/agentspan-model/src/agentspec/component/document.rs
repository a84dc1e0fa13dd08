//! Agent Spec documents: components that refer to each other.

use std::collections::{BTreeMap, HashMap};

use super::{
    Component, ComponentValue,
    reading::{REFERENCED, Referenced, References, add_referenced, read_component},
    slots,
};
use crate::agentspec::{
    ProblemKind, ReadError, json_text,
    reader::{KnownComponents, Members, Reader, Step},
};

/// Reads Agent Spec documents, in which components refer to others by their ids.
///
/// References (`$component_ref`) lead to the components that the document lists under
/// `$referenced_components`, or to those that the reader was [given](Self::with_component). A component
/// that is referred to more than once is read once and shared. References that stand for secrets
/// need not lead anywhere.
///
/// ```
/// use agentspan_model::agentspec::{Agent, DocumentReader};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let document = r#"{
///     "component_type": "Agent", "id": "agent-1", "name": "Helper", "agentspec_version": "26.1.0",
///     "llm_config": {"$component_ref": "llm-1"},
///     "$referenced_components": {
///         "llm-1": {
///             "component_type": "OpenAiConfig", "id": "llm-1", "name": "model", "model_id": "gpt-4o",
///             "api_key": {"$component_ref": "llm-1.api_key"}
///         }
///     }
/// }"#;
/// let agent = Agent::try_from(DocumentReader::new().read(document)?)?;
/// let model = agent.llm_config().and_then(|model| model.model_id());
/// assert_eq!(model.as_deref(), Some("gpt-4o"));
///
/// let broken = document.replace("llm-1\": {\n", "llm-2\": {\n");
/// let error = DocumentReader::new().read(&broken).unwrap_err();
/// assert_eq!(error.to_string(), "llm_config: no component with the id llm-1");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct DocumentReader {
    given: HashMap<String, Component>,
}

impl DocumentReader {
    /// A reader that knows only what is in the document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a component that documents may refer to by its id.
    #[must_use]
    pub fn with_component(self, component: impl Into<Component>) -> Self {
        let component = component.into();
        let id = component.id().to_owned();
        self.with_component_as(id, component)
    }

    /// Adds a component that documents may refer to by another id than its own.
    #[must_use]
    pub fn with_component_as(
        mut self,
        reference: impl Into<String>,
        component: impl Into<Component>,
    ) -> Self {
        self.given.insert(reference.into(), component.into());
        self
    }

    /// Reads the component that a document is about.
    ///
    /// # Errors
    ///
    /// When the text is not JSON; a component in it lacks `id`, `name` or `component_type`; a reference
    /// leads nowhere or back to where it stands; or a component is not of the class that its place
    /// asks for.
    pub fn read(&self, document: &str) -> Result<Component, ReadError> {
        let raw = json_text::read(document)?;
        let mut known = KnownComponents::default();
        Reader::document(&raw, &mut known, |raw, reader| {
            reader.references = Some(self.references());
            read_component(raw, reader)
        })
    }

    /// Reads a document that only lists components under `$referenced_components`, for others to refer
    /// to. Give them to the reader of those others.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_referenced(
        &self,
        document: &str,
    ) -> Result<BTreeMap<String, Component>, ReadError> {
        let raw = json_text::read(document)?;
        let mut known = KnownComponents::default();
        Reader::document(&raw, &mut known, |raw, reader| {
            reader.references = Some(self.references());
            let listed = reader.object(raw)?.take(REFERENCED);
            let Some(listed) = listed else {
                let step = Step::member(REFERENCED);
                return reader.at(step, |reader| reader.refuse(ProblemKind::Missing));
            };
            add_referenced(listed, reader)?;
            read_all(&mut reader.object(listed)?, reader)
        })
    }

    fn references<'a>(&self) -> References<'a> {
        let given = self.given.iter();
        given
            .map(|(id, component)| (id.clone(), Referenced::Read(component.clone())))
            .collect()
    }
}

fn read_all<'a>(
    listed: &mut Members<'a>,
    reader: &mut Reader<'a>,
) -> Option<BTreeMap<String, Component>> {
    let mut components = BTreeMap::new();
    for member in listed.take_rest() {
        let step = Step::Member(member.name.clone());
        let id = member.name.into_owned();
        let component = reader.at(step, |reader| super::reading::resolve(id.clone(), reader))?;
        components.insert(id, component);
    }
    Some(components)
}

/// Reports a component in a place that asks for another class.
pub(super) fn check_slot(
    component_type: &str,
    member: &str,
    value: &ComponentValue,
    reader: &mut Reader<'_>,
) -> Option<()> {
    match slots::expected(component_type, member) {
        Some(expected) => check_value(expected, value, reader),
        None => Some(()),
    }
}

fn check_value(
    expected: &'static str,
    value: &ComponentValue,
    reader: &mut Reader<'_>,
) -> Option<()> {
    match value {
        ComponentValue::Component(component) if component.is_a(expected) == Some(false) => {
            let found = component.component_type().to_owned();
            reader.refuse(ProblemKind::WrongComponent { expected, found })
        }
        ComponentValue::List(values) => values.iter().enumerate().try_for_each(|(index, value)| {
            reader.at(Step::Index(index), |reader| {
                check_value(expected, value, reader)
            })
        }),
        ComponentValue::Json(json) if !matches!(json.as_str(), "null" | "[]") => {
            reader.refuse(ProblemKind::WrongType {
                expected: "a component",
            })
        }
        _ => Some(()),
    }
}
