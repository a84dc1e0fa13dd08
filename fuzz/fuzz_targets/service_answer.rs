//! An answer of a receiver: it is read as far as it can be, and shown without what it must not repeat.

#![no_main]

use agentspan_model::agent365::contract::Answer;
use agentspan_model::received::{ReceivedJson, Withheld, span_count, words_of_body};
use libfuzzer_sys::fuzz_target;

/// Part of every request, and so of many an answer.
const SECRET: &[u8] = b"eyJhbGciOiJSUzI1NiJ9.Zm9v.YmFy";
const PROMPT: &[u8] = br#"{"content":"what the user said to \"nobody\" else"}"#;

/// How many bytes in a row of a secret are never shown.
const IN_A_ROW: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let read = ReceivedJson::read(bytes);
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) {
        assert!(read.is_whole);
        assert_eq!(read.value, value, "what is JSON is read as that");
    }
    let _ = span_count(&read.value);

    // What repeats secrets among other words shows none of them.
    let text = String::from_utf8_lossy(bytes).replace('\u{1}', &String::from_utf8_lossy(SECRET));
    let text = text.replace('\u{2}', &String::from_utf8_lossy(PROMPT));
    let withheld = Withheld::new().with_secret(SECRET).with_body(PROMPT);
    check_shown(&withheld.show(&text, 200));
    check_shown(&withheld.show(&words_of_body(text.as_bytes()), 200));

    let answer = Answer::read(text.as_bytes());
    for result in &answer.results {
        let _ = answer.outcome(&result.span_id);
        for reason in answer.reasons(&result.span_id) {
            check_shown(&withheld.show(reason, 200));
        }
    }
});

fn check_shown(shown: &str) {
    // One more for what was cut.
    assert!(shown.chars().count() <= 201);
    assert!(!shown.contains(char::is_control));
    let is_shown = |part: &[u8]| {
        let mut windows = shown.as_bytes().windows(part.len());
        windows.any(|window| window == part)
    };
    assert!(!SECRET.windows(IN_A_ROW).any(is_shown), "{shown}");
    assert!(!shown.contains("the user said to"), "{shown}");
}
