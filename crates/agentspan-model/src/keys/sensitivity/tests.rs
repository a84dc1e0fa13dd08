//! The table of keys.

use std::collections::HashSet;
use std::hash::BuildHasher;

use proptest::prelude::*;

use super::*;

#[test]
fn no_key_is_in_two_lists() {
    let mut keys: Vec<&str> = [HARMLESS, CONTEXT, CONTENT, VOCABULARIES, FRAMEWORKS]
        .concat()
        .into_iter()
        .collect();
    let all = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), all);
}

#[test]
fn no_key_that_is_known_is_too_long_for_the_table() {
    let keys = [HARMLESS, CONTEXT, CONTENT, VOCABULARIES, FRAMEWORKS, WORDS].concat();
    let longest = keys.iter().map(|key| key.len()).max().unwrap();
    assert!(longest < POSITIONS, "{longest}");
}

/// The lengths of keys, a bit for each.
fn lengths(keys: &[&str]) -> u128 {
    keys.iter().fold(0, |bits, key| bits | 1 << key.len())
}

#[test]
fn parts_are_looked_for_if_they_are_as_long_as_what_can_go_on() {
    assert_eq!(KNOWN.joined, lengths(FRAMEWORKS));
    let trees = [CONTENT, VOCABULARIES, FRAMEWORKS].concat();
    assert_eq!(KNOWN.trees, lengths(&trees));
}

#[test]
fn the_hash_tells_most_known_keys_apart() {
    let hash = |key: &str| BuildHasherDefault::<KeyHasher>::default().hash_one(key);
    let hashes: HashSet<u64> = KNOWN.keys.keys().map(|key| hash(key)).collect();
    let alike = KNOWN.keys.len() - hashes.len();
    assert!(alike < KNOWN.keys.len() / 100, "{alike}");
    // The table takes the highest bits for one thing, and the lowest for another.
    for shift in [0, 57] {
        let parts: HashSet<u64> = hashes.iter().map(|hash| (hash >> shift) & 0x7f).collect();
        assert!(parts.len() > 100, "{}", parts.len());
    }
}

#[test]
fn a_key_in_lower_case_ascii_costs_no_allocation_and_another_one_a_small_one() {
    assert_eq!(Sensitivity::of("app.step"), Sensitivity::Unknown);
    for key in ["app.step", "crew_tasks", "gen_ai.prompt.0.content"] {
        let cost = allocation_counter::measure(|| {
            std::hint::black_box(Sensitivity::of(key));
        });
        assert_eq!(cost.count_total, 0, "{key}");
    }
    for c in ["A", "\u{c9}"] {
        let key = c.repeat(100_000);
        let cost = allocation_counter::measure(|| {
            std::hint::black_box(Sensitivity::of(&key));
        });
        assert!(cost.bytes_total < 2_048, "{}", cost.bytes_total);
    }
}

/// The sensitivity by the documentation, without a table: the longest known part of the key.
fn slowly(key: &str) -> Sensitivity {
    let plain: String = key.chars().filter(|c| !shows_nothing(*c)).collect();
    let plain = plain.to_lowercase();
    let is_exact = |list: &[&str]| list.contains(&key);
    if is_exact(HARMLESS) {
        return Sensitivity::Harmless;
    }
    if is_exact(CONTEXT) {
        return Sensitivity::Context;
    }
    if is_exact(CONTENT) {
        return Sensitivity::Content;
    }
    let lower = |list: &[&str]| list.iter().any(|it| it.to_lowercase() == plain);
    if lower(HARMLESS) || lower(CONTEXT) {
        return Sensitivity::Suspect;
    }
    let ends = plain.match_indices(['.', ':', '/', '[']).map(|(at, _)| at);
    let parts: Vec<&str> = ends.chain([plain.len()]).map(|end| &plain[..end]).collect();
    let first = parts.iter().min_by_key(|part| part.len()).copied();
    for part in parts.into_iter().rev() {
        let is_whole = part.len() == plain.len();
        if CONTENT.iter().any(|it| it.to_lowercase() == part) {
            return Sensitivity::Content;
        }
        let is_vocabulary = VOCABULARIES.contains(&part) || FRAMEWORKS.contains(&part);
        if is_vocabulary || (is_whole && WORDS.contains(&part)) {
            return Sensitivity::Suspect;
        }
    }
    let word = first.unwrap_or_default();
    let mut ends = word.match_indices(['_', '-']).map(|(at, _)| at);
    if ends.any(|end| FRAMEWORKS.contains(&&word[..end])) {
        return Sensitivity::Suspect;
    }
    Sensitivity::Unknown
}

