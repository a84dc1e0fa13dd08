//! Finds what a text repeats of something that was sent.

use std::collections::HashMap;
use std::ops::Range;

use super::unescape::unescaped;

/// How many bytes of a body that was sent, or more, are a repetition. What is shorter is none: names of
/// operations, words.
const SHORTEST_OF_BODY: usize = 16;

/// How many bytes of a secret, or more, are a repetition.
const SHORTEST_OF_SECRET: usize = 8;

/// A secret that is shorter costs the whole text in which it stands: its bytes say nothing by themselves.
const SHORTEST_SECRET: usize = 4;

/// How often what is sent may have been escaped: once as JSON, once more as JSON in a text of it.
const MAX_ESCAPES: usize = 2;

/// Marks, for each text, which of its bytes repeat something.
pub(super) struct Echo<'t> {
    texts: &'t [&'t str],
    found: Vec<Vec<bool>>,
}

/// The rule for a repetition, in any case of ASCII: receivers repeat texts in upper or in lower
/// case.
struct Rule<const BLOCK: usize> {
    shortest: usize,
    /// Whether names of attributes do not count: in what was sent they stand as the keys of JSON.
    skips_keys: bool,
}

/// Repetitions of the shortest length hold a whole block that begins at a multiple of its length.
const OF_BODY: Rule<{ SHORTEST_OF_BODY / 2 }> = Rule {
    shortest: SHORTEST_OF_BODY,
    skips_keys: true,
};

const OF_SECRET: Rule<{ SHORTEST_OF_SECRET / 2 }> = Rule {
    shortest: SHORTEST_OF_SECRET,
    skips_keys: false,
};

impl<'t> Echo<'t> {
    pub(super) fn of(texts: &'t [&'t str]) -> Self {
        let found = texts.iter().map(|text| vec![false; text.len()]).collect();
        Self { texts, found }
    }

    /// For each byte of each text, whether it is part of a repetition.
    pub(super) fn into_found(self) -> Vec<Vec<bool>> {
        self.found
    }

    /// Looks for what the texts repeat of secrets.
    pub(super) fn mark_secrets(&mut self, secrets: &[&[u8]]) {
        self.mark(secrets, &OF_SECRET);
        let is_short = |secret: &&&[u8]| (1..SHORTEST_SECRET).contains(&secret.len());
        let short: Vec<_> = secrets.iter().filter(is_short).collect();
        for (text, found) in self.texts.iter().zip(&mut self.found) {
            let has = |secret: &&&[u8]| {
                let mut parts = text.as_bytes().windows(secret.len());
                parts.any(|part| part.eq_ignore_ascii_case(secret))
            };
            if short.iter().any(has) {
                found.fill(true);
            }
        }
    }

    /// Looks for what the texts repeat of a body, as it was sent and as it reads.
    pub(super) fn mark_body(&mut self, body: &[u8]) {
        self.mark(&[body], &OF_BODY);
        let mut plain = unescaped(body);
        for _ in 0..MAX_ESCAPES {
            let Some(body) = plain else { return };
            self.mark(&[&body], &OF_BODY);
            plain = unescaped(&body);
        }
    }

    fn mark<const BLOCK: usize>(&mut self, sent: &[&[u8]], rule: &Rule<BLOCK>) {
        let mut places: HashMap<[u8; BLOCK], Vec<(usize, usize)>> = HashMap::new();
        for (number, text) in self.texts.iter().enumerate() {
            let blocks = text.as_bytes().windows(BLOCK).enumerate();
            for (at, block) in blocks.filter_map(|(at, it)| Some((at, key(it)?))) {
                places.entry(block).or_default().push((number, at));
            }
        }
        if places.is_empty() {
            return;
        }
        for sent in sent {
            let blocks = sent.chunks_exact(BLOCK).enumerate();
            for (number, block) in blocks.filter_map(|(at, it)| Some((at, key(it)?))) {
                let Some(places) = places.get_mut(&block) else {
                    continue;
                };
                places.retain(|(text, at)| {
                    let (Some(words), Some(found)) =
                        (self.texts.get(*text), self.found.get_mut(*text))
                    else {
                        return false;
                    };
                    let repeated = rule.repetition(words.as_bytes(), *at, sent, number * BLOCK);
                    let Some(repeated) = repeated else {
                        return true;
                    };
                    // A text that is found once need not be found again.
                    found.get_mut(repeated).is_none_or(|bytes| {
                        bytes.fill(true);
                        false
                    })
                });
            }
        }
    }
}

