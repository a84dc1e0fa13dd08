//! A token, whatever it is: its claims are read without failing, and shown without a secret.

#![no_main]

use agentspan_discovery::{UnverifiedId, runtime_v2, unverified_app_id};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|token: &str| {
    check(token, unverified_app_id);
    check(token, runtime_v2::unverified_agent_id);
});

/// A header and a signature of other tokens.
const HEADER: &str = "eyJhbGciOiJub25lIn0";
const SIGNATURE: &str = "c2lnbmF0dXJl";

/// Checks that an id shows nothing of a token but one of its claims.
fn check(token: &str, read: impl Fn(Option<&str>) -> UnverifiedId) {
    let id = read(Some(token));
    let json = id.to_json();
    serde_json::from_str::<serde_json::Value>(&json).expect("an id is JSON");
    let shown = format!("{id:?}");
    if id.is_empty() {
        assert_eq!(shown, "UnverifiedId(\"\")", "no id shows nothing");
        return;
    }
    let segments: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = segments[..] else {
        assert_eq!(id, agentspan_discovery::NIL_ID, "only a token has claims");
        return;
    };
    // The text of a claim is shorter than the base64 of all claims.
    assert!(json.len() < claims.len(), "an id is one of the claims");
    assert!(
        !shown.contains(claims),
        "the claims are not shown as the token has them"
    );
    // What a claim repeats of the other segments is the claim's. Of themselves, they have no part in the id.
    let other = format!("{HEADER}.{claims}.{SIGNATURE}");
    assert_eq!(
        read(Some(&other)),
        id,
        "neither header nor signature is in an id"
    );
}
