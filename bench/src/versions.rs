//! Which versions of the peers are measured, from the lock file that this program was built with.

use std::fs;

const LOCK: &str = include_str!("../../Cargo.lock");

/// The crates whose speed the tables show.
pub(crate) const PEERS: [&str; 9] = [
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-otlp",
    "opentelemetry-proto",
    "prost",
    "reqwest",
    "serde_json",
    "fastrace",
    "tracing",
];

/// What the processor calls itself, where the system tells.
pub(crate) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut lines = text.lines();
    let name = lines.find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(String::new, |(_, name)| format!("({name})"))
}

/// The version of `name`, the highest if there are several.
pub(crate) fn version(name: &str) -> Option<&'static str> {
    let head = format!("name = \"{name}\"");
    let mut lines = LOCK.lines();
    let mut found = None;
    while let Some(line) = lines.next() {
        if line == head {
            found = lines
                .next()
                .and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_a_version() {
        for peer in PEERS {
            let version = version(peer).unwrap();
            assert!(version.split('.').count() >= 3, "{peer} {version}");
        }
        assert_eq!(version("no such crate"), None);
    }
}
