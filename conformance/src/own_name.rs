//! What the packages say of themselves on spans, and what we say instead: the rule `spans-of-rust-say-so`.

use agentspan_model::keys;

/// Keys with what the packages say and what we say. The name and version of 2.0.0 are a part of its contract.
pub(crate) const OWN: [(&str, &str, &str); 3] = [
    (
        keys::TELEMETRY_SDK_NAME,
        "microsoft-opentelemetry",
        "agentspan",
    ),
    (
        keys::TELEMETRY_SDK_VERSION,
        "1.5.0",
        env!("CARGO_PKG_VERSION"),
    ),
    (keys::TELEMETRY_SDK_LANGUAGE, "python", "rust"),
];

/// What we say where a package says `text` under this key of a span, if it is another text.
#[must_use]
pub fn own_name(key: &str, text: &str) -> Option<&'static str> {
    let found = OWN
        .iter()
        .find(|(own, theirs, _)| *own == key && *theirs == text);
    found.map(|(_, _, ours)| *ours)
}
