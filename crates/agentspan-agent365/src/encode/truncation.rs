//! The ways to bring a span under the limit of its profile.

/// How a span is cut that is longer than the profile allows: 250 KiB of JSON in ASCII since
/// [`Profile::V2`], no limit for [`Profile::V0_1`].
///
/// [`Profile::V0_1`]: agentspan_model::agent365::Profile::V0_1
/// [`Profile::V2`]: agentspan_model::agent365::Profile::V2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Truncation {
    /// The values of the largest attributes are replaced by the text `TRUNCATED`, one after the other
    /// until the span fits: `microsoft-agents-a365-observability-core` 2.0.0. Values that are shorter than the
    /// marker stay, which is no difference but for a span that is too long without its attributes: that
    /// one stays too long.
    #[default]
    Marker,
    /// The largest values are trimmed to a common length, and as little as is needed, so that no value keeps
    /// much while another loses all: texts between two characters, JSON documents in their longest
    /// strings so that messages stay messages, lists of texts in their longest, other arrays at their
    /// end. Where a text was cut it keeps its beginning and says `...[cut from 300000 bytes]`. Bytes in
    /// base64 (blob parts, `data:` URLs) are replaced whole: a part of them is of no use. A document of
    /// very many short strings loses the items at the end of its largest arrays.
    ///
    /// If that is not enough, links and events are left out, name and message are cut, and attributes are
    /// left out, the largest first. Every span fits in the end. The work is proportional to the length of
    /// the span.
    ///
    /// A span that was cut says so in two attributes, with which it fits, too: `agentspan.truncated.keys`
    /// names those that were cut, the largest first and as many as there is room for, and
    /// `agentspan.truncated.count` counts all cuts.
    Structured,
}
