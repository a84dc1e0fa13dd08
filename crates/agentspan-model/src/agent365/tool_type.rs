//! How a tool is run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a tool is run.
///
/// The reference takes any text for it; what is none of the three it names is kept in
/// [`Other`](Self::Other).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", from = "String")]
#[non_exhaustive]
pub enum ToolType {
    /// A function that the client runs, `function`.
    Function,
    /// A call that the agent makes itself to another API, `extension`.
    Extension,
    /// A look-up in data, `datastore`.
    Datastore,
    /// Any other text.
    Other(String),
}

impl ToolType {
    /// The value of `gen_ai.tool.type`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Function => "function",
            Self::Extension => "extension",
            Self::Datastore => "datastore",
            Self::Other(text) => text,
        }
    }
}

impl From<String> for ToolType {
    fn from(text: String) -> Self {
        match text.as_str() {
            "function" => Self::Function,
            "extension" => Self::Extension,
            "datastore" => Self::Datastore,
            _ => Self::Other(text),
        }
    }
}

impl From<&str> for ToolType {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<ToolType> for String {
    fn from(tool_type: ToolType) -> Self {
        match tool_type {
            ToolType::Other(text) => text,
            known => known.as_str().to_owned(),
        }
    }
}

impl fmt::Display for ToolType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
