//! The escaping agrees with `serde_json`'s, byte for byte, at every length and place.

use proptest::prelude::*;

use super::{push_escaped, push_framed, push_quoted};

#[track_caller]
fn check(text: &str) {
    let mut out = b"before".to_vec();
    push_escaped(&mut out, text);
    let ours = String::from_utf8(out).expect("escaping keeps UTF-8");
    let theirs = serde_json::to_string(text).expect("text is JSON");
    assert_eq!(ours, format!("before{}", &theirs[1..theirs.len() - 1]));
}

#[test]
fn every_ascii_character_is_escaped_as_serde_json_does() {
    for byte in 0..=0x7f_u8 {
        check(&char::from(byte).to_string());
    }
}

#[test]
fn an_escape_is_found_at_every_place_of_a_text_of_every_length() {
    for len in 0..100 {
        check(&"x".repeat(len));
        for at in 0..len {
            for special in ['"', '\\', '\n', '\0', '\u{1f}'] {
                let text: String = (0..len)
                    .map(|i| if i == at { special } else { 'x' })
                    .collect();
                check(&text);
            }
        }
    }
}

#[test]
fn a_text_of_escapes_only_finds_room_for_all_of_them() {
    for special in ["\0", "\"", "\n"] {
        check(&special.repeat(5_000));
        check(&(special.repeat(70) + &"x".repeat(500)));
    }
}

#[test]
fn what_stands_around_a_text_is_written_as_it_is() {
    for text in [
        "",
        "a",
        "four",
        "\"",
        "seven b",
        &"x".repeat(20),
        &"é\n".repeat(30),
    ] {
        let json = serde_json::to_string(text).expect("text is JSON");
        let mut out = Vec::new();
        push_quoted(&mut out, text);
        assert_eq!(String::from_utf8_lossy(&out), json);
        out.clear();
        push_framed(&mut out, b",\"", text, b"\":");
        assert_eq!(String::from_utf8_lossy(&out), format!(",{json}:"));
    }
}

#[test]
fn neighbours_of_the_escaped_characters_are_left_alone() {
    check(" !#[]/\u{7f}\u{80}\u{9f}\u{a2}\u{dc}\u{2028}\u{ffff}\u{10ffff}");
}

proptest! {
    #[test]
    fn any_text_is_escaped_as_serde_json_does(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn text_with_many_escapes_is_escaped_as_serde_json_does(
        text in "[a-zé\u{1}\"\\\\\n\u{7f}🦀]{0,300}"
    ) {
        check(&text);
    }
}
