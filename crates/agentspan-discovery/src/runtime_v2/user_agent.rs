//! The user agent that requests of the SDK carry.

use std::fmt;

/// The value of a `user-agent` header: `Agent365SDK/VERSION (OS; RUNTIME; ORCHESTRATOR)`.
///
/// A function of what it is given: the reference asks Python for its version, and a Rust program
/// says what it is itself. Nothing is escaped; whoever puts the text into a header checks it there.
///
/// ```
/// use agentspan_discovery::runtime_v2::UserAgent;
///
/// let agent = UserAgent::new("2.0.0", "linux", "Rust 1.85").with_orchestrator("my-planner");
/// assert_eq!(agent.to_string(), "Agent365SDK/2.0.0 (linux; Rust 1.85; my-planner)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserAgent<'a> {
    version: &'a str,
    os: &'a str,
    runtime: &'a str,
    orchestrator: &'a str,
}

impl<'a> UserAgent<'a> {
    /// Names the SDK's version, the operating system (such as [`std::env::consts::OS`]) and the
    /// language with its version. No orchestrator is named.
    #[must_use]
    pub fn new(version: &'a str, os: &'a str, runtime: &'a str) -> Self {
        Self {
            version,
            os,
            runtime,
            orchestrator: "",
        }
    }

    /// Names what orchestrates the agent; the empty text names nothing.
    #[must_use]
    pub fn with_orchestrator(mut self, orchestrator: &'a str) -> Self {
        self.orchestrator = orchestrator;
        self
    }
}

impl fmt::Display for UserAgent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            version,
            os,
            runtime,
            orchestrator,
        } = self;
        write!(f, "Agent365SDK/{version} ({os}; {runtime}")?;
        if !orchestrator.is_empty() {
            write!(f, "; {orchestrator}")?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_orchestrator_is_left_out() {
        let agent = UserAgent::new("1", "o", "r").with_orchestrator("");
        assert_eq!(agent.to_string(), "Agent365SDK/1 (o; r)");
    }
}