/// The key of a block in the index. None if it has another length.
fn key<const BLOCK: usize>(block: &[u8]) -> Option<[u8; BLOCK]> {
    let mut key: [u8; BLOCK] = block.try_into().ok()?;
    key.make_ascii_lowercase();
    Some(key)
}

impl<const BLOCK: usize> Rule<BLOCK> {
    /// The part of `text` around `at` that repeats what stands around `there` in `sent`.
    fn repetition(
        &self,
        text: &[u8],
        at: usize,
        sent: &[u8],
        there: usize,
    ) -> Option<Range<usize>> {
        let (before, after) = text.split_at_checked(at)?;
        let (sent_before, sent_after) = sent.split_at_checked(there)?;
        let same = |(one, other): &(&u8, &u8)| one.eq_ignore_ascii_case(other);
        let left = before.iter().rev().zip(sent_before.iter().rev());
        let left = left.take_while(same).count();
        let right = after.iter().zip(sent_after).take_while(same).count();
        let is_long = left + right >= self.shortest.min(sent.len());
        let is_key = self.skips_keys && is_key(sent, there - left..there + right);
        (is_long && !is_key).then(|| at - left..at + right)
    }
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
    fn hidden(text: &str, mark: impl FnOnce(&mut Echo<'_>)) -> String {
        let texts = [text];
        let mut echo = Echo::of(&texts);
        mark(&mut echo);
        let found = echo.into_found().remove(0);
        let bytes = text.bytes().zip(found);
        let hidden = bytes.map(|(byte, is_found)| if is_found { b'.' } else { byte });
        String::from_utf8(hidden.collect()).unwrap()
    }

    fn check(text: &str, bodies: &[&str], expected: &str) {
        let found = hidden(text, |echo| {
            for body in bodies {
                echo.mark_body(body.as_bytes());
            }
        });
        assert_eq!(found, expected);
    }

    fn check_secret(text: &str, secret: &str, expected: &str) {
        let found = hidden(text, |echo| echo.mark_secrets(&[secret.as_bytes()]));
        assert_eq!(found, expected, "{secret}");
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
        check_secret(&text, &sent, &".".repeat(800));
        let backslashes = "\\".repeat(1_000_000);
        check(&text, &[&backslashes], &text);
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

    #[test]
    fn a_text_is_found_although_it_was_escaped_once_or_twice() {
        let prompt = "私は病気です \"誰にも\" 言わないで";
        let once = serde_json::to_string(prompt).unwrap();
        let ascii: String = prompt
            .chars()
            .map(|c| match c {
                '"' => "\\\"".to_owned(),
                c if c.is_ascii() => c.to_string(),
                c => format!("\\u{:04x}", u32::from(c)),
            })
            .collect();
        let twice = serde_json::to_string(&format!("{{\"content\":\"{ascii}\"}}")).unwrap();
        let expected = format!("no: {}", ".".repeat(prompt.len()));
        for sent in [&once, &ascii, &twice] {
            check(&format!("no: {prompt}"), &[sent], &expected);
        }
    }

    #[test]
    fn t11_a_receiver_that_changes_the_case_hides_nothing() {
        let sent = r#"{"content":"Patient: Jane Roe, Ward 7"}"#;
        for said in [
            "PATIENT: JANE ROE",
            "patient: jane roe",
            "pAtIeNt: jAnE rOe",
        ] {
            check(&format!("no: {said}!"), &[sent], "no: .................!");
        }
    }

    #[test]
    fn t11_eight_bytes_of_a_secret_are_found_and_a_short_one_whole() {
        for shift in 0..9 {
            let secret = format!("{}0123abcd|", "x".repeat(shift));
            check_secret("key 0123ABCD!", &secret, "key ........!");
            check_secret("key 0123ABC!", &secret, "key 0123ABC!");
        }
        check_secret(
            "password hunter2 is wrong",
            "hunter2",
            "password ....... is wrong",
        );
        check_secret(
            "password hunter is wrong",
            "hunter2",
            "password hunter is wrong",
        );
        check_secret("pw abcd", "AbCd", "pw ....");
    }

    #[test]
    fn t11_a_text_with_a_tiny_secret_in_it_is_refused_whole() {
        check_secret("no abc here", "ABC", "...........");
        check_secret("no ab here", "abc", "no ab here");
        check_secret("t", "t", ".");
        check_secret("anything", "", "anything");
    }
}
