//! Reads Agent Spec documents, in which components refer to each other.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{
    Component,
    reading::{only_component, read_root},
    references::{Given, REFERENCED, References, Referent, read_list},
    survey::Survey,
    version::Versions,
};
use crate::agentspec::{
    Json, ProblemKind, ReadError,
    reader::{KnownComponents, Reader, Step},
    source::Source,
};

/// Reads Agent Spec documents, in which components refer to others by their ids.
///
/// A reference (`$component_ref`) refers to a component that an enclosing component lists under
/// `$referenced_components`, or to a component or a value that was [passed](Self::with_component)
/// to the reader. The document itself may be a reference. A component with several references is
/// read once and shared, so the time is linear in the text. References in place of secrets need not
/// be resolved.
///
/// The reader is made for traces and does not validate: a document may lack members of its classes,
/// or have other members.
///
/// # As in Python
///
/// The reader accepts what `pyagentspec` 26.3.1 accepts:
///
/// - The version of the document, `agentspec_version`, is checked and then dropped: components have
///   no version. A document without one is accepted, too. Documents of an unknown version are
///   rejected unless you allow [any version](Self::with_any_version).
/// - If an object repeats a member, the last value counts.
/// - `NaN`, `Infinity` and `-Infinity`, which Python writes although JSON has no such numbers, become
///   the texts `"NaN"`, `"Infinity"` and `"-Infinity"`.
///
/// ```
/// use agentspan_model::agentspec::DocumentReader;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let tool = DocumentReader::new().read(
///     r#"{"component_type": "ServerTool", "id": "t", "name": "old", "name": "new", "limit": NaN,
///         "agentspec_version": "26.1.0"}"#,
/// )?;
/// assert_eq!(tool.dump(), r#"{"component_type":"ServerTool","id":"t","name":"new","limit":"NaN"}"#);
///
/// let error = DocumentReader::new().read(
///     r#"{"component_type": "ServerTool", "id": "t", "name": "t", "agentspec_version": "99.1.0"}"#,
/// );
/// assert_eq!(
///     error.unwrap_err().to_string(),
///     "agentspec_version: version 99.1.0 of Agent Spec is unknown; the newest known version is \
///      26.3.1 (line 1, column 79)",
/// );
/// # Ok(())
/// # }
/// ```
///
/// # References
///
/// ```
/// use agentspan_model::agentspec::{Agent, DocumentReader};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let document = r#"{
///     "component_type": "Agent", "id": "agent-1", "name": "Helper", "agentspec_version": "26.1.0",
///     "llm_config": {"$component_ref": "llm-1"}, "system_prompt": {"$component_ref": "texts.prompt"},
///     "$referenced_components": {
///         "llm-1": {
///             "component_type": "OpenAiConfig", "id": "llm-1", "name": "model", "model_id": "gpt-4o",
///             "api_key": {"$component_ref": "llm-1.api_key"}
///         }
///     }
/// }"#;
/// let reader = DocumentReader::new().with_value("texts.prompt", serde_json::json!("Be kind."));
/// let agent = Agent::try_from(reader.read(document)?)?;
/// assert_eq!(agent.text("system_prompt").as_deref(), Some("Be kind."));
/// let model = agent.llm_config().and_then(|model| model.model_id());
/// assert_eq!(model.as_deref(), Some("gpt-4o"));
///
/// let error = DocumentReader::new().read(document).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "system_prompt: no component with the id texts.prompt (line 3, column 65)",
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct DocumentReader {
    given: Given,
    versions: Versions,
}

