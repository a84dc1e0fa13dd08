//! The ways to bring a span under the limit of its profile.

/// How spans are cut that exceed the limit of the profile, which is 250 KiB of JSON in ASCII since
/// [`Profile::V2`]. [`Profile::V0_1`] has no limit.
///
/// [`Profile::V0_1`]: agentspan_model::agent365::Profile::V0_1
/// [`Profile::V2`]: agentspan_model::agent365::Profile::V2
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Truncation {
    /// Replaces the values of the largest attributes by the text `TRUNCATED`, one after the other until
    /// the span fits, as `microsoft-agents-a365-observability-core` 2.0.0 does. Values that are shorter
    /// than the marker stay, so a span that is too long without its attributes stays too long.
    #[default]
    Marker,
    /// Trims the largest values to a common length, no more than necessary. Texts are cut between two
    /// characters, JSON documents in their longest strings so that messages stay messages, lists of
    /// texts in their longest texts, and other arrays at their end. A cut text keeps its beginning and
    /// ends with `...[cut from 300000 bytes]`. Bytes in base64 (blob parts, `data:` URLs) are replaced as
    /// a whole, because a part of them is useless. A document of very many short strings loses the items
    /// at the end of its largest arrays.
    ///
    /// If that is not enough, links and events are left out, name and message are cut, and attributes are
    /// left out, the largest first, until the span fits. The work is proportional to the length of the
    /// span.
    ///
    /// A cut span has two more attributes, which count towards the limit: `agentspan.truncated.keys`
    /// lists the keys of cut attributes, the largest first and as many as fit, and
    /// `agentspan.truncated.count` counts all cuts.
    Structured,
}
