//! A web service whose handler runs an agent: `cargo run --example axum_service`.
//!
//! Without arguments, it starts the service and a loopback Agent 365, sends itself a few requests
//! of two tenants, shuts down, and prints the spans of each tenant. With `-- --listen
//! 127.0.0.1:8080`, it runs until Ctrl-C or SIGTERM.

#![expect(clippy::print_stdout, reason = "the example shows what happens")]

mod caller;
mod demonstration;
mod librarian;
mod routes;
mod service;
mod stop;

use std::error::Error;
use std::io::stderr;

use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

use crate::caller::Directory;
use crate::librarian::Librarian;

/// Errors of any kind that may move between tasks.
type AnyError = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::WARN)
        .without_time()
        .with_writer(stderr)
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => println!("{}", demonstration::run().await?),
        ["--listen", address] => listen(address).await?,
        _ => return Err("usage: axum_service [--listen ADDRESS]".into()),
    }
    Ok(())
}

async fn listen(address: &str) -> Result<(), AnyError> {
    // With `with_token_resolver`, the traces go to Agent 365; without, they are drawn here.
    let telemetry = agentspan::configure()
        .with_service_name("library")
        .with_switches_on()
        .install()?;
    let listener = TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    println!(
        "curl {url}/ask -H 'authorization: Bearer key-of-contoso' -H 'content-type: application/json' \
         -d '{{\"conversation\": \"c-1\", \"text\": \"What is there about crabs?\"}}'"
    );
    let model = demonstration::model::Model::start()?;
    let app = routes::router(Directory::new()?, Librarian::new(&model.url()));
    let report = service::run(listener, app, telemetry, stop::asked_to_stop()).await?;
    println!("{report}");
    Ok(())
}
