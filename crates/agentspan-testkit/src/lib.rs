//! A scriptable loopback service for agentspan's tests, examples and benchmarks.
//!
//! [`Service`] records the requests that it receives, and plays a script of [`Answer`]s,
//! well-formed or not:
//!
//! ```
//! use std::time::Duration;
//!
//! use agentspan_testkit::{Answer, Service};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = Service::builder()
//!     .script([Answer::status(503).header("retry-after", "1"), Answer::reset(), Answer::status(200)])
//!     .start()?;
//! # use std::io::Write;
//! # let mut client = std::net::TcpStream::connect(service.addr())?;
//! # client.write_all(b"POST /tenants/t?x=1 HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}")?;
//! // ... a client posts to `service.url()` ...
//! let requests = service.wait_for(1, Duration::from_secs(5))?;
//! assert_eq!(requests[0].target, "/tenants/t?x=1");
//! assert_eq!(&requests[0].body[..], b"{}");
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! - [`Service`], [`Answer`], [`RecordedRequest`]: the service. A [`Receipt`] answers span by span, as Agent 365
//!   does.
//! - [`Agent365`]: judges requests by their path, their token and their spans, as the documented service does.
//! - [`Entra`]: gives tokens to agents as Microsoft Entra does, and checks each field that it is sent.
//! - [`Oracle`]: marks spans, and accounts for them from the requests that the service received; [`Ledger`] does so
//!   request by request.
//! - [`Certificates`]: a private certificate authority, so that the service can act as any host.
//! - [`CapturedLogs`]: the captured log records, to prove that they contain no secret.
//! - [`forms_of`]: finds a secret in bytes, whatever it was encoded with. [`hostile_ids`]: ids of tenants and agents
//!   that break out of where a careless program puts them.
//! - [`turn`]: the spans of one turn of an agent, which tests and benchmarks share.

mod agent365;
mod answer;
mod canary;
mod captured_logs;
#[cfg(feature = "tls")]
mod certificates;
mod connection;
mod entra;
mod fault;
#[cfg(feature = "tls")]
mod greeting;
#[cfg(not(feature = "tls"))]
#[path = "no_greeting.rs"]
mod greeting;
mod hostile_ids;
mod id;
mod jwt;
mod oracle;
mod receipt;
mod record;
mod service;
mod transport;
pub mod turn;

pub use crate::agent365::{Agent365, Agent365Builder, Row};
pub use crate::answer::Answer;
pub use crate::canary::forms_of;
pub use crate::captured_logs::CapturedLogs;
#[cfg(feature = "tls")]
pub use crate::certificates::{CertificateError, Certificates};
pub use crate::entra::{AskedToken, Entra, EntraBuilder, Proof};
pub use crate::hostile_ids::hostile_ids;
pub use crate::jwt::{claims_of, unsigned_token};
pub use crate::oracle::{Account, Ledger, Oracle};
pub use crate::receipt::Receipt;
pub use crate::record::{ConnectionRecord, RecordedRequest, Recording, WaitError};
pub use crate::service::{Service, ServiceBuilder, StartError};
