//! Python exceptions as the vectors describe them.

use serde::Deserialize;

/// An exception: its class and its argument.
#[derive(Clone, Deserialize)]
#[serde(from = "Form")]
pub(in crate::runners) struct ErrorInput {
    /// The name of the class.
    pub(in crate::runners) class: String,
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

impl From<Form> for ErrorInput {
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

impl ErrorInput {
    /// The class with its module, which Python leaves out for its own exceptions.
    pub(in crate::runners) fn path(&self) -> String {
        match &self.module {
            Some(module) => format!("{module}.{}", self.class),
            None => self.class.clone(),
        }
    }

    /// What Python's `str` gives for the exception.
    pub(in crate::runners) fn message(&self) -> String {
        let argument = &self.argument;
        match self.class.as_str() {
            // Python quotes the key.
            "KeyError" if argument.contains('\'') && !argument.contains('"') => {
                format!("\"{argument}\"")
            }
            "KeyError" => format!("'{}'", argument.replace('\'', "\\'")),
            "JSONDecodeError" => format!("{argument}: line 1 column 1 (char 0)"),
            _ => argument.clone(),
        }
    }
}
