//! What cargo knows about the workspace: its root, its crates and their dependencies.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::env::consts::EXE_EXTENSION;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command::Program;
use crate::error::XtaskError;

/// Set when the process that starts this one has built all programs.
pub(crate) const HAS_PROGRAMS: &str = "AGENTSPAN_XTASK_HAS_PROGRAMS";

/// The workspace as `cargo metadata` describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
    /// Whether this process, or the one that started it, has built all programs.
    #[serde(skip, default = "are_programs_built")]
    has_programs: Cell<bool>,
}

/// A program of one of the crates.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Built<'a> {
    Binary(&'a str),
    Example(&'a str),
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

    /// Whether all programs are built, so that no chore builds its own.
    pub(crate) fn has_programs(&self) -> bool {
        self.has_programs.get()
    }

    /// Builds every program and example with the features that the tests of the workspace are built with, so that
    /// only the programs themselves are left to compile after these. The chores after this one use them.
    ///
    /// # Errors
    ///
    /// One of them does not compile.
    pub(crate) fn build_programs(&self) -> Result<(), XtaskError> {
        cargo(self)
            .args(["build", "--workspace", "--locked"])
            .args(["--bins", "--examples", "--tests"])
            .run()?;
        self.has_programs.set(true);
        Ok(())
    }

    /// Builds a program of `package`, unless all of them are, and starts it in the workspace's root.
    ///
    /// # Errors
    ///
    /// It does not compile.
    pub(crate) fn program(&self, package: &str, built: Built<'_>) -> Result<Program, XtaskError> {
        let program = self.path_of(package, built)?;
        Ok(Program::new(program, self.root(), "run this again"))
    }

    /// Builds a program of `package`, unless all of them are, and says where it is.
    ///
    /// # Errors
    ///
    /// It does not compile.
    pub(crate) fn path_of(&self, package: &str, built: Built<'_>) -> Result<PathBuf, XtaskError> {
        let (option, name, directory) = match built {
            Built::Binary(name) => ("--bin", name, "debug"),
            Built::Example(name) => ("--example", name, "debug/examples"),
        };
        if !self.has_programs() {
            cargo(self)
                .args(["build", "--quiet", "--locked", "--package", package])
                .args([option, name])
                .run()?;
        }
        let path = self.target_directory.join(directory).join(name);
        Ok(path.with_extension(EXE_EXTENSION))
    }

    /// The path of a cargo command, which is built into the target directory if it is not there yet.
    ///
    /// # Errors
    ///
    /// It does not compile, or the registry cannot be reached.
    pub(crate) fn installed(&self, name: &str, version: &str) -> Result<PathBuf, XtaskError> {
        let tools = self.target_directory.join("tools");
        let program = tools.join("bin").join(name).with_extension(EXE_EXTENSION);
        if !program.is_file() {
            cargo(self)
                .args(["install", "--locked", name, "--version", version])
                // It does little itself: optimising it would take minutes longer.
                .args(["--debug", "--root"])
                .args([&tools])
                .env("CARGO_PROFILE_DEV_DEBUG", "none")
                .run()?;
        }
        Ok(program)
    }

    /// Builds the command `agentspan` as `cargo install` does, and says where it is.
    ///
    /// # Errors
    ///
    /// It does not compile.
    pub(crate) fn command_for_release(&self) -> Result<PathBuf, XtaskError> {
        cargo(self)
            .args(["build", "--quiet", "--release", "--locked"])
            .args(["--package", "agentspan-cli", "--bin", "agentspan"])
            .run()?;
        let path = self.target_directory.join("release/agentspan");
        Ok(path.with_extension(EXE_EXTENSION))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "no setting: this program says it to itself"
)]
fn are_programs_built() -> Cell<bool> {
    Cell::new(std::env::var_os(HAS_PROGRAMS).is_some())
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
