//! Follows a server, whose events name changed traces.

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::settled::Settled;
use super::{PAUSE, Printer, TailRequest};
use crate::command_error::{CommandError, Outcome};
use crate::ingest;
use crate::loopback::is_loopback;
use crate::show::FILE_BYTES;
use crate::shown::shown;
use crate::store::Store;
use crate::variable::variable_of_user;

/// How long an event may be, and how large a trace.
const MAX_EVENT_BYTES: usize = 1 << 20;
const MAX_TRACE_BYTES: usize = 256 << 20;

/// How long the server may take for the head of an answer, and for a trace.
const TIMEOUT: Duration = Duration::from_secs(30);

type BoxError = Box<dyn Error + Send + Sync>;

/// Until the server is gone. Says when it has begun: traces that came before are not shown.
pub(super) async fn follow(
    request: &TailRequest,
    printer: &mut Printer<'_>,
    errors: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let host = request.from.rsplit_once(':').map(|(host, _)| host);
    let token = match &request.token_variable {
        None => None,
        // The connection is not encrypted.
        Some(_) if !host.is_some_and(is_loopback) => return Err(CommandError::OpenToken),
        Some(name) => {
            Some(variable_of_user(name).ok_or_else(|| CommandError::NoVariable(name.clone()))?)
        }
    };
    let mut server = Server {
        address: &request.from,
        token,
        connections: JoinSet::new(),
    };
    let failed = |source: BoxError| CommandError::Server {
        address: request.from.clone(),
        source,
    };
    let events = server.get("/api/events").await.and_then(good);
    let mut events = events.map_err(failed)?;
    writeln!(errors, "agentspan: following {}", shown(&request.from))?;
    errors.flush()?;
    let (mut buffer, mut settled) = (Vec::new(), Settled::default());
    loop {
        match tokio::time::timeout(PAUSE, events.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    buffer.extend_from_slice(&data);
                    take(&mut buffer, &mut settled);
                }
            }
            Ok(Some(Err(error))) => return Err(failed(error.into())),
            Ok(None) => return Err(failed("the server closed the connection".into())),
            Err(_) => {}
        }
        for id in settled.take() {
            let Some(trace) = server.trace(&id).await.map_err(failed)? else {
                let id = shown(&id);
                writeln!(
                    errors,
                    "agentspan: the server evicted trace {id} before its last changes were printed"
                )?;
                errors.flush()?;
                continue;
            };
            let mut store = Store::new(FILE_BYTES);
            ingest::body(&trace, None, None, &mut store);
            printer.print(&store, &id)?;
        }
    }
}

/// Takes the whole events: <https://html.spec.whatwg.org/multipage/server-sent-events.html>.
fn take(buffer: &mut Vec<u8>, settled: &mut Settled) {
    while let Some(end) = buffer.windows(2).position(|two| two == b"\n\n") {
        let event: Vec<u8> = buffer.drain(..end + 2).collect();
        let event = String::from_utf8_lossy(&event);
        let data = event.lines().find_map(|line| line.strip_prefix("data:"));
        let row = data.and_then(|data| serde_json::from_str::<Value>(data.trim()).ok());
        let is_row = event.lines().any(|line| line == "event: trace");
        if let Some(row) = row.filter(|_| is_row) {
            if let Some(id) = row["id"].as_str() {
                settled.changed(id.to_owned(), row["running"] == true);
            }
        }
    }
    if buffer.len() > MAX_EVENT_BYTES {
        buffer.clear();
    }
}

/// The body of an answer that is no error.
fn good(answer: Response<Incoming>) -> Result<Incoming, BoxError> {
    match answer.status().is_success() {
        true => Ok(answer.into_body()),
        false => Err(format!("the server answered {}", answer.status().as_u16()).into()),
    }
}

struct Server<'a> {
    address: &'a str,
    token: Option<String>,
    connections: JoinSet<()>,
}

impl Server<'_> {
    /// The head of an answer, which comes at once.
    async fn get(&mut self, path: &str) -> Result<Response<Incoming>, BoxError> {
        tokio::time::timeout(TIMEOUT, self.answer(path)).await?
    }

    async fn answer(&mut self, path: &str) -> Result<Response<Incoming>, BoxError> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the answer; an error of it is one of the answer, too.
        while self.connections.try_join_next().is_some() {}
        self.connections
            .spawn(async move { drop(connection.await) });
        let mut request = Request::get(path).header(HOST, self.address);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
        }
        let request = request.body(Empty::<Bytes>::new())?;
        Ok(sender.send_request(request).await?)
    }

    /// A trace, if the server still has it.
    async fn trace(&mut self, id: &str) -> Result<Option<Value>, BoxError> {
        let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
        let answer = self.get(&format!("/api/trace/{id}/raw")).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = Limited::new(good(answer)?, MAX_TRACE_BYTES).collect();
        let bytes = tokio::time::timeout(TIMEOUT, body).await??.to_bytes();
        Ok(Some(serde_json::from_slice(&bytes)?))
    }
}
