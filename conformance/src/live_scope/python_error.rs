//! Python exceptions as the vectors describe them.

use agentspan_otel::baggage::BaggageText;
use serde::Deserialize;

/// An exception: its class and its argument.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Form")]
pub struct PythonError {
    /// The name of the class.
    pub(crate) class: String,
    module: Option<String>,
    argument: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(rename = "type")]
    class: String,
    #[serde(default)]
    message: String,
    module: Option<String>,
    class_name: Option<String>,
}

impl From<Form> for PythonError {
    fn from(form: Form) -> Self {
        let (class, module) = match form.class.as_str() {
            "custom" => (form.class_name.unwrap_or_default(), form.module),
            "JSONDecodeError" => (form.class, Some("json.decoder".to_owned())),
            "requests.ConnectionError" => (
                "ConnectionError".to_owned(),
                Some("requests.exceptions".to_owned()),
            ),
            // An exception without arguments; the vectors do not say which class it has.
            "no_args" => ("ValueError".to_owned(), None),
            _ => (form.class, None),
        };
        Self {
            class,
            module,
            argument: form.message,
        }
    }
}

impl PythonError {
    /// The class with its module, which Python leaves out for its own exceptions.
    pub(crate) fn path(&self) -> String {
        match &self.module {
            Some(module) => format!("{module}.{}", self.class),
            None => self.class.clone(),
        }
    }

    /// What Python's `str` gives for the exception.
    pub(crate) fn message(&self) -> String {
        let argument = &self.argument;
        match self.class.as_str() {
            "KeyError" => quoted(argument),
            "JSONDecodeError" => format!("{argument}: line 1 column 1 (char 0)"),
            _ => argument.clone(),
        }
    }
}

/// The text in quotes, as Python shows it, which our baggage does for texts in a list.
fn quoted(text: &str) -> String {
    let list = serde_json::json!([text]).into_baggage_text();
    let list = list.unwrap_or_default();
    let item = list
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    item.unwrap_or_default().to_owned()
}
