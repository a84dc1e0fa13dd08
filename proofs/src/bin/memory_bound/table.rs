//! The rows, each in a process of its own that delivers to a service that is not there, fails, or
//! never answers.

use std::io::{Write, stdout};
use std::process::{Command, Stdio};

use agentspan_testkit::{Answer, Recording, Service};

use crate::Failure;

/// What becomes of requests.
#[derive(Clone, Copy, Debug)]
enum Peer {
    /// It is read, and never answered.
    Hangs,
    /// The connection is refused.
    Refuses,
    Fails,
}

const ROWS: [(&str, &str, Peer); 16] = [
    ("v0.1", "plain", Peer::Hangs),
    ("v0.1", "plain", Peer::Refuses),
    ("v2", "plain", Peer::Hangs),
    ("v0.1", "small", Peer::Hangs),
    ("v0.1", "small", Peer::Refuses),
    ("v2", "small", Peer::Hangs),
    ("v0.1", "control", Peer::Hangs),
    ("v0.1", "control", Peer::Fails),
    ("v2", "control", Peer::Hangs),
    ("v2", "control", Peer::Fails),
    ("v0.1", "tenants", Peer::Hangs),
    ("v2", "tenants", Peer::Refuses),
    ("v0.1", "tenants-control", Peer::Fails),
    ("v0.1", "per-request", Peer::Hangs),
    ("v0.1", "huge", Peer::Fails),
    ("v2", "huge", Peer::Fails),
];

/// Prints a line for each row.
pub(crate) fn check(mib: u64) -> Result<(), Failure> {
    let most = mib * 1024 * 5 / 4 + 16 * 1024;
    let mut beyond = 0;
    for (profile, row, peer) in ROWS {
        let peak = peak(profile, row, peer, mib)?;
        writeln!(
            stdout(),
            "{profile:5} {row:16} {peer:8?} {peak:8} KiB of {most}"
        )?;
        beyond += usize::from(peak > most);
    }
    match beyond {
        0 => Ok(()),
        rows => Err(format!("{rows} rows need more than {most} KiB").into()),
    }
}

/// How much more memory the process of a row has at most than before, in KiB.
fn peak(profile: &str, row: &str, peer: Peer, mib: u64) -> Result<u64, Failure> {
    let service = match peer {
        Peer::Hangs => Service::builder().then_repeat(Answer::hang()),
        Peer::Fails | Peer::Refuses => Service::builder().then_repeat(Answer::status(503)),
    };
    let service = service.recording(Recording::CountsOnly).start()?;
    let url = service.url();
    let service = match peer {
        Peer::Refuses => None,
        Peer::Hangs | Peer::Fails => Some(service),
    };
    let output = Command::new(std::env::current_exe()?)
        .args([url.as_str(), profile, row, &mib.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    drop(service);
    if !output.status.success() {
        return Err(format!("{profile} {row} {peer:?}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
