//! Starts other programs in the root of the workspace.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::XtaskError;
use crate::workspace::Workspace;

/// A program about to be started, and what to tell the person who has not installed it.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    hint: &'static str,
}

/// Cargo, in the workspace's root.
pub(crate) fn cargo(workspace: &Workspace) -> Program {
    Program::new(
        "cargo",
        workspace.root(),
        "install Rust from https://rustup.rs",
    )
}

impl Program {
    /// A program without arguments, run in `directory` with nothing on its standard input.
    pub(crate) fn new(program: impl AsRef<OsStr>, directory: &Path, hint: &'static str) -> Self {
        let mut command = Command::new(program);
        command.current_dir(directory).stdin(Stdio::null());
        Self { command, hint }
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the program's environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs the program with our standard output and waits for it.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or it says that it failed.
    pub(crate) fn run(mut self) -> Result<(), XtaskError> {
        let status = self.command.status();
        let status = status.map_err(|source| self.start_error(source))?;
        if status.success() {
            return Ok(());
        }
        Err(XtaskError::Failed {
            command: self.line(),
            status: status.to_string(),
        })
    }

    /// Runs the program, waits for it and returns what it wrote to its standard output.
    ///
    /// # Errors
    ///
    /// The program cannot be started, says that it failed, or writes something that is not UTF-8.
    pub(crate) fn read(mut self) -> Result<String, XtaskError> {
        let output = self.command.stderr(Stdio::inherit()).output();
        let output = output.map_err(|source| self.start_error(source))?;
        if !output.status.success() {
            return Err(XtaskError::Failed {
                command: self.line(),
                status: output.status.to_string(),
            });
        }
        String::from_utf8(output.stdout).map_err(|source| XtaskError::Output {
            command: self.line(),
            source: source.into(),
        })
    }

    /// The command line, for messages.
    pub(crate) fn line(&self) -> String {
        let mut words = vec![self.command.get_program().to_string_lossy()];
        words.extend(self.command.get_args().map(OsStr::to_string_lossy));
        words.join(" ")
    }

    fn start_error(&self, source: std::io::Error) -> XtaskError {
        XtaskError::Start {
            program: self.command.get_program().to_string_lossy().into_owned(),
            hint: self.hint,
            source,
        }
    }
}
