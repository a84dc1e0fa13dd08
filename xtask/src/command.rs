//! Starts other programs in the root of the workspace.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::error::XtaskError;

/// A program about to be started, and what to tell the person who has not installed it.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    hint: &'static str,
}

/// A program that runs beside us.
#[derive(Debug)]
pub(crate) struct Running {
    command: String,
    child: Child,
    log: PathBuf,
}

impl Running {
    /// Waits for the end, and says nothing of it yet.
    pub(crate) fn let_end(&mut self) {
        // Whoever waits again is told the same.
        let _ = self.child.wait();
    }

    /// Waits for the end, and prints what the program wrote.
    ///
    /// # Errors
    ///
    /// It says that it failed, or what it wrote cannot be read.
    pub(crate) fn wait(self) -> Result<(), XtaskError> {
        self.wait_and_print(true)
    }

    /// Waits for the end, and prints what the program wrote only if it failed.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub(crate) fn wait_quietly(self) -> Result<(), XtaskError> {
        self.wait_and_print(false)
    }

    fn wait_and_print(mut self, prints_success: bool) -> Result<(), XtaskError> {
        let status = self.child.wait();
        let file_error = |source| XtaskError::File {
            path: self.log.clone(),
            source,
        };
        let status = status.map_err(file_error)?;
        if prints_success || !status.success() {
            // The output of a fuzzer repeats input, which may be anything.
            let log = fs::read(&self.log).map_err(file_error)?;
            print!("{}", String::from_utf8_lossy(&log));
        }
        succeeded(status, || self.command.clone())
    }
}

fn succeeded(status: ExitStatus, command: impl FnOnce() -> String) -> Result<(), XtaskError> {
    if status.success() {
        return Ok(());
    }
    Err(XtaskError::Failed {
        command: command(),
        status: status.to_string(),
    })
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
    pub(crate) fn run(self) -> Result<(), XtaskError> {
        self.run_and_allow(&[])
    }

    /// As [`run`](Self::run), but an exit code that is `allowed` is no failure.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or it says that it failed in another way.
    pub(crate) fn run_and_allow(mut self, allowed: &[i32]) -> Result<(), XtaskError> {
        let status = self.command.status();
        let status = status.map_err(|source| self.start_error(source))?;
        match status.code() {
            Some(code) if allowed.contains(&code) => Ok(()),
            _ => succeeded(status, || self.line()),
        }
    }

    /// Starts the program, which writes what it has to say into `log`, and does not wait for it.
    ///
    /// # Errors
    ///
    /// The program cannot be started, or the file cannot be made.
    pub(crate) fn start(mut self, log: PathBuf) -> Result<Running, XtaskError> {
        let file_error = |source| XtaskError::File {
            path: log.clone(),
            source,
        };
        let output = File::create(&log).map_err(file_error)?;
        let errors = output.try_clone().map_err(file_error)?;
        let started = self.command.stdout(output).stderr(errors).spawn();
        let child = started.map_err(|source| self.start_error(source))?;
        let command = self.line();
        Ok(Running {
            command,
            child,
            log,
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
        succeeded(output.status, || self.line())?;
        String::from_utf8(output.stdout).map_err(|source| XtaskError::Output {
            command: self.line(),
            source: source.into(),
        })
    }

    /// Runs the program with our standard output, waits for it and returns its standard error.
    ///
    /// # Errors
    ///
    /// The program cannot be started, says that it failed, or writes something that is not UTF-8.
    pub(crate) fn read_errors(mut self) -> Result<String, XtaskError> {
        let output = self.command.stdout(Stdio::inherit()).output();
        let output = output.map_err(|source| self.start_error(source))?;
        let text = String::from_utf8(output.stderr).map_err(|source| XtaskError::Output {
            command: self.line(),
            source: source.into(),
        })?;
        if !output.status.success() {
            eprint!("{text}");
        }
        succeeded(output.status, || self.line())?;
        Ok(text)
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
