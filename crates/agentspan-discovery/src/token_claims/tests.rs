//! Tokens that PyJWT reads or refuses, and which claim is taken from them.

use super::*;

const HEADER: &str = r#"{"alg":"none"}"#;

fn token(header: &str, payload: &str) -> String {
    format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    )
}

#[track_caller]
fn check(header: &str, payload: &str, json: &str) {
    let found = unverified_app_id(Some(&token(header, payload)));
    assert_eq!(found.to_json(), json, "{header} {payload}");
}

#[track_caller]
fn check_text(token: &str, id: &str) {
    assert_eq!(unverified_app_id(Some(token)), id, "{token}");
}

#[test]
fn appid_comes_before_azp() {
    check(HEADER, r#"{"azp":"b","appid":"a"}"#, r#""a""#);
    check(HEADER, r#"{"azp":"b"}"#, r#""b""#);
    check(HEADER, r#"{"sub":"c"}"#, r#""""#);
}

#[test]
fn what_python_counts_as_false_is_passed_over() {
    for falsy in [
        "null", "false", "0", "-0", "0.0", "-0e9", "1e-999", r#""""#, "[]", "[ ]", "{}", "{ }",
    ] {
        check(
            HEADER,
            &format!(r#"{{"appid":{falsy},"azp":"b"}}"#),
            r#""b""#,
        );
    }
}

#[test]
fn claims_that_are_no_strings_are_returned_unchanged() {
    for truthy in [
        "true",
        "7",
        "0.5",
        "1e999",
        "98765432109876543210987",
        r#"["x"]"#,
        r#"{"x": 1}"#,
        r#"" ""#,
    ] {
        check(
            HEADER,
            &format!(r#"{{"appid": {truthy} ,"azp":"b"}}"#),
            truthy,
        );
    }
}

#[test]
fn of_two_members_with_one_name_the_last_counts() {
    check(HEADER, r#"{"appid":"a","appid":"b"}"#, r#""b""#);
}

#[test]
fn a_foreign_claim_does_not_spoil_the_token() {
    check(
        HEADER,
        r#"{"odd":"\ud800","big":1e999,"appid":"a"}"#,
        r#""a""#,
    );
}

#[test]
fn without_a_token_the_id_is_nil() {
    for blank in ["", " \t", "\u{a0}\u{1c}"] {
        check_text(blank, NIL_ID);
    }
    assert_eq!(unverified_app_id(None), NIL_ID);
}

#[test]
fn a_token_has_three_segments() {
    let good = token(HEADER, r#"{"appid":"a"}"#);
    check_text(&good, "a");
    check_text(good.trim_end_matches('.'), "");
    check_text(&format!("{good}.c2ln"), "");
    check_text(&format!("Bearer {good}"), "");
    check_text(&format!("{good}\n"), "");
}

#[test]
fn padding_may_be_left_out_but_not_be_wrong() {
    let header = URL_SAFE_NO_PAD.encode(HEADER);
    let payload = URL_SAFE_NO_PAD.encode(r#"{"appid":"a"}"#);
    for (signature, id) in [
        ("", "a"),
        ("cw", "a"),
        ("cw==", "a"),
        ("c2k=", "a"),
        ("cw=", ""),
        ("c===", ""),
        ("c2k==", ""),
        ("==", ""),
        ("====", ""),
        ("c2ln====", ""),
        ("=", ""),
        ("c", ""),
        // Bits after the last byte.
        ("cx", ""),
        // The other alphabet.
        ("+/+/", ""),
        ("-_-_", "a"),
        ("c w=", ""),
    ] {
        check_text(&format!("{header}.{payload}.{signature}"), id);
    }
}

#[test]
fn header_and_payload_are_objects() {
    check("[1]", r#"{"appid":"a"}"#, r#""""#);
    check("nope", r#"{"appid":"a"}"#, r#""""#);
    check(HEADER, r#"["appid"]"#, r#""""#);
    check(HEADER, r#""appid""#, r#""""#);
    check(HEADER, "null", r#""""#);
    check(HEADER, r#"{"appid":"a"} x"#, r#""""#);
    check(HEADER, "\u{feff}{\"appid\":\"a\"}", r#""a""#);
    check("{}", r#"{"appid":"a"}"#, r#""a""#);
}

#[test]
fn a_header_with_foreign_needs_is_refused() {
    for (header, json) in [
        (r#"{"kid":"k"}"#, r#""a""#),
        (r#"{"kid":1}"#, r#""""#),
        (r#"{"kid":null}"#, r#""""#),
        (r#"{"b64":true}"#, r#""a""#),
        (r#"{"b64":false}"#, r#""""#),
        (r#"{"b64":true,"crit":["b64"]}"#, r#""a""#),
        (r#"{"crit":["b64"]}"#, r#""""#),
        (r#"{"exp":1,"crit":["exp"]}"#, r#""""#),
        (r#"{"crit":[]}"#, r#""""#),
        (r#"{"crit":"b64","b64":true}"#, r#""""#),
        (r#"{"crit":null}"#, r#""""#),
    ] {
        check(header, r#"{"appid":"a"}"#, json);
    }
}

#[test]
fn the_answer_does_not_show_the_token() {
    let token = token(HEADER, r#"{"appid":"a","secret":"s3cr3t"}"#);
    let shown = format!("{:?}", unverified_app_id(Some(&token)));
    assert_eq!(shown, r#"UnverifiedId("a")"#);
}
