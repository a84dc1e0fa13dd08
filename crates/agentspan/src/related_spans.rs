//! Withholds spans of the layer that have nothing to do with agents, where there is a layer.

#[cfg(not(feature = "tracing"))]
mod disabled;
#[cfg(feature = "tracing")]
mod enabled;

#[cfg(not(feature = "tracing"))]
pub(crate) use self::disabled::{RelatedSpans, in_front_of};
#[cfg(feature = "tracing")]
pub(crate) use self::enabled::{RelatedSpans, in_front_of};
