//! [`tower`](https://docs.rs/tower) layers for services that run AI agents.
//!
//! - [`ServerLayer`] runs each request in a context of its own: under the span of the caller, with
//!   the caller's baggage, and with the tenant and the agent that the service says it works for. It
//!   can open a scope or a span around the request.
//! - [`ClientLayer`] writes the context of the code that sends a request into the request's
//!   headers.
//! - [`TurnLayer`] and [`OutputLayer`] are for hosts of Agent 365: the turns of a conversation that
//!   come in, and the messages that go out.
//!
//! ```
//! use agentspan_model::agent365::Identity;
//! use agentspan_tower::ServerLayer;
//! use axum::Router;
//! use axum::routing::post;
//!
//! /// What your authentication knows of a caller, and inserts into the extensions of its request.
//! #[derive(Clone)]
//! struct Caller {
//!     identity: Identity,
//! }
//!
//! async fn ask() -> &'static str {
//!     // Spans of other instrumentation that start here belong to the tenant and the agent of the
//!     // caller. Scopes belong to those that they are started with, so start them with the caller's.
//!     "It will rain."
//! }
//!
//! # let _: Router =
//! Router::new().route("/ask", post(ask)).layer(
//!     ServerLayer::new()
//!         .with_identity(|request| Some(request.extensions.get::<Caller>()?.identity.clone()))
//!         .with_correlation_header("x-request-id"),
//! )
//! # ;
//! ```
//!
//! # What the layers do not do
//!
//! No layer reads, copies or wraps a body. A body that is streamed is sent after the layer has done
//! its part: what runs in there has its own scope. Layers start no task and wait for nothing;
//! dropping a request's future drops what runs inside of it, in the request's context, and a scope
//! around it records the cancellation.

#![doc(html_root_url = "https://docs.rs/agentspan-tower/latest")]

mod attached;
mod client_layer;
mod identity_headers;
mod malformed;
mod output_layer;
mod request_context;
mod response_future;
mod server_layer;
mod turn_layer;

pub use tower_layer::Layer;
pub use tower_service::Service;

pub use self::client_layer::{ClientLayer, ClientService};
pub use self::output_layer::{OutputFuture, OutputLayer, OutputService};
pub use self::response_future::ResponseFuture;
pub use self::server_layer::{ServerLayer, ServerService};
pub use self::turn_layer::{TurnFuture, TurnLayer, TurnService};
