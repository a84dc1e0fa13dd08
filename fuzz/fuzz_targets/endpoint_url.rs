//! A URL: what is kept of it is a host and a port, and nothing of its path, query or user.

#![no_main]

use agentspan_model::agent365::Endpoint;
use fuzz::show;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|url: &str| {
    match Endpoint::from_url(url) {
        Ok(endpoint) => {
            assert!(!endpoint.host.is_empty());
            assert!(!endpoint.host.contains(['/', '?', '#', '@']), "{url}");
            let _ = endpoint.recorded_port();
        }
        Err(error) => show(&error),
    }
});
