//! Cuts a JSON document so that it stays a JSON document.
//!
//! Nothing is parsed into values and written anew: all that is not cut stays letter by letter, the
//! digits of numbers and the order of members included.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::de::IgnoredAny;

use super::ascii::text_cost;
use super::cuts::Note;
use super::json_outline::{Container, Mark, Outline, Text};
use super::level::{Column, Level};

/// Items at the end of arrays are left out before strings are cut to less than this.
const KEPT_TEXT: usize = 128;

/// The maximum length of the note that a string was cut.
const NOTE: usize = 40;

/// The parts of a document that may be left out, besides parts of its strings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LeavesOut {
    Nothing,
    /// Items of arrays, but for the first one of each.
    Items,
    /// All items of arrays.
    AllItems,
    /// All items of arrays and all members of objects.
    Members,
}

/// The tries, in this order.
const TRIES: [(usize, LeavesOut); 5] = [
    (KEPT_TEXT, LeavesOut::Nothing),
    (KEPT_TEXT, LeavesOut::Items),
    (NOTE, LeavesOut::Items),
    (NOTE, LeavesOut::AllItems),
    (NOTE, LeavesOut::Members),
];

/// `text` in at most `budget` bytes as a JSON string in ASCII, quotes included, if it is a JSON object
/// or array.
///
/// The longest strings are trimmed to a common length; a string of bytes in base64 is replaced whole. If that
/// leaves little of them, items at the end of the largest arrays are left out. In the end an empty object
/// or array is left.
pub(super) fn cut_json(text: &str, budget: usize) -> Option<String> {
    let empty = match text.trim_start().as_bytes().first() {
        Some(b'{') => "{}",
        Some(b'[') => "[]",
        _ => return None,
    };
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let outline = Outline::of(text);
    let Some(excess) = (outline.cost + 2)
        .checked_sub(budget)
        .filter(|excess| *excess > 0)
    else {
        return Some(text.to_owned());
    };
    let plan = TRIES
        .iter()
        .find_map(|(floor, leaves_out)| Plan::find(&outline, excess, *floor, *leaves_out));
    match plan {
        Some(plan) => plan.apply(text, &outline, budget),
        None => Some(empty.to_owned()),
    }
}

/// The cuts to make.
struct Plan {
    level: Level,
    /// The ranges that are left out, by their beginning.
    gaps: BTreeMap<usize, usize>,
}

impl Plan {
    fn find(outline: &Outline, excess: usize, floor: usize, leaves_out: LeavesOut) -> Option<Self> {
        let columns: Vec<Column> = outline.strings.iter().map(column).collect();
        // The bytes that the strings in front of each save at the floor.
        let mut saved = Vec::with_capacity(columns.len() + 1);
        let mut sum = 0;
        saved.push(sum);
        for column in &columns {
            sum += column.height - column.height.min(column.stump.unwrap_or(floor));
            saved.push(sum);
        }
        let mut gaps = Gaps {
            saved: &saved,
            ranges: BTreeMap::new(),
            cost: 0,
        };
        if sum < excess {
            gaps.open(outline, excess - sum, leaves_out)?;
        }
        let kept = outline.strings.iter().zip(&columns);
        let kept = kept.filter(|(string, _)| !gaps.hold(string.range.start));
        let excess = excess.saturating_sub(gaps.cost);
        let level = Level::find(kept.map(|(_, column)| *column), excess, floor)?;
        Some(Self {
            level,
            gaps: gaps.ranges,
        })
    }

    fn apply(self, text: &str, outline: &Outline, budget: usize) -> Option<String> {
        let mut document = String::with_capacity(budget.min(text.len()));
        let mut begin = 0;
        let mut gaps = self.gaps.iter().peekable();
        for string in &outline.strings {
            while let Some((from, to)) = gaps.next_if(|(from, _)| **from <= string.range.start) {
                document.push_str(text.get(begin..*from)?);
                begin = *to;
            }
            if string.range.start < begin {
                continue;
            }
            let literal = text.get(string.range.clone())?;
            let kept = match column(string).stump {
                Some(_) if string.cost >= self.level.felled => Note(literal.len()).to_string(),
                None if string.cost > self.level.height => cut_literal(literal, self.level.height),
                _ => continue,
            };
            document.push_str(text.get(begin..string.range.start)?);
            document.push_str(&kept);
            begin = string.range.end;
        }
        for (from, to) in gaps {
            document.push_str(text.get(begin..*from)?);
            begin = *to;
        }
        document.push_str(text.get(begin..)?);
        Some(document)
    }
}

