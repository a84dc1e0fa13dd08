//! The user agent of the SDK's requests.

use std::fmt;

/// The value of a `user-agent` header: `Agent365SDK/VERSION (OS; RUNTIME; ORCHESTRATOR)`.
///
/// It only depends on its arguments: the reference reads the version of Python, and a Rust program
/// passes its own. Nothing is escaped; check the text before you use it as a header.
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
    /// Creates it from the SDK's version, the operating system (such as [`std::env::consts::OS`])
    /// and the language with its version, without an orchestrator.
    #[must_use]
    pub fn new(version: &'a str, os: &'a str, runtime: &'a str) -> Self {
        Self {
            version,
            os,
            runtime,
            orchestrator: "",
        }
    }

    /// Sets the orchestrator of the agent. An empty text is ignored.
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
