//! Whatever a token holds, it is read without harm, and nothing but the claim comes out.

use agentspan_discovery::runtime_v2::unverified_agent_id;
use agentspan_discovery::{NIL_ID, resolve_agent_identity, unverified_app_id};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

fn token(payload: &serde_json::Value) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    format!("{header}.{payload}.")
}

proptest! {
    #[test]
    fn a_claim_comes_out_as_it_went_in(
        app in "\\PC{1,20}",
        party in "\\PC{0,20}",
        secret in "[a-z]{24}",
    ) {
        let claims = serde_json::json!({"azp": party, "nonce": secret, "appid": app});
        let found = unverified_app_id(Some(&token(&claims)));
        prop_assert_eq!(found.as_str(), Some(&*app));
        let shown = format!("{found:?}");
        prop_assert!(!shown.contains(&secret));

        let claims = serde_json::json!({"xms_par_app_azp": app, "appid": party});
        let found = unverified_agent_id(Some(&token(&claims)));
        prop_assert_eq!(found.as_str(), Some(&*app));
    }

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC{0,40}|[a-zA-Z0-9_=.-]{0,80}") {
        let app = unverified_app_id(Some(&text));
        let agent = unverified_agent_id(Some(&text));
        // A text of this kind is no token, unless by a chance that is none.
        prop_assert!(app.is_empty() || app == NIL_ID);
        prop_assert!(agent.is_empty());
        prop_assert_eq!(resolve_agent_identity(None, Some(&text)), app);
    }
}
