//! The reference package, in a process of its own.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use agentspan_testkit::Service;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance::Json;
use serde::Serialize;

/// The driver of the reference package, which waits for commands.
#[derive(Debug)]
pub(crate) struct Reference {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reference {
    /// Starts the driver so that it takes `service` for every host of the world.
    ///
    /// `directory` gets the file with the authority that it trusts.
    pub(crate) fn start(
        python: &Path,
        driver: &Path,
        service: &Service,
        directory: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let authority = directory.join("authority.pem");
        std::fs::write(&authority, pem(service))?;
        let mut child = Command::new(python)
            .arg(driver)
            .arg(service.addr().to_string())
            .env("REQUESTS_CA_BUNDLE", authority)
            .env("NO_PROXY", "*")
            .env("PYTHONUTF8", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = child
            .stdin
            .take()
            .ok_or("the driver has no standard input")?;
        let answers = child
            .stdout
            .take()
            .ok_or("the driver has no standard output")?;
        Ok(Self {
            child,
            commands,
            answers: BufReader::new(answers),
        })
    }

    /// Sends a command without waiting for it.
    pub(crate) fn send(&mut self, command: &impl Serialize) -> Result<(), Box<dyn Error>> {
        let mut line = serde_json::to_vec(command)?;
        line.push(b'\n');
        self.commands.write_all(&line)?;
        Ok(self.commands.flush()?)
    }

    /// Waits for the answer to the oldest command that has none yet.
    pub(crate) fn answer(&mut self) -> Result<Json, Box<dyn Error>> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(
                "the driver of the reference package has ended; its message stands above".into(),
            );
        }
        Ok(Json::parse(&line)?)
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // It may have ended already, and nobody waits for what it still does.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The certificates that `service` should be trusted by, as a PEM file.
fn pem(service: &Service) -> String {
    let mut text = String::new();
    for certificate in service.root_certificates() {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(&certificate).as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}
