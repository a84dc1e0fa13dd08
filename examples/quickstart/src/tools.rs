//! The agent's tools, which read real files of this repository.

use std::path::{Component, Path};

use serde_json::Value;

/// Why a tool gave no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    /// The model named a tool that there is not.
    #[error("there is no tool {0}")]
    Unknown(String),
    /// The model gave no path, or one that leaves the repository.
    #[error("path must name a file inside the repository")]
    Path,
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        path: String,
        source: std::io::Error,
    },
}

/// Runs the tool that the model asked for.
pub(crate) async fn run(name: &str, arguments: &Value) -> Result<String, ToolError> {
    let path = arguments["path"].as_str().ok_or(ToolError::Path)?;
    let text = read(path).await?;
    match name {
        "count_lines" => Ok(format!("{path} has {} lines", text.lines().count())),
        "first_heading" => {
            let heading = text.lines().find_map(|line| line.strip_prefix("# "));
            Ok(format!(
                "{path} is headed {:?}",
                heading.unwrap_or("nothing")
            ))
        }
        _ => Err(ToolError::Unknown(name.to_owned())),
    }
}

async fn read(path: &str) -> Result<String, ToolError> {
    let stays_inside = Path::new(path)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !stays_inside {
        return Err(ToolError::Path);
    }
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    tokio::fs::read_to_string(repository.join(path))
        .await
        .map_err(|source| ToolError::Read {
            path: path.to_owned(),
            source,
        })
}
