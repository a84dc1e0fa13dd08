//! What refusals mean.

use agentspan_model::agent365::contract::{Cure, Mender, STATUSES, status_meaning, token_error};

#[test]
fn a_status_and_its_code_say_what_is_wrong_and_who_can_mend_it() {
    let body = r#"{"code":"EndpointInvalid","message":"Tenant id  is invalid.","innererror":{"code":"TenantIdInvalid"}}"#;
    for (status, answer, cure, mender, words) in [
        (400, body, Cure::Final, Mender::Program, "Await the token"),
        (
            400,
            "Unexpected JSON token Date",
            Cure::Final,
            Mender::Program,
            "tool results as one text",
        ),
        (
            401,
            "UnsupportedAccessTokenType",
            Cure::Final,
            Mender::Program,
            "/observabilityService/",
        ),
        (
            401,
            "AuthenticationSchemeNotSupported",
            Cure::Final,
            Mender::Program,
            "current path",
        ),
        (401, "", Cure::Renew, Mender::Program, "a new token once"),
        (
            403,
            r#"Bearer error="insufficient_scope""#,
            Cure::Final,
            Mender::Administrator,
            "Grant the permission",
        ),
        (
            403,
            "",
            Cure::Final,
            Mender::Administrator,
            "`azp` or `appid`",
        ),
        (413, "", Cure::Divide, Mender::Program, "Divide"),
        (429, "", Cure::Retry, Mender::Service, "Retry-After"),
        (503, "", Cure::Retry, Mender::Service, "later"),
    ] {
        let meaning = status_meaning(status, answer).unwrap();
        assert_eq!(
            (meaning.cure, meaning.mender),
            (cure, mender),
            "{status} {answer}"
        );
        assert!(
            meaning.remedy.contains(words),
            "{status} {answer}: {}",
            meaning.remedy
        );
    }
    for unknown in [200, 202, 302, 404, 600] {
        assert_eq!(status_meaning(unknown, body), None);
    }
}

/// One that has no code takes every answer, so that nothing after it is ever found.
#[test]
fn of_one_status_the_meaning_without_a_code_comes_last() {
    for (at, meaning) in STATUSES.iter().enumerate() {
        let hidden = STATUSES[at + 1..]
            .iter()
            .find(|later| later.status == meaning.status);
        assert!(!meaning.code.is_empty() || hidden.is_none(), "{hidden:?}");
    }
}

#[test]
fn a_code_of_entra_is_found_whole() {
    let code = |answer| token_error(answer).map(|error| error.code);
    assert_eq!(code("AADSTS50013: bad"), Some("AADSTS50013"));
    assert_eq!(code("AADSTS500133: expired"), Some("AADSTS500133"));
    assert_eq!(
        code("AADSTS7002139 and AADSTS70021: wait"),
        Some("AADSTS70021")
    );
    assert_eq!(code("AADSTS1"), None);
}