impl DocumentReader {
    /// A reader without additional components and values.
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
        let component = Referent::Component(component.into());
        self.given.insert(reference.into(), component);
        self
    }

    /// Adds a value that documents may refer to in the place of a prompt, a URL, or any other value.
    ///
    /// It takes precedence over an entry with the same id in a document.
    #[must_use]
    pub fn with_value(mut self, reference: impl Into<String>, value: impl Into<Json>) -> Self {
        let value = Referent::Value(value.into());
        self.given.insert(reference.into(), value);
        self
    }

    /// Also reads documents of unknown versions of Agent Spec. By default, they are rejected,
    /// because their meaning is unknown.
    #[must_use]
    pub fn with_any_version(mut self) -> Self {
        self.versions = Versions::Any;
        self
    }

    /// Reads the component of a JSON document. With the feature `yaml`, `read_yaml` reads one in YAML.
    ///
    /// # Errors
    ///
    /// The text is not JSON; the version of Agent Spec is unknown; a reference cannot be resolved
    /// or is circular; an id is listed on two levels; a component lacks `id`, `name` or
    /// `component_type`; or a place for a component holds another value or a component of the wrong
    /// class.
    pub fn read(&self, document: &str) -> Result<Component, ReadError> {
        self.read_source(&Source::json(document)?, component)
    }

    /// Reads a JSON document that only lists components under `$referenced_components`, which other
    /// documents refer to. Pass the components to the reader of these documents. Entries may refer
    /// to each other.
    ///
    /// # Errors
    ///
    /// The same as of [`read`](Self::read), or the document has other members.
    pub fn read_referenced(
        &self,
        document: &str,
    ) -> Result<BTreeMap<String, Component>, ReadError> {
        self.read_source(&Source::json(document)?, components)
    }

    pub(super) fn read_source<T>(
        &self,
        source: &Source<'_>,
        read: impl for<'t> FnOnce(&'t RawValue, &mut Reader<'t>) -> Option<T>,
    ) -> Result<T, ReadError> {
        let survey = Survey::of(source.text());
        if survey.repeated.is_empty() {
            return self.read_surveyed(source, &survey, read);
        }
        let source = source.edited(&survey.repeated);
        self.read_surveyed(&source, &Survey::of(source.text()), read)
    }

    fn read_surveyed<T>(
        &self,
        source: &Source<'_>,
        survey: &Survey<'_>,
        read: impl for<'t> FnOnce(&'t RawValue, &mut Reader<'t>) -> Option<T>,
    ) -> Result<T, ReadError> {
        let mut problems = survey.missing(source.text(), |id| self.given.contains_key(id));
        if problems.is_empty() {
            let mut known = KnownComponents::default();
            let references = References::new(&self.given, self.versions);
            return Reader::referring(source, &mut known, references, read);
        }
        problems.locate(source);
        Err(problems.into_error())
    }
}

/// The component that a document is about.
pub(super) fn component<'a>(raw: &'a RawValue, reader: &mut Reader<'a>) -> Option<Component> {
    reader.on(raw, |reader| {
        let members = reader.object_that_is(raw, "a component")?;
        if members.find(REFERENCED).is_some() && members.len() == 1 {
            return reader.refuse(ProblemKind::OnlyAList);
        }
        let followed = read_root(raw, reader)?;
        only_component(followed, reader)
    })
}

/// The components that a document lists.
pub(super) fn components<'a>(
    raw: &'a RawValue,
    reader: &mut Reader<'a>,
) -> Option<BTreeMap<String, Component>> {
    reader.on(raw, |reader| {
        let mut members = reader.object_that_is(raw, "a list of components")?;
        let listed = members.take(REFERENCED);
        for member in members.take_rest() {
            reader.at(Step::Member(member.name), |reader| {
                reader.on(member.value, |reader| {
                    reader.report(ProblemKind::MoreThanAList);
                });
            });
        }
        reader.at(Step::member(REFERENCED), |reader| {
            let Some(listed) = listed else {
                return reader.refuse(ProblemKind::Missing);
            };
            let entries = reader.on(listed, |reader| read_list(listed, reader))?;
            let entries = entries.into_iter().map(|(id, followed)| {
                let step = Step::Member(id.clone());
                let component = reader.at(step, |reader| only_component(followed, reader));
                Some((id.into_owned(), component?))
            });
            entries.collect()
        })
    })
}
