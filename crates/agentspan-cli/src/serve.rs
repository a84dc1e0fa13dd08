//! `agentspan serve`: receives spans, follows files, and shows all spans on a page.

mod answer;
mod api;
mod archive;
mod body;
mod connection;
mod events;
mod fault;
mod guard;
mod list;
mod page;
mod parts;
mod receive;
mod server;
mod shared;
mod word;

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use agentspan_model::agent365::Profile;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::command_error::{CommandError, Outcome};
use crate::ingest::Files;
use crate::store::Store;
use crate::variable::variable_of_user;

pub(crate) use fault::Fault;
pub(crate) use guard::Access;
pub(crate) use server::Server;
pub(crate) use shared::Shared;

use archive::Archive;

/// How often files are looked at.
const FILE_PAUSE: Duration = Duration::from_millis(250);

/// The options of `serve`.
#[derive(Debug)]
pub(crate) struct ServeRequest {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    /// The token that requests must carry; required unless all addresses are loopback addresses.
    pub(crate) token: Option<String>,
    /// The variable of the environment that has it instead.
    pub(crate) token_variable: Option<String>,
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
    let token = match &request.token_variable {
        None => request.token,
        Some(name) => Some(token_of(name)?),
    };
    let access = Access::of(&[request.http, request.grpc], token)?;
    let runtime = runtime()?;
    runtime.block_on(async {
        let store = Store::new(request.memory)
            .with_package(request.package)
            .with_packing();
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
        let mut unkept = shared.unkept();
        tokio::select! {
            () = stopped() => {}
            why = first(&mut unkept) => {
                // If nobody can read it, the list still has the count.
                drop(writeln!(errors, "agentspan: cannot save a request: {why}; further failures are only counted"));
                drop(errors.flush());
                stopped().await;
            }
        }
        match unkept.borrow().clone() {
            (0, _) => Ok(Outcome::Fine),
            (count, why) => Err(CommandError::Unkept(count, why)),
        }
    })
}

/// Why the first request is not kept, as soon as there is one.
async fn first(unkept: &mut watch::Receiver<(usize, String)>) -> String {
    match unkept.wait_for(|(count, _)| *count > 0).await {
        Ok(unkept) => unkept.1.clone(),
        // Nobody keeps anything any more.
        Err(_) => std::future::pending().await,
    }
}

/// A variable without a token must not open the server to everybody.
fn token_of(variable: &str) -> Result<String, CommandError> {
    let token = variable_of_user(variable).map(|token| token.trim().to_owned());
    let token = token.filter(|token| !token.is_empty());
    token.ok_or_else(|| CommandError::NoVariable(variable.to_owned()))
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
         OTLP (HTTP):   OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_ENDPOINT=http://{http}\n\
         OTLP (gRPC):   OTEL_EXPORTER_OTLP_PROTOCOL=grpc, and http://{grpc}\n\
         Agent 365:     a loopback endpoint, http://{http}\n\
         Stop with Ctrl-C.\n"
    )
}

/// Reads what was appended to the files. The thread of the caller waits for the disk.
fn read(files: &mut Files, shared: &Shared) -> Result<usize, CommandError> {
    let read = shared.change(|store| files.read(store));
    read.map_err(CommandError::Files)
}

async fn follow(mut files: Files, shared: std::sync::Arc<Shared>) {
    let mut was_failed = false;
    loop {
        tokio::time::sleep(FILE_PAUSE).await;
        let is_failed = read(&mut files, &shared).is_err();
        let (problems, untold) = files.take_problems();
        // A file that is gone may come again. It counts once, however often it is looked for.
        let failed = usize::from(is_failed && !was_failed);
        shared.count_unreadable(problems.len() + untold + failed);
        was_failed = is_failed;
    }
}

/// Until Ctrl-C, or until the system asks for an end, as a service manager does.
pub(crate) async fn stopped() {
    tokio::select! {
        Ok(()) = tokio::signal::ctrl_c() => {}
        () = terminated() => {}
    }
}

/// Without signals, whoever wants an end ends the process.
#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};

    match signal(SignalKind::terminate()) {
        Ok(mut signals) => drop(signals.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

#[cfg(test)]
mod tests;
