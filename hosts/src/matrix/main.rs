//! Builds and runs every kind of host without us, and with us in the combinations of features that matter.
//!
//! What the constructors of a host return must be what they return without us, whether we were only
//! linked, or at work before or after. Features are unified within a build, so each combination is a
//! build of its own; they share a target directory.

mod build;
mod check;
mod combinations;

use std::error::Error;
use std::process::ExitCode;

use agentspan_testkit::{Certificates, Service};

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("hosts: {failed} combinations failed");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("hosts: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all, and returns how many failed.
fn run() -> Result<usize, Box<dyn Error>> {
    let only: Vec<String> = std::env::args().skip(1).collect();
    let certificates = Certificates::generate()?;
    let pem = certificates.root_certificates_pem().to_owned();
    let service = Service::builder().tls(certificates).start()?;
    let program = std::env::current_exe()?;
    let directory = program.with_file_name("service");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join("address"), service.addr().to_string())?;
    std::fs::write(directory.join("authority.pem"), pem)?;
    let roots = service.root_certificates();
    std::fs::write(
        directory.join("authority.der"),
        roots.first().ok_or("no authority")?,
    )?;
    check::all(&only, &directory)
}
