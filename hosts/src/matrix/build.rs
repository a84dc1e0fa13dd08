//! Builds a host and runs it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Variables that decide what a program trusts, or what is between it and the service.
const NOT_PASSED_ON: [&str; 10] = [
    "ALL_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// A host that was built with some features.
pub(crate) struct Built(PathBuf);

/// What a host printed.
pub(crate) struct Outcome {
    pub(crate) host: String,
    /// Nothing if we were not at work.
    pub(crate) ours: String,
}

/// Builds the host with these features of this package.
pub(crate) fn build(features: &[&str]) -> Result<Built, Box<dyn Error>> {
    let output = Command::new("cargo")
        .args(["build", "--quiet", "--locked", "--bin", "host"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(["--features", &features.join(",")])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("cannot build a host with {features:?}").into());
    }
    let messages = String::from_utf8(output.stdout)?;
    let executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    let executable = executables.last().ok_or("cargo names no executable")?;
    Ok(Built(executable))
}

impl Built {
    /// Runs it, with or without the directory that describes the service.
    pub(crate) fn run(
        &self,
        order: &str,
        service: Option<&Path>,
    ) -> Result<Outcome, Box<dyn Error>> {
        let mut command = Command::new(&self.0);
        command.arg(order).args(service).stdin(Stdio::null());
        for name in NOT_PASSED_ON {
            command.env_remove(name);
        }
        let output = command.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("{order} ended with {}", output.status).into());
        }
        let text = String::from_utf8(output.stdout)?;
        let line = |name: &str| {
            let mut lines = text.lines();
            lines
                .find_map(|line| line.strip_prefix(name))
                .map(str::to_owned)
        };
        Ok(Outcome {
            host: line("host: ").ok_or("the host says nothing")?,
            ours: line("ours: ").unwrap_or_default(),
        })
    }
}
