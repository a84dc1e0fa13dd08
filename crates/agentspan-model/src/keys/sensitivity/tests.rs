//! The table of keys.

use proptest::prelude::*;

use super::*;

#[test]
fn no_key_is_in_two_lists() {
    let mut keys: Vec<&str> = [HARMLESS, CONTEXT, CONTENT, VOCABULARIES]
        .concat()
        .into_iter()
        .collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

/// What the documentation says, without a table: the longest known part of the key.
fn slowly(key: &str) -> Sensitivity {
    let ends = key.match_indices('.').map(|(at, _)| at);
    let parts: Vec<&str> = ends.chain([key.len()]).map(|end| &key[..end]).collect();
    for part in parts.into_iter().rev() {
        let is_whole = part.len() == key.len();
        if is_whole && HARMLESS.contains(&part) {
            return Sensitivity::Harmless;
        }
        if is_whole && CONTEXT.contains(&part) {
            return Sensitivity::Context;
        }
        if CONTENT.contains(&part) {
            return Sensitivity::Content;
        }
        if VOCABULARIES.contains(&part) || (is_whole && WORDS.contains(&part)) {
            return Sensitivity::Suspect;
        }
    }
    Sensitivity::Unknown
}

fn any_key() -> impl Strategy<Value = String> {
    let known = [HARMLESS, CONTEXT, CONTENT, VOCABULARIES, WORDS].concat();
    let part = prop_oneof![Just(""), Just("0"), Just("content"), Just("-x"), Just("\0")];
    let known = (
        prop::sample::select(known),
        part,
        any::<bool>(),
        0..40_usize,
    );
    prop_oneof![
        known.prop_map(|(key, part, dot, cut)| {
            let separator = if dot { "." } else { "" };
            let long = format!("{key}{separator}{part}");
            let end = long.len().saturating_sub(cut % 7);
            long.get(..end).unwrap_or(&long).to_owned()
        }),
        "[a-z_.]{0,24}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn the_longest_part_that_is_known_decides(key in any_key()) {
        prop_assert_eq!(Sensitivity::of(&key), slowly(&key));
    }
}

#[test]
fn an_index_in_a_key_changes_nothing() {
    for key in [
        "gen_ai.prompt.0.content",
        "llm.input_messages.12.message.role",
    ] {
        assert_eq!(Sensitivity::of(key), Sensitivity::Content);
    }
    assert_eq!(Sensitivity::of("gen_ai.prompt.name"), Sensitivity::Harmless);
    assert_eq!(
        Sensitivity::of("gen_ai.prompt.name.x"),
        Sensitivity::Content
    );
    assert_eq!(Sensitivity::of("gen_ai_x"), Sensitivity::Unknown);
}
