//! Withholds spans of the `tracing` layer that have nothing to do with agents, if there is a layer.

#[cfg(not(feature = "tracing"))]
mod disabled;
#[cfg(feature = "tracing")]
mod enabled;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::disabled::{RelatedSpans, in_front_of};
#[cfg(feature = "tracing")]
pub(crate) use self::enabled::{RelatedSpans, in_front_of};