const LISTS: [&[&str]; 4] = [CONTENT, VOCABULARIES, FRAMEWORKS, WORDS];

/// Ways to write a key so that it still looks the same, or nearly so, to people or to a receiver.
fn variants(key: &str) -> Vec<String> {
    let mut variants = vec![key.to_uppercase()];
    let alternating = key.chars().enumerate().map(|(n, c)| {
        if n % 2 == 0 {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    });
    variants.push(alternating.collect());
    // Zero-width, a mark of direction, a selector, fillers, blanks of all widths, a control character.
    let unseen = "\u{200b}\u{2060}\u{feff}\u{200f}\u{fe0f}\u{ad}\u{3164}\u{115f}\u{2800}\u{e0041} \u{a0}\u{2003}\u{3000}\t\0";
    for unseen in unseen.chars() {
        let (start, end) = key.split_at(key.len() / 2);
        variants.push(format!("{unseen}{key}"));
        variants.push(format!("{key}{unseen}"));
        variants.push(format!("{start}{unseen}{end}"));
        variants.push(format!("{}{unseen}{}", start.to_uppercase(), end));
    }
    let long = "\u{200b}".repeat(1_000);
    variants.push(format!("{long}{key}"));
    variants
}

fn is_masked(key: &str) -> bool {
    matches!(
        Sensitivity::of(key),
        Sensitivity::Content | Sensitivity::Suspect
    )
}

#[test]
fn a8_no_way_to_write_a_key_of_contents_gets_it_past_the_masks() {
    for key in LISTS.concat() {
        assert!(is_masked(key), "{key}");
        for variant in variants(key) {
            assert!(is_masked(&variant), "{variant:?}");
        }
    }
}

#[test]
fn a8_no_way_to_write_what_begins_with_a_sensitive_key_gets_it_past_the_masks() {
    for key in [CONTENT, VOCABULARIES, FRAMEWORKS].concat() {
        for rest in [
            ".new_in_the_next_release",
            ":input",
            "/output",
            "[0].x",
            ".0.content",
        ] {
            let longer = format!("{key}{rest}");
            if Sensitivity::of(&longer) == Sensitivity::Harmless {
                continue;
            }
            assert!(is_masked(&longer), "{longer}");
            for variant in variants(&longer) {
                assert!(is_masked(&variant), "{variant:?}");
            }
        }
    }
    for framework in FRAMEWORKS {
        for joined in ["_agents", "-tasks", "_output.raw"] {
            let key = format!("{framework}{joined}");
            assert!(is_masked(&key), "{key}");
        }
    }
}

#[test]
fn a8_what_is_harmless_is_so_under_its_exact_key_only() {
    for key in [HARMLESS, CONTEXT].concat() {
        for variant in variants(key).iter().filter(|variant| *variant != key) {
            let sensitivity = Sensitivity::of(variant);
            assert!(is_masked(variant), "{variant:?} is {sensitivity:?}");
        }
    }
}

#[test]
fn a8_keys_of_the_program_stay_its_own() {
    for key in [
        "app.step",
        "order_id",
        "App.Step",
        "crewman.name",
        "toolbox",
        "my_input_size",
    ] {
        assert_eq!(Sensitivity::of(key), Sensitivity::Unknown, "{key}");
    }
}

fn any_key() -> impl Strategy<Value = String> {
    let known = [HARMLESS, CONTEXT, CONTENT, VOCABULARIES, FRAMEWORKS, WORDS].concat();
    let part = prop_oneof![
        Just(""),
        Just("0"),
        Just("content"),
        Just("-x"),
        Just("\0"),
        Just(":x")
    ];
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
