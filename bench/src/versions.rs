//! Which versions of the peers are measured, from the lock file that this program was built with.

const LOCK: &str = include_str!("../../Cargo.lock");

/// The crates whose speed the tables show.
pub(crate) const PEERS: [&str; 7] = [
    "opentelemetry",
    "opentelemetry_sdk",
    "opentelemetry-otlp",
    "opentelemetry-proto",
    "prost",
    "reqwest",
    "serde_json",
];

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
