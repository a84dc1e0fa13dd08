//! What cargo knows about the workspace: its root, its crates and their dependencies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command::Program;
use crate::error::XtaskError;

/// The workspace as `cargo metadata` describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

/// A crate of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
    pub(crate) targets: Vec<Target>,
    /// The lowest version of Rust that compiles it.
    pub(crate) rust_version: Option<String>,
    /// The registries it may go to; an empty list means that it is never published.
    publish: Option<Vec<String>>,
}

/// One dependency as a crate's manifest declares it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

/// Something cargo can build of a crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

impl Workspace {
    /// Asks cargo about the workspace that the current directory belongs to.
    ///
    /// # Errors
    ///
    /// Cargo cannot be started, finds no workspace, or its lock file is not up to date.
    pub(crate) fn load() -> Result<Self, XtaskError> {
        let metadata = Program::new(
            "cargo",
            Path::new("."),
            "install Rust from https://rustup.rs",
        )
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"]);
        let command = metadata.line();
        serde_json::from_str(&metadata.read()?).map_err(|source| XtaskError::Output {
            command,
            source: source.into(),
        })
    }

    /// The directory of the root manifest.
    pub(crate) fn root(&self) -> &Path {
        &self.workspace_root
    }

    /// The directory for everything that is built or installed.
    pub(crate) fn target_directory(&self) -> &Path {
        &self.target_directory
    }

    /// The crates of the workspace.
    pub(crate) fn packages(&self) -> &[Package] {
        &self.packages
    }
}

/// Cargo, in the workspace's root.
pub(crate) fn cargo(workspace: &Workspace) -> Program {
    Program::new(
        "cargo",
        workspace.root(),
        "install Rust from https://rustup.rs",
    )
}

impl Package {
    /// Whether the crate goes to a registry.
    pub(crate) fn is_published(&self) -> bool {
        self.publish
            .as_ref()
            .is_none_or(|registries| !registries.is_empty())
    }

    /// The names of the crates that this one needs to be built and run, without those of its tests.
    pub(crate) fn needed_dependencies(&self) -> impl Iterator<Item = &str> {
        self.dependencies
            .iter()
            .filter(|dependency| dependency.kind.as_deref() != Some("dev"))
            .map(|dependency| dependency.name.as_str())
    }
}
