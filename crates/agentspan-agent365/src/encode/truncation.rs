//! The ways to bring a span under the limit of its profile.

/// How a span is cut that is longer than the profile allows: 250 KiB of JSON in ASCII for
/// [`Profile::V2`], no limit for [`Profile::V0_1`].
///
/// [`Profile::V0_1`]: agentspan_model::agent365::Profile::V0_1
/// [`Profile::V2`]: agentspan_model::agent365::Profile::V2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Truncation {
    /// The values of the largest attributes are replaced by the text `TRUNCATED`, one after the other
    /// until the span fits: `microsoft-agents-a365-observability-core` 2.0.0. A span that is too long
    /// without its attributes stays too long.
    #[default]
    Marker,
    /// The largest values are cut, and as little as is needed: texts between two characters, JSON
    /// documents in their longest strings so that they stay JSON, arrays at their end. Where a text
    /// was cut it says `...[cut from 300000 bytes]`. If that is not enough, links and events are left
    /// out, name and message are cut, and attributes are left out, the largest first. Every span fits
    /// in the end.
    ///
    /// A span that was cut says so in two attributes, with which it fits, too: `agentspan.truncated.keys`
    /// names those that were cut, the largest first and as many as there is room for, and
    /// `agentspan.truncated.count` counts all cuts.
    Structured,
}
