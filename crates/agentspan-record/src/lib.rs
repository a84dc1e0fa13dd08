//! A finished span, whoever made it, and what is done with it before a destination gets it.
//!
//! - [`FinishedSpan`] is a span of the OpenTelemetry SDK, with the Agent Spec span that it stands for if there is one.
//! - [`Preparation`] turns it into what one destination is to see: it renders, enriches and masks, in that order.
//! - [`SpanLimits`] says how large a span may be that is queued, and cuts it.
//! - [`Tracker`] follows Agent Spec spans while they are open, and makes their records, for the span processors of
//!   Agent Spec in `agentspan-otel` and `agentspan-agent365`.
//! - [`hand_over`] is how the bridge of `agentspan-otel` gives the Agent Spec span to the span processors that
//!   run while the span of the SDK ends.
//!
//! Queues hold finished spans, and prepare them on their own threads. Nothing of a preparation runs where spans end.

mod attribute_value;
mod attributes;
mod enrichment;
mod finished_span;
mod from_otel;
mod hand_over;
mod hiding;
mod names;
mod normalised;
mod preparation;
mod render;
mod span_limits;
mod span_size;
mod tracker;

pub use self::attribute_value::{push_attribute, to_value};
pub use self::attributes::Attributes;
pub use self::enrichment::{Enrichment, SpanEnrichers};
pub use self::finished_span::FinishedSpan;
pub use self::from_otel::from_otel;
pub use self::hand_over::{hand_over, hand_over_attributes};
pub use self::hiding::Hiding;
pub use self::preparation::Preparation;
pub use self::render::span_kind;
pub use self::span_limits::{SpanCuts, SpanLimits};
pub use self::span_size::estimated_bytes;
pub use self::tracker::{Around, Made, OpenSpan, Starting, Tracker};
