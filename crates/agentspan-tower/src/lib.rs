//! [`tower`](https://docs.rs/tower) layers for services that run AI agents.
//!
//! - [`ServerLayer`] runs each request in a context of its own: below the caller's span, with the
//!   caller's baggage, and with the tenant and the agent that your code sets. It can open a scope or a
//!   span around the request.
//! - [`ClientLayer`] writes the current context into the headers of each request.
//! - [`TurnLayer`] and [`OutputLayer`] are for hosts of Agent 365: for incoming turns of a
//!   conversation, and for outgoing messages.
//!
//! ```
//! use agentspan_model::agent365::Identity;
//! use agentspan_tower::ServerLayer;
//! use axum::Router;
//! use axum::routing::post;
//!
//! /// The caller. Your authentication inserts it into the extensions of the request.
//! #[derive(Clone)]
//! struct Caller {
//!     identity: Identity,
//! }
//!
//! async fn ask() -> &'static str {
//!     // Spans of other instrumentation that start here belong to the tenant and the agent of the
//!     // caller. A scope belongs to the ids that it is started with, so start it with the caller's.
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
//! No layer reads, copies or wraps a body. A streamed body is sent after the layer has ended its scope,
//! so run another scope in the stream. Layers start no task and wait for nothing. Dropping a request's
//! future drops the inner future in the request's context, and a scope around it records the
//! cancellation.

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
