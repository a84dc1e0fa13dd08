//! What scopes, baggage and turn contexts do, through the public API.

mod baggage;
mod errors;
mod futures;
mod nesting;
mod processor;
mod recorder;
mod remote_baggage;
mod scopes;
mod turn_context;
