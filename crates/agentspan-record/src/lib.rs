//! Finished spans, and the steps that prepare them for a destination.
//!
//! - [`FinishedSpan`] is a span of the OpenTelemetry SDK, with the Agent Spec span behind it if there is one.
//! - [`Preparation`] renders, enriches and masks a finished span for one destination, in this order.
//! - [`RequestToken`] carries the token of a request from the code that makes spans to the code that exports them.
//! - [`DropReason`] says why a span was not delivered, and [`flush_result`] reports losses.
//! - [`SpanLimits`] limits the size of a queued span, and cuts larger spans.
//! - [`Tracker`] follows open Agent Spec spans and creates their records, for the Agent Spec processors in
//!   `agentspan-otel` and `agentspan-agent365`.
//! - [`hand_over`] passes an Agent Spec span from the bridge of `agentspan-otel` to the span processors that
//!   run while the SDK's span ends.
//!
//! Queues hold finished spans, and prepare them on their own threads, never on the thread that ends
//! a span.

#![doc(html_root_url = "https://docs.rs/agentspan-record/latest")]

mod attribute_value;
mod attributes;
mod drop_reason;
mod enrichment;
mod finished_span;
mod flush_result;
mod from_otel;
mod hand_over;
mod hiding;
mod names;
mod normalised;
mod preparation;
mod price;
mod render;
mod request_token;
mod span_limits;
mod span_size;
mod tracker;

pub use self::attribute_value::{push_attribute, to_value};
pub use self::attributes::Attributes;
pub use self::drop_reason::DropReason;
pub use self::enrichment::{Enrichment, SpanEnrichers};
pub use self::finished_span::FinishedSpan;
pub use self::flush_result::flush_result;
pub use self::from_otel::from_otel;
pub use self::hand_over::{hand_over, hand_over_attributes};
pub use self::hiding::Hiding;
pub use self::normalised::{outlined, source_span, source_value};
pub use self::preparation::{Preparation, Prepared};
pub use self::render::span_kind;
pub use self::request_token::RequestToken;
pub use self::span_limits::{SpanCuts, SpanLimits};
pub use self::span_size::estimated_bytes;
pub use self::tracker::{Around, Made, Starting, TrackedSpan, Tracker};
