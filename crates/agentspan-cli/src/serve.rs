//! `agentspan serve`: receives spans, follows files, and shows all spans on a page.

mod answer;
mod api;
mod archive;
mod body;
mod events;
mod fault;
mod guard;
mod list;
mod page;
mod receive;
mod server;
mod word;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use agentspan_model::agent365::Profile;
use tokio::task::JoinSet;

use crate::command_error::{CommandError, Outcome};
use crate::ingest::Files;
use crate::store::Store;

pub(crate) use fault::Fault;
pub(crate) use server::{Access, Server, Shared};

use archive::Archive;

/// How often files are looked at.
const FILE_PAUSE: Duration = Duration::from_millis(250);

/// What to serve.
#[derive(Debug)]
pub(crate) struct ServeRequest {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    /// What requests must show; demanded for all addresses but those of the loopback.
    pub(crate) token: Option<String>,
    /// How many bytes of spans are kept.
    pub(crate) memory: usize,
    /// Where what is received is kept as files, and how many bytes those may have.
    pub(crate) store: Option<PathBuf>,
    pub(crate) store_limit: u64,
    pub(crate) faults: Vec<Fault>,
    /// The generation of Agent 365 by which spans are judged.
    pub(crate) package: Profile,
}

pub(crate) fn run(
    request: ServeRequest,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let access = Access::of(&[request.http, request.grpc], request.token)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let store = Store::new(request.memory).with_package(request.package);
        let mut shared = Shared::new(store, access);
        if let Some(shared) = std::sync::Arc::get_mut(&mut shared) {
            shared.fail(request.faults);
            if let Some(path) = &request.store {
                let opened = Archive::open(path.clone(), request.store_limit);
                shared.keep_in(opened.map_err(|source| CommandError::Store {
                    path: path.clone(),
                    source,
                })?);
            }
        }
        if let Some(path) = &request.store {
            // Of what is there, memory holds the newest.
            let mut stored = Files::new([path.clone()]);
            read(&mut stored, &shared)?;
            shared.change(|store| stored.finish(store));
            stored.tell_problems(errors)?;
        }
        let mut tasks = JoinSet::new();
        let server = Server::bind(&shared, request.http).await?;
        let grpc = Server::bind(&shared, request.grpc).await?;
        write!(out, "{}", addresses(server.address(), grpc.address()))?;
        out.flush()?;
        tasks.spawn(server.serve());
        tasks.spawn(grpc.serve());
        if !request.files.is_empty() {
            let mut files = Files::new(request.files);
            read(&mut files, &shared)?;
            files.tell_problems(errors)?;
            tasks.spawn(follow(files, std::sync::Arc::clone(&shared)));
        }
        stopped().await;
        match shared.unkept() {
            (0, _) => Ok(Outcome::Fine),
            (count, why) => Err(CommandError::Unkept(count, why)),
        }
    })
}

/// A runtime for one thread: a viewer has little to do.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(CommandError::Runtime)
}

fn addresses(http: SocketAddr, grpc: SocketAddr) -> String {
    format!(
        "The page:      http://{http}/\n\
         OTLP (HTTP):   OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}\n\
         OTLP (gRPC):   OTEL_EXPORTER_OTLP_ENDPOINT=http://{grpc}\n\
         Agent 365:     a loopback endpoint, http://{http}\n\
         Stop with Ctrl-C.\n"
    )
}

/// Reads what was appended to the files. The thread of the caller waits for the disk.
fn read(files: &mut Files, shared: &Shared) -> Result<usize, CommandError> {
    let read = shared.change(|store| files.read(store));
    read.map_err(|(path, source)| CommandError::File { path, source })
}

async fn follow(mut files: Files, shared: std::sync::Arc<Shared>) {
    loop {
        tokio::time::sleep(FILE_PAUSE).await;
        // A file that is gone may come again; lines that cannot be read were counted.
        let read = read(&mut files, &shared);
        let (problems, untold) = files.take_problems();
        shared.count_unreadable(problems.len() + untold + usize::from(read.is_err()));
    }
}

/// Until Ctrl-C.
pub(crate) async fn stopped() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without signals, whoever wants an end ends the process.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
