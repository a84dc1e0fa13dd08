//! A token, whatever it is: its claims are read without failing, and shown without a secret.

#![no_main]

use agentspan_discovery::{runtime_v2, unverified_app_id};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|token: &str| {
    let id = unverified_app_id(Some(token));
    serde_json::from_str::<serde_json::Value>(&id.to_json()).expect("an id is JSON");
    let _ = format!("{id:?}");
    let id = runtime_v2::unverified_agent_id(Some(token));
    serde_json::from_str::<serde_json::Value>(&id.to_json()).expect("an id is JSON");
});
