//! Cuts a JSON document in its longest strings, so that it stays a JSON document.
//!
//! Nothing is parsed into values and written anew: all that is not cut stays letter by letter, the
//! digits of numbers and the order of members included.

use std::ops::{Range, RangeInclusive};

use serde::de::IgnoredAny;

use super::ascii::text_cost;
use super::structured::Note;

/// `text` in at most `budget` bytes as a JSON string in ASCII, quotes included, if it is a JSON object
/// or array. If cutting strings is not enough, an empty one is left.
pub(super) fn cut_json(text: &str, budget: usize) -> Option<String> {
    let empty = match text.trim_start().as_bytes().first() {
        Some(b'{') => "{}",
        Some(b'[') => "[]",
        _ => return None,
    };
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut cost = text_cost(text) + 2;
    let mut longest: Vec<(Range<usize>, usize)> = strings(text)
        .filter_map(|range| {
            let cost = text_cost(text.get(range.clone())?);
            Some((range, cost))
        })
        .collect();
    longest.sort_by_key(|(_, cost)| std::cmp::Reverse(*cost));
    let mut cuts: Vec<(Range<usize>, String)> = Vec::new();
    for (range, before) in longest {
        if cost <= budget {
            break;
        }
        let literal = text.get(range.clone())?;
        let allowed = before.saturating_sub(cost - budget);
        let kept = cut_literal(literal, allowed);
        let after = text_cost(&kept);
        if after < before {
            cost = cost - before + after;
            cuts.push((range, kept));
        }
    }
    if cost > budget {
        return Some(empty.to_owned());
    }
    cuts.sort_by_key(|(range, _)| range.start);
    let mut document = String::with_capacity(budget);
    let mut begin = 0;
    for (range, kept) in cuts {
        document.push_str(text.get(begin..range.start)?);
        document.push_str(&kept);
        begin = range.end;
    }
    document.push_str(text.get(begin..)?);
    Some(document)
}

/// The beginning of what stands between the quotes of a string, and a note. Escapes stay whole, and so
/// do the pairs of escapes that stand for one character.
fn cut_literal(literal: &str, budget: usize) -> String {
    let note = Note(literal.len()).to_string();
    let mut left = budget.saturating_sub(note.len());
    let mut end = 0;
    while let Some(rest) = literal.get(end..).filter(|rest| !rest.is_empty()) {
        let unit = unit_length(rest);
        let Some(cost) = rest.get(..unit).map(text_cost) else {
            break;
        };
        if cost > left {
            break;
        }
        left -= cost;
        end += unit;
    }
    format!("{}{note}", literal.get(..end).unwrap_or_default())
}

/// The bytes of the first character of what stands between quotes: an escape has two or six, and two
/// escapes that stand for one character, by [RFC 8259], section 7, have twelve. Half a pair, which the
/// grammar allows, has six like any other.
///
/// [RFC 8259]: https://www.rfc-editor.org/rfc/rfc8259#section-7
fn unit_length(rest: &str) -> usize {
    const ESCAPE: usize = 6;
    match rest.as_bytes() {
        [b'\\', b'u', digits @ ..] if is_half(digits, b'8'..=b'b') => match digits {
            [_, _, _, _, b'\\', b'u', digits @ ..] if is_half(digits, b'c'..=b'f') => 2 * ESCAPE,
            _ => ESCAPE,
        },
        [b'\\', b'u', ..] => ESCAPE,
        [b'\\', ..] => 2,
        _ => rest.chars().next().map_or(1, char::len_utf8),
    }
}

/// Whether `digits` begin with those of a surrogate whose second digit is in `range`: from `8` to `b` of
/// the first of a pair, from `c` to `f` of the second.
fn is_half(digits: &[u8], range: RangeInclusive<u8>) -> bool {
    matches!(digits, [b'd' | b'D', digit, ..] if range.contains(&digit.to_ascii_lowercase()))
}

