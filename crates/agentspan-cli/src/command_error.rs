//! The outcomes of a command.

use std::error::Error;
use std::fmt::{self, Write as _};
use std::io;
use std::path::PathBuf;

use crate::shown::{counted, shown, shown_cut, shown_path, were};
use crate::variable::shown_variable;

/// The outcome of a command without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There are no findings.
    Fine,
    /// There are findings.
    Found,
}

/// Files that cannot be read, and why; at least one.
#[derive(Debug)]
pub(crate) struct Unread(pub(crate) Vec<(PathBuf, io::Error)>);

impl Unread {
    /// Whether all of them are missing: these may come back.
    pub(crate) fn is_absence(&self) -> bool {
        let mut errors = self.0.iter().map(|(_, error)| error.kind());
        errors.all(|kind| kind == io::ErrorKind::NotFound)
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (path, error)) in self.0.iter().enumerate() {
            let separator = if at > 0 { "; " } else { "" };
            let path = shown_path(path);
            write!(formatter, "{separator}cannot read {path}: {error}")?;
        }
        Ok(())
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The command line is invalid. The text says why, and shows the usage.
    #[error("{0}")]
    Usage(String),
    /// The output cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    /// Some files cannot be read.
    #[error("{0}")]
    Files(Unread),
    /// The server cannot listen on an address.
    #[error("cannot listen on {address}")]
    Listen {
        address: std::net::SocketAddr,
        source: io::Error,
    },
    /// Other machines can reach the address, and no token is set.
    #[error(
        "--listen with an address that other machines can reach requires --token-env or --token"
    )]
    NoToken,
    /// The agent of the demonstration cannot send its spans.
    #[error("cannot send the spans of the example agent")]
    Demo(#[source] Box<dyn Error + Send + Sync>),
    /// The runtime does not start.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
    /// A receiver did not accept all spans. The text has its last answer.
    #[error("the receiver did not accept all spans: {0}")]
    Refused(String),
    /// The variable with this name is not set, or its value is not a valid header.
    #[error("the variable{} named by --token-env is not set, or is not a valid token", shown_variable(.0))]
    NoVariable(String),
    /// A token would go over a connection that is not encrypted.
    #[error(
        "the connection is not encrypted, so the token is only sent to a server on this machine"
    )]
    OpenToken,
    /// A server cannot be followed.
    #[error("cannot follow {}", shown(address))]
    Server {
        address: String,
        source: Box<dyn Error + Send + Sync>,
    },
    /// The directory of `--store` cannot be used.
    #[error("cannot save files in {}", shown_path(path))]
    Store { path: PathBuf, source: io::Error },
    /// Some received requests were not written to the directory of `--store`. The text is the last
    /// reason.
    #[error("{} not saved: {}", were(*.0, "request"), .1)]
    Unkept(usize, String),
    /// Some lines of the files are not spans. They were reported before.
    #[error("cannot read {}", counted(*.0, "line"))]
    Lines(usize),
    /// No trace has an id that begins as somebody asked.
    #[error("no trace starts with {}", shown_cut(.0, 64))]
    NoTrace(String),
    /// There is nothing to judge, which must not pass for a good end.
    #[error("found no spans to check")]
    Nothing,
}

impl CommandError {
    /// The error with its causes.
    pub(crate) fn report(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            // Writing to a `String` does not fail.
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        text
    }
}
