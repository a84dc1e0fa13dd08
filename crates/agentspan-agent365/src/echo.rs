//! Finds what a text repeats of something that was sent.

use std::collections::HashMap;
use std::ops::Range;

/// What is shorter is no repetition: names of operations, words.
const SHORTEST: usize = 16;

/// A repetition of the shortest length holds a whole block that begins at a multiple of its length.
const BLOCK: usize = SHORTEST / 2;

/// For each byte of each text, whether it is part of a repetition. Names of attributes do not count: in
/// what was sent they stand as the keys of JSON.
pub(crate) fn repeats(texts: &[&str], sent: &[&[u8]]) -> Vec<Vec<bool>> {
    let mut found: Vec<_> = texts.iter().map(|text| vec![false; text.len()]).collect();
    let mut places: HashMap<&[u8], Vec<(usize, usize)>> = HashMap::new();
    for (number, text) in texts.iter().enumerate() {
        for (at, block) in text.as_bytes().windows(BLOCK).enumerate() {
            places.entry(block).or_default().push((number, at));
        }
    }
    if places.is_empty() {
        return found;
    }
    for sent in sent {
        for (number, block) in sent.chunks_exact(BLOCK).enumerate() {
            let Some(places) = places.get_mut(block) else {
                continue;
            };
            places.retain(|(text, at)| {
                let (Some(words), Some(found)) = (texts.get(*text), found.get_mut(*text)) else {
                    return false;
                };
                let Some(repeated) = repetition(words.as_bytes(), *at, sent, number * BLOCK) else {
                    return true;
                };
                // What is found once need not be found again.
                found.get_mut(repeated).is_none_or(|bytes| {
                    bytes.fill(true);
                    false
                })
            });
        }
    }
    found
}

/// The part of `text` around `at` that repeats what stands around `there` in `sent`.
fn repetition(text: &[u8], at: usize, sent: &[u8], there: usize) -> Option<Range<usize>> {
    let (before, after) = text.split_at_checked(at)?;
    let (sent_before, sent_after) = sent.split_at_checked(there)?;
    let same = |(one, other): &(&u8, &u8)| one == other;
    let left = before.iter().rev().zip(sent_before.iter().rev());
    let left = left.take_while(same).count();
    let right = after.iter().zip(sent_after).take_while(same).count();
    let is_long = left + right >= SHORTEST;
    (is_long && !is_key(sent, there - left..there + right)).then(|| at - left..at + right)
}

/// Whether the range holds a key of JSON, maybe with its quotes and its colon, and nothing else.
fn is_key(json: &[u8], range: Range<usize>) -> bool {
    let Range { mut start, mut end } = range;
    if json.get(start) == Some(&b'"') {
        start += 1;
    }
    let is_end = |byte: &u8| matches!(byte, b'"' | b':' | b' ');
    while end > start && json.get(end - 1).is_some_and(is_end) {
        end -= 1;
    }
    let (Some(before), Some(key), Some(after)) =
        (json.get(..start), json.get(start..end), json.get(end..))
    else {
        return false;
    };
    before.ends_with(b"\"")
        && !before.ends_with(b"\\\"")
        && !key.contains(&b'"')
        && after.starts_with(b"\":")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` with a `.` in place of each byte that repeats what was sent.
    fn check(text: &str, sent: &[&str], expected: &str) {
        let sent: Vec<_> = sent.iter().map(|sent| sent.as_bytes()).collect();
        let found = repeats(&[text], &sent).remove(0);
        let hidden: String = text
            .chars()
            .zip(found)
            .map(|(c, is_repeated)| if is_repeated { '.' } else { c })
            .collect();
        assert_eq!(hidden, expected);
    }

    #[test]
    fn a_repetition_is_found_wherever_it_stands() {
        for shift in 0..20 {
            let sent = format!("{}0123456789abcdef|", "x".repeat(shift));
            check("say 0123456789abcdef!", &[&sent], "say ................!");
            check("say 0123456789abcde!", &[&sent], "say 0123456789abcde!");
        }
        check("", &["0123456789abcdef"], "");
        check("0123456789abcdef", &[], "0123456789abcdef");
        check(
            "0123456789abcdef",
            &["", "0123456789abcdef"],
            &".".repeat(16),
        );
    }

    #[test]
    fn a_repetition_without_end_takes_no_time() {
        let text = "a".repeat(800);
        let sent = "a".repeat(1_000_000);
        check(&text, &[&sent], &".".repeat(800));
    }

    #[test]
    fn keys_of_json_are_no_repetition_and_keys_within_texts_are() {
        let key = "gen_ai.operation.name";
        let sent = format!(r#"{{"{key}":"v"}}"#);
        check(key, &[&sent], key);
        check(&format!("\"{key}\": x"), &[&sent], &format!("\"{key}\": x"));
        let quoted = format!(r#"{{"text":"{{\"{key}\":1}}"}}"#);
        check(key, &[&quoted], &".".repeat(key.len()));
        let value = format!(r#"{{"k":"{key}"}}"#);
        check(key, &[&value], &".".repeat(key.len()));
    }
}
