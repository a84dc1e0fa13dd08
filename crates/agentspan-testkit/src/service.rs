//! The service: where it listens, what it answers, what it saw.

pub(crate) mod script;
#[cfg(feature = "tls")]
mod tls;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::connection::{self, Shared, Watcher};
use crate::greeting::Certificates;
use crate::record::{
    ConnectionRecord, Record, RecordedRequest, Recording, State, WaitError, locked,
};
use crate::service::script::{Answers, Script};

/// The service did not start: the machine has no port, thread or file handle left.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the loopback service")]
#[non_exhaustive]
pub struct StartError {
    #[from]
    source: std::io::Error,
}

/// An HTTP/1.1 service, or one of HTTP/2, on a loopback port of its own.
///
/// It runs on one thread of its own, `agentspan-testkit`, with a single-threaded runtime: it can be
/// used from code with and without a runtime, and methods that wait block the caller's thread only.
/// Dropping the service closes its connections and joins the thread.
#[derive(Debug)]
pub struct Service {
    addr: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts a service that answers 200 with an empty body to everything.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the machine has no free port or thread.
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// A service with a script, with TLS, or for benchmarks.
    #[must_use]
    pub fn builder() -> ServiceBuilder {
        ServiceBuilder::default()
    }

    /// Where the service listens: 127.0.0.1 and a port that the system chose.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:port`, or `https` with TLS, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.shared.certificates {
            Some(_) => "https",
            None => "http",
        };
        format!("{scheme}://{}", self.addr)
    }

    /// The requests so far, in the order in which they were complete.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.record.lock().requests.clone()
    }

    /// How many requests were complete so far.
    #[must_use]
    pub fn request_count(&self) -> usize {
        self.shared.record.lock().request_count
    }

    /// How many bytes the bodies of all requests had.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.shared.record.lock().body_bytes
    }

    /// Waits until there are at least `count` requests since the start and returns all that are
    /// kept.
    ///
    /// # Errors
    ///
    /// [`WaitError`] says how many had come by the end of `timeout`.
    pub fn wait_for(
        &self,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<RecordedRequest>, WaitError> {
        let record = &self.shared.record;
        let state = record.wait_for("requests", |state| state.request_count, count, timeout)?;
        Ok(state.requests.clone())
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.record.lock().connections.len()
    }

    /// The records of each connection, in the order of acceptance.
    #[must_use]
    pub fn connection_records(&self) -> Vec<ConnectionRecord> {
        let connections = self.shared.record.lock().connections.clone();
        connections.iter().map(|one| locked(one).clone()).collect()
    }

    /// Waits until at least `count` connections have ended, so that nothing more can come over
    /// them, and returns the records of all connections.
    ///
    /// # Errors
    ///
    /// [`WaitError`] says how many had ended by the end of `timeout`.
    pub fn wait_for_ended(
        &self,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<ConnectionRecord>, WaitError> {
        let record = &self.shared.record;
        let ended = |state: &State| state.ended_connections;
        drop(record.wait_for("ended connections", ended, count, timeout)?);
        Ok(self.connection_records())
    }

    /// Answers from now on with these, of which the last repeats.
    pub fn play(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.script.replace(Answers::new(answers));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Dropping the sender is the signal.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been printed, and says more than one here would.
            drop(thread.join());
        }
    }
}

/// Options of a [`Service`]: what it answers, whether with TLS, and how much it records.
///
/// Answers are looked for in the routes, in the order in which they were added, then in the
/// closure, then in the script.
#[derive(Default)]
pub struct ServiceBuilder {
    script: Script,
    certificates: Option<Certificates>,
    recording: Recording,
    watcher: Option<Watcher>,
    is_http2: bool,
}

impl ServiceBuilder {
    /// Plays these answers one after the other over all connections; the last repeats.
    #[must_use]
    pub fn script(self, answers: impl IntoIterator<Item = Answer>) -> Self {
        self.script.replace(Answers::new(answers));
        self
    }

    /// Answers with this when the script is at its end, instead of repeating its last answer.
    #[must_use]
    pub fn then_repeat(mut self, answer: Answer) -> Self {
        let main = self.script.main.get_mut();
        main.unwrap_or_else(PoisonError::into_inner).repeated = Some(answer);
        self
    }

    /// Plays these answers to requests whose target begins with `prefix`; the last repeats.
    #[must_use]
    pub fn route(mut self, prefix: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers = Answers::new(answers).into();
        self.script.routes.push((prefix.to_owned(), answers));
        self
    }

    /// Asks `answerer` for the answer to each request. It runs on the service's thread and should
    /// not block.
    #[must_use]
    pub fn answer_with(
        mut self,
        answerer: impl Fn(&RecordedRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        self.script.answerer = Some(Arc::new(answerer));
        self
    }

    /// Speaks HTTP/2 and nothing else, as gRPC needs it, without TLS from the first byte.
    ///
    /// Answers that HTTP/2 has no words for end the connection: [`Answer::reset`] and its kind with
    /// RST, all others with FIN.
    #[must_use]
    pub fn http2(mut self) -> Self {
        self.is_http2 = true;
        self
    }

    /// How much of the requests is kept, by default everything.
    #[must_use]
    pub fn recording(mut self, recording: Recording) -> Self {
        self.recording = recording;
        self
    }

    /// Shows each request to `watcher` before its answer is sent, with what it is answered, and with
    /// its body, whatever is recorded. It runs on the service's thread and should not block.
    #[must_use]
    pub fn watch_with(
        mut self,
        watcher: impl Fn(&RecordedRequest) + Send + Sync + 'static,
    ) -> Self {
        self.watcher = Some(Watcher(Box::new(watcher)));
        self
    }

    /// Starts the service. It accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// [`StartError`] if the machine has no free port or thread.
    pub fn start(self) -> Result<Service, StartError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            record: Record::default(),
            recording: self.recording,
            watcher: self.watcher,
            script: self.script,
            certificates: self
                .certificates
                .map(|certificates| Mutex::new(Arc::new(certificates.for_http2(self.is_http2)))),
            is_http2: self.is_http2,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("agentspan-testkit".to_owned())
            .spawn(move || run(&runtime, listener, &served, stopped))?;
        Ok(Service {
            addr,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl fmt::Debug for ServiceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceBuilder")
            .field("tls", &self.certificates.is_some())
            .field("recording", &self.recording)
            .finish_non_exhaustive()
    }
}

fn run(
    runtime: &Runtime,
    listener: TcpListener,
    shared: &Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
            // Without a listener every client is refused, which no test overlooks.
            return;
        };
        // The connections end when the set is dropped.
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = &mut stopped => return,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(connection::serve(Arc::clone(shared), stream));
                    }
                }
            }
        }
    });
}