/// A string as something to be trimmed.
fn column(string: &Text) -> Column {
    let note = || Note(string.range.len()).to_string().len();
    Column {
        height: string.cost,
        stump: string.is_blob.then(note),
    }
}

/// The ranges that are left out of a document.
struct Gaps<'a> {
    /// The bytes that the strings in front of each save when they are trimmed to the floor.
    saved: &'a [usize],
    /// The beginning and the end of each.
    ranges: BTreeMap<usize, usize>,
    /// The bytes that they take.
    cost: usize,
}

impl Gaps<'_> {
    /// Leaves items out from the end of the largest containers on, until `missing` bytes are. `None` if there
    /// are not enough.
    fn open(&mut self, outline: &Outline, mut missing: usize, leaves_out: LeavesOut) -> Option<()> {
        let kept = match leaves_out {
            LeavesOut::Nothing => return None,
            LeavesOut::Items => 1,
            LeavesOut::AllItems | LeavesOut::Members => 0,
        };
        let containers = outline.containers.iter();
        // Containers around others are larger, and so come first.
        let mut largest: Vec<(usize, &Container, Mark)> = containers
            .filter(|container| container.is_array || leaves_out == LeavesOut::Members)
            .filter(|container| container.ends.len() > kept)
            .filter_map(|container| {
                let end = *container.ends.last()?;
                Some((self.cost_of(container.begin, end), container, end))
            })
            .collect();
        largest.sort_by_key(|(cost, ..)| Reverse(*cost));
        for (_, container, end) in largest {
            if missing == 0 {
                break;
            }
            if self.hold(container.begin.at) {
                continue;
            }
            let fronts = std::iter::once(&container.begin).chain(&container.ends);
            let fronts = fronts.take(container.ends.len()).skip(kept);
            let mut front = end;
            for earlier in fronts.copied().collect::<Vec<_>>().into_iter().rev() {
                front = earlier;
                if self.cost_of(front, end) >= missing {
                    break;
                }
            }
            missing = missing.saturating_sub(self.cost_of(front, end));
            self.cost += end.cost - front.cost;
            self.ranges.insert(front.at, end.at);
        }
        (missing == 0).then_some(())
    }

    /// The bytes between two places, with the strings at the floor.
    fn cost_of(&self, from: Mark, to: Mark) -> usize {
        let saved = |mark: Mark| self.saved.get(mark.strings).copied().unwrap_or_default();
        (to.cost - from.cost).saturating_sub(saved(to) - saved(from))
    }

    /// Whether the place is in what is left out.
    fn hold(&self, at: usize) -> bool {
        let before = self.ranges.range(..=at).next_back();
        before.is_some_and(|(_, end)| at < *end)
    }
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
    fn items_at_the_end_are_left_out_when_strings_are_not_enough() {
        let numbers = json!(vec![1; 100]).to_string();
        let members = format!(r#"{{"numbers":{numbers},"last":2}}"#);
        check_cut(&members, 40, Some(r#"{"numbers":[1,1,1,1,1,1],"last":2}"#));
        check_cut(&numbers, 9, Some("[1,1,1]"));
        check_cut("[ 1 , 22 , 333 ]", 12, Some("[ 1 , 22 ]"));
        check_cut("[ 1 , 22 , 333 ]", 6, Some("[ ]"));
        // Even the first item may be too much, or all of it.
        check_cut(r#"{"a":[[[1,2],[3,4]]]}"#, 17, Some(r#"{"a":[[[1]]]}"#));
        check_cut(r#"{"a":[[[1,2],[3,4]]]}"#, 16, Some(r#"{"a":[]}"#));
        check_cut(r#"{"a":[1],"b":{"c":2}}"#, 13, Some(r#"{"a":[1]}"#));
        check_cut(r#"{"a":1,"b":2}"#, 12, Some(r#"{"a":1}"#));
        check_cut(r#"{"a":1,"b":2}"#, 4, Some("{}"));
    }

    #[test]
    fn the_longest_strings_are_trimmed_to_one_length() {
        let (long, longer) = ("x".repeat(1_000), "y".repeat(3_000));
        let text = json!([long, "short", longer]).to_string();
        let cut: Vec<String> = serde_json::from_str(&cut_json(&text, 1_024).unwrap()).unwrap();
        assert_eq!(cut[1], "short");
        let lengths = [cut[0].len(), cut[2].len()];
        assert_eq!(lengths[0], lengths[1]);
        assert!((480..512).contains(&lengths[0]), "{lengths:?}");
        assert!(cut[0].ends_with("x...[cut from 1000 bytes]"), "{}", cut[0]);
        assert!(cut[2].ends_with("y...[cut from 3000 bytes]"), "{}", cut[2]);
    }

    #[test]
    fn messages_at_the_end_are_left_out_before_all_are_cut_to_nothing() {
        let message = json!({ "role": "user", "content": "x".repeat(200) });
        let text = json!({ "messages": vec![message; 1_000] }).to_string();
        let cut: Value = serde_json::from_str(&cut_json(&text, 10_000).unwrap()).unwrap();
        let messages = cut["messages"].as_array().unwrap();
        assert!((40..80).contains(&messages.len()), "{}", messages.len());
        for message in messages {
            assert_eq!(message["role"], "user");
            assert!(message["content"].as_str().unwrap().len() >= 128);
        }
    }

    #[test]
    fn bytes_in_base64_are_replaced_whole_and_leave_their_room_to_texts() {
        let bytes = "QUJD".repeat(10_000);
        let text = "x".repeat(20_000);
        let parts = json!([
            { "type": "blob", "modality": "image", "content": bytes },
            { "content": bytes, "type": "blob" },
            { "type": "image", "source": { "type": "base64", "data": bytes } },
            { "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{bytes}") } },
            { "type": "blob", "content": "QUJD" },
            { "type": "text", "content": text },
            { "type": "text", "content": bytes },
        ]);
        let cut = cut_json(&parts.to_string(), 41_000).unwrap();
        let cut: Value = serde_json::from_str(&cut).unwrap();
        let note = "...[cut from 40000 bytes]";
        for bytes in [
            &cut[0]["content"],
            &cut[1]["content"],
            &cut[2]["source"]["data"],
        ] {
            assert_eq!(bytes, note);
        }
        assert_eq!(cut[3]["image_url"]["url"], "...[cut from 40022 bytes]");
        assert_eq!(cut[4]["content"], "QUJD");
        // Nobody says that the last one is in base64.
        assert_eq!(cut[5]["content"].as_str().map(str::len), Some(20_000));
        let last = cut[6]["content"].as_str().unwrap();
        assert!(
            last.starts_with("QUJDQUJD") && last.ends_with(note),
            "{}",
            last.len()
        );
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

        #[test]
        fn of_bytes_in_base64_all_or_nothing_is_kept(
            parts in proptest::collection::vec((any::<bool>(), 0_usize..120), 0..6),
            budget in 4_usize..1_500,
        ) {
            let content = |groups: usize| "QUJD".repeat(groups);
            let part = |(is_blob, groups): &(bool, usize)| {
                let part_type = if *is_blob { "blob" } else { "text" };
                json!({ "type": part_type, "content": content(*groups) })
            };
            let parts_json = Value::from_iter(parts.iter().map(part));
            let text = json!({ "parts": parts_json }).to_string();
            let cut = cut_json(&text, budget).unwrap();
            prop_assert!(text_cost(&cut) + 2 <= budget);
            let cut: Value = serde_json::from_str(&cut).unwrap();
            let kept = cut["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
            for (part, (is_blob, groups)) in kept.iter().zip(&parts) {
                let found = part["content"].as_str().unwrap_or_default();
                let note = format!("...[cut from {} bytes]", content(*groups).len());
                let is_whole = found == content(*groups) || found == note || found.is_empty();
                prop_assert!(is_whole || (!is_blob && found.ends_with(&note)), "{}", found);
            }
        }
    }
}