/// The places between the quotes of all strings that are values, in a text that is JSON.
fn strings(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let begin = at + text.get(at..)?.find('"')? + 1;
            let end = begin + literal_length(text.get(begin..)?);
            at = end + 1;
            let is_key = text
                .get(at..)
                .is_some_and(|rest| rest.trim_start().starts_with(':'));
            if !is_key {
                return Some(begin..end);
            }
        }
    })
}

/// The bytes up to the closing quote.
fn literal_length(rest: &str) -> usize {
    let mut is_escaped = false;
    rest.bytes()
        .position(|byte| {
            let ends = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            ends
        })
        .unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn check_cut(text: &str, budget: usize, expected: Option<&str>) {
        assert_eq!(cut_json(text, budget).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_longest_string_is_cut_and_the_rest_stays_letter_by_letter() {
        let long = "x".repeat(100);
        let text = format!(r#"{{ "b":1.50, "a":["{long}", "short"],"a":"" }}"#);
        let kept = "x".repeat(22);
        let expected =
            format!(r#"{{ "b":1.50, "a":["{kept}...[cut from 100 bytes]", "short"],"a":"" }}"#);
        let budget = text_cost(&expected) + 2;
        check_cut(&text, budget, Some(&expected));
    }

    #[test]
    fn escapes_and_their_pairs_stay_whole() {
        for (unit, cost) in [
            (r"\n", 3),
            (r"\u00e9", 7),
            (r"\ud83d\ude00", 14),
            ("\u{e9}", 6),
        ] {
            let text = format!(r#"["{}"]"#, unit.repeat(100));
            assert_eq!(text_cost(unit), cost);
            for budget in 60..90 {
                let cut = cut_json(&text, budget).unwrap();
                assert!(text_cost(&cut) + 2 <= budget, "{cut}");
                let read: Value = serde_json::from_str(&cut).unwrap();
                assert!(read[0].as_str().unwrap().ends_with(" bytes]"), "{cut}");
            }
        }
    }

    #[test]
    fn an_escape_of_half_a_pair_does_not_take_what_follows_along() {
        // Twelve bytes from a lone one on would end within what comes later.
        for unit in [
            r"\ud83d12345\n",
            r"\uD83d\u00e9",
            r"\ud83d\ud83d12345\n",
            r"\ud83d\ud7ff12345\n",
            r"\ude0012345\n",
            r"\ud83d1234\ude00",
            "\\ud83d12345\u{e9}",
        ] {
            let text = format!(r#"["{}"]"#, unit.repeat(50));
            for budget in 60..110 {
                let cut = cut_json(&text, budget).unwrap();
                assert!(text_cost(&cut) + 2 <= budget, "{cut}");
                assert!(cut.ends_with(" bytes]\"]"), "{cut}");
                assert!(serde_json::from_str::<IgnoredAny>(&cut).is_ok(), "{cut}");
            }
        }
    }

    #[test]
    fn what_is_too_large_without_its_strings_becomes_empty() {
        let numbers = json!({ "numbers": vec![1; 100] }).to_string();
        check_cut(&numbers, 70, Some("{}"));
        check_cut(&json!(vec![1; 100]).to_string(), 70, Some("[]"));
    }

    #[test]
    fn what_is_no_document_is_left_to_others() {
        check_cut("plain", 2, None);
        check_cut("[1, 2", 2, None);
        check_cut("\"text\"", 2, None);
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            ".{0,80}".prop_map(Value::from),
        ];
        let tree = leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((".{0,10}", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        tree.prop_map(|tree| json!([tree]))
    }

    proptest! {
        #[test]
        fn a_cut_document_is_a_document_within_the_budget(tree in document(), budget in 4_usize..600) {
            let text = tree.to_string();
            let cut = cut_json(&text, budget).unwrap();
            prop_assert!(text_cost(&cut) + 2 <= budget);
            prop_assert!(serde_json::from_str::<Value>(&cut).is_ok(), "{}", cut);
            if text_cost(&text) + 2 <= budget {
                prop_assert_eq!(cut, text);
            }
        }
    }
}
